"""A clock that is wrong for a while erases nothing, and somebody hears of it."""

import datetime as dt
import time
from pathlib import Path

import pytest
from fastapi import FastAPI
from limits import parse
from sqlalchemy import delete
from sqlmodel import Session
from starlette.testclient import TestClient

from app.clock import utc_now
from app.config import Settings
from app.db.database import open_database
from app.db.schema import migrate_schema
from app.errors import ClockInDoubt
from app.extensions.operator_tools.services.doctor import examine
from app.http.context import AppContext
from app.main import create_app
from app.models.audit.rows import CheckpointRow, KnownTimeRow
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.services.access.limits import Limiter, LimitKey, Policy
from app.services.audit.known_time import find_clock_fault, find_known_time_fault, note_time
from app.services.desk.retention import RetentionPeriods, erase_due_concerns
from app.services.operations.check_model import Condition
from tests.pages.test_saved_forms import resume, save
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.command import guidance
from tests.support.concerns import raise_concern
from tests.support.databases import on_postgresql
from tests.support.desk import Desk
from tests.support.log_lines import Lines, lines
from tests.support.loops import for_each

pytestmark = pytest.mark.slow

__all__ = ["lines"]  # a fixture
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
WRONG = [400 * DAY, -400 * DAY, DAY + dt.timedelta(seconds=1), 36_500 * DAY]
PERIODS = RetentionPeriods(1, 1)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    changes = {"retention_acknowledged_days": 1, "retention_closed_days": 1}
    return settings.model_copy(update=changes)


@pytest.fixture
def references(client: TestClient, desk: Desk) -> list[str]:
    """An acknowledged concern and a closed one."""
    found = [str(raise_concern(client, **SMALLEST_EXAMPLE)["reference"]) for _ in range(2)]
    for each in found:
        assert desk.act(each, "acknowledgement").is_success
    assert desk.act(found[1], "outcome", outcome="early_help").is_success
    return found


def run_jobs(service: FastAPI) -> None:
    """Do what erases, and what checks, once, as the threads of the service do."""
    context: AppContext = service.state.context
    jobs = {job.name: job for worker in context.workers for job in worker.jobs}
    for name in ("retention", "saved-forms", "invariants"):
        jobs[name].do(lambda: None)


def states(desk: Desk, references: list[str]) -> list[int]:
    """Return the status of each at the desk: 200, or 410 if its words are erased."""
    return [desk.get(f"/concerns/{each}").status_code for each in references]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_wrong_clock_erases_nothing_and_is_reported(
    service: FastAPI, desk: Desk, clock: SettableClock, references: list[str], wrong: dt.timedelta, lines: Lines
) -> None:
    client: TestClient = desk.http
    run_jobs(service)
    saved = save(client)

    clock.time = A_TUESDAY + wrong
    for _ in range(3):
        run_jobs(service)
    ready, metrics = client.get("/health/ready"), client.get("/metrics").text
    clock.time = A_TUESDAY + HOUR
    run_jobs(service)

    assert states(desk, references) == [200, 200]
    assert resume(client, saved)[0] == 200
    assert (ready.status_code, ready.json()["warnings"]["clock"]) == (200, "broken")
    assert 'guidance_invariant_broken{invariant="clock"} 1.0' in metrics
    assert {"clock_in_doubt", "invariant_broken"} <= {line["event"] for line in lines()}
    assert "clock" not in client.get("/health/ready").json()["warnings"]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_restart_with_a_wrong_clock_erases_nothing(
    settings: Settings, service: FastAPI, desk: Desk, references: list[str], wrong: dt.timedelta
) -> None:
    run_jobs(service)
    in_the_wrong_time = SettableClock()
    in_the_wrong_time.time = A_TUESDAY + wrong
    for _ in range(2):
        again = create_app(settings, in_the_wrong_time)
        with TestClient(again) as other:
            assert other.post("/v1/concerns", json=SMALLEST_EXAMPLE).status_code == 201  # its row is the newest now
            run_jobs(again)

    assert states(desk, references) == [200, 200]


def test_a_clock_that_goes_on_erases_what_is_due_without_a_word(
    service: FastAPI, client: TestClient, desk: Desk, clock: SettableClock, references: list[str], lines: Lines
) -> None:
    saved = save(client)
    for _ in range(3 * 4):
        clock.time += 6 * HOUR
        run_jobs(service)

    assert states(desk, references) == [410, 410]
    assert resume(client, saved)[0] == 404
    assert "clock_in_doubt" not in {line["event"] for line in lines()}
    assert "clock" not in client.get("/health/ready").json()["warnings"]


@pytest.mark.usefixtures("references")
def test_without_a_known_time_the_newest_act_counts(service: FastAPI, context: AppContext) -> None:
    run_jobs(service)
    context.writer.run(lambda session: session.connection().execute(delete(KnownTimeRow)))

    with pytest.raises(ClockInDoubt, match=r"the clock is 400\.0 days ahead of"):
        list(erase_due_concerns(context.engine, context.writer, PERIODS, at=A_TUESDAY + 400 * DAY))
    with Session(context.engine) as session:
        assert find_clock_fault(session, at=A_TUESDAY + DAY) is None


@pytest.mark.usefixtures("references")
def test_the_time_is_known_before_the_first_checkpoint(context: AppContext, clock: SettableClock) -> None:
    """A service that stops right after its first checkpoint is no fault to `verify`."""
    for worker in context.workers:
        worker.stop()
    context.writer.run(lambda session: session.connection().execute(delete(KnownTimeRow)))
    clock.time += DAY
    (jobs,) = (worker.jobs for worker in context.workers if "checkpoint" in worker.names)
    for job in jobs:
        job.do(lambda: None)
        if job.name == "checkpoint":
            break

    with Session(context.engine) as session:
        assert session.get(CheckpointRow, 1) is not None
        assert find_known_time_fault(session) is None


def test_a_service_without_an_act_takes_the_time_as_it_is(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "new")
    migrate_schema(engine, None)

    with Session(engine) as session:
        assert find_clock_fault(session, at=A_TUESDAY + 400 * DAY) is None
    engine.dispose()


@pytest.mark.slow
def test_the_doctor_reports_a_wrong_clock_and_a_checked_purge_runs(
    settings: Settings, context: AppContext, desk: Desk, clock: SettableClock, references: list[str]
) -> None:
    if on_postgresql():
        pytest.skip("the doctor finds the clock of its server too")
    clock.time = utc_now() - 400 * DAY
    context.writer.run(note_time, clock.time, is_checked=True)
    purge = ("desk", "purge", "--data-dir", settings.data_dir)

    def of_clock() -> str:
        examined = examine(settings, at=utc_now(), is_quick=True)
        found = {each.check: each for each in examined}
        return found["clock"].condition

    before = of_clock()
    refused = guidance(*purge, RETENTION_ACKNOWLEDGED_DAYS="1", RETENTION_CLOSED_DAYS="1")
    kept = states(desk, references)
    done = guidance(*purge, "--clock-checked", RETENTION_ACKNOWLEDGED_DAYS="1", RETENTION_CLOSED_DAYS="1")

    assert before is Condition.FAULT
    assert refused.returncode != 0
    assert "The clock is 400.0 days ahead of the time that was last known" in refused.stderr
    assert "guidance desk purge --clock-checked" in " ".join(refused.stderr.split())
    assert kept == [200, 200]
    assert done.stdout == "2 erased\n"
    assert of_clock() is not Condition.FAULT


@for_each("seconds", [-7200.0, -61.0, 7200.0, -40_000_000.0])
def test_a_count_does_not_outlive_its_window_when_the_clock_is_set(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    limiter, policy = Limiter("memory://", b"x" * 32), Policy("tries", parse("3/minute"))
    for _ in range(4):
        count = limiter.count_here(policy, (LimitKey("somebody"),))
    now = time.time

    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: now() + seconds)
        after = limiter.count_here(policy, (LimitKey("somebody"),))

    assert count.is_over
    assert not after.is_over
