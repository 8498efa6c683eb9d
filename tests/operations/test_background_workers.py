"""The base of the background workers: when it works, what it survives, how it is seen, and how it ends."""

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import StoreBusy
from app.extensions import modules_of
from app.http.context import AppContext
from app.services import workers
from app.services.operations.jobs import Housekeeping
from app.services.workers import Job, JobsWorker, WorkerState, backoff_seconds, stop_workers
from tests.support.databases import on_postgresql
from tests.support.log_lines import Lines
from tests.support.waiting import wait_until

pytestmark = pytest.mark.any_database

APP = Path(__file__).parents[2] / "app"
LONG = 3600.0
PATIENCE_SECONDS = 30


class CountingWorker(JobsWorker):
    def __init__(self, *delays: float, first_delay: float = 0.0) -> None:
        self.job = Job("counting", LONG, lambda _: self.work(), first_delay=first_delay)
        super().__init__("counting", [self.job])
        self.delays = list(delays)
        self.runs = 0
        self.is_waiting = threading.Event()

    def work(self) -> None:
        self.runs += 1
        self.job.every = self.delays.pop(0)
        if self.job.every == LONG:
            self.is_waiting.set()


def test_a_worker_works_after_each_delay_until_it_is_stopped() -> None:
    worker = CountingWorker(0.0, 0.01, LONG)
    worker.start()
    assert worker.is_waiting.wait(PATIENCE_SECONDS)

    worker.stop()

    assert worker.runs == 3
    assert worker.is_stopping


def test_a_worker_with_a_first_delay_waits_before_it_works() -> None:
    worker = CountingWorker(first_delay=LONG)
    worker.start()

    worker.stop()

    assert worker.runs == 0


def test_a_worker_that_was_never_started_can_be_stopped() -> None:
    CountingWorker().stop()


def test_a_worker_in_the_calling_thread_ends_at_a_stop() -> None:
    worker = CountingWorker(LONG)

    def stop_while_it_waits() -> None:
        if worker.is_waiting.wait(PATIENCE_SECONDS):
            worker.request_stop()

    stopping = threading.Thread(target=stop_while_it_waits)
    stopping.start()

    worker.run()

    stopping.join()
    assert worker.runs == 1


class FailingWorker(CountingWorker):
    """Raises one error after another, then works."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__(LONG)
        self.errors = list(errors)

    def work(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        super().work()


@pytest.fixture
def without_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MAX_BACKOFF_SECONDS", 0.0)


@pytest.mark.usefixtures("without_backoff")
def test_no_error_ends_a_worker_and_the_log_omits_its_words(lines: Lines) -> None:
    canary = "Canary-Wren"
    errors = (ValueError(canary), StoreBusy(), OperationalError(canary, None, Exception(canary)), MemoryError(canary))
    worker = FailingWorker(*errors)
    worker.start()

    assert worker.is_waiting.wait(PATIENCE_SECONDS)

    assert worker.is_alive
    worker.stop()
    logged = [line for line in lines() if line["event"] == "worker_failed"]
    assert [line["error"] for line in logged] == ["ValueError", "StoreBusy", "OperationalError", "MemoryError"]
    assert {line["worker"] for line in logged} == {"counting"}
    assert all(line["frames"][-1].endswith(" work") for line in logged)
    assert canary not in str(logged)


def test_a_worker_waits_longer_after_each_failure_up_to_a_minute() -> None:
    assert [backoff_seconds(failures) for failures in (1, 2, 3, 7, 10_000)] == [1, 2, 4, 60, 60]


@pytest.mark.parametrize(("fails", "pause"), [(False, LONG), (True, 1.0)])
def test_the_pause_before_the_next_run_begins_when_the_work_ends(
    monkeypatch: pytest.MonkeyPatch, fails: bool, pause: float
) -> None:
    now = [100.0]
    monkeypatch.setattr(workers, "monotonic", lambda: now[0])

    def work_for_a_minute(_: Callable[[], None]) -> None:
        now[0] += 60
        if fails:
            raise ValueError

    wait = JobsWorker("slow", [Job("slow", LONG, work_for_a_minute)]).run_once()

    assert wait == pause


@pytest.mark.slow
def test_a_stop_does_not_wait_for_work_that_never_ends() -> None:
    released = threading.Event()

    class StuckWorker(JobsWorker):
        stop_seconds = 0.1

    worker = StuckWorker("stuck", [Job("stuck", LONG, lambda _: released.wait() and None)])
    worker.start()

    worker.stop()

    assert worker.is_alive
    released.set()
    wait_until(lambda: not worker.is_alive)


def test_all_workers_get_the_stop_before_the_first_is_awaited() -> None:
    others = [CountingWorker(LONG), CountingWorker(LONG)]

    class LastWorker(CountingWorker):
        def stop(self) -> None:
            assert all(each.is_stopping for each in others)
            super().stop()

    last = LastWorker(LONG)
    for each in (last, *others):
        each.start()

    stop_workers([last, *others])

    assert not any(each.is_alive for each in (last, *others))


def test_a_worker_that_ended_or_is_silent_too_long_is_seen() -> None:
    worker = CountingWorker(LONG)
    unstarted = worker.state
    worker.start()
    assert worker.is_waiting.wait(PATIENCE_SECONDS)
    wait_until(lambda: worker._delay > 0)
    waiting = worker.state
    worker._beat_at -= worker._delay + worker.stalled_after + 1
    silent = worker.state
    worker.stop()

    assert (unstarted, waiting, silent, worker.state) == (
        WorkerState.STOPPED,
        WorkerState.OK,
        WorkerState.STALLED,
        WorkerState.STOPPED,
    )


@pytest.mark.slow
def test_the_pause_before_the_work_does_not_excuse_a_worker_that_hangs() -> None:
    hangs, ends = threading.Event(), threading.Event()

    def hang(beat: Callable[[], None]) -> None:
        beat()
        hangs.set()
        ends.wait(PATIENCE_SECONDS)

    worker = JobsWorker("hanging", [Job("hanging", LONG, hang, first_delay=0.5)])
    worker.start()
    assert hangs.wait(PATIENCE_SECONDS)
    worker._beat_at -= worker.stalled_after
    state = worker.state
    ends.set()
    worker.stop()

    assert state == WorkerState.STALLED


def test_jobs_share_a_thread_and_one_that_fails_holds_up_no_other(lines: Lines) -> None:
    done: list[str] = []

    def fail(_beat: object) -> None:
        done.append("failing")
        raise RuntimeError("Canary-Wren")

    def go_on(beat: Callable[[], None]) -> bool:
        beat()
        done.append("going on")
        return done.count("going on") < 3

    jobs = [Job("failing", LONG, fail), Job("going-on", LONG, go_on), Job("later", LONG, fail, first_delay=LONG)]
    worker = JobsWorker("both", jobs)
    worker.start()

    wait_until(lambda: done.count("going on") == 3)
    worker.stop()

    assert worker.names == ("failing", "going-on", "later")
    assert done.count("failing") == 1  # it waits for a second first
    assert [line["worker"] for line in lines() if line["event"] == "worker_failed"] == ["failing"]


def test_a_long_job_ends_at_a_stop() -> None:
    begun = threading.Event()

    def go_on_for_ever(beat: Callable[[], None]) -> None:
        begun.set()
        while True:
            beat()

    worker = JobsWorker("long", [Job("long", LONG, go_on_for_ever)])
    worker.start()
    assert begun.wait(PATIENCE_SECONDS)

    worker.stop()

    assert not worker.is_alive


def every_worker(context: AppContext, settings: Settings) -> list[JobsWorker]:
    housekeeping = Housekeeping(
        settings=settings.model_copy(update={"deliver": True, "retention_closed_days": 1, "smtp_host": "127.0.0.1"}),
        engine=context.engine,
        writer=context.writer,
        key_uses=context.authenticator.key_uses,
        checkpoints=context.checkpoints,
        invariants=context.invariants,
        outside=context.outside,
        watcher=context.watcher,
        clock=context.clock,
        lost_entries=context.lost_entries,
    )
    added = [JobsWorker(each.__name__, each.jobs(context)) for each in modules_of("jobs", context.extensions)]
    return [*housekeeping.build_workers(lambda: None, lambda _: None), *added]


def _has_more_than_two(calls: list[None]) -> bool:
    return len(calls) > 2


@pytest.mark.usefixtures("client", "without_backoff")
def test_every_worker_of_the_service_survives_every_error(service: FastAPI, settings: Settings) -> None:
    started = every_worker(service.state.context, settings)
    assert [each.names for each in started] == [
        ("generation",),
        ("key-uses", "saved-forms", "known-end", "overdue", "due-soon", "file-requests"),
        ("access-record", "retention", "checkpoint", "invariants") + (() if on_postgresql() else ("remnants",)),
        ("outside", "watches"),
        ("email",),
        ("dispatcher",),
        ("planned-publications",),
    ]
    for worker in started:
        calls: list[None] = []

        def fail(_beat: object, calls: list[None] = calls) -> None:
            calls.append(None)
            raise RuntimeError

        for job in worker.jobs:
            job.do, job.first_delay = fail, 0.0
        worker.start()
        wait_until(partial(_has_more_than_two, calls))

        assert worker.is_alive
        worker.stop()


def threads() -> Iterator[str]:
    for source in APP.rglob("*.py"):
        for _ in re.findall(r"\bThread\(", source.read_text(encoding="utf-8")):
            yield source.relative_to(APP).as_posix()


def test_every_thread_that_works_on_is_a_worker_or_the_writer() -> None:
    """A new thread is a `JobsWorker`, so that it survives, is seen and stops; or it is listed here."""
    assert sorted(threads()) == [
        "db/writer.py",  # survives by itself; readiness and metrics have it already
        "services/workers.py",
        "services/workers.py",  # one call each, of a part outside or to look up a name
    ]


def test_readiness_turns_red_and_the_metrics_say_which_worker_ended(service: FastAPI, client: TestClient) -> None:
    context: AppContext = service.state.context
    well = client.get("/health/ready")
    watcher = next(each for each in context.workers if "generation" in each.names)
    watcher.stop()

    ended = client.get("/health/ready")

    assert well.status_code == 200
    assert well.json()["checks"]["generation"] == "ok"
    assert ended.status_code == 503
    assert ended.json()["checks"]["generation"] == "stopped"
    metrics = client.get("/metrics").text
    assert 'guidance_worker_alive{worker="generation"} 0.0' in metrics
    assert 'guidance_worker_silent_seconds{worker="generation"}' in metrics
