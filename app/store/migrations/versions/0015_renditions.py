"""Renditions of editions, with their withdrawals and rules, and the subjects of an edition."""

from app.store.migrations.statements import run_statements

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the tables, and the column. What is published has no subjects, and its digests stay."""
    run_statements(__file__)
