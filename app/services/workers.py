"""The background workers of a serving process: threads that run jobs repeatedly until stopped."""

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
"""How long the database may be silent before responses state their age: four polls."""
MAX_BACKOFF_SECONDS = 60.0

Result = TypeVar("Result")

log = Log(__name__)


class WorkerState(StrEnum):
    """The state of a worker's thread."""

    OK = "ok"
    STALLED = "stalled"
    STOPPED = "stopped"


@dataclass
class Job:
    """Periodic work, in a thread that other jobs may share. Times are in seconds."""

    name: str
    every: float
    """Pause between the end of the work and its next start."""
    do: Callable[[Callable[[], None]], bool | None]
    """Does the work. True means that more may be due immediately. Long work calls its argument to show progress."""
    first_delay: float = 0.0
    failures: int = 0
    due: float = 0.0


class Stopping(Exception):  # not an error: the current work ends because the process does
    """The process stops."""


class JobsWorker:
    """A thread that runs each of its jobs when due, one after another, until stopped. Errors of a job do not end it."""

    stop_seconds = 5.0
    """Longest wait at a stop for the current work. Longer work ends with the process."""

    def __init__(self, name: str, jobs: Sequence[Job], *, stalled_after: float = 300.0) -> None:
        self.jobs = jobs
        self.stalled_after = stalled_after
        """Time without progress in seconds, after which readiness reports the worker as stalled."""
        self._delay = 0.0
        self._beat_at = monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the jobs, under which readiness and metrics show the thread."""
        return tuple(job.name for job in self.jobs)

    @property
    def is_stopping(self) -> bool:
        """True if a stop was requested."""
        return self._stopped.is_set()

    @property
    def is_alive(self) -> bool:
        """True if the thread is running."""
        return self._thread.is_alive()

    @property
    def seconds_since_beat(self) -> float:
        """Seconds since the worker last showed progress."""
        return monotonic() - self._beat_at

    @property
    def state(self) -> WorkerState:
        """State of the thread. A worker that waits for its next job is OK."""
        if not self.is_alive:
            return WorkerState.STOPPED
        is_late = self.seconds_since_beat > self._delay + self.stalled_after
        return WorkerState.STALLED if is_late else WorkerState.OK

    def beat(self) -> None:
        """Show progress. Long work calls this between its steps."""
        self._beat_at = monotonic()

    def start(self) -> None:
        """Start the thread."""
        self.beat()
        for job in self.jobs:
            job.due = self._beat_at + job.first_delay
        self._thread.start()

    def drain(self) -> None:
        """Start no new work, because the process is about to stop."""
        self.request_stop()

    def request_stop(self) -> None:
        """End the worker after the current work."""
        self._stopped.set()

    def stop(self) -> None:
        """Request the stop, and wait at most `stop_seconds` for the thread to end."""
        self.request_stop()
        if self.is_alive:
            self._thread.join(self.stop_seconds)

    def run(self) -> None:
        """Work until stopped, in the calling thread."""
        while not self._stopped.wait(self._delay):
            self._delay = self.run_once()

    def run_once(self) -> float:
        """Run the jobs that are due, and return the seconds until the next one."""
        for job in self.jobs:
            if job.due <= monotonic() and not self.is_stopping:
                job.due = monotonic() + self._do(job)
                self.beat()
        return max(0.0, min(job.due for job in self.jobs) - monotonic())

    def _do(self, job: Job) -> float:
        """Run the job, and return the seconds until its next start. Log where any failure occurred."""
        try:
            has_more = job.do(self._go_on)
        except Stopping:
            return job.every
        except Exception as failure:  # the other jobs of the thread continue
            job.failures += 1
            log.failure("worker_failed", error=failure, worker=job.name)
            return backoff_seconds(job.failures)
        job.failures = 0
        return 0.0 if has_more else job.every

    def _go_on(self) -> None:
        """Show progress. Raise `Stopping` if a stop was requested."""
        self.beat()
        if self.is_stopping:
            raise Stopping


def start_call(do: Callable[[], Result], name: str = "call") -> Future[Result]:
    """Call `do` in a new thread, and return the future of its result.

    Used for host name lookups, which can take minutes and cannot be stopped. The thread does not prevent the process
    from ending, and a caller that gives up does not cancel the call for others.
    """
    outcome: Future[Result] = Future()
    outcome.set_running_or_notify_cancel()

    def settle() -> None:
        try:
            outcome.set_result(do())
        except Exception as failure:  # passed to the caller
            outcome.set_exception(failure)

    threading.Thread(target=settle, name=name, daemon=True).start()
    return outcome


def call_in_time(do: Callable[[], Result], seconds: float) -> Result:
    """Return the result of `do`, or raise its error. Raise `TimeoutError` after `seconds`."""
    return start_call(do).result(timeout=seconds)


def stop_workers(workers: Collection[JobsWorker]) -> None:
    """Stop the workers. Every stop is requested before the first is waited for."""
    for worker in workers:
        worker.request_stop()
    for worker in workers:
        worker.stop()


def backoff_seconds(failures: int) -> float:
    """Return the seconds to wait after `failures` failures in a row: 1 at first, 60 at most."""
    return min(2.0 ** min(failures - 1, 16), MAX_BACKOFF_SECONDS)


class GenerationWatcher(JobsWorker):
    """A worker that polls the generation. Calls `on_change` if another process published or withdrew an edition.

    If the database has not responded for `SILENT_SECONDS`, `on_silence` gets the time of the last response
    (`monotonic`). When it responds again, `on_silence` gets None, after `on_change` if that is due.
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
        """Do nothing: reads are served until the stop."""

    def poll(self) -> None:
        """Read the generation once."""
        try:
            with Session(self._engine) as session:
                number = session.exec(select(GenerationRow.number)).one()
        except NoConnectionInTime:  # others use all connections: the database may well respond
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
            self._known = number  # only now: if clearing failed, the next poll repeats it
        if self._is_silent:
            self._is_silent = False
            log.info("generation_readable")
            self._on_silence(None)
