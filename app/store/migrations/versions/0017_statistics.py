"""Statistics of what is filtered together, for PostgreSQL. SQLite has the index named in each statement."""

from alembic import op

from app.store.migrations.statements import run_statements

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Count how often states, waiting and danger occur together. No row changes."""
    if op.get_bind().dialect.name == "postgresql":
        run_statements(__file__)
