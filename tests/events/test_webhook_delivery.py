"""Delivering in processes of their own, over real sockets, through a kill; and the example of a receiver."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import Session

from app.config import Settings
from app.http.context import AppContext
from app.models.access.clients import Scope
from app.models.events.rows import EventKind
from app.services.events.address_guard import SsrfGuard
from app.services.events.deliveries import count_deliveries
from app.services.events.outbox import append_event
from app.services.events.webhook_keys import add_webhook, open_webhook_keys
from app.services.events.webhooks import get_webhook
from tests.support.clock import A_TUESDAY
from tests.support.command import guidance
from tests.support.concerns import add, raise_concern, token_of
from tests.support.live import LiveServer, environment_for
from tests.support.receiver import RawReceiver, Receiver, Reply, stay_silent, trickle_head
from tests.support.waiting import LONG_ENOUGH, eventually

pytestmark = pytest.mark.slow  # processes, browsers or long work

EVENTS = 100
LEASE_SECONDS = 2
wait_until = partial(eventually, patience_seconds=90)
# `guidance deliver` as it is, but for the length of its pauses: six hours would be long for a test.
DELIVER = "import app.services.events.deliveries as it; it.DELAYS = (0.1,) * 14; from app.cli import main; main()"


@contextmanager
def a_process(*words: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def tell_many(context: AppContext, url: str) -> None:
    """An address that asked for everything, and events for it: each in a transaction of its own."""
    keys = open_webhook_keys(context.settings)
    add_webhook(context.writer, name="x", url=url, kinds=EventKind, guard=SsrfGuard(), keys=keys, at=A_TUESDAY)
    for number in range(EVENTS):
        data = {"reference": f"number-{number}"}
        context.writer.run(append_event, kind=EventKind.CONCERN_RECEIVED, at=A_TUESDAY, data=data)


@pytest.mark.usefixtures("client")
def test_every_event_arrives_after_a_killed_worker_and_a_failing_receiver(service: FastAPI, settings: Settings) -> None:
    receiver = Receiver(lambda count: Reply(status=500 if count % 5 == 0 else 204))
    context: AppContext = service.state.context
    tell_many(context, receiver.url)

    def all_settled() -> bool:
        with Session(context.engine) as session:
            return count_deliveries(session) == {}

    work = ("-c", DELIVER, "deliver", "--lease", str(LEASE_SECONDS), "--data-dir", str(settings.data_dir))
    environment = environment_for(settings.data_dir)
    with a_process(*work, **environment) as doomed, a_process(*work, **environment):
        begun = wait_until(lambda: len(receiver.notices) > EVENTS // 5)
        doomed.send_signal(signal.SIGKILL)
        settled = wait_until(all_settled)
    receiver.close()

    assert begun
    assert settled
    seen: dict[bytes, set[str]] = {}
    for notice in receiver.notices:
        seen.setdefault(notice.body, set()).add(notice.message)
    assert len(seen) == EVENTS
    assert {len(ids) for ids in seen.values()} == {1}
    assert len(receiver.notices) > EVENTS


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.any_database
def test_the_example_takes_notices_opens_concerns_and_acknowledges_them(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    port = a_free_port()

    def run(*words: str) -> str:
        done = guidance(*words, "--data-dir", data_dir)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    key = run("clients", "add", "example-receiver", "--scope", Scope.READ, "--scope", Scope.WRITE)
    kinds = ("--event", "concern.received", "--event", "concern.added")
    secret = run("webhooks", "add", "example", f"http://127.0.0.1:{port}/notices", *kinds)

    def references() -> list[str]:
        try:
            opened = httpx.get(f"http://127.0.0.1:{port}/opened", timeout=LONG_ENOUGH, trust_env=False)
            found: list[str] = opened.json()["references"]
        except httpx.TransportError:
            return []
        return found

    with LiveServer(data_dir) as server, server.client() as client, ExitStack() as stack:
        told = {"RECEIVER_SECRET": secret, "GUIDANCE_URL": server.url, "GUIDANCE_KEY": key}
        example = ("-m", "uvicorn", "examples.receiver:receiver", "--port", str(port))
        stack.enter_context(a_process(*example, **os.environ, **told))
        receipt = raise_concern(client)
        own, token = receipt["links"]["self"], token_of(receipt)
        arrived = wait_until(lambda: references() == [receipt["reference"]])
        acknowledged = wait_until(lambda: client.get(own, headers=token).json()["state"] == "acknowledged")
        assert add(client, receipt).status_code == 201
        seen = wait_until(lambda: client.get(own, headers=token).json()["additions"][0]["acknowledged_at"] is not None)

    assert arrived
    assert acknowledged
    assert seen


@pytest.mark.any_database
def test_held_attempts_delay_neither_a_good_receiver_nor_the_stop(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    good, held = Receiver(), [RawReceiver(behave) for behave in (stay_silent, trickle_head)]
    with LiveServer(data_dir) as server:
        urls = [good.url, *(each.url for each in held)]
        for number, url in enumerate(urls):
            done = guidance(
                "webhooks", "add", f"n-{number}", url, "--event", "concern.received", "--data-dir", data_dir
            )
            assert done.returncode == 0, done.stderr
        with server.client() as client:
            receipts = [raise_concern(client)["reference"] for _ in range(8)]
            arrived = wait_until(lambda: len(good.notices) == len(receipts))
            busy = wait_until(lambda: all(each.connections for each in held))
            ready = client.get("/health/ready")

        server.terminate()
        stopped = server.wait()

    for close in (good.close, *(each.close for each in held)):
        close()
    assert arrived
    assert busy
    assert ready.json()["checks"]["dispatcher"] == "ok"
    assert stopped
    assert "Traceback" not in server.log.read_text()


@pytest.mark.nightly
@pytest.mark.usefixtures("client")
def test_a_delivery_stopped_in_an_attempt_goes_on_in_another_process(service: FastAPI, settings: Settings) -> None:
    context: AppContext = service.state.context
    silent, receiver = RawReceiver(stay_silent), Receiver()
    tell_many(context, silent.url)
    work = ("-m", "app.cli", "deliver", "--lease", "3600", "--data-dir", str(settings.data_dir))
    environment = environment_for(settings.data_dir, drain_seconds="0")
    with a_process(*work, **environment) as stopping:
        begun = wait_until(lambda: silent.connections > 0)
        stopping.send_signal(signal.SIGTERM)
        status = stopping.wait(timeout=30)
    silent.close()
    context.writer.run(lambda session: setattr(get_webhook(session, "x"), "url", receiver.url))

    with a_process(*work, **environment):
        settled = wait_until(lambda: len({notice.message for notice in receiver.notices}) == EVENTS)
    receiver.close()

    assert begun
    assert status == 0
    assert settled  # though the lease of the first process is an hour long
