"""In possible danger the clock runs by day and night, and nobody is made to wait for an answer."""

import datetime as dt
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings, SettingsRefused, parse_settings
from app.http.context import AppContext
from app.main import create_app
from app.services.concerns.deadlines import append_due_soon_events, append_overdue_events
from app.services.operations.jobs import TeamJobs
from app.services.workers import JobsWorker
from tests.support.clock import SettableClock
from tests.support.concerns import a_concern, add, raise_concern, status_of
from tests.support.desk import Desk
from tests.support.loops import for_each

pytestmark = pytest.mark.slow

A_MINUTE = dt.timedelta(minutes=1)
A_WEDNESDAY = dt.datetime(2026, 11, 25, 11, 0, tzinfo=dt.UTC)
A_SATURDAY_NIGHT = dt.datetime(2026, 11, 28, 2, 54, tzinfo=dt.UTC)
CLOCKS = {"yes": "2026-11-28T03:54:00Z", "not_sure": "2026-11-28T06:54:00Z", "no": "2026-12-01T00:00:00Z"}


def entry_of(desk: Desk, reference: str) -> dict[str, Any]:
    inbox: list[dict[str, Any]] = desk.get("/concerns?limit=200").json()["concerns"]
    return next(each for each in inbox if each["reference"] == reference)


def overdue(desk: Desk) -> list[str]:
    return [each["reference"] for each in desk.get("/concerns?overdue=true").json()["concerns"]]


def test_check_receipt_status_and_inbox_have_the_same_clock_for_danger(
    client: TestClient, desk: Desk, clock: SettableClock
) -> None:
    clock.time = A_SATURDAY_NIGHT

    for danger, due in CLOCKS.items():
        checked = client.post("/v1/concerns/check", json=a_concern(immediate_danger=danger)).json()
        receipt = raise_concern(client, immediate_danger=danger)
        status, entry = status_of(client, receipt), entry_of(desk, receipt["reference"])
        assert {each["acknowledge_by"] for each in (checked, receipt, status, entry)} == {due}, danger


NIGHT_TEAM = "call the Bath & North East Somerset Emergency Duty Team on 01454 615165."
DAY_TEAM = "call the Duty and Assessment Team on 01225 396312 or 01225 396313 (option 1)."
TIMES_ARE_SET = {"acknowledge_danger_minutes": 60, "acknowledge_not_sure_minutes": 240}
STEPS = [  # the times that are set, the moment, the answer about danger, the sentence
    ({}, A_SATURDAY_NIGHT, "yes", f"Do not wait for an answer. After 999, {NIGHT_TEAM}"),
    ({}, A_WEDNESDAY, "yes", f"Do not wait for an answer. After 999, {DAY_TEAM}"),
    ({}, A_SATURDAY_NIGHT, "not_sure", f"Do not wait for an answer. If you are not sure, {NIGHT_TEAM}"),
    (
        {},
        A_SATURDAY_NIGHT,
        "no",
        "A social worker should acknowledge it by the end of Monday 30 November 2026. If nobody has by then, "
        f"{DAY_TEAM}",
    ),
    (
        TIMES_ARE_SET,
        A_SATURDAY_NIGHT,
        "yes",
        f"Do not wait for an answer. After 999, {NIGHT_TEAM} A social worker should acknowledge it by "
        "Saturday 28 November 2026 at 03:54.",
    ),
    (
        TIMES_ARE_SET,
        A_SATURDAY_NIGHT,
        "not_sure",
        "A social worker should acknowledge it by Saturday 28 November 2026 at 06:54. If nobody has by then, "
        f"{NIGHT_TEAM}",
    ),
]


@pytest.mark.parametrize("case", STEPS)
def test_a_time_for_danger_is_promised_only_if_the_council_set_it(
    settings: Settings, clock: SettableClock, case: tuple[dict[str, int], dt.datetime, str, str]
) -> None:
    times, clock.time, danger, sentence = case
    with TestClient(create_app(settings.model_copy(update=times), clock)) as client:
        told = a_concern(immediate_danger=danger)
        checked = client.post("/v1/concerns/check", json=told).json()
        receipt = client.post("/v1/concerns", json=told).json()
        status = status_of(client, receipt)
        added = add(client, receipt, danger=danger).json()

    for each in (checked, receipt, status):
        assert each["next_steps"][0] == "If a child is in immediate danger, call 999 now."
        assert sentence in each["next_steps"]
    is_promised = danger == "no" or bool(times)
    assert {each["acknowledge_by_promised"] for each in (checked, receipt, status, added)} == {is_promised}


def test_a_late_answer_names_no_time_that_was_not_promised(client: TestClient, clock: SettableClock) -> None:
    receipt = raise_concern(client, immediate_danger="yes")
    clock.time += 61 * A_MINUTE

    steps = status_of(client, receipt)["next_steps"]

    assert steps[1].startswith("A social worker has not acknowledged it yet. Please call the Duty")


def test_a_day_that_ends_at_midnight_is_named_not_the_next(client: TestClient, clock: SettableClock) -> None:
    clock.time = A_SATURDAY_NIGHT

    steps = " ".join(raise_concern(client)["next_steps"])

    assert "acknowledge it by the end of Monday 30 November 2026." in steps
    assert "Check for messages by Tuesday 1 December 2026, using both" in steps
    assert "00:00" not in steps


@for_each(("danger", "minutes"), [("yes", 60), ("not_sure", 240)])
def test_danger_never_gets_more_time_than_a_working_day_leaves(settings: Settings, danger: str, minutes: int) -> None:
    one_day = settings.model_copy(update={"acknowledge_danger_minutes": 1440, "acknowledge_not_sure_minutes": 1440})
    builder = create_app(one_day).state.context.submissions.receipts
    at = dt.datetime(2027, 3, 26, 12, 0, tzinfo=dt.UTC)  # Good Friday, before the clocks go forward

    assert builder.acknowledge_by(danger, at=at) == at + dt.timedelta(days=1)
    for day in range(400):
        moment = at + dt.timedelta(days=day, hours=day % 24)
        assert builder.acknowledge_by(danger, at=moment) <= builder.acknowledge_by("no", at=moment), minutes


def test_the_clocks_are_settings_of_minutes_up_to_a_day() -> None:
    names = ("GUIDANCE_ACKNOWLEDGE_DANGER_MINUTES", "GUIDANCE_ACKNOWLEDGE_NOT_SURE_MINUTES")
    found = parse_settings(dict(zip(names, ("15", "90"), strict=True)))

    assert (found.acknowledge_danger_minutes, found.acknowledge_not_sure_minutes) == (15, 90)
    for name in names:
        for value in ("0", "1441", "an hour"):
            with pytest.raises(SettingsRefused, match=name):
                parse_settings({name: value})


def test_an_addition_in_danger_is_overdue_before_its_concern(
    client: TestClient, desk: Desk, context: AppContext, clock: SettableClock
) -> None:
    receipt = raise_concern(client)
    reference = receipt["reference"]
    clock.time += A_MINUTE

    added = [add(client, receipt, danger=danger).json() for danger in ("no", "yes")]

    assert [each["acknowledge_by"] for each in added] == ["2026-11-25T09:31:00Z", "2026-11-24T10:31:00Z"]
    assert "Do not wait for an answer" in added[1]["next_steps"][-1]
    assert any("Do not wait for an answer" in step for step in status_of(client, receipt)["next_steps"])
    assert entry_of(desk, reference)["addition_acknowledge_by"] == "2026-11-24T10:31:00Z"
    assert overdue(desk) == []
    clock.time += 60 * A_MINUTE + A_MINUTE
    assert overdue(desk) == [reference]
    assert entry_of(desk, reference)["overdue"] is True
    assert append_overdue_events(context.writer, now=clock.time, limit=10) == 1
    assert desk.get("/summary").json()["overdue"] == 1
    desk.act(reference, "acknowledgement", up_to_addition=2)
    assert overdue(desk) == []


def test_a_concern_due_before_its_addition_is_overdue_at_its_time(
    client: TestClient, desk: Desk, clock: SettableClock
) -> None:
    receipt = raise_concern(client, immediate_danger="yes")
    add(client, receipt, danger="no")

    clock.time += 61 * A_MINUTE

    assert overdue(desk) == [receipt["reference"]]


def test_event_metric_and_doctor_s_count_follow_the_clock_of_danger(
    client: TestClient, desk: Desk, context: AppContext, clock: SettableClock
) -> None:
    client.post("/v1/concerns", json=a_concern(immediate_danger="yes"))
    client.post("/v1/concerns", json=a_concern())
    jobs = TeamJobs(context.settings, context.engine, context.writer, clock)

    clock.time += 59 * A_MINUTE
    JobsWorker("clock", jobs.on_time()).run_once()
    assert desk.get("/summary").json()["overdue"] == 0
    assert "guidance_overdue_any 0" in client.get("/metrics").text
    clock.time += 2 * A_MINUTE
    JobsWorker("clock", jobs.on_time()).run_once()

    assert append_overdue_events(context.writer, now=clock.time, limit=10) == 0  # the thread has announced it
    assert desk.get("/summary").json()["overdue"] == 1
    assert "guidance_overdue_any 1" in client.get("/metrics").text


def test_what_came_just_now_is_not_announced_once_more_as_due_soon(
    client: TestClient, service: FastAPI, clock: SettableClock
) -> None:
    context: AppContext = service.state.context
    receipt = raise_concern(client, immediate_danger="yes")
    add(client, receipt, danger="yes")
    jobs = TeamJobs(context.settings, context.engine, context.writer, clock)
    within = context.settings.due_soon_minutes * A_MINUTE

    for minutes in (0, 29):
        clock.time += minutes * A_MINUTE
        JobsWorker("clock", jobs.on_time()).run_once()
    assert append_due_soon_events(context.writer, now=clock.time, within=within, quiet=30 * A_MINUTE, limit=10) == 0
    clock.time += 2 * A_MINUTE

    assert append_due_soon_events(context.writer, now=clock.time, within=within, quiet=30 * A_MINUTE, limit=10) == 2
