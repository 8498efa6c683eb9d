"""What a reporter adds is acknowledged by itself.

An addition that was received before the disclosure of an acknowledgement or of an outcome counts as acknowledged by
it. Every other one waits, with a calendar day for its acknowledgement; what was said about danger is under its seal.
"""

from app.store.migrations.statements import run_statements

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Give additions their acknowledgement, and order the inbox by what waits."""
    run_statements(__file__)
