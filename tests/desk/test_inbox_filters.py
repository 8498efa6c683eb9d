"""Filters of the inbox: each gives what it names and no more, and together they narrow."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.clients import Scope
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import Concern, add
from tests.support.desk import Desk, worker_of
from tests.support.loops import for_each
from tests.support.publishing import SLUG

HOUR = dt.timedelta(hours=1)

Raise = Callable[..., Any]


@pytest.fixture
def raised(client: TestClient, clock: SettableClock, a_concern: Concern) -> Raise:
    """Raise a concern that many hours after the first, and return its receipt."""

    def raise_concern(hours: int = 0, danger: str = "no") -> Any:
        clock.time = A_TUESDAY + hours * HOUR
        return client.post("/v1/concerns", json=a_concern(immediate_danger=danger)).json()

    return raise_concern


def found(desk: Desk, query: str) -> list[str]:
    answer = desk.get(f"/concerns?{query}")
    assert answer.status_code == 200, answer.text
    return [entry["reference"] for entry in answer.json()["concerns"]]


def test_mine_unassigned_and_assigned_to_a_person_give_that_and_no_more(
    service: FastAPI, client: TestClient, raised: Raise
) -> None:
    robin, sam = (worker_of(service, client, person) for person in ("Robin Example", "Sam Example"))
    mine, other, nobody = (raised(hours)["reference"] for hours in range(3))
    for worker, reference in ((robin, mine), (sam, other)):
        worker.http.put(f"/v1/desk/concerns/{reference}/assignment", headers=worker.headers)

    assert found(robin, "mine=true") == [mine]
    assert found(sam, "mine=true") == [other]
    assert found(robin, "unassigned=true") == [nobody]
    assert found(robin, "assigned_to=Sam%20Example") == [other]
    assert found(robin, "assigned_to=Sam") == []
    assert found(robin, "mine=false&unassigned=false") == [mine, other, nobody]


def test_danger_guide_state_and_overdue_narrow_together(desk: Desk, raised: Raise, clock: SettableClock) -> None:
    danger, calm = raised(0, "yes")["reference"], raised(1)["reference"]
    seen = raised(2, "yes")["reference"]
    desk.act(seen, "acknowledgement")
    clock.time = A_TUESDAY + 24 * HOUR + HOUR / 2

    assert found(desk, "danger=yes") == [danger, seen]
    assert found(desk, "danger=yes&state=received") == [danger]
    assert found(desk, f"guide={SLUG}&danger=no") == [calm]
    assert found(desk, "guide=another-guide") == []
    assert found(desk, "overdue=true&danger=yes") == [danger]
    assert found(desk, "overdue=true&danger=no") == []


def test_changed_since_gives_what_changed_the_latest_first_and_reading_is_no_change(
    client: TestClient, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    first, second, third = (raised(hours) for hours in range(3))
    clock.time = A_TUESDAY + 5 * HOUR
    desk.act(second["reference"], "acknowledgement")
    desk.get(f"/concerns/{third['reference']}")
    clock.time = A_TUESDAY + 6 * HOUR
    assert add(client, first).status_code == 201

    since = "changed_since=2026-11-24T14:30:00Z"
    assert found(desk, since) == [first["reference"], second["reference"]]
    assert found(desk, "changed_since=2026-11-24T15:00:00%2B00:00") == [first["reference"]]
    assert found(desk, f"{since}&order=urgent") == [first["reference"], second["reference"]]
    assert found(desk, f"{since}&state=received") == [first["reference"]]
    page = desk.get(f"/concerns?{since}&limit=1").json()
    assert found(desk, f"{since}&limit=1&cursor={page['next_cursor']}") == [second["reference"]]


def test_what_changed_since_an_event_begins_at_its_time(
    service: FastAPI, client: TestClient, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    follower = worker_of(service, client, "Kim Example", Scope.EVENTS)
    early = raised(0)["reference"]
    cursor = client.get("/v1/events", headers=follower.headers).json()["next_cursor"]
    late = raised(3)["reference"]
    clock.time = A_TUESDAY + 4 * HOUR

    assert set(found(desk, f"since_event={cursor}")) == {early, late}  # at its time or later: nothing is left out
    following = client.get(f"/v1/events?after={cursor}", headers=follower.headers).json()["next_cursor"]
    assert found(desk, f"since_event={following}") == [late]
    assert desk.get("/concerns?since_event=OTk5OTk").json()["type"] == "/v1/problems/invalid-cursor"


def test_the_moment_for_the_next_look_is_before_every_change_that_is_still_on_its_way(
    service: FastAPI, desk: Desk, raised: Raise, clock: SettableClock
) -> None:
    raised(0)

    moment = desk.get("/concerns").json()["next_changed_since"]

    waited = clock.time - dt.datetime.fromisoformat(moment)
    assert waited.total_seconds() >= service.state.context.settings.writer_wait_seconds


def test_a_reference_is_found_by_its_first_characters_in_any_case_and_grouping(desk: Desk, raised: Raise) -> None:
    reference = raised(0)["reference"]
    raised(1)
    plain = reference.replace("-", "")

    for typed in (plain[:6].lower(), reference, f"{plain[:4]}%20{plain[4:7]}", plain):
        assert found(desk, f"reference={typed}") == [reference]


@for_each(
    "query",
    [
        "mine=true&unassigned=true",
        "mine=true&assigned_to=Sam",
        "changed_since=yesterday",
        "changed_since=1764000000",
        "changed_since=2026-11-24T09:30:00",
        "changed_since=2026-02-30T09:30:00Z",
        "changed_since=0001-01-01T00:00:00%2B14:00",
        "since_event=%2A",
        "since_event=LTE",
        "reference=4F7",
        "reference=ABCD",
        "reference=%25%25%25%25",
        "danger=maybe",
        "guide=No%20Slug",
        "assigned_to=",
        "assigned_to=%20Sam",
        "assigned_to=Sam%0A",
        "order=oldest",
    ],
)
def test_a_filter_that_cannot_be_is_refused_and_never_gives_everything(desk: Desk, raised: Raise, query: str) -> None:
    raised(0)

    answer = desk.get(f"/concerns?{query}")

    assert (answer.status_code, "concerns" in answer.json()) == (400, False)
