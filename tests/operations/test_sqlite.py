"""The embedded database: what every connection to it is set to."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from app.config import Settings
from app.db.database import DATABASE_FILE, for_writing, open_database
from app.http.context import AppContext
from app.models.audit.rows import Remnants
from app.services.audit import remnants
from app.services.audit.remnants import has_remnants, purge_remnants
from app.services.operations.jobs import Housekeeping
from app.services.workers import stop_workers
from tests.operations.test_background_workers import every_worker
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.command import guidance
from tests.support.concerns import a_concern, raise_concern
from tests.support.desk import Desk
from tests.support.live import LiveServer
from tests.support.log_lines import Lines
from tests.support.loops import for_each
from tests.support.waiting import LONG_ENOUGH, wait_until

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


PIECE = slice(200, 232)  # of a sealed text: no other text has the same bytes


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remnants are removed only when the test says so, and not when the service of the test gets to it as well."""
    monkeypatch.setattr(Housekeeping, "_purge_remnants", lambda *_: None)


@pytest.fixture
def reference(client: TestClient, desk: Desk, clock: SettableClock) -> str:
    """A concern that was acknowledged long ago."""
    clock.time = A_TUESDAY - dt.timedelta(days=1000)
    reference = str(raise_concern(client)["reference"])
    assert desk.act(reference, "acknowledgement").status_code == 200
    return reference


@pytest.fixture
def reader(settings: Settings, reference: str) -> Iterator[sqlite3.Connection]:
    """Another program that reads the database, from before the erasure."""
    with closing(sqlite3.connect(settings.data_dir / DATABASE_FILE, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        assert connection.execute("SELECT count(*) FROM concerns WHERE reference = ?", (reference,)).fetchone() == (1,)
        yield connection


def sealed_piece(data_dir: Path) -> bytes:
    with closing(sqlite3.connect(data_dir / DATABASE_FILE)) as connection:
        sealed: bytes = connection.execute("SELECT sealed FROM concerns").fetchone()[0]
    return sealed[PIECE]


def is_in_files(data_dir: Path, piece: bytes) -> bool:
    return any(piece in path.read_bytes() for path in data_dir.iterdir() if path.is_file())


def erase(desk: Desk, reference: str) -> Any:
    return desk.act(reference, "erasure", reason="A made-up reason.").json()["remnants"]


@pytest.mark.slow
def test_an_erasure_with_no_reader_leaves_nothing_and_says_so(
    desk: Desk, settings: Settings, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remnants, "BRIEF_MILLISECONDS", LONG_ENOUGH * 1000)  # the service's own workers read too
    piece = sealed_piece(settings.data_dir)

    assert erase(desk, reference) == "none"

    assert not is_in_files(settings.data_dir, piece)


@pytest.mark.slow
@pytest.mark.usefixtures("reader")
def test_a_start_with_a_reader_warns_only_after_an_erasure(
    context: AppContext, desk: Desk, reference: str, settings: Settings, lines: Lines
) -> None:
    stop_workers(context.workers)
    raise_concern(desk.http)  # which the reader keeps in the log

    def warned_by_a_start() -> list[bool]:
        workers = every_worker(context, settings)
        (purge,) = [job.do for worker in workers for job in worker.jobs if job.name == "remnants"]
        told = []
        for _ in range(3):
            lines()
            purge(lambda: None)
            told.append("erased_text_remains_in_log" in {line["event"] for line in lines()})
        return told

    before = warned_by_a_start()
    assert erase(desk, reference) == "pending"
    (settings.data_dir / f"{DATABASE_FILE}-remnants").unlink()

    assert (before, warned_by_a_start()) == ([False] * 3, [False, True, False])


@pytest.mark.slow
@pytest.mark.usefixtures("by_hand")
def test_an_erasure_blocked_by_a_reader_says_so_and_finishes_later(
    desk: Desk, service: FastAPI, settings: Settings, reference: str, lines: Lines, reader: sqlite3.Connection
) -> None:
    piece = sealed_piece(settings.data_dir)
    context: AppContext = service.state.context

    answer = erase(desk, reference)
    purge_remnants(context.engine)
    held_up = (answer, is_in_files(settings.data_dir, piece), has_remnants(context.engine))
    reader.execute("COMMIT")
    wait_until(lambda: purge_remnants(context.engine) is Remnants.NONE)  # the service's own workers read too

    assert held_up == ("pending", True, True)
    assert (is_in_files(settings.data_dir, piece), has_remnants(context.engine)) == (False, False)
    events = [line["event"] for line in lines()]
    assert events.index("erased_text_remains_in_log") < events.index("erased_text_is_gone")
    assert events.count("erased_text_remains_in_log") == 1


@pytest.mark.slow
def test_a_reader_that_holds_the_log_delays_no_writer(
    client: TestClient, desk: Desk, reference: str, reader: sqlite3.Connection
) -> None:
    assert reader.in_transaction
    assert erase(desk, reference) == "pending"

    assert client.post("/v1/concerns", json=a_concern()).status_code == 201


@pytest.mark.slow
def test_a_blocked_purge_says_so_and_the_next_start_finishes_it(
    desk: Desk, settings: Settings, reference: str, reader: sqlite3.Connection
) -> None:
    assert desk.get(f"/concerns/{reference}").status_code == 200
    piece = sealed_piece(settings.data_dir)

    purge = ("desk", "purge", "--clock-checked", "--data-dir", settings.data_dir)
    ended = guidance(*purge, RETENTION_ACKNOWLEDGED_DAYS="1")
    held_up = is_in_files(settings.data_dir, piece)
    reader.execute("COMMIT")
    with LiveServer(settings.data_dir):
        assert (ended.stdout, "because a reader is using it" in ended.stderr, held_up) == ("1 erased\n", True, True)
        wait_until(lambda: not is_in_files(settings.data_dir, piece))
