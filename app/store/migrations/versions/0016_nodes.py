"""Nodes that write at once: events are announced, and the log is written from the chains afterwards."""

from app.store.migrations.statements import run_statements

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add how much of each chain the log has, which is all of it by now, and the lock that announces events."""
    run_statements(__file__)
