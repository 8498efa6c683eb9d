"""Filters of the inbox: each of its indexes has every column that is filtered, and tests have an index of their own."""

from app.store.migrations.statements import run_statements

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Build the indexes again. No row changes."""
    run_statements(__file__)
