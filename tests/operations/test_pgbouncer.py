"""Two nodes on one PostgreSQL behind PgBouncer in transaction mode: nothing they do needs a session of its own."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from app.config import Settings
from app.db.database import for_writing, open_database
from app.http.context import AppContext
from app.main import create_app
from app.models.access.clients import Scope
from app.services.access.clients import add_client
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY
from tests.support.command import ROOT
from tests.support.concerns import add, raise_concern
from tests.support.databases import postgresql
from tests.support.desk import desk_of
from tests.support.proxies import free_port, need
from tests.support.waiting import eventually

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

SERVER_CONNECTIONS = 4
"""Fewer than two nodes open, so that they share them."""


@contextmanager
def pgbouncer(work: Path, database: str) -> Iterator[str]:
    """Run PgBouncer before that database of the tests' server, and yield the address of the database through it."""
    program, port = need("pgbouncer"), free_port()
    folder = postgresql().folder
    changes = {
        "host=127.0.0.1 port=5432 dbname=guidance": f"host={folder} dbname={database} user=postgres",
        "guidance = ": f"{database} = ",
        "listen_port = 6432": f"listen_port = {port}\nunix_socket_dir =",
        "auth_type = scram-sha-256": "auth_type = any",
        "auth_file = /etc/pgbouncer/userlist.txt\n": "",
        "default_pool_size = 20": f"default_pool_size = {SERVER_CONNECTIONS}",
    }
    text = (ROOT / "deploy" / "pgbouncer.ini").read_text(encoding="utf-8")
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    work.mkdir()
    configuration = work / "pgbouncer.ini"
    configuration.write_text(text)
    owner = pwd.getpwuid(folder.stat().st_uid).pw_name  # the server lets its own user in
    as_owner = ["-u", owner] if os.getuid() == 0 else []  # it refuses to run as root
    with (work / "log").open("wb") as log:
        process = subprocess.Popen([program, *as_owner, str(configuration)], stdout=log, stderr=log)
    address = f"postgresql+psycopg://postgres@127.0.0.1:{port}/{database}"
    try:
        assert eventually(lambda: _answers(address) or process.poll() is not None)
        assert process.poll() is None, (work / "log").read_text()
        yield address
    finally:
        process.terminate()
        process.wait()


def _answers(address: str) -> bool:
    try:
        with psycopg.connect(address.replace("+psycopg", ""), connect_timeout=5) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


CONCERNS = 12


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with pgbouncer(tmp_path / "pgbouncer", postgresql().database_of(tmp_path / "shared")) as address:
        yield address


@pytest.fixture
def engine(address: str, tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path, address)
    yield engine
    engine.dispose()


def node(address: str, data_dir: Path) -> TestClient:
    settings = Settings.model_validate({"data_dir": data_dir, "deliver": False, "database_url": address})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settings, "database_address", address)
        return TestClient(create_app(settings, lambda: A_TUESDAY))


def test_two_nodes_behind_pgbouncer_store_everything_and_give_every_event(
    address: str, engine: Engine, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        first, second = (stack.enter_context(node(address, tmp_path / "keys")) for _ in range(2))
        service: FastAPI = first.app  # type: ignore[assignment]  # the service under test
        context: AppContext = service.state.context
        desk = desk_of(service, first)
        puller = {"Authorization": f"Bearer {add_client(context.writer, 'p', (Scope.EVENTS,), at=A_TUESDAY)}"}

        def raise_one(number: int) -> str:
            here, there = (first, second) if number % 2 else (second, first)
            receipt = raise_concern(here)
            added = add(there, receipt)
            opened = there.get(f"/v1/desk/concerns/{receipt['reference']}", headers=desk.headers)
            acted = desk.act(receipt["reference"], "acknowledgement")
            assert (added.status_code, opened.status_code, acted.status_code) == (201, 200, 200)
            return str(receipt["reference"])

        with ThreadPoolExecutor(4) as pool:
            references = list(pool.map(raise_one, range(CONCERNS)))
        events = second.get("/v1/events", params={"limit": 100}, headers=puller).json()["events"]
        assert second.get("/health/ready").status_code == 200

    kinds = ("concern.received", "concern.added", "concern.acknowledged")
    seen = {(each["type"], each["data"]["reference"]) for each in events if each["type"] in kinds}
    assert seen == {(kind, reference) for kind in kinds for reference in references}
    assert list(find_faults(engine)) == []
    with postgresql().connect("postgres") as connection:
        count = "SELECT count(*) <= %s FROM pg_stat_activity WHERE datname = %s"
        known = [SERVER_CONNECTIONS, postgresql().database_of(tmp_path / "shared")]
        assert connection.execute(count, known).fetchone() == (True,)


def test_readers_behind_pgbouncer_cannot_write_and_writers_await_the_disk(engine: Engine) -> None:
    show = "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"
    write = f"{show}, current_setting('synchronous_commit'), current_setting('lock_timeout')"
    for _ in range(3):
        with engine.connect() as connection:
            assert tuple(connection.execute(text(show)).one()) == ("repeatable read", "on")
        with for_writing(engine).begin() as connection:
            assert tuple(connection.execute(text(write)).one()) == ("read committed", "off", "on", "5s")
    with engine.connect() as connection, pytest.raises(Exception, match="read-only transaction") as refused:
        connection.execute(text("UPDATE generation SET number = number"))
    assert isinstance(refused.value.__cause__, psycopg.errors.ReadOnlySqlTransaction)
