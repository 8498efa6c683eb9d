"""The operations that wait for the writer, and how their callers get the outcomes."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from sqlmodel import Session

_T = TypeVar("_T")
WriteOp = Callable[[Session], _T]


@dataclass(frozen=True)
class BatchableWrite(Generic[_T]):
    """An operation that runs together with others of its kind, with statements for many rows, in less time."""

    write_all: Callable[[Session, Sequence[_T]], None]
    value: _T

    def __call__(self, session: Session) -> None:
        """Write this value alone."""
        self.write_all(session, [self.value])


@dataclass(frozen=True)
class ConcurrentWrite(Generic[_T]):
    """An operation that may run while other nodes write, since it changes only what it locks.

    The writer locks the chains before it runs: all that happens to one concern takes turns at the concern's chain. A
    `BatchableWrite` runs concurrently too: it only inserts, and constraints decide who was first.
    """

    operation: WriteOp[_T]
    chains: tuple[str, ...] = ()

    def __call__(self, session: Session) -> _T:
        """Run the operation."""
        return self.operation(session)


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


def is_concurrent(queued: Queued) -> bool:
    """Return whether the operation may run while other nodes write."""
    return isinstance(queued.operation, BatchableWrite | ConcurrentWrite)


def chains_of(batch: Sequence[Queued]) -> set[str]:
    """Return the chains that the operations lock."""
    return {
        chain for queued in batch if isinstance(queued.operation, ConcurrentWrite) for chain in queued.operation.chains
    }


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
