"""What the last release promised: its OpenAPI document, its schema and its form, which `make release` records.

`python -m tests.support.released VERSION` writes them. Until the first release there is none.
"""

import json
import sys
import tempfile
from pathlib import Path

from sqlalchemy import Engine

from app.config import Settings
from app.db.database import for_writing
from app.db.schema import CREATE_VERSION_TABLE, declared_statements, newest_revision
from app.main import create_app
from app.models.concerns.concern import FORM_DIGEST, FORM_VERSION, RELEASED_FORM

FOLDER = Path(__file__).parents[1] / "released"
DOCUMENT = FOLDER / "openapi.json"
BETWEEN_STATEMENTS = "\n\n"


def record_release(version: str) -> None:
    """Write the document, under that version, the schema and the form of this program over the last release's."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        document = create_app(Settings(data_dir=Path(folder))).openapi()
    document["info"]["version"] = version  # an installed program names the version that it was installed as
    DOCUMENT.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for dialect in ("sqlite", "postgresql"):
        version = f"INSERT INTO alembic_version VALUES ('{newest_revision()}')"  # noqa: S608  # a number of our own
        statements = [*declared_statements(dialect), CREATE_VERSION_TABLE, version]
        (FOLDER / f"schema.{dialect}.sql").write_text(BETWEEN_STATEMENTS.join(statements) + "\n", encoding="utf-8")
    record_form()


def record_form() -> None:
    """From then on, another form has the next version."""
    form = json.dumps({"version": FORM_VERSION, "digest": FORM_DIGEST}, indent=1)
    RELEASED_FORM.write_text(form + "\n", encoding="utf-8")


def make_released_schema(engine: Engine) -> None:
    """Give the empty database the schema of the last release."""
    script = (FOLDER / f"schema.{engine.dialect.name}.sql").read_text(encoding="utf-8")
    with for_writing(engine).begin() as connection:
        for statement in script.strip().split(BETWEEN_STATEMENTS):
            connection.exec_driver_sql(statement)


if __name__ == "__main__":
    record_release(sys.argv[1])
