"""The schema of the first release, which every database has from the models: see `app.db.schema`."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Do nothing: later revisions start from here."""
