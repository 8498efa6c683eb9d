"""Several processes on one address, and stopping without dropping anything."""

import itertools
import json
import os
import platform
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from app import main
from app.config import Settings
from app.errors import SetupError
from app.server.run import run_server
from tests.support.command import guidance_process
from tests.support.concerns import token_of
from tests.support.databases import files_of
from tests.support.live import LiveServer, environment_for
from tests.support.load import A_CONCERN, load
from tests.support.prepared import copy_prepared
from tests.support.publishing import GUIDE
from tests.support.waiting import LONG_ENOUGH, eventually, wait_until
from tests.support.wire import address_of, everything_from

pytestmark = pytest.mark.slow  # processes, browsers or long work

WORKERS = 2
HEAP_BYTES = 64 << 20
"""The size, and the alignment, of the heaps that glibc's allocator gives to threads."""


@pytest.fixture
def draining(tmp_path: Path) -> Iterator[LiveServer]:
    with LiveServer(tmp_path / "data", drain_seconds="10", deliver="false") as server:
        yield server


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("several") / "data", workers=WORKERS, deliver="false") as server:
        yield server


@pytest.mark.any_database
def test_a_process_that_drains_is_not_ready_and_refuses_nobody(draining: LiveServer) -> None:
    with draining.client() as client, load([draining.url], callers=4) as told:
        wait_until(lambda: told.receipts)
        draining.terminate()
        ready = client.get("/health/ready")
        while ready.is_success:  # the signal is on its way
            ready = client.get("/health/ready")
        stored = client.post("/v1/concerns", json=A_CONCERN)
        read = client.get(GUIDE)
        ended = draining.wait()
    draining.start()
    receipts = [*told.receipts.values(), stored.json()]
    with draining.client() as client:
        statuses = [client.get(each["links"]["self"], headers=token_of(each)).status_code for each in receipts]

    assert ended
    assert (ready.status_code, ready.json()["checks"]["process"]) == (503, "stopping")
    assert (stored.status_code, read.status_code) == (201, 200)
    assert {each.headers["connection"] for each in (stored, read)} == {"close"}
    assert set(statuses) == {200}
    assert told.refusals == []


@pytest.mark.any_database
def test_every_caller_before_the_end_of_the_drain_is_answered(tmp_path: Path) -> None:
    body = json.dumps(A_CONCERN).encode()
    head = b"POST /v1/concerns HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    answers = list[bytes]()
    with LiveServer(tmp_path / "data", drain_seconds="0.5", deliver="false") as server:
        address = address_of(server.url)
        server.terminate()
        while True:  # one connection after another, until the socket is closed
            try:
                connection = socket.create_connection(address, timeout=LONG_ENOUGH)
            except OSError:
                break
            with connection:
                connection.sendall(head % len(body) + body)
                answers.append(everything_from(connection))
        server.wait()

    assert answers
    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 201"}


@pytest.mark.any_database
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_drain(tmp_path: Path, number: signal.Signals) -> None:
    with LiveServer(tmp_path / "data", drain_seconds="86400", deliver="false") as server, server.client() as client:
        server.terminate()
        wait_until(lambda: not client.get("/health/ready").is_success)

        os.kill(server.pid, number)

        assert server.wait()


@pytest.mark.nightly
def test_several_processes_share_one_address_and_one_database(several: LiveServer) -> None:
    with load([several.url], callers=8) as told:
        wait_until(lambda: len(told.receipts) >= 100)
    lines = several.log.read_text()
    with several.client() as client:
        metrics = [client.get("/metrics").text for _ in range(10)]

    assert told.unexpected == []
    assert len({each["reference"] for each in told.receipts.values()}) == len(told.receipts)
    counted = 'guidance_requests_total{method="POST",route="/v1/concerns",status="201"}'
    shown = {line for told in metrics for line in told.splitlines() if line.startswith(counted)}
    assert shown == {f"{counted} {len(told.receipts):.1f}"}  # whichever process is asked
    assert lines.count("edition_published") == 1
    assert "Traceback" not in lines
    assert len([path for path in files_of(several.data_dir) if path.name == "development-identity.txt"]) == 1


@pytest.mark.any_database
def test_a_dead_worker_is_replaced_and_the_others_answer(several: LiveServer) -> None:
    first, *_ = several.children()
    first.kill()
    assert eventually(lambda: len(now := several.children()) >= WORKERS and first not in now)
    now = several.children()
    answer = httpx.post(f"{several.url}/v1/concerns", json=A_CONCERN, trust_env=False, timeout=60)

    assert len(now) == WORKERS
    assert first not in now
    assert several.log.read_text().count("Serving on") == 1
    assert answer.status_code == 201


def heaps_of_threads(pid: int) -> list[str]:
    """Return the mappings of the process that are such a heap: a part that is used, and the rest of it reserved."""
    mappings = [line.split()[:2] for line in Path(f"/proc/{pid}/maps").read_text(encoding="ascii").splitlines()]
    found = []
    for (place, rights), (following, rights_after) in itertools.pairwise(mappings):
        begin, end = (int(each, 16) for each in place.split("-"))
        is_heap = begin % HEAP_BYTES == 0 and (rights, rights_after) == ("rw-p", "---p")
        if is_heap and following == f"{end:x}-{begin + HEAP_BYTES:x}":
            found.append(place)
    return found


@pytest.mark.any_database
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has another allocator")
def test_the_threads_of_a_process_share_one_arena_of_memory(tmp_path: Path) -> None:
    copy_prepared(tmp_path / "data")
    with LiveServer(tmp_path / "data", is_forked=False) as own, own.client() as client:  # a fork has its parent's heaps
        for _ in range(10):
            assert client.get("/v1/search", params={"q": "missing"}).status_code == 200
            assert client.post("/v1/concerns", json=A_CONCERN).status_code == 201

        assert heaps_of_threads(own.pid) == []


def test_a_start_that_its_background_workers_prevent_says_why(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object, __: object) -> None:
        raise SetupError("A made-up reason.")

    monkeypatch.setattr(main, "_start_workers", refuse)

    with pytest.raises(SetupError, match="A made-up reason"):
        run_server(settings, host="127.0.0.1", ports=[0], workers=1, announce=lambda _: None)


@pytest.mark.any_database
@pytest.mark.parametrize("workers", [1, WORKERS])
def test_the_address_is_printed_once_the_service_answers_there(tmp_path: Path, workers: int) -> None:
    words = ["serve", "--trial", "--port", "0", "--workers", str(workers), "--data-dir", str(tmp_path / "data")]
    command = [sys.executable, "-m", "app.cli", *words]
    environment = environment_for(tmp_path / "data", log_level="error")
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            said = next(line for line in server.stderr if line.startswith("Serving on"))
            answer = httpx.get(f"{said.split()[-1]}/health/ready", trust_env=False, timeout=LONG_ENOUGH)
        finally:
            server.terminate()
            rest = server.stderr.read()

    assert answer.status_code == 200
    assert "Serving on" not in rest


@pytest.mark.parametrize("workers", [1, WORKERS])
def test_a_start_that_is_refused_prints_no_address(tmp_path: Path, workers: int) -> None:
    words = ["serve", "--trial", "--port", "0", "--workers", str(workers), "--data-dir", str(tmp_path / "data")]
    told = guidance_process(*words, DEFAULT_GUIDE="made-up")

    assert (told.returncode, "Serving on" in told.stderr) == (1, False)
    assert "GUIDANCE_DEFAULT_GUIDE names no published guide" in told.stderr


@pytest.mark.parametrize(
    ("module", "name"), [("uvicorn.protocols.http.h11_impl", "H11Protocol"), ("uvicorn.supervisors", "Multiprocess")]
)
@pytest.mark.parametrize("other", [None, lambda config: config], ids=["missing", "of another shape"])
def test_a_start_names_what_its_uvicorn_lacks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, module: str, name: str, other: object
) -> None:
    monkeypatch.setattr(f"{module}.{name}", other)

    with pytest.raises(SetupError) as refusal:
        run_server(settings, host="127.0.0.1", ports=[0], workers=1, announce=lambda _: pytest.fail("it listens"))

    assert f"uvicorn {uvicorn.__version__} has no {module}:{name}" in str(refusal.value)
    assert "pip install 'uvicorn" in str(refusal.value)
