"""Keys in a table of their own, so that a client can have several, which end; and the person that has them."""

from app.store.migrations.statements import run_statements

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Move each client's key to the new table. It goes on opening what it opened."""
    run_statements(__file__)
