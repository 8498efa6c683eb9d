"""Messages to reporters. The concerns that are there have no key for them, since no token was stored."""

from app.store.migrations.statements import run_statements

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the key of the status token, messages, marks of what is due soon, and how far emails were sent."""
    run_statements(__file__)
