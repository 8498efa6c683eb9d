"""The metrics count what they say: each value is compared with what a test did."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event
from starlette.testclient import TestClient

from app.db.writer import Writer, write_without_change
from app.http.context import AppContext
from app.models.events import DeliveryState
from app.models.form import SMALLEST_EXAMPLE
from app.services.webhooks import insert_webhook
from app.services.workers import stop_workers
from tests.support.databases import raw_connection
from tests.support.delivery import a_receiver
from tests.support.publishing import GUIDE
from tests.support.waiting import LONG_ENOUGH, pause, wait_until

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

CONCERNS = "/v1/concerns"
SLOW_SECONDS = 0.06
"""Between two limits of the buckets, 0.05 and 0.1."""


def value(client: TestClient, name: str, **labels: str) -> float:
    """Return the value of the one sample of that name with these labels, or 0 if there is none yet."""
    found = [
        sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
        if sample.name == f"guidance_{name}" and labels.items() <= sample.labels.items()
    ]
    assert len(found) <= 1
    return found[0] if found else 0


@pytest.fixture
def writer(service: FastAPI, client: TestClient) -> Writer:
    """The writer, without the workers of the service, whose writes would be counted too."""
    assert client
    context: AppContext = service.state.context
    stop_workers(context.workers)
    return context.writer


@contextmanager
def busy(writer: Writer) -> Iterator[ThreadPoolExecutor]:
    """Keep the writer at one operation; at the end of the block it goes on, and finishes what waits."""
    begun, released = Event(), Event()

    def hold(_: Any) -> None:
        begun.set()
        assert released.wait(LONG_ENOUGH)

    with ThreadPoolExecutor() as callers:
        held: Future[None] = callers.submit(writer.run, hold)
        assert begun.wait(LONG_ENOUGH)
        try:
            yield callers
        finally:
            released.set()
        held.result(LONG_ENOUGH)


def test_requests_are_counted_by_route_and_status(client: TestClient) -> None:
    for path in [GUIDE, GUIDE, f"{GUIDE}/factors", "/v1/guides/no-such-guide"]:
        client.get(path)
    route = "/v1/guides/{guide}"

    assert value(client, "requests_total", method="GET", route=route, status="200") == 2
    assert value(client, "requests_total", method="GET", route=route, status="404") == 1
    assert value(client, "request_seconds_count", method="GET", route=route) == 3


def test_the_time_of_a_request_is_that_which_its_caller_waited(client: TestClient, writer: Writer) -> None:
    started = time.perf_counter()
    with busy(writer) as callers:
        posted = callers.submit(client.post, CONCERNS, json=SMALLEST_EXAMPLE)
        wait_until(lambda: writer.waiting == 1)
        waiting_since = time.perf_counter()
        wait_until(lambda: time.perf_counter() - waiting_since > SLOW_SECONDS)
    assert posted.result(LONG_ENOUGH).status_code == 201
    longest = time.perf_counter() - started
    labels = {"method": "POST", "route": CONCERNS}

    assert SLOW_SECONDS < value(client, "request_seconds_sum", **labels) < longest
    assert value(client, "request_seconds_bucket", **labels, le="0.05") == 0
    assert value(client, "request_seconds_bucket", **labels, le="+Inf") == 1


def test_the_queue_of_the_writer_and_what_one_flush_takes_of_it_are_counted(client: TestClient, writer: Writer) -> None:
    before = {name: value(client, f"writer_acts_{name}") for name in ("count", "sum")}
    none = value(client, "writer_waiting")
    with busy(writer) as callers:
        waiting = [callers.submit(writer.run, write_without_change) for _ in range(3)]
        wait_until(lambda: writer.waiting == 3)
        queued = value(client, "writer_waiting")
    for each in waiting:
        each.result(LONG_ENOUGH)

    assert (none, queued, value(client, "writer_waiting")) == (0, 3, 0)
    assert value(client, "writer_acts_count") - before["count"] == 2  # the one that held it, then three together
    assert value(client, "writer_acts_sum") - before["sum"] == 4


def test_the_time_of_a_flush_is_that_of_the_commit(service: FastAPI, client: TestClient, writer: Writer) -> None:
    names = ("flush_seconds_count", "flush_seconds_sum")
    before = [value(client, f"writer_{name}") for name in names]
    short = value(client, "writer_flush_seconds_bucket", le="0.05")
    started = time.perf_counter()
    engine = service.state.context.engine

    def slow(_: Any) -> None:
        pause(SLOW_SECONDS)  # a disk that takes so long

    event.listen(engine, "commit", slow)
    try:
        writer.run(write_without_change)
    finally:
        event.remove(engine, "commit", slow)
    longest = time.perf_counter() - started
    count, total = (value(client, f"writer_{name}") - was for name, was in zip(names, before, strict=True))

    assert count == 1
    assert SLOW_SECONDS <= total < longest
    assert value(client, "writer_flush_seconds_bucket", le="0.05") == short


def test_deliveries_that_wait_and_that_were_given_up_are_counted_by_webhook(
    service: FastAPI, client: TestClient, writer: Writer
) -> None:
    writer.run(lambda session: insert_webhook(session, a_receiver()))
    for _ in range(3):
        client.post(CONCERNS, json=SMALLEST_EXAMPLE)
    waiting = value(client, "deliveries", webhook="receiver", state="pending")
    with raw_connection(service.state.context.settings.data_dir) as database:
        (events,) = zip(*database.execute("SELECT event_id FROM deliveries ORDER BY event_id"), strict=True)
        for state, place in ((DeliveryState.DEAD, 0), (DeliveryState.DELIVERED, 1)):
            database.execute("UPDATE deliveries SET state = ? WHERE event_id = ?", (state.value, events[place]))

    assert waiting == 3
    assert value(client, "deliveries", webhook="receiver", state="pending") == 1
    assert value(client, "deliveries", webhook="receiver", state="dead") == 1
    assert value(client, "deliveries", webhook="receiver", state="delivered") == 0
