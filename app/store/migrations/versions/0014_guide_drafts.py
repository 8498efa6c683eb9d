"""Guides that are being written: one draft of each, and who did what with it."""

from app.store.migrations.statements import run_statements

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add their tables."""
    run_statements(__file__)
