"""The SQL of a revision: one file for each database, for example `0003_nicknames.sqlite.sql`."""

from pathlib import Path

from alembic import op


def run_statements(revision_file: str) -> None:
    """Run the SQL file beside `revision_file`, in which an empty line separates statements."""
    connection = op.get_bind()
    script = Path(revision_file).with_suffix(f".{connection.dialect.name}.sql")
    for statement in script.read_text(encoding="utf-8").split("\n\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)
