"""The team's day in figures, and metrics that show even one overdue concern behind their scope."""

import csv
import datetime as dt
import io
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.access.clients import Scope
from app.services.access.clients import add_client
from app.services.desk.figures import Figure, _hide_small
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import a_concern, raise_concern
from tests.support.desk import Desk, worker_of
from tests.support.loops import for_each
from tests.support.publishing import a_key

DAY = dt.timedelta(days=1)
Raise = Callable[..., str]


@pytest.fixture
def raised(client: TestClient, clock: SettableClock) -> Raise:
    def bring(at: dt.datetime) -> str:
        clock.time = at
        return str(raise_concern(client)["reference"])

    return bring


def figures(desk: Desk, days: int) -> list[tuple[Any, ...]]:
    answer = desk.get(f"/figures?days={days}")
    assert answer.status_code == 200, answer.text
    return [tuple(day.values()) for day in answer.json()["days"]]


@pytest.mark.slow
def test_each_day_counts_what_came_went_waited_and_was_overdue(desk: Desk, raised: Raise, clock: SettableClock) -> None:
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


def test_a_day_begins_at_midnight_in_london_and_counts_no_tests(
    service: FastAPI, client: TestClient, desk: Desk, raised: Raise
) -> None:
    raised(dt.datetime(2026, 6, 30, 22, 59, 59, tzinfo=dt.UTC))
    raised(dt.datetime(2026, 6, 30, 23, 0, 0, tzinfo=dt.UTC))  # July, by the summer time of London
    key = add_client(service.state.context.writer, name="tester", scopes=[Scope.SUBMIT], test=True, at=A_TUESDAY)
    tried = client.post("/v1/concerns", json=a_concern(test=True), headers={"Authorization": f"Bearer {key}"})
    assert tried.status_code == 201

    assert [day[:2] for day in figures(desk, 2)] == [("2026-06-30", 1), ("2026-07-01", 1)]


@for_each("days", ["0", "93", "1.5", "many"])
def test_days_that_cannot_be_counted_are_refused(desk: Desk, days: str) -> None:
    assert desk.get(f"/figures?days={days}").status_code == 400


def test_only_the_desk_s_metrics_count_the_overdue_concerns(
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


PATH = "/statistics.csv"


def raise_many(client: TestClient, count: int, danger: str) -> list[str]:
    answers = [client.post("/v1/concerns", json=a_concern(immediate_danger=danger)) for _ in range(count)]
    return [answer.json()["reference"] for answer in answers]


def rows_of(desk: Desk) -> list[dict[str, str]]:
    answer = desk.get(PATH)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    return list(csv.DictReader(io.StringIO(answer.text)))


def shown(rows: list[dict[str, str]], measure: str) -> dict[tuple[str, str], str]:
    return {
        (row["month"], row["value"]): row["concerns"]
        for row in rows
        if row["measure"] == measure and row["concerns"].isdigit()
    }


@pytest.mark.slow
def test_what_is_in_clear_is_counted_by_month(client: TestClient, desk: Desk, clock: SettableClock) -> None:
    raise_many(client, 6, "no")
    clock.time = A_TUESDAY + dt.timedelta(days=10)
    raise_many(client, 5, "yes")

    rows = rows_of(desk)

    assert shown(rows, "immediate_danger") == {("2026-11", "no"): "6", ("2026-12", "yes"): "5"}
    assert shown(rows, "state") == {("2026-11", "received"): "6", ("2026-12", "received"): "5"}
    assert {row["value"] for row in rows if row["measure"] == "outcome"} == {"(none)"}


@pytest.mark.slow
def test_a_count_under_five_is_hidden_and_no_sum_reveals_it(client: TestClient, desk: Desk) -> None:
    for danger, count in (("yes", 1), ("not_sure", 6), ("no", 8)):
        raise_many(client, count, danger)

    rows = rows_of(desk)

    assert shown(rows, "state") == {("2026-11", "received"): "15"}
    assert shown(rows, "immediate_danger") == {("2026-11", "no"): "8"}
    assert "1" not in {row["concerns"] for row in rows}


@for_each("counts", [(1,), (4,), (5,), (1, 9), (2, 2, 50), (1, 1, 1, 5), (7, 8), (4, 4), (0, 30, 4, 90)])
def test_hidden_counts_are_never_one_value_nor_a_small_sum(counts: tuple[int, ...]) -> None:
    figures = _hide_small([Figure("2026-11", "state", str(place), count) for place, count in enumerate(counts)])

    hidden = [count for count, figure in zip(counts, figures, strict=True) if figure.concerns is None]
    assert all(figure.concerns is None or figure.concerns >= 5 for figure in figures)
    assert (hidden == []) == (min(counts) >= 5)
    assert hidden == [] or len(hidden) == len(counts) or (len(hidden) > 1 and sum(hidden) >= 5)


@pytest.mark.slow
def test_tests_are_in_no_count_of_the_statistics(service: FastAPI, client: TestClient, desk: Desk) -> None:
    context = service.state.context
    key = add_client(context.writer, name="tries", scopes=[Scope.SUBMIT], test=True, at=A_TUESDAY)
    raise_many(client, 6, "no")
    for _ in range(6):
        body = a_concern(immediate_danger="yes", test=True)
        assert client.post("/v1/concerns", json=body, headers={"Authorization": f"Bearer {key}"}).status_code == 201

    rows = rows_of(desk)

    assert shown(rows, "immediate_danger") == {("2026-11", "no"): "6"}
    assert {row["concerns"] for row in rows} == {"6"}


def test_only_an_auditor_reads_the_statistics_and_each_read_is_recorded(client: TestClient, desk: Desk) -> None:
    raise_many(client, 1, "no")
    reader: dict[str, Any] = a_key(client, Scope.READ, name="reader")

    refused = client.get(f"/v1/desk{PATH}", headers=reader)
    rows_of(desk)

    acts: dict[str, list[str]] = defaultdict(list)
    for each in desk.get("/disclosures?chain=audit").json()["disclosures"]:
        acts[each["act"]].append(each["detail"])
    assert refused.status_code == 403
    assert acts["summary_read"] == ["statistics"]
