"""The people at the desk, with their invitations, passkeys and sessions."""

from app.store.migrations.statements import run_statements

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add their tables. Nothing that is there changes."""
    run_statements(__file__)
