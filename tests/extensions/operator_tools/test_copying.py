"""`guidance copy`: from SQLite to PostgreSQL and back, whole or not at all, and proved by the chains."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, text
from sqlmodel import SQLModel
from starlette.testclient import TestClient

from app.config import Settings
from app.db.database import DATABASE_FILE
from app.extensions.operator_tools.services import row_copying
from app.main import create_app
from tests.support.clock import SettableClock
from tests.support.command import Finished, guidance
from tests.support.concerns import a_concern, add
from tests.support.databases import drop_triggers, postgresql
from tests.support.desk import desk_of
from tests.support.publishing import publish_next
from tests.support.service import a_service

pytestmark = [pytest.mark.slow, pytest.mark.any_database]  # each uses both databases itself

ONCE = {"Idempotency-Key": "00000000-0000-4000-8000-000000000001"}
NAME = "to_copy_into"
EMPTY = 0


@pytest.fixture
def address() -> Iterator[str]:
    """The address of an empty database."""
    server = postgresql()
    server.drop({NAME})
    with server.connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
    yield server.address(NAME)
    server.drop({NAME})


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder in which a service has worked. It is closed."""
    service = a_service(data_dir=tmp_path / "data")
    with TestClient(service) as client:
        desk = desk_of(service, client)
        receipt = client.post("/v1/concerns", json=a_concern(), headers=ONCE).json()
        assert add(client, receipt).status_code == 201
        assert desk.act(receipt["reference"], "acknowledgement", up_to_addition=1).status_code == 200
        assert desk.act(receipt["reference"], "hold", held=True, reason="A copy").status_code == 200
    return tmp_path / "data"


def copy(data_dir: Path, to: str | Path, **settings: str) -> Finished:
    return guidance("copy", "--to", to, "--data-dir", data_dir, **settings)


def serve(data_dir: Path, address: str | None = None) -> FastAPI:
    values = {"data_dir": data_dir, "deliver": False, "database_url": address}
    return create_app(Settings.model_validate(values), SettableClock())


def use(service: FastAPI) -> bytes:
    """Use what a copy could break: return a stored receipt, raise a new concern, publish, and search."""
    with TestClient(service) as client:
        replayed = client.post("/v1/concerns", json=a_concern(), headers=ONCE)
        assert replayed.headers["Idempotency-Replayed"] == "true"
        assert client.post("/v1/concerns", json=a_concern()).status_code == 201
        publish_next(service, change_note="A made-up change.")
        assert client.get("/v1/search", params={"q": "missing"}).json()["results"]
        return replayed.content


def tables_in(name: str = NAME) -> int:
    with postgresql().connect(name) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    return int(found[0]) if found else EMPTY


def test_a_service_moves_to_postgresql_and_back_with_every_row(data_dir: Path, address: str, tmp_path: Path) -> None:
    there = copy(data_dir, address)
    with postgresql().connect(NAME) as connection:
        numbers = connection.execute(
            "SELECT last_value, (SELECT max(id) FROM catalogue) FROM catalogue_id_seq"
        ).fetchone()
    first = use(serve(data_dir, address))
    back = copy(data_dir, tmp_path / "back", DATABASE_URL=address)
    for key in data_dir.glob("*.[pt][ex][mt]"):
        shutil.copy(key, tmp_path / "back")

    assert (there.returncode, back.returncode) == (0, 0), there.stderr + back.stderr
    assert numbers is not None
    assert numbers[0] == numbers[1]
    assert "1 edition, 2 renditions, 1 concern and 5 audit log entries" in there.stdout
    assert "2 editions, 2 renditions, 2 concerns" in back.stdout
    assert f"{data_dir / 'receipt-key.pem'} (GUIDANCE_RECEIPT_KEY_FILE)" in there.stderr
    assert use(serve(tmp_path / "back")) == first
    assert guidance("verify", "--data-dir", tmp_path / "back").returncode == 0


def test_a_copy_is_repeated_only_while_both_are_equal(data_dir: Path, address: str) -> None:
    again = [copy(data_dir, address) for _ in range(2)]
    use(serve(data_dir, address))

    refused = copy(data_dir, address)

    assert [each.returncode for each in again] == [0, 0]
    assert "copied earlier" in again[1].stdout
    assert refused.returncode == 1
    assert "The target is not empty" in refused.stderr


def test_an_interrupted_copy_leaves_the_target_empty(
    data_dir: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_connection: Connection) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(row_copying, "_finish", interrupt)
        interrupted = copy(data_dir, address)
    left = tables_in()

    assert (interrupted.returncode, left) == (130, EMPTY)
    assert copy(data_dir, address).returncode == 0
    assert tables_in() == len(SQLModel.metadata.tables) + 1


@pytest.mark.parametrize("change", ["UPDATE known_time SET at = at + interval '1 microsecond'", "DELETE FROM cards"])
def test_a_row_that_arrives_changed_or_not_at_all_stops_the_copy(
    data_dir: Path, address: str, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    write = row_copying._write_rows

    def write_wrongly(reading: Connection, writing: Connection, on_step: Any) -> None:
        write(reading, writing, on_step)
        writing.execute(text(change))

    monkeypatch.setattr(row_copying, "_write_rows", write_wrongly)

    refused = copy(data_dir, address)

    assert (refused.returncode, tables_in()) == (1, EMPTY)
    assert "was not copied as it is" in refused.stderr


def test_a_database_in_use_is_not_copied(data_dir: Path, address: str, tmp_path: Path) -> None:
    with TestClient(serve(data_dir)):
        embedded = copy(data_dir, address)
    assert copy(data_dir, address).returncode == 0
    with TestClient(serve(data_dir, address)):
        shared = copy(data_dir, tmp_path / "back", DATABASE_URL=address)

    assert [each.returncode for each in (embedded, shared)] == [1, 1]
    assert "stop the service first" in embedded.stderr
    assert "stop the service on every node first" in shared.stderr


def test_a_copy_tells_the_faults_of_its_source(data_dir: Path, address: str) -> None:
    with closing(sqlite3.connect(data_dir / DATABASE_FILE, isolation_level=None)) as connection:
        rules = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        drop_triggers(connection)
        connection.execute("UPDATE concerns SET immediate_danger = 'not_sure'")
        for (rule,) in rules:
            connection.execute(rule)

    told = guidance("copy", "--to", address, "--data-dir", data_dir, "--json")

    assert told.returncode == 1
    assert [each["fault"] for each in json.loads(told.stdout)["faults"]] == [
        "its row was altered since it was received"
    ]
    assert "The copy equals its source" in told.stderr


@pytest.mark.parametrize(
    "made", ["CREATE TABLE planned_visits (id int)", "CREATE VIEW visits AS SELECT 1", "CREATE TABLE concerns (id int)"]
)
def test_a_database_that_holds_anything_is_refused_and_stays(data_dir: Path, address: str, made: str) -> None:
    with postgresql().connect(NAME) as connection:
        connection.execute(made)
    before = tables_in()

    refused = copy(data_dir, address)

    assert refused.returncode == 1
    assert "of another program: name an empty database" in refused.stderr
    assert tables_in() == before


def test_a_copy_into_its_own_database_is_refused(data_dir: Path) -> None:
    refused = copy(data_dir, data_dir)

    assert refused.returncode == 1
    assert "The target is the database of this service" in refused.stderr
