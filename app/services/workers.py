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
"""Seconds after which a database that does not respond counts as silent. Four polls of the generation.

While the database is silent, responses from the cache say how old they are.
"""
MAX_BACKOFF_SECONDS = 60.0

Result = TypeVar("Result")

log = Log(__name__)


class WorkerState(StrEnum):
    """The state of a worker's thread.

    `OK`: at work, or waiting for the next job. `STALLED`: without progress for too long. `STOPPED`: ended, or not
    started.
    """

    OK = "ok"
    STALLED = "stalled"
    STOPPED = "stopped"


@dataclass
class Job:
    """Periodic work of a `JobsWorker`. Several jobs may share the thread of one worker. Times are in seconds.

    `first_delay` is the time from the start of the thread until the first run is due. The worker sets `failures`, the
    number of failures in a row, and `due`, the time from which the next run is due (`monotonic`).
    """

    name: str
    every: float
    """Pause from the end of a run until the next run is due, unless the run failed or `do` returned True."""
    do: Callable[[Callable[[], None]], bool | None]
    """Function that does the work. If it returns True, more may be due, and the job runs again without a pause.

    The argument is a callback that long work must call between its steps. The callback notes progress, and raises
    `Stopping` if a stop was requested.
    """
    first_delay: float = 0.0
    failures: int = 0
    due: float = 0.0


class Stopping(Exception):  # not an error: the current work ends because the process does
    """A signal that ends the current work of a job, because the process is about to stop."""


class JobsWorker:
    """A thread that runs each of its jobs when due, one at a time, until stopped.

    An error in a job is logged and does not end the thread. The job then runs again after a pause, which grows with
    each failure in a row (see `backoff_seconds`).
    """

    stop_seconds = 5.0
    """Longest wait for the current work at a stop, in seconds. Longer work ends with the process."""

    def __init__(self, name: str, jobs: Sequence[Job], *, stalled_after: float = 300.0) -> None:
        self.jobs = jobs
        self.stalled_after = stalled_after
        """Seconds without progress after which the readiness check reports the worker as stalled.

        The pause until the next job does not count.
        """
        self._delay = 0.0
        self._beat_at = monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the jobs. The readiness check and the metrics show the state of the thread under each name."""
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
        """Note that the worker has made progress now. The callback that a job gets calls this method."""
        self._beat_at = monotonic()

    def start(self) -> None:
        """Start the thread. The first run of each job is due after the job's `first_delay`."""
        self.beat()
        for job in self.jobs:
            job.due = self._beat_at + job.first_delay
        self._thread.start()

    def drain(self) -> None:
        """Request the stop, because the process is about to stop. A subclass may instead go on working until `stop`."""
        self.request_stop()

    def request_stop(self) -> None:
        """Ask the worker to end after the current step of its work, and return without waiting."""
        self._stopped.set()

    def stop(self) -> None:
        """Request the stop, and wait at most `stop_seconds` for the thread to end."""
        self.request_stop()
        if self.is_alive:
            self._thread.join(self.stop_seconds)

    def run(self) -> None:
        """Run the jobs in the calling thread until a stop is requested."""
        while not self._stopped.wait(self._delay):
            self.beat()
            self._delay = 0.0  # after the beat: the pause is over, and `state` must not add it
            self._delay = self.run_once()

    def run_once(self) -> float:
        """Run the jobs that are due, and return the seconds until the next job is due."""
        for job in self.jobs:
            if job.due <= monotonic() and not self.is_stopping:
                pause = self._do(job)
                job.due = monotonic() + pause
                self.beat()
        return max(0.0, min(job.due for job in self.jobs) - monotonic())

    def _do(self, job: Job) -> float:
        """Run the job, and return the seconds until its next run.

        Log any error with its place in the code. The next run then follows after a backoff.
        """
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
        """Note that the worker has made progress. Raise `Stopping` if a stop was requested."""
        self.beat()
        if self.is_stopping:
            raise Stopping


def start_call(do: Callable[[], Result], name: str = "call") -> Future[Result]:
    """Call `do` in a new thread, and return the future of its result.

    Host name lookups need their own thread, because a lookup can take minutes and cannot be stopped. The thread does
    not prevent the process from ending. If one caller stops waiting for the future, the call continues for other
    callers.
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
    """Call `do` in a new thread, and return its result or raise its error.

    Raise `TimeoutError` if there is no result after `seconds`. The call then continues in its thread, and its result is
    lost.
    """
    return start_call(do).result(timeout=seconds)


def stop_workers(workers: Collection[JobsWorker]) -> None:
    """Request the stop of all `workers`, then wait for each worker to end, for at most the worker's `stop_seconds`.

    All stops are requested before the first wait, so the workers end in parallel. A worker that needs longer may still
    be running when this function returns, and ends with the process at the latest.
    """
    for worker in workers:
        worker.request_stop()
    for worker in workers:
        worker.stop()


def backoff_seconds(failures: int) -> float:
    """Return the seconds to wait after `failures` failures in a row: 1 after the first, then doubled, 60 at most."""
    return min(2.0 ** min(failures - 1, 16), MAX_BACKOFF_SECONDS)


class GenerationWatcher(JobsWorker):
    """A worker that notices when any process publishes or withdraws an edition or rendition.

    The worker polls the generation: a number in the database that grows with each publication and withdrawal. The
    worker calls `on_change` after the first successful poll and whenever the number has changed.

    If the database has not responded for `SILENT_SECONDS`, the worker calls `on_silence` with the time of the last
    response (`monotonic`). Before the first response, this is the time at which the worker was made. When the database
    responds again, the worker calls `on_silence` with None, after `on_change` if the number has changed.
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
        """Do nothing: a process that is about to stop still serves reads, which need the polls."""

    def poll(self) -> None:
        """Read the generation once. Call `on_change` if it changed, and `on_silence` if a silence began or ended.

        If all connections of this process are in use, do nothing: the database may be responding.
        """
        try:
            with Session(self._engine) as session:
                number = session.exec(select(GenerationRow.number)).one()
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
