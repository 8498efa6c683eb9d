"""The operations that wait for the writer, and how their callers get the outcomes."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, NamedTuple

from sqlmodel import Session


class WriteOutcome(NamedTuple):
    """The result of an operation, or the error that it ended with."""

    result: Any
    error: Exception | None = None


class Queued:
    """An operation in the queue, and the future of its caller: that of an event loop, or of a thread."""

    __slots__ = ("_claimed", "future", "loop", "operation")

    def __init__(
        self,
        operation: Callable[[Session], Any],
        future: Future[Any] | asyncio.Future[Any],
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.operation = operation
        self.future = future
        self.loop = loop
        self._claimed = threading.Lock()

    def claim(self) -> bool:
        """Claim once: True for whichever comes first, the writer (about to run it) or the caller (timed out)."""
        return self._claimed.acquire(blocking=False)


def report(outcomes: Sequence[tuple[Queued, WriteOutcome]]) -> None:
    """Give each caller its outcome. An event loop is woken once for all of its callers."""
    by_loop: defaultdict[asyncio.AbstractEventLoop | None, list[tuple[Queued, WriteOutcome]]] = defaultdict(list)
    for queued, outcome in outcomes:
        by_loop[queued.loop].append((queued, outcome))
    for loop, its_outcomes in by_loop.items():
        if loop is None:
            _resolve(its_outcomes)
            continue
        with suppress(RuntimeError):  # the loop has ended, and no caller waits
            loop.call_soon_threadsafe(_resolve, its_outcomes)


def _resolve(outcomes: Sequence[tuple[Queued, WriteOutcome]]) -> None:
    """Give each caller its outcome, unless it has stopped waiting."""
    for queued, outcome in outcomes:
        if queued.future.done():
            continue
        if outcome.error is None:
            queued.future.set_result(outcome.result)
        else:
            queued.future.set_exception(outcome.error)
