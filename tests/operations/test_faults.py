"""Real faults: processes killed at random moments, a database that goes away, a disk that is full or read-only.

`make faults` runs many rounds of the same; here are few. The seed of the moments is told when a test fails.
"""

import itertools
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func
from sqlmodel import Session, col, select

from app.config import Settings
from app.db.database import DATABASE_FILE, open_database
from app.db.writer import Writer
from app.models.access.clients import Scope
from app.models.audit.rows import AuditEntryRow, DeskAct
from app.models.base import digest_of
from app.models.concerns.entries import EntryRow
from app.models.concerns.rows import ConcernRow
from app.models.guides.editions import EditionContent
from app.services.access.clients import add_client
from app.services.access.row_signing import ACCESS_KEY, open_access_keys
from app.services.concerns.sealing import Unsealer
from tests.support.clock import A_TUESDAY
from tests.support.databases import Postgresql
from tests.support.live import LiveServer
from tests.support.load import A_CONCERN, PACE_SECONDS, SENT, LoadResult, add_more, load
from tests.support.operators import Operators
from tests.support.publishing import CONTENT_KEYS, GUIDE
from tests.support.waiting import eventually, pause

pytestmark = [pytest.mark.nightly, pytest.mark.any_database, pytest.mark.slow]


def has_everything(server: LiveServer, told: LoadResult, everything: LoadResult, operators: Operators) -> None:
    """Nothing that was answered is lost, nothing unread is erased, every text opens, and `verify` finds nothing.

    `told` are the answers of the last round, and `everything` those of all rounds.
    """
    stands_once(server, told)
    engine = open_database(server.data_dir, server.database_url)
    try:
        with Session(engine) as session:
            texts_are_there(session, everything, operators.unsealer)
            resealed = select(func.count()).where(col(AuditEntryRow.act) == DeskAct.RESEALED.value)
            assert session.exec(resealed).one() >= operators.resealed
    finally:
        engine.dispose()
    found, unexplained = operators.verify(), operators.unexplained
    assert found == "", found
    assert unexplained == [], unexplained


def texts_are_there(session: Session, told: LoadResult, unsealer: Unsealer) -> None:
    """Each text is that which was sent, or was erased by a worker after all of it had been acknowledged."""
    keys = {receipt["reference"]: key for key, receipt in told.receipts.items()}
    for row in session.exec(select(ConcernRow)):
        added = session.exec(select(EntryRow).where(EntryRow.reference == row.reference)).all()
        key, sealed = keys.get(row.reference), [row.sealed, *(each.sealed for each in added)]
        if row.erased_at is None:
            assert key not in told.erased
            opened = [json.dumps(unsealer.open(each or b"", reference=row.reference)) for each in sealed]
            assert [words in each for words, each in zip(SENT, opened, strict=False)] == [True] * len(opened)
        else:
            assert key in told.erasing
            assert (sealed, row.acknowledged_at is None) == ([None, None], False)
            assert [each.acknowledged_at is None for each in added] == [False]


def stands_once(server: LiveServer, told: LoadResult) -> None:
    """Every concern and addition that was acknowledged is there, exactly once; a retry of any gets its first receipt.

    What a worker acknowledged stays so, and what no worker acknowledged waits.
    """
    with server.client() as client:
        for key, receipt in told.receipts.items():
            token = {"Authorization": f"Bearer {receipt['status_token']}"}
            status = client.get(receipt["links"]["self"], headers=token)
            assert status.status_code == 200
            if key in told.additions:
                (added,) = status.json()["additions"]
                assert key not in told.acknowledged or added["acknowledged_at"]
                assert key in told.attempted or added["acknowledged_at"] is None
                assert add_more(client, server.url, receipt, key).json() == told.additions[key]
            again = client.post("/v1/concerns", json=A_CONCERN, headers={"Idempotency-Key": key})
            assert (again.status_code, again.json()) == (201, receipt)
    references = [receipt["reference"] for receipt in told.receipts.values()]
    assert len(set(references)) == len(references)


def report(rounds: int, everything: LoadResult, operators: Operators) -> None:
    """Write how much the rounds did, for who runs them (`make faults`)."""
    sys.stdout.write(
        f"{rounds} rounds: {len(everything.receipts)} concerns and {len(everything.additions)} additions stored, "
        f"{len(everything.acknowledged)} acknowledged, {len(everything.erased)} erased; "
        f"{operators.resealed} texts resealed, {len(operators.checkpoints)} checkpoints; "
        f"commands: {operators.finished} finished, {operators.killed} killed, {len(operators.failures)} refused\n"
    )


ROUNDS = int(os.environ.get("FAULT_ROUNDS", "2"))
CALLERS = 8
NODES = 3
MOMENTS = random.SystemRandom()
SMALL_DISK = "8m"
LONGEST_PAUSE = 2.0
HONEST_READS = frozenset({200, 503})


def a_client(data_dir: Path, address: str | None, name: str, scope: Scope) -> dict[str, str]:
    """The headers of a new client with that scope, signed with the access key of that folder."""
    engine = open_database(data_dir, address)
    open_access_keys(Settings.model_validate({"data_dir": data_dir, "database_url": address}), engine)
    writer = Writer(engine, queue_size=1, wait_seconds=30)
    writer.start()
    key = add_client(writer, name=name, scopes=[scope], at=A_TUESDAY)
    writer.stop()
    engine.dispose()
    return {"Authorization": f"Bearer {key}"}


def ready(server: LiveServer) -> int:
    return httpx.get(f"{server.url}/health/ready", trust_env=False, timeout=30).status_code


@pytest.fixture
def shared() -> Iterator[Postgresql]:
    """A PostgreSQL server of the test's own, which it may kill."""
    server = Postgresql(durable=True)
    yield server
    server.server.cleanup()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    """The address of the database; None for the embedded one."""
    if request.param == "sqlite":
        return None
    shared: Postgresql = request.getfixturevalue("shared")
    return shared.address(shared.database_of(tmp_path / "data"))


@pytest.fixture
def operators(tmp_path: Path, database_url: str | None) -> Iterator[Operators]:
    operators = Operators(tmp_path / "data", tmp_path, database_url)
    yield operators
    operators.close()


@pytest.fixture
def node(tmp_path: Path, database_url: str | None, operators: Operators) -> Iterator[LiveServer]:
    """A server on either database."""
    address: dict[str, Any] = {} if database_url is None else {"database_url": database_url}
    with LiveServer(tmp_path / "data", deliver="false", seal_to=operators.recipients[0], **address) as server:
        yield server


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_kill_at_any_moment_loses_and_doubles_nothing_acknowledged(node: LiveServer, operators: Operators) -> None:
    everything = LoadResult()
    worker = a_client(node.data_dir, node.database_url, "example-desk", Scope.WRITE)
    for number in range(ROUNDS):
        with (
            operators.at_work(),
            load([node.url], callers=CALLERS, name=f"round-{number}", worker=worker) as told,
        ):
            assert eventually(lambda told=told: len(told.erased) > 1)  # type: ignore[misc]
            pause(MOMENTS.uniform(0.1, LONGEST_PAUSE))
            node.kill()
            operators.perhaps_kill()
        node.start()
        everything.include(told)
        has_everything(node, told, everything, operators)
        report(number + 1, everything, operators)

    stands_once(node, everything)
    assert everything.unexpected == []


def kill_postgresql(shared: Postgresql) -> None:
    """`kill -9` of the server process: its children go with it."""
    process: Any = shared.server.get_postmaster_info().process
    children = process.children(recursive=True)
    process.kill()
    assert eventually(lambda: not any(each.is_running() for each in [process, *children]))


def comes_back(shared: Postgresql) -> bool:
    """Start the server again. Its package gives up, or asserts, before a slow recovery ends."""
    try:
        shared.server.ensure_postgres_running()
    except (subprocess.SubprocessError, AssertionError):
        return False
    return True


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_killed_database_server_is_used_again_and_has_everything(
    shared: Postgresql, node: LiveServer, operators: Operators
) -> None:
    everything = LoadResult()
    worker = a_client(node.data_dir, node.database_url, "example-desk", Scope.WRITE)
    for number in range(ROUNDS):
        with (
            operators.at_work(),
            load([node.url], callers=CALLERS, name=f"round-{number}", worker=worker) as told,
        ):
            assert eventually(lambda told=told: len(told.erased) > 1)  # type: ignore[misc]
            pause(MOMENTS.uniform(0.1, LONGEST_PAUSE))
            kill_postgresql(shared)
            before = len(told.receipts)
            assert eventually(lambda: ready(node) == 503)
            refused = httpx.post(f"{node.url}/v1/concerns", json=A_CONCERN, trust_env=False, timeout=60)
            assert eventually(lambda: comes_back(shared))
            assert eventually(lambda: ready(node) == 200)
            assert eventually(lambda told=told, before=before: len(told.receipts) > before + CALLERS)  # type: ignore[misc]
        assert refused.status_code == 503
        assert refused.json()["signposts"][0]["phones"][0]["number"] == "999"
        assert refused.json()["contacts"] != []
        everything.include(told)
        has_everything(node, told, everything, operators)
        report(number + 1, everything, operators)

    stands_once(node, everything)
    assert everything.unexpected == []


def publish_on(stop: threading.Event, urls: list[str], headers: dict[str, str]) -> list[int]:
    """Publish one edition after another, by each node in turn; the statuses of the answers."""
    statuses: list[int] = []
    with httpx.Client(timeout=60, trust_env=False) as client:
        for attempt, url in enumerate(itertools.cycle(urls)):
            if stop.wait(PACE_SECONDS):
                return statuses
            try:
                current = client.get(f"{url}{GUIDE}")
                told = {key: current.json().get(key) for key in CONTENT_KEYS}
                told["change_note"] = f"A made-up change, the {attempt}th."  # its own: a kill may follow its keeping
                etag = {"If-Match": current.headers.get("ETag", "*")}
                statuses.append(client.post(f"{url}{GUIDE}/editions", json=told, headers=headers | etag).status_code)
            except httpx.TransportError:
                continue
    return statuses


def read_on(stop: threading.Event, url: str) -> tuple[list[int], int]:
    """Read the current edition over and over: statuses, and how many of the answers were not whole."""
    statuses: list[int] = []
    broken = 0
    with httpx.Client(timeout=60, trust_env=False) as client:
        while not stop.is_set():
            answer = client.get(f"{url}{GUIDE}")
            statuses.append(answer.status_code)
            if answer.status_code == httpx.codes.OK:
                told = answer.json()
                content = EditionContent.model_validate({key: told[key] for key in CONTENT_KEYS})
                broken += digest_of(content) != told["digest"]
    return statuses, broken


def test_of_three_nodes_one_is_killed_and_the_others_answer_on(
    shared: Postgresql, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    address = shared.address(shared.database_of(tmp_path))
    nodes = [LiveServer(tmp_path / str(each) / "data", deliver="false", database_url=address) for each in range(NODES)]
    for each in nodes:
        each.data_dir.mkdir(parents=True)
    doomed, *others = nodes
    doomed.start()
    headers, stop = a_client(doomed.data_dir, address, "example-editor", Scope.PUBLISH), threading.Event()
    for each in others:  # the nodes of a database have one access key
        shutil.copy(doomed.data_dir / ACCESS_KEY, each.data_dir)
        each.start()
    urls = [each.url for each in nodes]
    with ThreadPoolExecutor() as pool:
        publishing = pool.submit(publish_on, stop, urls, headers)
        reading = [pool.submit(read_on, stop, each.url) for each in others]
        with load(urls, callers=CALLERS) as told:
            assert eventually(lambda: len(told.receipts) > 3 * CALLERS)
            doomed.kill()
            before = len(told.receipts)
            assert eventually(lambda: len(told.receipts) > before + 3 * CALLERS)
        stop.set()
        published = publishing.result()
        read = [each.result() for each in reading]

    stands_once(others[0], told)
    assert told.unexpected == []
    assert {status for statuses, _ in read for status in statuses} <= HONEST_READS
    assert [broken for _, broken in read] == [0, 0]
    assert published.count(201) > 1
    assert set(published) <= {201, 412, 409, 503}
    with others[1].client() as client:
        editions = client.get(f"{GUIDE}/editions?limit=100").json()["editions"]
    assert len(editions) >= min(100, published.count(201) + 1)
    record_property("acknowledged", len(told.receipts))
    for each in others:
        each.stop()


@contextmanager
def a_small_disk(at: Path) -> Iterator[Path]:
    """A volume of 8 MB."""
    at.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(at)], check=False)
    if mounted.returncode != 0:
        pytest.skip("no volume can be mounted here: that needs root, and no package gives it")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast


def test_a_full_disk_refuses_only_concerns_until_there_is_room(tmp_path: Path) -> None:
    with a_small_disk(tmp_path / "disk") as disk, ExitStack() as ending:
        server = LiveServer(disk / "data", deliver="false")
        server.log = tmp_path / "server.log"
        server.start()
        ending.callback(server.stop)
        with server.client() as client:
            first = client.post("/v1/concerns", json=A_CONCERN, headers={"Idempotency-Key": "first"})
            ballast = fill(disk)
            answers = [client.post("/v1/concerns", json=A_CONCERN) for _ in range(30)]
            refused = answers[-1]
            read = client.get(GUIDE)
            red = ready(server)
            ballast.unlink()
            green = eventually(lambda: ready(server) == 200)
            resumed = client.post("/v1/concerns", json=A_CONCERN)
            again = client.post("/v1/concerns", json=A_CONCERN, headers={"Idempotency-Key": "first"})
        with closing(sqlite3.connect(disk / "data" / DATABASE_FILE)) as database:
            stands = database.execute("SELECT count(*) FROM concerns").fetchone()[0]
            told = database.execute("SELECT count(*) FROM events WHERE kind = 'concern.received'").fetchone()[0]

    kept = [answer for answer in [first, *answers, resumed] if answer.status_code == 201]
    assert (first.status_code, refused.status_code, read.status_code) == (201, 503, 200)
    assert {answer.status_code for answer in answers} <= {201, 503}
    assert refused.headers["Retry-After"]
    assert refused.json()["signposts"][0]["phones"][0]["number"] == "999"
    assert red == 503
    assert green
    assert resumed.status_code == 201
    assert again.content == first.content
    assert (stands, told) == (len(kept), len(kept))


def remount(disk: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(disk)], check=True)


@pytest.mark.parametrize("is_killed", [False, True], ids=["stopped", "killed"])
@pytest.mark.parametrize("why", ["full", "read-only"])
def test_a_start_that_cannot_write_serves_guidance_and_says_whom_to_call(
    tmp_path: Path, why: str, is_killed: bool
) -> None:
    with a_small_disk(tmp_path / "disk") as disk, ExitStack() as ending:
        server = LiveServer(disk / "data", deliver="false")
        server.log = tmp_path / "server.log"
        server.start()
        ending.callback(server.stop)
        key = {"Authorization": f"Bearer {server.new_key(Scope.READ, Scope.WRITE, Scope.AUDIT)}"}
        with server.client() as client:
            told = client.post("/v1/concerns", json=A_CONCERN).json()
        opened = f"/v1/desk/concerns/{told['reference']}"
        if is_killed:
            server.kill()
        else:
            server.stop()
        ballast = fill(disk) if why == "full" else None
        if why == "read-only":
            remount(disk, "ro")

        server.started_at = "/health/live"
        server.start()
        with server.client() as client:
            reads = [client.get(each).status_code for each in (GUIDE, "/", "/v1/signposts", "/raise-a-concern")]
            status = client.get(told["links"]["self"], headers={"Authorization": f"Bearer {told['status_token']}"})
            refused = [client.post("/v1/concerns", json=A_CONCERN) for _ in range(30)][-1]  # the log may have room left
            opens = [client.get(opened, headers=key).status_code for _ in range(30)]
            readiness = client.get("/health/ready")
            if ballast is not None:
                ballast.unlink()
            else:
                remount(disk, "rw")
            green = eventually(lambda: ready(server) == 200)
            resumed = client.post("/v1/concerns", json=A_CONCERN)
            read = client.get(opened, headers=key)
            acts = client.get(f"/v1/desk/disclosures?chain={told['reference']}", headers=key).json()
        log = server.log.read_text()

    assert reads == [200] * 4
    assert (status.status_code, status.json()["state"]) == (200, "received")
    assert (refused.status_code, opens[-1]) == (503, 503)
    assert refused.json()["signposts"][0]["phones"][0]["number"] == "999"
    assert readiness.status_code == 503
    assert (readiness.json()["checks"]["disk"], readiness.json()["checks"]["database"]) == (why, "ok")
    assert readiness.json()["checks"]["concerns"] == "cannot be stored"
    assert green
    assert (resumed.status_code, read.status_code) == (201, 200)
    assert [each["act"] for each in acts["disclosures"]].count("opened") == opens.count(
        200
    ) + 1  # no read without its row
    assert "Traceback" not in log
