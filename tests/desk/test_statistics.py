"""Statistics: what is in clear, counted by month, with nothing from which a small count can be known."""

import csv
import datetime as dt
import io
from collections import defaultdict
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.clients import Scope
from app.services.clients import NewClient, add_client
from app.services.figures import MonthlyCount, _hide_small
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import Concern
from tests.support.desk import Desk
from tests.support.loops import for_each
from tests.support.publishing import a_key

PATH = "/statistics.csv"


def raise_many(client: TestClient, a_concern: Concern, count: int, danger: str) -> list[str]:
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


def test_what_is_in_clear_is_counted_by_month(
    client: TestClient, desk: Desk, a_concern: Concern, clock: SettableClock
) -> None:
    raise_many(client, a_concern, 6, "no")
    clock.time = A_TUESDAY + dt.timedelta(days=10)
    raise_many(client, a_concern, 5, "yes")

    rows = rows_of(desk)

    assert shown(rows, "immediate_danger") == {("2026-11", "no"): "6", ("2026-12", "yes"): "5"}
    assert shown(rows, "state") == {("2026-11", "received"): "6", ("2026-12", "received"): "5"}
    assert {row["value"] for row in rows if row["measure"] == "outcome"} == {"(none)"}


def test_a_count_under_five_is_hidden_and_cannot_be_computed_from_the_sum(
    client: TestClient, desk: Desk, a_concern: Concern
) -> None:
    for danger, count in (("yes", 1), ("not_sure", 6), ("no", 8)):
        raise_many(client, a_concern, count, danger)

    rows = rows_of(desk)

    assert shown(rows, "state") == {("2026-11", "received"): "15"}
    assert shown(rows, "immediate_danger") == {("2026-11", "no"): "8"}
    assert "1" not in {row["concerns"] for row in rows}


@for_each("counts", [(1,), (4,), (5,), (1, 9), (2, 2, 50), (1, 1, 1, 5), (7, 8), (4, 4), (0, 30, 4, 90)])
def test_what_is_hidden_is_never_one_value_nor_small_together_where_there_is_more(counts: tuple[int, ...]) -> None:
    figures = _hide_small([MonthlyCount(2026, 11, "state", str(place), count) for place, count in enumerate(counts)])

    hidden = [count for count, figure in zip(counts, figures, strict=True) if figure.concerns is None]
    assert all(figure.concerns is None or figure.concerns >= 5 for figure in figures)
    assert (hidden == []) == (min(counts) >= 5)
    assert hidden == [] or len(hidden) == len(counts) or (len(hidden) > 1 and sum(hidden) >= 5)


def test_tests_are_in_no_count_of_the_statistics(
    service: FastAPI, client: TestClient, desk: Desk, a_concern: Concern
) -> None:
    context = service.state.context
    key = add_client(context.writer, NewClient(name="tries", scopes=[Scope.SUBMIT], test=True), at=A_TUESDAY)
    raise_many(client, a_concern, 6, "no")
    for _ in range(6):
        body = a_concern(immediate_danger="yes", test=True)
        assert client.post("/v1/concerns", json=body, headers={"Authorization": f"Bearer {key}"}).status_code == 201

    rows = rows_of(desk)

    assert shown(rows, "immediate_danger") == {("2026-11", "no"): "6"}
    assert {row["concerns"] for row in rows} == {"6"}


def test_the_read_is_on_the_record_and_for_auditors_alone(client: TestClient, desk: Desk, a_concern: Concern) -> None:
    raise_many(client, a_concern, 1, "no")
    reader: dict[str, Any] = a_key(client, Scope.READ, name="reader")

    refused = client.get(f"/v1/desk{PATH}", headers=reader)
    rows_of(desk)

    acts: dict[str, list[str]] = defaultdict(list)
    for each in desk.get("/disclosures?chain=audit").json()["disclosures"]:
        acts[each["act"]].append(each["detail"])
    assert refused.status_code == 403
    assert acts["summary_read"] == ["statistics"]
