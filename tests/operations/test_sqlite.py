"""The embedded database: what every connection to it is set to."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.db.database import for_writing, open_database
from tests.support.loops import for_each

pytestmark = pytest.mark.embedded

FULL, ON, IN_MEMORY = 2, 1, 2


@for_each("writes", [False, True])
@for_each(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", FULL),
        ("foreign_keys", ON),
        ("busy_timeout", 5000),
        ("recursive_triggers", ON),
        ("secure_delete", ON),
        ("temp_store", IN_MEMORY),
        ("trusted_schema", 0),
    ],
)
def test_every_connection_is_set_as_the_promises_need(
    tmp_path: Path, pragma: str, value: str | int, *, writes: bool
) -> None:
    engine: Engine = open_database(tmp_path)
    with (for_writing(engine) if writes else engine).connect() as connection:
        found = connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()

    engine.dispose()
    assert found == value
