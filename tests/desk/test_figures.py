"""The team's day in figures, and metrics that show even one overdue concern behind their scope."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.clients import Scope
from app.services.clients import NewClient, add_client
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import Concern
from tests.support.desk import Desk, worker_of
from tests.support.loops import for_each

DAY = dt.timedelta(days=1)

Raise = Callable[..., str]


@pytest.fixture
def raised(client: TestClient, clock: SettableClock, a_concern: Concern) -> Raise:
    def raise_concern(at: dt.datetime) -> str:
        clock.time = at
        return str(client.post("/v1/concerns", json=a_concern()).json()["reference"])

    return raise_concern


def figures(desk: Desk, days: int) -> list[tuple[Any, ...]]:
    answer = desk.get(f"/figures?days={days}")
    assert answer.status_code == 200, answer.text
    return [tuple(day.values()) for day in answer.json()["days"]]


def test_each_day_has_what_came_and_went_and_what_waited_and_was_overdue_at_its_end(
    desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    late, prompt, never = (raised(A_TUESDAY + minutes * dt.timedelta(minutes=1)) for minutes in range(3))
    desk.act(prompt, "acknowledgement")
    raised(A_TUESDAY + DAY)
    clock.time = A_TUESDAY + 2 * DAY  # Thursday: two of Tuesday are overdue since Wednesday
    desk.act(late, "acknowledgement")
    desk.act(late, "outcome", outcome="early_help")

    #        day, received, acknowledged, closed, waiting, overdue
    assert figures(desk, 4) == [
        ("2026-11-23", 0, 0, 0, 0, 0),
        ("2026-11-24", 3, 1, 0, 2, 0),
        ("2026-11-25", 1, 0, 0, 3, 2),
        ("2026-11-26", 0, 1, 1, 2, 1),
    ]
    assert figures(desk, 1) == [("2026-11-26", 0, 1, 1, 2, 1)]
    assert desk.get("/summary").json()["overdue"] == 1
    assert never


def test_a_day_begins_at_midnight_in_london_and_tests_count_in_no_figure(
    service: FastAPI, client: TestClient, desk: Desk, raised: Raise, a_concern: Concern
) -> None:
    raised(dt.datetime(2026, 6, 30, 22, 59, 59, tzinfo=dt.UTC))
    raised(dt.datetime(2026, 6, 30, 23, 0, 0, tzinfo=dt.UTC))  # July, by the summer time of London
    key = add_client(
        service.state.context.writer, NewClient(name="tester", scopes=[Scope.SUBMIT], test=True), at=A_TUESDAY
    )
    tried = client.post("/v1/concerns", json=a_concern(), headers={"Authorization": f"Bearer {key}"})
    assert tried.status_code == 201

    assert [day[:2] for day in figures(desk, 2)] == [("2026-06-30", 1), ("2026-07-01", 1)]


@for_each("days", ["0", "93", "1.5", "many"])
def test_days_that_cannot_be_counted_are_refused(desk: Desk, days: str) -> None:
    assert desk.get(f"/figures?days={days}").status_code == 400


def test_one_overdue_concern_is_in_the_metrics_of_the_desk_and_in_public_only_that_there_is_one(
    service: FastAPI, client: TestClient, raised: Raise, clock: SettableClock
) -> None:
    monitor = worker_of(service, client, None, Scope.METRICS)
    raised(A_TUESDAY)

    def lines() -> tuple[set[str], set[str]]:
        exact = client.get("/v1/desk/metrics", headers=monitor.headers)
        assert (exact.status_code, exact.headers["Cache-Control"]) == (200, "no-store")
        public = client.get("/metrics").text.splitlines()
        of_concerns = {line for line in public if line.startswith(("guidance_concerns{", "guidance_overdue_any"))}
        return {line for line in exact.text.splitlines() if line.startswith("guidance_desk")}, of_concerns

    before, public_before = lines()
    clock.time = A_TUESDAY + 3 * DAY
    after, public_after = lines()

    assert 'guidance_desk_concerns{state="overdue"} 0.0' in before
    assert 'guidance_desk_concerns{state="overdue"} 1.0' in after
    assert 'guidance_desk_concerns{state="received"} 1.0' in after
    assert 'guidance_desk_additions{state="waiting"} 0.0' in after
    assert (public_before, public_after) == ({"guidance_overdue_any 0.0"}, {"guidance_overdue_any 1.0"})


def test_the_metrics_of_the_desk_need_their_own_scope(desk: Desk, client: TestClient) -> None:
    assert desk.get("/metrics").status_code == 403
    assert client.get("/v1/desk/metrics").status_code == 401
