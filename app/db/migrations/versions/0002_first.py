"""The schema of the first release, which the models create: see `app.db.schema`."""

revision = "0002"
down_revision = None


def upgrade() -> None:
    """Do nothing: later revisions start from here."""
