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
"""Four polls of the generation: then responses from the cache say how old they are."""
MAX_BACKOFF_SECONDS = 60.0

Result = TypeVar("Result")

log = Log(__name__)


class WorkerState(StrEnum):
    """The state of a worker.

    `OK` also waits for the next job, `STALLED` made no progress for too long, `STOPPED` ended or did not start.
    """

    OK = "ok"
    STALLED = "stalled"
    STOPPED = "stopped"


@dataclass
class Job:
    """Periodic work of a `JobsWorker`. Times are in seconds.

    `first_delay` counts from the start of the thread. The worker sets `failures`, in a row, and `due` (`monotonic`).
    """

    name: str
    every: float
    """Seconds from the end of a run to the next, unless it failed or `do` returned True."""
    do: Callable[[Callable[[], None]], bool | None]
    """Work to do.

    If it returns True, it runs again at once. Between steps it calls its argument, which may raise `Stopping`.
    """
    first_delay: float = 0.0
    failures: int = 0
    due: float = 0.0


class Stopping(Exception):  # not an error: the current work ends because the process does
    """Ends the current work, because the process is about to stop."""


class JobsWorker:
    """A thread that runs each job when due, one at a time. An error is logged, and followed by a longer pause."""

    stop_seconds = 5.0
    """Wait for the current work at a stop. Longer work ends with the process."""

    def __init__(self, name: str, jobs: Sequence[Job], *, stalled_after: float = 300.0) -> None:
        self.jobs = jobs
        self.stalled_after = stalled_after
        """Seconds without progress, not counting pauses."""
        self._delay = 0.0
        self._beat_at = monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(job.name for job in self.jobs)

    @property
    def is_stopping(self) -> bool:
        return self._stopped.is_set()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def seconds_since_beat(self) -> float:
        return monotonic() - self._beat_at

    @property
    def state(self) -> WorkerState:
        if not self.is_alive:
            return WorkerState.STOPPED
        is_late = self.seconds_since_beat > self._delay + self.stalled_after
        return WorkerState.STALLED if is_late else WorkerState.OK

    def beat(self) -> None:
        self._beat_at = monotonic()

    def start(self) -> None:
        self.beat()
        for job in self.jobs:
            job.due = self._beat_at + job.first_delay
        self._thread.start()

    def drain(self) -> None:
        """Hear that the process is about to stop. A subclass may go on working until `stop`."""
        self.request_stop()

    def request_stop(self) -> None:
        """Ask the worker to end after the current step, without waiting."""
        self._stopped.set()

    def stop(self) -> None:
        """Stop, and wait at most `stop_seconds`."""
        self.request_stop()
        if self.is_alive:
            self._thread.join(self.stop_seconds)

    def run(self) -> None:
        while not self._stopped.wait(self._delay):
            self.beat()
            self._delay = 0.0  # after the beat: the pause is over, and `state` must not add it
            self._delay = self.run_once()

    def run_once(self) -> float:
        """Return the seconds until the next job is due."""
        for job in self.jobs:
            if job.due <= monotonic() and not self.is_stopping:
                pause = self._do(job)
                job.due = monotonic() + pause
                self.beat()
        return max(0.0, min(job.due for job in self.jobs) - monotonic())

    def _do(self, job: Job) -> float:
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
        self.beat()
        if self.is_stopping:
            raise Stopping


def start_call(do: Callable[[], Result], name: str = "call") -> Future[Result]:
    """Call `do` in a thread that does not keep the process: a host lookup can take minutes and cannot be stopped.

    If one caller stops waiting, the call continues for others.
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
    """Raise `TimeoutError` after `seconds`; the call continues in its thread."""
    return start_call(do).result(timeout=seconds)


def stop_workers(workers: Collection[JobsWorker]) -> None:
    """Ask all workers to stop before the first wait, so that they end in parallel. Slow ones end with the process."""
    for worker in workers:
        worker.request_stop()
    for worker in workers:
        worker.stop()


def read_generation(engine: Engine) -> int:
    """Return the number of all publications and withdrawals."""
    with Session(engine) as session:
        return session.exec(select(GenerationRow.number)).one()


def backoff_seconds(failures: int) -> float:
    """Return 1 after the first failure in a row, then twice as much each time, at most 60."""
    return min(2.0 ** min(failures - 1, 16), MAX_BACKOFF_SECONDS)


class GenerationWatcher(JobsWorker):
    """Notices when any process publishes or withdraws. `on_change` is also called after the first successful poll.

    `on_silence` gets the time (`monotonic`) of the last response after `SILENT_SECONDS`, and None when the database
    responds again, after `on_change`.
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
        """Keep polling: a process that is about to stop still serves reads, which need the polls."""

    def poll(self) -> None:
        """Look for a new generation. Do nothing if all connections are in use: the database may be responding."""
        try:
            number = read_generation(self._engine)
        except NoConnectionInTime:  # other threads use all connections: the database may be responding
            return
        except SQLAlchemyError as failure:
            if not self._is_silent and monotonic() - self._read_at > SILENT_SECONDS:
                self._is_silent = True
                log.warning("generation_unreadable", error=type(failure).__name__)
                self._on_silence(self._read_at)
            return
        self._read_at = monotonic()
        was_silent = self._is_silent or self._known < 0  # it may have been away before the start
        if number != self._known:
            self._on_change()
            self._known = number  # set after the call: if `on_change` fails, the next poll calls it again
        if self._is_silent:
            self._is_silent = False
            log.info("generation_readable")
        if was_silent:
            self._on_silence(None)
