"""The first schema."""

from sqlalchemy import Connection

from app.store.migrations.statements import run_statements


def upgrade(connection: Connection) -> None:
    """Make every table, index and rule."""
    run_statements(connection, __file__)
