"""The first schema."""

from app.store.migrations.statements import run_statements

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table, index and rule."""
    run_statements(__file__)
