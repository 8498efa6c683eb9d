"""Assignments: each change is on the record with its person, and the second worker sees the first one's."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.services.audit.audit_log import Actor
from app.services.desk import assignment
from app.services.desk.assignment import LEFT, unassign_all
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import raise_concern
from tests.support.databases import Unguarded, raw_connection
from tests.support.desk import Desk, worker_of
from tests.support.loops import for_each

pytestmark = pytest.mark.slow

LEAD = Actor("example-desk/Kim Lead", "192.0.2.10", A_TUESDAY)


@pytest.fixture
def sam(service: FastAPI, client: TestClient) -> Desk:
    return worker_of(service, client, "Sam Example")


def put(desk: Desk, reference: str, person: str | None = None, **headers: str) -> Any:
    body = {} if person is None else {"json": {"person": person}}
    path = f"/v1/desk/concerns/{reference}/assignment"
    return desk.http.put(path, headers=desk.headers | headers, **body)


def delete(desk: Desk, reference: str, **headers: str) -> Any:
    return desk.http.delete(f"/v1/desk/concerns/{reference}/assignment", headers=desk.headers | headers)


def acts(desk: Desk, reference: str) -> list[tuple[str, str, str]]:
    rows = desk.get(f"/disclosures?chain={reference}").json()["disclosures"]
    return [(row["act"], row["client"], row["detail"]) for row in rows if "assign" in row["act"]]


def test_a_concern_is_assigned_or_unassigned_and_each_act_names_its_author(
    desk: Desk, robin: Desk, reference: str
) -> None:
    before = robin.get(f"/concerns/{reference}/assignment").json()
    taken = put(robin, reference)
    given = put(robin, reference, "Sam Example")
    nobody = delete(robin, reference)

    assert (before["assigned_to"], before["at"], before["by"]) == (None, None, None)
    assert [each.json()["assigned_to"] for each in (taken, given, nobody)] == ["Robin Example", "Sam Example", None]
    assert [each.json()["replaced"]["assigned_to"] for each in (taken, given, nobody)] == [
        None,
        "Robin Example",
        "Sam Example",
    ]
    by = "desk-of-robin/Robin Example"
    assert acts(desk, reference) == [
        ("assigned", by, "Robin Example"),
        ("assigned", by, "Sam Example"),
        ("unassigned", by, ""),
    ]
    (entry,) = desk.get("/concerns").json()["concerns"]
    assert entry["assigned_to"] is None
    assert entry["links"]["assignment"] == f"/v1/desk/concerns/{reference}/assignment"


def test_workers_who_assign_at_once_are_all_recorded_and_see_the_former(
    service: FastAPI, client: TestClient, settings: Settings, desk: Desk, reference: str
) -> None:
    with TestClient(create_app(settings, service.state.context.clock)) as other_node:
        people = [worker_of(service, (client, other_node)[n % 2], f"Worker{n} Example") for n in range(8)]
        with ThreadPoolExecutor(8) as callers:
            answers = list(callers.map(lambda each: put(each, reference).json(), people))

    recorded = [detail for _, _, detail in acts(desk, reference)]
    assert sorted(recorded) == sorted(f"Worker{n} Example" for n in range(8))
    seen = {answer["assigned_to"]: answer["replaced"]["assigned_to"] for answer in answers}
    assert [seen[person] for person in recorded] == [None, *recorded[:-1]]
    assert desk.get("/concerns").json()["concerns"][0]["assigned_to"] == recorded[-1]


def test_if_match_refuses_the_second_assignment_and_records_the_attempt(
    desk: Desk, robin: Desk, sam: Desk, reference: str
) -> None:
    tag = robin.get(f"/concerns/{reference}/assignment").headers["ETag"]

    first = put(robin, reference, **{"If-Match": tag})
    second = put(sam, reference, **{"If-Match": tag})
    third = put(sam, reference, **{"If-Match": first.headers["ETag"]})
    gone = delete(robin, reference, **{"If-Match": first.headers["ETag"]})

    assert (first.status_code, second.status_code, third.status_code, gone.status_code) == (200, 412, 200, 412)
    assert second.json()["type"] == "/v1/problems/assignment-changed"
    assert "Robin Example" in second.json()["detail"]
    assert [act for act, *_ in acts(desk, reference)] == [
        "assigned",
        "assignment_refused",
        "assigned",
        "assignment_refused",
    ]
    assert desk.get("/concerns").json()["concerns"][0]["assigned_to"] == "Sam Example"


@for_each(
    "body", ['{"person": ""}', '{"person": " Robin"}', '{"person": "Robin\\nExample"}', '{"person": null}', "{}", "[1]"]
)
def test_a_name_unfit_for_the_record_is_refused_and_not_recorded(
    desk: Desk, robin: Desk, reference: str, body: str
) -> None:
    path = f"/v1/desk/concerns/{reference}/assignment"
    answer = robin.http.put(path, content=body, headers=robin.headers | {"Content-Type": "application/json"})
    long = put(robin, reference, "x" * 97)

    assert (answer.status_code, long.status_code) == (422, 422)
    assert answer.json()["errors"]
    assert acts(desk, reference) == []


def test_a_key_without_a_person_assigns_a_concern_to_its_client(
    service: FastAPI, client: TestClient, reference: str
) -> None:
    nobody = worker_of(service, client, None)

    assert put(nobody, reference).json()["assigned_to"] == "desk-of-nobody"


def test_only_the_person_who_leaves_is_unassigned_from_everything(
    service: FastAPI,
    client: TestClient,
    desk: Desk,
    robin: Desk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assignment, "BATCH_SIZE", 2)
    references = [raise_concern(client)["reference"] for _ in range(6)]
    for place, reference in enumerate(references):
        put(robin, reference, "Robin Example" if place < 5 else "Robin")

    taken = unassign_all(service.state.context.writer, "Robin Example", actor=LEAD)

    assert sorted(taken) == sorted(references[:5])
    left = {each["reference"]: each["assigned_to"] for each in desk.get("/concerns").json()["concerns"]}
    assert left == dict.fromkeys(references[:5]) | {references[5]: "Robin"}
    assert acts(desk, references[0])[-1] == ("unassigned", "example-desk/Kim Lead", LEFT)
    assert unassign_all(service.state.context.writer, "Robin Example", actor=LEAD) == ()
    assert list(find_faults(service.state.context.engine)) == []


SETS = "UPDATE concerns SET assigned_to = 'Sam Example'"
UNDATES = "UPDATE concerns SET changed_at = received_at"


@pytest.mark.parametrize("change", [SETS, UNDATES])
def test_the_database_refuses_a_change_that_is_not_on_the_record(
    settings: Settings, robin: Desk, reference: str, clock: SettableClock, change: str
) -> None:
    clock.time = A_TUESDAY.replace(hour=11)
    put(robin, reference)

    with raw_connection(settings.data_dir) as database, pytest.raises(Exception, match="only with its audit log entry"):
        database.execute(change)


@pytest.mark.parametrize(
    ("change", "fault"),
    [(SETS, "not assigned to the recorded person"), (UNDATES, "last changed")],
)
def test_verify_finds_an_assignment_that_is_not_the_recorded_one(
    service: FastAPI, robin: Desk, reference: str, clock: SettableClock, change: str, fault: str
) -> None:
    settings = service.state.context.settings
    clock.time = A_TUESDAY.replace(hour=11)
    put(robin, reference)
    before = list(find_faults(service.state.context.engine))

    with raw_connection(settings.data_dir) as database:
        Unguarded(database).execute(change)

    assert before == []
    assert [fault in words for _, words in find_faults(service.state.context.engine)] == [True]


def test_every_act_but_reading_moves_the_time_of_the_last_change(
    desk: Desk, robin: Desk, reference: str, clock: SettableClock
) -> None:
    def changed() -> str:
        return str(desk.get("/concerns").json()["concerns"][0]["changed_at"])

    work: list[Callable[[], Any]] = [
        lambda: put(robin, reference),
        lambda: delete(robin, reference),
        lambda: desk.act(reference, "acknowledgement"),
        lambda: desk.act(reference, "hold", held=True, reason="A made-up reason."),
        lambda: desk.act(reference, "hold", held=False, reason="A made-up reason."),
        lambda: desk.act(reference, "outcome", outcome="early_help"),
        lambda: desk.act(reference, "reopening", reason="A made-up reason."),
        lambda: desk.act(reference, "erasure", reason="A made-up reason."),
    ]
    desk.get(f"/concerns/{reference}")
    times = [changed()]
    for hour, act in enumerate(work, start=10):
        clock.time = A_TUESDAY.replace(hour=hour)
        assert act().status_code == 200
        times.append(changed())

    assert times == ["2026-11-24T09:30:00Z", *(f"2026-11-24T{hour}:30:00Z" for hour in range(10, 18))]
