"""A node that starts while its database is away serves 999 and what was held, and opens the database later."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import (
    DatabaseError,
    IntegrityError,
    InternalError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from starlette.testclient import TestClient

from app.config import HELD_FILE
from app.db.database import DATABASE_FILE, WRITER_LOCK_KEY, describe_outage, open_to_requests
from tests.operations.test_faults import comes_back, kill_postgresql
from tests.support.databases import Postgresql, on_postgresql
from tests.support.live import LiveServer, environment_for
from tests.support.load import A_CONCERN
from tests.support.loops import for_each
from tests.support.publishing import GUIDE
from tests.support.waiting import eventually

PAGE = "/guides/child-sexual-exploitation"
NUMBER = "01225 396312"


class Outage:
    """A database that can be taken away and given back. `address` is None for the embedded database."""

    def __init__(self, folder: Path, database: Postgresql | None) -> None:
        self._folder, self.data_dir, self._database, self._page = folder, folder / "data", database, b""
        self.address = database and database.address(database.database_of(folder))

    def server(self, *, workers: int = 1, port: int = 0) -> LiveServer:
        """Return a server that counts as started when it lives."""
        settings: dict[str, Any] = {"database_url": self.address} if self.address else {}
        server = LiveServer(self.data_dir, workers=workers, port=port, **settings)
        server.started_at = "/health/live"
        return server

    def begin(self) -> None:
        """Stop PostgreSQL, or damage the root page of the editions."""
        if self._database is not None:
            kill_postgresql(self._database)
        else:
            self._page = self._change_page(b"\xee" * 4096)

    def end(self) -> None:
        if self._database is not None:
            assert eventually(lambda: self._database is not None and comes_back(self._database))
        else:
            self._change_page(self._page)

    def connect(self) -> Any:
        """Open a connection to the database of PostgreSQL that commits each statement by itself."""
        assert self._database is not None
        return self._database.connect(self._database.database_of(self._folder))

    def execute(self, statement: str) -> None:
        """Change the database of PostgreSQL."""
        with self.connect() as connection:
            connection.execute(statement)

    def address_with(self, wrong: str) -> str:
        """Return the address with another name of a database, or of a role with a wrong password."""
        if wrong == "name":
            return str(self.address).replace("/t", "/no_such_", 1)
        assert self._database is not None
        self.execute("CREATE ROLE council LOGIN PASSWORD 'the-right-one'")
        rules = self._database.folder / "pg_hba.conf"
        rules.write_text(f"local all council scram-sha-256\n{rules.read_text()}")
        self.execute("SELECT pg_reload_conf()")
        return str(self.address).replace("postgres:@", "council:secret-word@", 1)

    def _change_page(self, content: bytes) -> bytes:
        path = self.data_dir / DATABASE_FILE
        if not self._page:
            with closing(sqlite3.connect(path)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                question = "SELECT rootpage FROM sqlite_master WHERE name = 'editions'"
                self._at = (database.execute(question).fetchone()[0] - 1) * len(content)
        with path.open("r+b") as file:
            file.seek(self._at)
            before = file.read(len(content))
            file.seek(self._at)
            file.write(content)
        return before


@contextmanager
def an_outage(folder: Path) -> Iterator[Outage]:
    database = Postgresql(durable=True) if on_postgresql() else None
    try:
        yield Outage(folder, database)
    finally:
        if database is not None:
            database._end()


@pytest.fixture
def outage(tmp_path: Path) -> Iterator[Outage]:
    with an_outage(tmp_path) as found:
        yield found


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/health/ready").is_success
    except httpx.TransportError:
        return False


def port_of(server: LiveServer) -> int:
    return httpx.URL(server.url).port or 0


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.nightly)])
def test_a_restart_in_an_outage_gives_the_guide_and_opens_the_database_when_it_answers(
    outage: Outage, workers: int
) -> None:
    with outage.server(workers=workers) as before, before.client() as client:
        assert eventually(lambda: is_ready(client))
        assert eventually((outage.data_dir / HELD_FILE).exists)
        before.stop()
    outage.begin()

    with outage.server(workers=workers, port=port_of(before)) as server, server.client() as client:
        held = {path: client.get(path, headers={"Accept": "text/html"}) for path in ("/", PAGE, f"/cy{PAGE}")}
        guide, ready = client.get(GUIDE), client.get("/health/ready")
        refused = [
            client.post("/v1/concerns", json=A_CONCERN),
            client.get(f"{GUIDE}/editions/1", headers={"Accept": "text/html"}),
            client.get("/v1/desk/concerns", headers={"Authorization": "Bearer made-up"}),
        ]
        outage.end()
        assert eventually(lambda: is_ready(client))
        assert eventually(lambda: "age" not in client.get(GUIDE).headers)
        stored = client.post("/v1/concerns", json=A_CONCERN)

    assert {path: (each.status_code, "999" in each.text, "age" in each.headers) for path, each in held.items()} == (
        dict.fromkeys(held, (200, True, True))
    )
    assert (guide.status_code, guide.json()["edition"], guide.headers["vary"].lower().count("encoding")) == (200, 1, 1)
    assert ready.status_code == 503
    assert ready.json()["checks"]["database"].startswith("not opened since the start: ")
    assert [(each.status_code, "999" in each.text, NUMBER in each.text) for each in refused] == [(503, True, True)] * 3
    assert stored.status_code == 201


@pytest.mark.slow
def test_a_first_start_without_its_database_gives_the_numbers_of_the_seed(outage: Outage) -> None:
    if on_postgresql():
        outage.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    else:
        with outage.server() as before, before.client() as client:
            assert is_ready(client)
        (outage.data_dir / HELD_FILE).unlink()
    outage.begin()

    with outage.server() as server, server.client() as client:
        refused = [
            client.get(path, headers={"Accept": accept}) for path in ("/", GUIDE) for accept in ("text/html", "*/*")
        ]
        signposts = client.get("/v1/signposts")
        outage.end()
        assert eventually(lambda: is_ready(client))
        assert eventually(lambda: client.get(GUIDE).is_success)

    assert [(each.status_code, "999" in each.text, NUMBER in each.text) for each in refused] == [(503, True, True)] * 4
    assert (signposts.status_code, "999" in signposts.text) == (200, True)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.nightly)])
def test_a_database_that_may_not_be_used_stops_the_service_when_it_answers(outage: Outage, workers: int) -> None:
    if not on_postgresql():
        pytest.skip("the schema of an embedded database is checked before its damage is found")
    outage.execute("UPDATE alembic_version SET version_num = '9999'")
    outage.begin()

    server = outage.server(workers=workers)
    with server, server.client() as client:
        assert client.get("/health/ready").status_code == 503
        outage.end()
        assert server.wait()

    assert "The database schema is unknown" in server.log.read_text().splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["name", "password"])
def test_a_wrong_address_of_the_database_stops_the_start(tmp_path: Path, wrong: str) -> None:
    if not on_postgresql():
        pytest.skip("the embedded database has no address")
    with an_outage(tmp_path) as outage:
        words = ["serve", "--trial", "--port", "0", "--data-dir", str(outage.data_dir)]
        environment = {
            **os.environ,
            **environment_for(outage.data_dir, database_url=outage.address_with(wrong)),
        }

        ended = subprocess.run(
            [sys.executable, "-m", "app.cli", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "The database refuses what its address asks for."
    for never in ("database_not_opened", 'File "', "secret-word"):
        assert never not in ended.stdout + ended.stderr


@pytest.mark.slow
def test_a_database_that_goes_during_the_start_is_opened_when_it_comes_back(outage: Outage) -> None:
    if not on_postgresql():
        pytest.skip("no other program holds an embedded database in the middle of a start")
    server = outage.server()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'guidance' AND wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as threads:
        other = outage.connect()
        other.execute(f"SELECT pg_advisory_lock({WRITER_LOCK_KEY})")
        started = threads.submit(server.start)
        assert eventually(lambda: other.execute(waiting).fetchone() == (1,))  # it has answered, and now it goes
        outage.begin()
        started.result()

    with closing(other), server.client() as client:
        try:
            ready, refused = client.get("/health/ready"), client.post("/v1/concerns", json=A_CONCERN)
            outage.end()
            assert eventually(lambda: is_ready(client))
            stored = client.post("/v1/concerns", json=A_CONCERN)
        finally:
            server.stop()

    assert (ready.status_code, refused.status_code, "999" in refused.text) == (503, 503, True)
    assert stored.status_code == 201
    assert "database_opened" in server.log.read_text()


def test_an_unreachable_database_is_told_without_its_password(tmp_path: Path) -> None:
    nowhere = f"postgresql+psycopg://example:secret-word@/example?host={tmp_path}"
    server = LiveServer(tmp_path / "data", database_url=nowhere)
    server.started_at = "/health/live"

    with server, server.client() as client:
        ready = client.get("/health/ready")

    told = server.log.read_text() + ready.text
    assert ready.status_code == 503
    assert "database_not_opened" in told
    assert 'File "' not in told
    assert "secret-word" not in told


def test_no_request_reaches_a_database_before_the_checks_of_a_start(service: FastAPI, client: TestClient) -> None:
    engine, path = service.state.context.engine, f"{GUIDE}/editions/1/factors"
    open_to_requests(engine, is_open=False)
    refused = [client.get(path).status_code, client.post("/v1/concerns", json=A_CONCERN).status_code]
    engine.dispose()
    refused.append(client.get(path).status_code)
    open_to_requests(engine, is_open=True)

    assert refused == [503, 503, 503]
    assert [client.get(path).status_code, client.post("/v1/concerns", json=A_CONCERN).status_code] == [200, 201]


def of_sqlite(code: int, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> sqlite3.Error:
    error = kind("made-up")
    error.sqlite_errorcode = code
    return error


def of_postgresql(said: str, kind: type[DatabaseError] = OperationalError) -> DatabaseError:
    return kind("", {}, Exception(said))


OUTAGES = (
    of_postgresql("connection failed: Connection refused"),
    of_postgresql("FATAL:  the database system is starting up"),
    of_postgresql("FATAL:  sorry, too many clients already"),
    of_postgresql("failed to resolve host 'db': [Errno -3] Temporary failure in name resolution"),
    of_postgresql("could not read block 7 of a relation", InternalError),
    NoConnectionInTime("QueuePool limit of size 10 overflow 10 reached"),
    OperationalError("", {}, of_sqlite(sqlite3.SQLITE_BUSY)),
    OperationalError("", {}, of_sqlite(sqlite3.SQLITE_IOERR)),
)
DAMAGES = (
    DatabaseError("", {}, of_sqlite(sqlite3.SQLITE_CORRUPT, sqlite3.DatabaseError)),
    DatabaseError("", {}, of_sqlite(sqlite3.SQLITE_CORRUPT_INDEX, sqlite3.DatabaseError)),
    DatabaseError("", {}, of_sqlite(sqlite3.SQLITE_NOTADB, sqlite3.DatabaseError)),
)
SET_UP_ERRORS = (
    of_postgresql('FATAL:  password authentication failed for user "council"'),
    of_postgresql("fe_sendauth: no password supplied"),
    of_postgresql('FATAL:  no pg_hba.conf entry for host "192.0.2.1", user "council", database "guidance"'),
    of_postgresql('FATAL:  role "council" is not permitted to log in'),
    of_postgresql('FATAL:  permission denied for database "guidance"'),
    of_postgresql('FATAL:  database "guidance" does not exist'),
    of_postgresql("server does not support SSL, but SSL was required"),
    of_postgresql("permission denied for table editions", ProgrammingError),
    of_postgresql("cannot execute a statement that is misspelt", ProgrammingError),
    of_postgresql("a value is there twice", IntegrityError),
)
NO_ADDRESS = of_postgresql("failed to resolve host 'db': [Errno -2] Name or service not known")


@for_each(
    ("failure", "is_known", "outage"),
    [
        *((each, is_known, "no answer") for each in OUTAGES for is_known in (False, True)),
        *((each, is_known, "damaged") for each in DAMAGES for is_known in (False, True)),
        *((each, is_known, None) for each in SET_UP_ERRORS for is_known in (False, True)),
        (NO_ADDRESS, True, "no answer"),
        (NO_ADDRESS, False, None),
    ],
)
def test_an_outage_is_told_from_a_set_up_error(failure: SQLAlchemyError, is_known: bool, outage: str | None) -> None:
    assert describe_outage(failure, is_known=is_known) == outage
