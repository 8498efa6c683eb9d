"""Delivering by hand, for tests that set the clock."""

import asyncio

from app.models.events.rows import EventKind, WebhookRow
from app.services.events.deliveries import ClaimedDelivery
from app.services.events.dispatcher import WebhookDispatcher
from tests.support.clock import A_TUESDAY


def deliver_due(dispatcher: WebhookDispatcher) -> int:
    """Try everything that is due, for every receiver at once, and return the number of attempts."""

    async def deliver() -> int:
        return sum(await asyncio.gather(*map(dispatcher.deliver_to, await dispatcher.find_due())))

    return asyncio.run(deliver())


def a_receiver() -> WebhookRow:
    """Return a receiver of new concerns, at an address that nobody has."""
    return WebhookRow(
        name="receiver",
        url="https://receiver.example/",
        kinds=[EventKind.CONCERN_RECEIVED.value],
        secrets=["an invented secret"],
        added_at=A_TUESDAY,
    )


def a_delivery(url: str) -> ClaimedDelivery:
    """Return a delivery of an invented event to that address."""
    return ClaimedDelivery(
        event_id=1,
        webhook="invented",
        message="msg_invented",
        attempts=1,
        kind="concern.received",
        at=A_TUESDAY,
        data={"reference": "4F7K-926W-0X3R"},
        url=url,
        secrets=("whsec_aW52ZW50ZWQgZm9yIGEgdGVzdA==",),
    )
