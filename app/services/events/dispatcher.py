"""Delivery of events by push (Standard Webhooks 1.0): at least once, with the same message id on every attempt."""

import datetime as dt
import email.utils
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from http import HTTPStatus

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.errors import GuidanceError
from app.logs import Log
from app.models.events.tables import DeliveryState
from app.services.desk.actions import append_overdue_events
from app.services.events.webhook_sender import WebhookSender
from app.services.operations.workers import PeriodicWorker
from app.store.events import ClaimedDelivery, claim_due, record_attempt
from app.store.webhooks import disable
from app.store.writer import Writer, write_operation

LEASE = dt.timedelta(seconds=60)
DELIVERY_BATCH_SIZE = 32
MAX_CONCURRENT = 8
PAUSE_SECONDS = 0.5
SECOND, MINUTE, HOUR = 1, 60, 3600
DELAYS = (5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, *([6 * HOUR] * 7))
MAX_DELAY = DELAYS[-1]
SUCCESSES = range(200, 300)

log = Log(__name__)


@dataclass(frozen=True)
class WebhookDispatcher:
    """Tries due deliveries. Any number may run, in any number of processes."""

    writer: Writer
    allowed_hosts: frozenset[str]
    clock: Callable[[], dt.datetime]
    lease: dt.timedelta = LEASE

    def deliver_due(self) -> int:
        """Append events for overdue concerns, try one batch of due deliveries, and return the number tried."""
        now = self.clock()
        append_overdue_events(self.writer, now=now, limit=DELIVERY_BATCH_SIZE)
        claimed = self.writer.run(partial(claim_due, now=now, lease=self.lease, limit=DELIVERY_BATCH_SIZE))
        if claimed:
            with ThreadPoolExecutor(MAX_CONCURRENT) as pool:
                list(pool.map(partial(self._attempt, self._sender), claimed))
        return len(claimed)

    @cached_property
    def _sender(self) -> WebhookSender:
        return WebhookSender(self.allowed_hosts)

    def _attempt(self, sender: WebhookSender, delivery: ClaimedDelivery) -> None:
        answer, retry_after = sender.send(delivery, self.clock())
        if answer in SUCCESSES:
            self._record(delivery, DeliveryState.DELIVERED, str(answer))
        elif answer == HTTPStatus.GONE:
            self._disable_webhook(delivery)
        else:
            self._reschedule(delivery, str(answer), retry_after)

    def _reschedule(self, delivery: ClaimedDelivery, answer: str, retry_after: str | None) -> None:
        now = self.clock()
        is_last = delivery.attempts >= len(DELAYS)
        delay = max(_add_jitter(DELAYS[min(delivery.attempts, len(DELAYS)) - 1]), _seconds_of(retry_after, now))
        state = DeliveryState.DEAD if is_last else DeliveryState.PENDING
        due = now + dt.timedelta(seconds=min(delay, MAX_DELAY))
        self._record(delivery, state, answer, due)
        log.warning("delivery_failed", webhook=delivery.webhook, attempts=delivery.attempts, error=answer)

    def _disable_webhook(self, delivery: ClaimedDelivery) -> None:
        _record_gone(self.writer, delivery, at=self.clock())
        log.warning("webhook_disabled", webhook=delivery.webhook)

    def _record(
        self, delivery: ClaimedDelivery, state: DeliveryState, answer: str, due: dt.datetime | None = None
    ) -> None:
        self.writer.run(partial(record_attempt, claimed=delivery, state=state, answer=answer, due=due))


@write_operation
def _record_gone(session: Session, delivery: ClaimedDelivery, *, at: dt.datetime) -> None:
    record_attempt(session, delivery, state=DeliveryState.DEAD, answer=str(HTTPStatus.GONE.value))
    disable(session, delivery.webhook, because="it answered 410 Gone", at=at)


class DispatcherThread(PeriodicWorker):
    """Delivers in the background of a serving process, until it is stopped."""

    def __init__(self, dispatcher: WebhookDispatcher) -> None:
        super().__init__("dispatcher")
        self._dispatcher = dispatcher

    def run_once(self) -> float:
        """Try one batch, and return the seconds to wait: none if there may be more to try."""
        try:
            tried = self._dispatcher.deliver_due()
        except (SQLAlchemyError, GuidanceError) as failure:  # the leases end, and the next round tries again
            log.error("delivery_round_failed", error=type(failure).__name__)
            tried = 0
        return 0.0 if tried else PAUSE_SECONDS


def _add_jitter(seconds: float) -> float:
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311  # nosec B311  # spreads load; not for security


def _seconds_of(retry_after: str | None, now: dt.datetime) -> float:
    """Return `Retry-After` in seconds (RFC 9110, section 10.2.3); 0 if there is none, or it cannot be read."""
    if retry_after is None:
        return 0
    if retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return (email.utils.parsedate_to_datetime(retry_after) - now).total_seconds()
    except (ValueError, TypeError):
        return 0
