"""Delivering events by push: Standard Webhooks 1.0, at least once, with the same message id on every attempt."""

import datetime as dt
import email.utils
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.errors import GuidanceError
from app.logs import Log
from app.models.events.tables import DeliveryState
from app.services.desk.overdue import append_overdue_events
from app.services.events.webhook_sender import WebhookSender
from app.store.events import ClaimedDelivery, claim_due, record_attempt
from app.store.webhooks import disable
from app.store.writer import Writer

LEASE = dt.timedelta(seconds=60)
PORTION = 32
AT_ONCE = 8
PAUSE_SECONDS = 0.5
SECOND, MINUTE, HOUR = 1, 60, 3600
DELAYS = (5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, *([6 * HOUR] * 7))
LONGEST = DELAYS[-1]
SUCCESSES = range(200, 300)
GONE = 410

Send = Callable[[ClaimedDelivery, dt.datetime], tuple[int | str, str | None]]
"""One attempt at that time: the answer's status, or what kept one from coming, and its `Retry-After`."""

log = Log(__name__)


@dataclass(frozen=True)
class WebhookDispatcher:
    """Tries what is due. Any number may run, in any number of processes."""

    writer: Writer
    allowed_hosts: frozenset[str]
    clock: Callable[[], dt.datetime]
    lease: dt.timedelta = LEASE

    def deliver_due(self) -> int:
        """Append events for what has become overdue, try one portion of what is due, and return the number tried."""
        now = self.clock()
        append_overdue_events(self.writer, now=now, limit=PORTION)
        claimed = self.writer.run(partial(claim_due, now=now, lease=self.lease, limit=PORTION))
        if claimed:
            send = self._send
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda delivery: self._try(delivery, send), claimed))
        return len(claimed)

    @cached_property
    def _send(self) -> Send:
        return WebhookSender(self.allowed_hosts).send

    def _try(self, delivery: ClaimedDelivery, send: Send) -> None:
        answer, retry_after = send(delivery, self.clock())
        if answer in SUCCESSES:
            self._record(delivery, DeliveryState.DELIVERED, str(answer))
        elif answer == GONE:
            self._give_up(delivery)
        else:
            self._put_off(delivery, str(answer), retry_after)

    def _put_off(self, delivery: ClaimedDelivery, answer: str, retry_after: str | None) -> None:
        now = self.clock()
        is_last = delivery.attempts >= len(DELAYS)
        delay = max(_jittered(DELAYS[min(delivery.attempts, len(DELAYS)) - 1]), _seconds_of(retry_after, now))
        state = DeliveryState.DEAD if is_last else DeliveryState.PENDING
        due = now + dt.timedelta(seconds=min(delay, LONGEST))
        self._record(delivery, state, answer, due)
        log.warning("delivery_failed", webhook=delivery.webhook, attempts=delivery.attempts, error=answer)

    def _give_up(self, delivery: ClaimedDelivery) -> None:
        now = self.clock()

        def write(session: Session) -> None:
            record_attempt(session, delivery, state=DeliveryState.DEAD, answer=str(GONE))
            disable(session, delivery.webhook, because="it answered 410 Gone", at=now)

        self.writer.run(write)
        log.warning("webhook_disabled", webhook=delivery.webhook)

    def _record(
        self, delivery: ClaimedDelivery, state: DeliveryState, answer: str, due: dt.datetime | None = None
    ) -> None:
        self.writer.run(partial(record_attempt, claimed=delivery, state=state, answer=answer, due=due))


class DispatcherThread:
    """Delivers in the background of a serving process, until it is stopped."""

    def __init__(self, deliverer: WebhookDispatcher) -> None:
        self._deliverer = deliverer
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.work, name="deliverer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Have the work end after the portion in hand."""
        self._stopped.set()

    def stop(self) -> None:
        """End after the portion in hand."""
        self.ask_to_stop()
        if self._thread.is_alive():
            self._thread.join()

    def work(self) -> None:
        """Deliver until stopped."""
        while not self._stopped.is_set():
            try:
                tried = self._deliverer.deliver_due()
            except (SQLAlchemyError, GuidanceError) as failure:  # the leases end, and the next round tries again
                log.error("delivery_round_failed", error=type(failure).__name__)
                tried = 0
            if tried == 0:
                self._stopped.wait(PAUSE_SECONDS)


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311  # nosec B311  # spreads load, guards nothing


def _seconds_of(retry_after: str | None, now: dt.datetime) -> float:
    """`Retry-After` in seconds (RFC 9110, section 10.2.3); 0 where there is none, or it cannot be read."""
    if retry_after is None:
        return 0
    if retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return (email.utils.parsedate_to_datetime(retry_after) - now).total_seconds()
    except (ValueError, TypeError):
        return 0
