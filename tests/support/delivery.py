"""Delivering by hand, for tests that set the clock."""

import asyncio

from app.services.events.dispatcher import WebhookDispatcher


def deliver_due(dispatcher: WebhookDispatcher) -> int:
    """Try everything that is due, for every receiver at once, and return the number of attempts."""

    async def deliver() -> int:
        return sum(await asyncio.gather(*map(dispatcher.deliver_to, await dispatcher.find_due())))

    return asyncio.run(deliver())
