"""Delivering in processes of their own, over real sockets, through a kill; and the example of a receiver."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlmodel import Session
from starlette.testclient import TestClient

from app.models.clients import Scope
from app.models.event_tables import EventKind
from app.services.safe_addresses import SafeAddresses
from app.services.webhooks import add_webhook
from app.store.database import open_database
from app.store.events import count_deliveries, tell
from app.store.writer import Writer
from tests.conftest import A_TUESDAY, Concern
from tests.live import LiveServer
from tests.receiver import Receiver, Reply

EVENTS = 300
LEASE_SECONDS = 3
PATIENCE_SECONDS = 120


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold; the bound is only there to end a test that would fail."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
    return holds()


@contextmanager
def a_process(*words: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_every_event_arrives_though_a_worker_is_killed_and_the_receiver_often_fails(
    client: TestClient, tmp_path: Path
) -> None:
    receiver = Receiver(lambda count: Reply(status=500 if count % 5 == 0 else 204))
    writer: Writer = client.app.state.parts.intake.writer  # type: ignore[attr-defined]  # the service under test

    def ask_and_tell() -> None:
        writer.keep(
            lambda connection: add_webhook(
                connection,
                name="case-system",
                url=receiver.url,
                kinds=EventKind,
                addresses=SafeAddresses(),
                at=A_TUESDAY,
            )
        )
        for number in range(EVENTS):
            data = {"reference": f"number-{number}"}
            writer.keep(
                lambda connection, data=data: tell(connection, EventKind.CONCERN_RECEIVED, at=A_TUESDAY, data=data)
            )

    ask_and_tell()
    engine = open_database(tmp_path / "data")

    def all_settled() -> bool:
        with Session(engine) as session:
            return count_deliveries(session) == {}

    work = ("app.cli", "deliver", "--lease", str(LEASE_SECONDS), "--data-dir", str(tmp_path / "data"))
    with a_process(*work) as doomed, a_process(*work):
        begun = eventually(lambda: len(receiver.notices) > EVENTS // 5)
        doomed.send_signal(signal.SIGKILL)
        settled = eventually(all_settled)
    receiver.close()

    assert begun
    assert settled
    seen = {notice.body: set[str]() for notice in receiver.notices}
    for notice in receiver.notices:
        seen[notice.body].add(notice.message)
    assert len(seen) == EVENTS
    assert {len(ids) for ids in seen.values()} == {1}


def test_the_example_takes_a_notice_opens_the_concern_and_acknowledges_it(tmp_path: Path, a_concern: Concern) -> None:
    data_dir = tmp_path / "data"
    guidance = [sys.executable, "-m", "app.cli"]
    port = "18911"

    def run(*words: str) -> str:
        return subprocess.run(
            [*guidance, *words, "--data-dir", str(data_dir)], check=True, capture_output=True, text=True
        ).stdout.strip()

    key = run("clients", "add", "example-receiver", "--scope", Scope.READ, "--scope", Scope.WRITE)
    secret = run("webhooks", "add", "example", f"http://127.0.0.1:{port}/notices", "--event", "concern.received")
    server = LiveServer(data_dir)
    server.start()
    told = {"RECEIVER_SECRET": secret, "GUIDANCE_URL": server.url, "GUIDANCE_KEY": key}
    opened = f"http://127.0.0.1:{port}/opened"

    def references() -> list[str]:
        try:
            found: list[str] = httpx.get(opened, trust_env=False).json()["references"]
        except httpx.TransportError:
            return []
        return found

    with a_process("uvicorn", "examples.receiver:receiver", "--port", port, **told), server.client() as client:
        receipt = client.post("/v1/concerns", json=a_concern()).json()
        arrived = eventually(lambda: references() == [receipt["reference"]])
        token = {"Authorization": f"Bearer {receipt['status_token']}"}
        status = client.get(f"/v1/concerns/{receipt['reference']}", headers=token).json()
    server.stop()

    assert arrived
    assert status["state"] == "acknowledged"
