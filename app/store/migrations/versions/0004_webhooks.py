"""An index by which the due deliveries of one webhook are found, however many wait for another."""

from app.store.migrations.statements import run_statements

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the index."""
    run_statements(__file__)
