"""The thread that delivers in the background, with a lane for each receiver."""

import asyncio
import time
from collections import Counter

from app.errors import GuidanceError
from app.logs import Log
from app.services.events.dispatcher import WebhookDispatcher
from app.services.operations.workers import PeriodicWorker, backoff_seconds

PAUSE_SECONDS = 0.5
STOP_MARGIN_SECONDS = 5.0

log = Log(__name__)


class DispatcherThread(PeriodicWorker):
    """Delivers until it is stopped. Each receiver has a lane (a task) of its own, so none waits for another.

    At a stop the attempts under way have `grace_seconds` to end. Then they are cancelled, and due again at once.
    """

    def __init__(self, dispatcher: WebhookDispatcher, *, grace_seconds: float) -> None:
        super().__init__("dispatcher")
        self.stop_seconds = grace_seconds + STOP_MARGIN_SECONDS
        self._dispatcher = dispatcher
        self._grace_seconds = grace_seconds
        self._failures_of: Counter[str] = Counter()
        self._resting_until: dict[str, float] = {}

    def run_once(self) -> float:
        """Deliver until a stop is requested."""
        asyncio.run(self._dispatch())
        return PAUSE_SECONDS

    async def _dispatch(self) -> None:
        lanes: dict[str, asyncio.Task[None]] = {}
        try:
            while not self.is_stopping:
                self.beat()
                for webhook in await self._find_due():
                    if self._may_start(webhook, lanes.get(webhook)):
                        lanes[webhook] = asyncio.create_task(self._work_lane(webhook), name=webhook)
                await asyncio.sleep(PAUSE_SECONDS)
            if lanes:
                await asyncio.wait(lanes.values(), timeout=self._grace_seconds)
        finally:
            for lane in lanes.values():
                lane.cancel()
            await asyncio.gather(*lanes.values(), return_exceptions=True)

    def _may_start(self, webhook: str, former: asyncio.Task[None] | None) -> bool:
        is_free = former is None or former.done()
        return is_free and time.monotonic() >= self._resting_until.get(webhook, 0.0)

    async def _find_due(self) -> list[str]:
        """Return the webhooks with due deliveries: none where the database does not answer, so that lanes go on."""
        try:
            return await self._dispatcher.find_due()
        except GuidanceError as failure:
            log.error("delivery_round_failed", error=type(failure).__name__)
            return []

    async def _work_lane(self, webhook: str) -> None:
        """Deliver what is due for one receiver. After a failure of any kind this lane rests; the others go on."""
        try:
            await self._dispatcher.deliver_to(webhook, is_stopping=lambda: self.is_stopping)
        except Exception as failure:
            self._failures_of[webhook] += 1
            self._resting_until[webhook] = time.monotonic() + backoff_seconds(self._failures_of[webhook])
            log.failure("delivery_lane_failed", error=failure, webhook=webhook)
        else:
            self._failures_of[webhook] = 0
