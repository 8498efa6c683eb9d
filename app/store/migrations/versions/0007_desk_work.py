"""The desk's daily work: the person that a concern is assigned to, notes, when it last changed, and saved views."""

from app.store.migrations.statements import run_statements

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns and tables. Nothing is assigned yet, and what changed last is read from the record."""
    run_statements(__file__)
