"""Drafts: forms that are finished later, each encrypted under a key that the database does not have."""

from app.store.migrations.statements import run_statements

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add their table."""
    run_statements(__file__)
