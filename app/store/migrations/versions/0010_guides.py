"""Guides that were never printed: an owner and where they apply, and more ways to reach a contact."""

from app.store.migrations.statements import run_statements

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the columns. What is published has nothing in them, and its digests stay."""
    run_statements(__file__)
