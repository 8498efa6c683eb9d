"""Receivers that mean harm, or are broken: each harms only its own deliveries, and only for a bounded time."""

import asyncio
import datetime as dt
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from app.config import Settings
from app.http.context import AppContext
from app.models.events.rows import DeliveryRow, EventKind
from app.services.events import webhook_sender
from app.services.events.address_guard import SsrfGuard
from app.services.events.deliveries import MAX_DELAY, count_deliveries, next_due
from app.services.events.dispatcher import DispatcherThread, WebhookDispatcher, build_dispatcher
from app.services.events.outbox import append_event
from app.services.events.webhook_keys import add_webhook, open_webhook_keys
from app.services.events.webhook_sender import SendResult, WebhookSender
from app.services.operations.jobs import TeamJobs
from app.services.workers import JobsWorker
from tests.support import receiver as behaviours
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import a_concern
from tests.support.delivery import a_delivery, deliver_due
from tests.support.log_lines import Lines
from tests.support.loops import for_each
from tests.support.receiver import RawReceiver, Receiver, Reply
from tests.support.waiting import LONG_ENOUGH, wait_until

pytestmark = [pytest.mark.nightly, pytest.mark.any_database, pytest.mark.slow]

DEADLINE_SECONDS = 2.0  # a quarter of it is for the lookup, and one for the connection
UNTIL_CANCELLED = 3600.0

Behave = Callable[[socket.socket, threading.Event], None]


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    """Closes what a test opened."""
    with ExitStack() as stack:
        yield stack


def subscribe(context: AppContext, name: str, url: str) -> None:
    """Add a webhook for the events of concerns."""
    keys = open_webhook_keys(context.settings)
    kinds = [EventKind.CONCERN_RECEIVED, EventKind.CONCERN_OVERDUE]
    add_webhook(context.writer, name=name, url=url, kinds=kinds, guard=SsrfGuard(), keys=keys, at=A_TUESDAY)


def append(context: AppContext, count: int) -> None:
    for number in range(count):
        data = {"reference": f"number-{number}"}
        context.writer.run(append_event, kind=EventKind.CONCERN_RECEIVED, at=A_TUESDAY, data=data)


def dispatcher_of(context: AppContext, *, seconds: float) -> WebhookDispatcher:
    """A dispatcher with that deadline for an attempt."""
    sender = WebhookSender(SsrfGuard(), public_url="https://guidance.example", seconds=seconds)
    return WebhookDispatcher(context.writer, sender, open_webhook_keys(context.settings), context.clock)


def deliveries_of(context: AppContext, webhook: str) -> list[DeliveryRow]:
    with Session(context.engine) as session:
        chosen = select(DeliveryRow).where(DeliveryRow.webhook == webhook)
        return list(session.exec(chosen.order_by(col(DeliveryRow.event_id))))


def send(url: str, *, seconds: float = DEADLINE_SECONDS) -> tuple[SendResult, float]:
    """Try once, and return what came of it, and how long it took."""
    sender = WebhookSender(SsrfGuard(), public_url="https://guidance.example", seconds=seconds)
    started = time.monotonic()
    result = asyncio.run(sender.send(a_delivery(url), A_TUESDAY))
    return result, time.monotonic() - started


@pytest.mark.parametrize(
    ("behave", "scheme", "answer", "deadline"),
    [
        (behaviours.stay_silent, "http", "TimeoutError", DEADLINE_SECONDS),
        (behaviours.stay_silent, "https", "ConnectTimeout", DEADLINE_SECONDS),
        (behaviours.trickle_head, "http", "TimeoutError", DEADLINE_SECONDS),
        (behaviours.trickle_interim_answers, "http", "TimeoutError", DEADLINE_SECONDS),
        (behaviours.reset, "http", "ReadError", UNTIL_CANCELLED),
        (behaviours.reset, "https", "ConnectError", UNTIL_CANCELLED),
        (behaviours.answer_rubbish, "http", "RemoteProtocolError", UNTIL_CANCELLED),
        (behaviours.answer_rubbish, "https", "ConnectError", UNTIL_CANCELLED),
    ],
)
def test_an_attempt_ends_by_its_deadline_for_every_receiver(
    behave: Behave, scheme: str, answer: str, deadline: float, closing: ExitStack
) -> None:
    receiver = RawReceiver(behave, scheme=scheme)
    closing.callback(receiver.close)

    result, seconds = send(receiver.url, seconds=deadline)

    assert result == SendResult(answer)
    assert not result.is_success
    assert seconds < LONG_ENOUGH


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("behave", [behaviours.stay_silent, behaviours.trickle_head, behaviours.trickle_body])
def test_no_attempt_leaves_its_connection_open(behave: Behave, scheme: str, closing: ExitStack) -> None:
    receiver = RawReceiver(behave, scheme=scheme)
    closing.callback(receiver.close)
    sender = WebhookSender(SsrfGuard(), public_url="https://guidance.example", seconds=DEADLINE_SECONDS)
    delivery, mine = a_delivery(receiver.url), psutil.Process()

    async def count_open() -> int:
        await asyncio.gather(*(sender.send(delivery, A_TUESDAY) for _ in range(8)))
        return sum(bool(each.raddr) and each.raddr.port == receiver.port for each in mine.net_connections())

    # on our side; the receiver's side of a connection has our port as its local one
    assert asyncio.run(count_open()) == 0
    assert receiver.connections > 0  # on a busy machine some time out before they connect


@pytest.mark.parametrize("behave", [behaviours.trickle_body, behaviours.flood_body])
def test_a_notice_that_was_accepted_is_delivered_however_the_body_goes_on(
    behave: Behave, closing: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_sender, "BODY_SECONDS", DEADLINE_SECONDS)
    receiver = RawReceiver(behave)
    closing.callback(receiver.close)

    result, seconds = send(receiver.url, seconds=UNTIL_CANCELLED)

    assert result == SendResult(200)
    assert seconds < LONG_ENOUGH


def test_a_hanging_lookup_blocks_no_other_and_starts_no_second_thread(
    closing: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    closing.callback(released.set)
    receiver = Receiver()
    closing.callback(receiver.close)
    real = socket.getaddrinfo
    lookups: list[str] = []

    def getaddrinfo(host: str, *args: Any, **kwargs: Any) -> Any:
        lookups.append(host)
        if host == "hangs.example":
            released.wait()
        return real("127.0.0.1", *args, **kwargs)

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    sender = WebhookSender(SsrfGuard(), public_url="https://guidance.example", seconds=DEADLINE_SECONDS)

    async def try_both() -> list[SendResult]:
        hanging = [sender.send(a_delivery("https://hangs.example/notices"), A_TUESDAY) for _ in range(3)]
        results = await asyncio.gather(*hanging, sender.send(a_delivery(receiver.url), A_TUESDAY))
        return [*results, await sender.send(a_delivery("https://hangs.example/notices"), A_TUESDAY)]

    *hung, good, again = asyncio.run(try_both())

    assert good == SendResult(204)
    assert [*hung, again] == [SendResult("TimeoutError")] * 4
    assert lookups.count("hangs.example") == 1


@for_each(
    ("retry_after", "seconds"),
    [
        ("7200", 7200),
        ("0", 5),
        ("999999999999", MAX_DELAY),
        ("9" * 5000, MAX_DELAY),
        ("Tue, 24 Nov 2026 11:30:00 GMT", 7200),
        ("Tuesday, 24-Nov-26 11:30:00 GMT", 7200),
        ("Tue Nov 24 11:30:00 2026", 7200),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_DELAY),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 5),
        ("²", 5),
        ("١٢", 5),
        ("-7200", 5),
        ("+7200", 5),
        ("7200.0", 5),
        ("7_200", 5),
        ("1e9", 5),
        ("inf", 5),
        ("nan", 5),
        ("7200, 7200", 5),
        ("Tue, 24 Nov 2026 11:30:00 +9999", 5),
        ("", 5),
        (None, 5),
    ],
)
def test_retry_after_is_a_bounded_number_or_date_or_ignored(retry_after: str | None, seconds: float) -> None:
    due = next_due(1, retry_after, A_TUESDAY)

    assert (due - A_TUESDAY).total_seconds() == pytest.approx(seconds, rel=0.2 if seconds == 5 else 0)


@given(st.text(), st.integers(min_value=1, max_value=30))
def test_no_retry_after_is_too_odd(retry_after: str, attempts: int) -> None:
    due = next_due(attempts, retry_after, A_TUESDAY)

    assert A_TUESDAY < due <= A_TUESDAY + dt.timedelta(seconds=MAX_DELAY)


def test_a_defect_is_a_failed_attempt_and_its_words_are_not_logged(
    context: AppContext, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    subscribe(context, "odd", "http://127.0.0.1:9/notices")
    append(context, 1)

    async def fail(*_: Any) -> SendResult:
        raise ValueError("could not convert string to float: 'Canary-Wren'")

    monkeypatch.setattr(WebhookSender, "_send", fail)
    tried = deliver_due(dispatcher_of(context, seconds=DEADLINE_SECONDS))

    (row,) = deliveries_of(context, "odd")
    (line,) = [line for line in lines() if line["event"] == "webhook_attempt_failed"]
    assert tried == 1
    assert (row.state, row.last_answer) == ("pending", "ValueError")
    assert line["error"] == "ValueError"
    assert line["frames"]
    assert "Canary" not in str(line)


@pytest.fixture
def running(context: AppContext, closing: ExitStack) -> DispatcherThread:
    """A thread that delivers, and gives up an attempt only when it is stopped."""
    thread = DispatcherThread(dispatcher_of(context, seconds=UNTIL_CANCELLED), grace_seconds=0)
    thread.start()
    closing.callback(thread.stop)
    return thread


@pytest.mark.usefixtures("running")
def test_receivers_that_hold_every_attempt_do_not_hold_those_of_another(
    context: AppContext, closing: ExitStack
) -> None:
    bad = [RawReceiver(behave) for behave in (behaviours.stay_silent, behaviours.trickle_head) for _ in range(6)]
    good = Receiver()
    for number, (url, close) in enumerate([(each.url, each.close) for each in bad] + [(good.url, good.close)]):
        closing.callback(close)
        subscribe(context, f"number-{number}", url)
    append(context, 10)
    wait_until(lambda: all(each.connections for each in bad))

    append(context, 10)

    wait_until(lambda: len(good.notices) == 20)
    assert len({notice.message for notice in good.notices}) == 20
    assert {each.connections for each in bad} <= {1, 2, 3, 4}  # a lane has four places


@pytest.mark.usefixtures("running")
def test_the_header_that_is_no_number_ends_no_thread(context: AppContext, closing: ExitStack) -> None:
    odd, good = Receiver(lambda _: Reply(status=503, headers={"Retry-After": "²"})), Receiver()
    for name, each in (("odd", odd), ("good", good)):
        closing.callback(each.close)
        subscribe(context, name, each.url)
    append(context, 1)
    wait_until(lambda: [row.last_answer for row in deliveries_of(context, "odd")] == ["503"])

    append(context, 3)

    wait_until(lambda: len(good.notices) == 4)


@pytest.mark.usefixtures("running")
def test_overdue_concerns_are_noted_while_receivers_hold_every_attempt(
    context: AppContext, client: TestClient, clock: SettableClock, closing: ExitStack
) -> None:
    bad = RawReceiver(behaviours.stay_silent)
    closing.callback(bad.close)
    subscribe(context, "bad", bad.url)
    client.post("/v1/concerns", json=a_concern())
    wait_until(lambda: bad.connections == 1)
    worker = JobsWorker("clock", TeamJobs(context.settings, context.engine, context.writer, clock).on_time())
    closing.callback(worker.stop)

    clock.time += dt.timedelta(days=3)
    worker.start()

    def counted() -> int:
        with Session(context.engine) as session:
            return sum(count_deliveries(session).values())

    wait_until(lambda: counted() == 2)


def test_a_stop_during_an_attempt_makes_it_due_at_once(
    context: AppContext, running: DispatcherThread, closing: ExitStack
) -> None:
    silent = RawReceiver(behaviours.stay_silent)
    closing.callback(silent.close)
    subscribe(context, "slow", silent.url)
    append(context, 1)
    wait_until(lambda: silent.connections == 1)

    started = time.monotonic()
    running.stop()
    seconds = time.monotonic() - started

    (row,) = deliveries_of(context, "slow")
    assert not running.is_alive
    assert seconds < running.stop_seconds
    assert (row.state, row.last_answer, row.attempts) == ("pending", "interrupted", 1)
    assert asyncio.run(dispatcher_of(context, seconds=1).find_due()) == ["slow"]


def test_an_attempt_finished_during_a_stop_is_recorded_and_not_repeated(
    context: AppContext, closing: ExitStack
) -> None:
    answering = threading.Event()
    receiver = Receiver(lambda _: (answering.wait(), Reply())[1])
    closing.callback(receiver.close)
    closing.callback(answering.set)
    subscribe(context, "slow", receiver.url)
    append(context, 1)
    thread = DispatcherThread(dispatcher_of(context, seconds=UNTIL_CANCELLED), grace_seconds=LONG_ENOUGH)
    thread.start()
    wait_until(lambda: len(receiver.notices) == 1)

    thread.drain()
    append(context, 1)  # comes too late for this process
    answering.set()
    thread.stop()

    assert not thread.is_alive
    assert [row.state for row in deliveries_of(context, "slow")] == ["delivered", "pending"]
    assert len(receiver.notices) == 1


def test_a_later_failure_does_not_undo_a_recorded_success(
    context: AppContext, clock: SettableClock, closing: ExitStack
) -> None:
    receiver = Receiver()
    closing.callback(receiver.close)
    subscribe(context, "twice", receiver.url)
    append(context, 1)
    first, second = (build_dispatcher(context.settings, context.writer, clock) for _ in range(2))
    (stale,) = context.writer.run(first._claim, webhook="twice")
    clock.time += first.lease
    assert deliver_due(second) == 1

    receiver.reply = lambda _: Reply(status=500)
    asyncio.run(first._attempt(stale))

    (row,) = deliveries_of(context, "twice")
    assert (row.state, row.last_answer) == ("delivered", "204")


def test_the_deadline_of_an_attempt_is_never_longer_than_its_lease(settings: Settings, context: AppContext) -> None:
    short = build_dispatcher(settings, context.writer, context.clock, dt.timedelta(seconds=2))

    assert short.sender._seconds == 2
    assert build_dispatcher(settings, context.writer, context.clock).sender._seconds < 60
