"""Details of audit log entries as JSON: a database rule reads the assigned person from them.

The details of earlier builds are sentences. They are hashed, so no revision can rewrite them.
"""

from alembic import op
from sqlalchemy import text

from app.db.migrations.statements import run_statements
from app.errors import SetupError

revision = "0002"
down_revision = "0001"
SENTENCES = (
    "the audit log of this database was written by version 0.2.0 or before. Its details are sentences, which "
    "this program does not read, and nothing can rewrite them, since they are hashed. Nothing was changed. Use the "
    "build that wrote it for its concerns, and begin a new data folder with this one"
)


def upgrade() -> None:
    """Replace the rule. Raise `SetupError` if the audit log is not empty."""
    if op.get_bind().scalar(text("SELECT 1 FROM disclosures LIMIT 1")) is not None:
        raise SetupError(SENTENCES)
    run_statements(__file__)
