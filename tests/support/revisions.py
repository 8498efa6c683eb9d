"""The schema of the first release, and a made-up revision after those of this program."""

import shutil
from pathlib import Path

from sqlalchemy import Engine

from app.store.database import for_writing
from app.store.schema import MIGRATIONS, run_revisions

FIRST = "0001"
"""The schema of version 0.1.0."""
NEWEST = max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
FOLLOWING = f"{int(NEWEST) + 1:04}"
NEXT = f'''"""A made-up revision."""

from app.store.migrations.statements import run_statements

revision = "{FOLLOWING}"
down_revision = "{NEWEST}"


def upgrade() -> None:
    """Do what the file beside this one says."""
    run_statements(__file__)
'''
WORKS = "CREATE TABLE invented (name VARCHAR)\n\nUPDATE clients SET name = name\n"
FAILS = "CREATE TABLE invented (name VARCHAR)\n\nALTER TABLE there_is_none ADD COLUMN invented VARCHAR\n"


def next_revision(folder: Path, statements: str) -> Path:
    """The history of this program, with one revision more."""
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"{FOLLOWING}_invented.py").write_text(NEXT)
    for dialect in ("sqlite", "postgresql"):
        (folder / "versions" / f"{FOLLOWING}_invented.{dialect}.sql").write_text(statements)
    return folder


def make_first_release(engine: Engine) -> None:
    """Give the empty database the schema of the first release."""
    with for_writing(engine).begin() as connection:
        run_revisions(connection, FIRST)
