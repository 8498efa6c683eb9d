"""Looks: up to when each person of the desk has looked at what changed."""

from app.store.migrations.statements import run_statements

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add their table."""
    run_statements(__file__)
