"""Delivery of each event to its webhooks, at least once. Several deliveries to one webhook run at the same time."""

import asyncio
import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Engine, Update, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col

from app.config import Settings
from app.db.writer import Writer
from app.errors import GuidanceError
from app.logs import Log
from app.models.audit.rows import NotedTime
from app.models.events.rows import MAILBOXES, DeliveryRow, DeliveryState
from app.models.links import GUIDES
from app.services.events.deliveries import (
    DELAYS,
    GONE,
    TEST_NOTICE,
    UNDER_WAY,
    ClaimedDelivery,
    claim_due,
    find_webhooks_due,
    next_due,
    record_attempt,
)
from app.services.events.outbox import new_message_id
from app.services.events.rounds import RoundNotes
from app.services.events.webhook_keys import WebhookKeys, open_webhook_keys
from app.services.events.webhook_sender import ATTEMPT_SECONDS, SendResult, WebhookSender, build_sender
from app.services.events.webhooks import get_webhook, list_receivers
from app.services.workers import Job, JobsWorker, backoff_seconds

log = Log(__name__)
LEASE = dt.timedelta(seconds=60)
MAX_CONCURRENT = 4
"""Claimed at a time for one webhook, and attempted at once: none waits while its lease runs out."""
PAUSE_SECONDS = 0.5
STOP_MARGIN_SECONDS = 5.0


@dataclass(frozen=True)
class WebhookDispatcher:
    """Delivers events to webhooks, from any number of processes: each delivery is claimed first."""

    writer: Writer
    sender: WebhookSender
    keys: WebhookKeys
    clock: Callable[[], dt.datetime]
    lease: dt.timedelta = LEASE

    async def find_due(self) -> list[str]:
        return await asyncio.to_thread(find_webhooks_due, self.writer.engine, now=self.clock())

    def note_round(self, notes: RoundNotes) -> None:
        with Session(self.writer.engine) as session:
            is_needed = any(each.name not in MAILBOXES for each in list_receivers(session))
        notes.note(is_needed=is_needed)

    async def deliver_to(self, webhook: str, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Attempt what is due until nothing is. Return the number of attempts.

        Raise `WebhookSecretUnreadable`, `SetupError` (key file) or `StoreBusy`: a claimed delivery is then due again
        when its lease ends.
        """
        tried = 0
        while not is_stopping() and (claimed := await self.writer.run_async(self._claim, webhook=webhook)):
            results = await asyncio.gather(*map(self._attempt, claimed), return_exceptions=True)
            tried += len(claimed)
            for failure in results:
                if isinstance(failure, Exception):
                    raise failure
        return tried

    def _claim(self, session: Session, *, webhook: str) -> list[ClaimedDelivery]:
        claimed = claim_due(session, webhook=webhook, now=self.clock(), lease=self.lease, limit=MAX_CONCURRENT)
        return [replace(each, secrets=self.keys.decrypt_all(webhook, each.secrets)) for each in claimed]

    async def _attempt(self, delivery: ClaimedDelivery) -> None:
        try:
            result = await self.sender.send(delivery, self.clock())
        except asyncio.CancelledError:  # this process stops: the delivery is due immediately for another process
            await self._record(delivery, DeliveryState.PENDING, "interrupted", due=self.clock())
            raise
        answer, due = str(result.answer), next_due(delivery.attempts, result.retry_after, self.clock())
        if result.is_success:
            await self._record(delivery, DeliveryState.DELIVERED, answer, due)
            return
        log.warning("delivery_failed", webhook=delivery.webhook, attempts=delivery.attempts, error=answer)
        is_given_up = answer == GONE or delivery.attempts >= len(DELAYS)
        await self._record(delivery, DeliveryState.DEAD if is_given_up else DeliveryState.PENDING, answer, due)
        if answer == GONE:
            log.warning("webhook_disabled", webhook=delivery.webhook)

    async def _record(self, delivery: ClaimedDelivery, state: DeliveryState, answer: str, due: dt.datetime) -> None:
        now = self.clock()
        await self.writer.run_async(record_attempt, delivery, state, answer, due=due, at=now)


def build_dispatcher(
    settings: Settings, writer: Writer, clock: Callable[[], dt.datetime], lease: dt.timedelta = LEASE
) -> WebhookDispatcher:
    """Return a dispatcher. An attempt ends within `lease`, so that no other process claims its delivery."""
    sender = build_sender(settings, seconds=min(ATTEMPT_SECONDS, lease.total_seconds()))
    return WebhookDispatcher(writer, sender, open_webhook_keys(settings), clock, lease)


class DispatcherThread(JobsWorker):
    """Delivers until stopped. Each webhook has its own task, so that none waits for another.

    At a stop, running attempts have `grace_seconds` to end. Then they are cancelled, and are due again at once.
    """

    def __init__(self, dispatcher: WebhookDispatcher, *, grace_seconds: float) -> None:
        super().__init__("dispatcher", [Job("dispatcher", PAUSE_SECONDS, lambda _: asyncio.run(self._dispatch()))])
        self.stop_seconds = grace_seconds + STOP_MARGIN_SECONDS
        self._dispatcher = dispatcher
        self._grace_seconds = grace_seconds
        self._notes = RoundNotes(NotedTime.WEBHOOK_ROUND, dispatcher.writer, dispatcher.clock)
        self._failures_of: Counter[str] = Counter()
        self._resting_until: dict[str, float] = {}

    async def _dispatch(self) -> None:
        tasks: dict[str, asyncio.Task[None]] = {}
        try:
            while not self.is_stopping:
                self.beat()
                for webhook in await self._find_due():
                    if self._may_start(webhook, tasks.get(webhook)):
                        tasks[webhook] = asyncio.create_task(self._deliver_due(webhook), name=webhook)
                await asyncio.sleep(PAUSE_SECONDS)
            if tasks:
                await asyncio.wait(tasks.values(), timeout=self._grace_seconds)
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)

    def _may_start(self, webhook: str, former: asyncio.Task[None] | None) -> bool:
        is_free = former is None or former.done()
        return is_free and time.monotonic() >= self._resting_until.get(webhook, 0.0)

    async def _find_due(self) -> list[str]:
        """If the database fails, log it and return none: running tasks continue."""
        try:
            if self._notes.is_due:
                await asyncio.to_thread(self._dispatcher.note_round, self._notes)
            return await self._dispatcher.find_due()
        except (SQLAlchemyError, GuidanceError) as failure:
            log.error("delivery_round_failed", error=type(failure).__name__)
            return []

    async def _deliver_due(self, webhook: str) -> None:
        """An error pauses this webhook, longer with each in a row. A refusal by the receiver is none."""
        try:
            await self._dispatcher.deliver_to(webhook, is_stopping=lambda: self.is_stopping)
        except Exception as failure:
            self._failures_of[webhook] += 1
            self._resting_until[webhook] = time.monotonic() + backoff_seconds(self._failures_of[webhook])
            log.failure("delivery_lane_failed", error=failure, webhook=webhook)
        else:
            self._failures_of[webhook] = 0


async def send_test_notice(
    engine: Engine, sender: WebhookSender, name: str, *, keys: WebhookKeys, at: dt.datetime
) -> SendResult:
    """Send a signed test message; nothing is stored or retried.

    Raise `NoSuchWebhook`, `WebhookSecretUnreadable`, or `SetupError` (key file).
    """
    with Session(engine) as session:
        webhook = get_webhook(session, name)
    notice = ClaimedDelivery(
        event_id=0,
        webhook=name,
        message=new_message_id(),
        attempts=1,
        kind=TEST_NOTICE,
        at=at,
        data={"test": True, "webhook": name, "links": {"guides": GUIDES}},
        url=webhook.url,
        secrets=keys.decrypt_all(name, webhook.secrets),
    )
    return await sender.send(notice, at)


def replay_deliveries(session: Session, name: str, *, now: dt.datetime) -> int:
    """Make dead deliveries pending, with as many attempts as new ones. Raise `NoSuchWebhook`."""
    get_webhook(session, name)
    dead = _of_webhook(name, DeliveryState.DEAD)
    return session.exec(dead.values(state=DeliveryState.PENDING.value, attempts=0, due=now)).rowcount


def retry_deliveries(session: Session, name: str, *, now: dt.datetime) -> int:
    """Make pending deliveries due now, unless they are `UNDER_WAY`. Raise `NoSuchWebhook`."""
    get_webhook(session, name)
    waiting = _of_webhook(name, DeliveryState.PENDING).where(col(DeliveryRow.last_answer).is_distinct_from(UNDER_WAY))
    return session.exec(waiting.values(due=now)).rowcount


def _of_webhook(name: str, state: DeliveryState) -> Update:
    return update(DeliveryRow).where(col(DeliveryRow.webhook) == name, col(DeliveryRow.state) == state.value)
