"""Delivery of events by push (Standard Webhooks 1.0): at least once, with the same message id on every attempt."""

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus

from sqlmodel import Session

from app.config import Settings
from app.logs import Log
from app.models.events.tables import DeliveryState
from app.services.events.retries import is_last, next_due
from app.services.events.webhook_keys import WebhookKeys, open_webhook_keys
from app.services.events.webhook_sender import ATTEMPT_SECONDS, WebhookSender, build_sender
from app.store.events import ClaimedDelivery, claim_due, find_webhooks_due, record_attempt
from app.store.webhooks import disable
from app.store.writer import Writer

LEASE = dt.timedelta(seconds=60)
MAX_CONCURRENT = 4
"""Attempts at a time for one receiver. So many are claimed at a time, so none waits while its lease runs out."""

log = Log(__name__)


@dataclass(frozen=True)
class WebhookDispatcher:
    """Tries due deliveries, for one receiver at a time. Any number may run, in any number of processes."""

    writer: Writer
    sender: WebhookSender
    keys: WebhookKeys
    clock: Callable[[], dt.datetime]
    lease: dt.timedelta = LEASE

    async def find_due(self) -> list[str]:
        """Return the webhooks for which a delivery is due."""
        return await self.writer.run_async(partial(find_webhooks_due, now=self.clock()))

    async def deliver_to(self, webhook: str, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Try everything that is due for one webhook, and return the number of attempts.

        Raises `WebhookSecretUnreadable`, and then claims nothing; `StoreBusy` if a result could not be recorded: the
        delivery is due again when its lease ends.
        """
        tried = 0
        claim = partial(self._claim, webhook=webhook)
        while not is_stopping() and (claimed := await self.writer.run_async(claim)):
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
        except asyncio.CancelledError:  # this process stops; another one, or the next, tries at once
            await self._record(delivery, DeliveryState.PENDING, "interrupted", due=self.clock())
            raise
        answer = str(result.answer)
        if result.is_success:
            await self._record(delivery, DeliveryState.DELIVERED, answer)
            return
        log.warning("delivery_failed", webhook=delivery.webhook, attempts=delivery.attempts, error=answer)
        if result.answer == HTTPStatus.GONE:
            await self.writer.run_async(partial(_record_gone, delivery=delivery, at=self.clock()))
            log.warning("webhook_disabled", webhook=delivery.webhook)
        else:
            state = DeliveryState.DEAD if is_last(delivery.attempts) else DeliveryState.PENDING
            await self._record(delivery, state, answer, next_due(delivery.attempts, result.retry_after, self.clock()))

    async def _record(
        self, delivery: ClaimedDelivery, state: DeliveryState, answer: str, due: dt.datetime | None = None
    ) -> None:
        record = partial(record_attempt, claimed=delivery, state=state, answer=answer, due=due)
        await self.writer.run_async(record)


def build_dispatcher(
    settings: Settings, writer: Writer, clock: Callable[[], dt.datetime], lease: dt.timedelta = LEASE
) -> WebhookDispatcher:
    """Build a dispatcher by the settings. An attempt ends within its lease, so that nobody else tries meanwhile."""
    sender = build_sender(settings, seconds=min(ATTEMPT_SECONDS, lease.total_seconds()))
    return WebhookDispatcher(writer, sender, open_webhook_keys(settings), clock, lease)


def _record_gone(session: Session, *, delivery: ClaimedDelivery, at: dt.datetime) -> None:
    record_attempt(session, delivery, state=DeliveryState.DEAD, answer=str(HTTPStatus.GONE.value))
    disable(session, delivery.webhook, because="it answered 410 Gone", at=at)
