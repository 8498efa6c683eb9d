"""The background workers of a serving process: threads that work, wait and work again, until they are stopped."""

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime
from sqlmodel import Session, select

from app.logs import Log
from app.models.guides.edition_rows import GenerationRow

GENERATION_SECONDS = 0.5
SILENT_SECONDS = 2.0
"""How long the database may be silent before responses say how old they are: four polls."""
MAX_BACKOFF_SECONDS = 60.0

Result = TypeVar("Result")

log = Log(__name__)


class WorkerState(StrEnum):
    """How a worker's thread is."""

    OK = "ok"
    STALLED = "stalled"
    STOPPED = "stopped"


@dataclass
class Job:
    """Work that is done again and again, by a thread that it may share. Times are in seconds."""

    name: str
    every: float
    """From the end of the work to its next time."""
    do: Callable[[Callable[[], None]], bool | None]
    """Does the work. True: there may be more of it at once. Long work calls what it is given, to show that it works."""
    first_delay: float = 0.0
    failures: int = 0
    due: float = 0.0


class Stopping(Exception):  # no error: the work in hand ends, since the process does
    """The process stops."""


class JobsWorker:
    """A thread that does each of its jobs when it is due, one after the other, whatever they raise, until a stop."""

    stop_seconds = 5.0
    """Longest wait for the end of the work in hand at a stop. A longer one ends with the process."""

    def __init__(self, name: str, jobs: Sequence[Job], *, stalled_after: float = 300.0) -> None:
        self.jobs = jobs
        self.stalled_after = stalled_after
        """Seconds for which the work may be silent. After that, readiness says that the worker stalled."""
        self._delay = 0.0
        self._beat_at = monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Under which readiness and metrics show the thread."""
        return tuple(job.name for job in self.jobs)

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stopped.is_set()

    @property
    def is_alive(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    @property
    def seconds_since_beat(self) -> float:
        """Seconds since the worker last showed that it works."""
        return monotonic() - self._beat_at

    @property
    def state(self) -> WorkerState:
        """How the thread is: a worker that waits for its next time is well."""
        if not self.is_alive:
            return WorkerState.STOPPED
        is_late = self.seconds_since_beat > self._delay + self.stalled_after
        return WorkerState.STALLED if is_late else WorkerState.OK

    def beat(self) -> None:
        """Show that the worker works. A long run does so between its steps."""
        self._beat_at = monotonic()

    def start(self) -> None:
        """Start the thread."""
        self.beat()
        for job in self.jobs:
            job.due = self._beat_at + job.first_delay
        self._thread.start()

    def drain(self) -> None:
        """Start nothing new, since the process is about to stop."""
        self.request_stop()

    def request_stop(self) -> None:
        """Let the worker end after the work in hand."""
        self._stopped.set()

    def stop(self) -> None:
        """Request the stop, and wait until the thread has ended, for `stop_seconds` at most."""
        self.request_stop()
        if self.is_alive:
            self._thread.join(self.stop_seconds)

    def run(self) -> None:
        """Work until stopped, in the calling thread."""
        while not self._stopped.wait(self._delay):
            self._delay = self.run_once()

    def run_once(self) -> float:
        """Do what is due, and return the seconds until the next job is."""
        for job in self.jobs:
            if job.due <= monotonic() and not self.is_stopping:
                job.due = monotonic() + self._do(job)
                self.beat()
        return max(0.0, min(job.due for job in self.jobs) - monotonic())

    def _do(self, job: Job) -> float:
        """Do the job, and return the seconds to its next time. After a failure of any kind, log where it was."""
        try:
            has_more = job.do(self._go_on)
        except Stopping:
            return job.every
        except Exception as failure:  # the other jobs of the thread go on
            job.failures += 1
            log.failure("worker_failed", error=failure, worker=job.name)
            return backoff_seconds(job.failures)
        job.failures = 0
        return 0.0 if has_more else job.every

    def _go_on(self) -> None:
        """Show that the work goes on. Raises `Stopping` where it must not."""
        self.beat()
        if self.is_stopping:
            raise Stopping


def start_call(do: Callable[[], Result], name: str = "call") -> Future[Result]:
    """Call `do` in a new thread, and return the future of its result.

    For a lookup of a host's address, which can take minutes and cannot be stopped. Such a thread keeps no process from
    ending, and a caller that gives up does not cancel the call for others.
    """
    outcome: Future[Result] = Future()
    outcome.set_running_or_notify_cancel()

    def settle() -> None:
        try:
            outcome.set_result(do())
        except Exception as failure:  # for whoever waits
            outcome.set_exception(failure)

    threading.Thread(target=settle, name=name, daemon=True).start()
    return outcome


def call_in_time(do: Callable[[], Result], seconds: float) -> Result:
    """Return the result of `do`, or raise its error. Raise `TimeoutError` after `seconds`."""
    return start_call(do).result(timeout=seconds)


def stop_workers(workers: Collection[JobsWorker]) -> None:
    """Stop them all: every stop is requested before the first is waited for."""
    for worker in workers:
        worker.request_stop()
    for worker in workers:
        worker.stop()


def backoff_seconds(failures: int) -> float:
    """Return how long to wait after so many failures in a row: 1 second at first, a minute at most."""
    return min(2.0 ** min(failures - 1, 16), MAX_BACKOFF_SECONDS)


class GenerationWatcher(JobsWorker):
    """Polls the generation, and calls `on_change` when another process published or withdrew an edition.

    If the database has not answered for `SILENT_SECONDS`, it calls `on_silence` with when it last did (`monotonic`),
    and with None when it answers again, after `on_change` if that is due.
    """

    def __init__(
        self, engine: Engine, on_change: Callable[[], None], on_silence: Callable[[float | None], None]
    ) -> None:
        job = Job("generation", GENERATION_SECONDS, lambda _: self.poll(), first_delay=GENERATION_SECONDS)
        super().__init__("generation", [job])
        self._engine = engine
        self._on_change = on_change
        self._on_silence = on_silence
        self._known = -1
        self._read_at = monotonic()
        self._is_silent = False

    def start(self) -> None:
        """Poll once, then start the thread."""
        self.poll()
        super().start()

    def drain(self) -> None:
        """Go on: reads are answered until the stop."""

    def poll(self) -> None:
        """Read the generation once."""
        try:
            with Session(self._engine) as session:
                number = session.exec(select(GenerationRow.number)).one()
        except NoConnectionInTime:  # others use them all: the database may well answer
            return
        except SQLAlchemyError as failure:
            if not self._is_silent and monotonic() - self._read_at > SILENT_SECONDS:
                self._is_silent = True
                log.warning("generation_unreadable", error=type(failure).__name__)
                self._on_silence(self._read_at)
            return
        self._read_at = monotonic()
        if number != self._known:
            self._on_change()
            self._known = number  # only now: where clearing failed, the next poll does it
        if self._is_silent:
            self._is_silent = False
            log.info("generation_readable")
            self._on_silence(None)
