"""Clients for tests, and the tests that they send. Every concern that is there is real."""

from app.store.migrations.statements import run_statements

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add both columns. A real concern never becomes a test, since the database keeps what was received."""
    run_statements(__file__)
