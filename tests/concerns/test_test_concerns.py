"""Trying without harm: a test says that it is one, and has a test key; it rings no bell, and goes after a day."""

import base64
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from app.config import Settings
from app.db.database import for_writing
from app.errors import SetupError
from app.http.context import AppContext
from app.models.access.clients import Scope
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.models.concerns.rows import ConcernRow
from app.models.events.rows import EventRow
from app.services.access.clients import add_client
from app.services.concerns.deadlines import append_overdue_events
from app.services.concerns.receipts import TEST
from app.services.desk.retention import RetentionPeriods, erase_due_concerns
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.command import guidance
from tests.support.concerns import a_concern, raise_concern, token_of
from tests.support.desk import Desk

pytestmark = pytest.mark.slow

WORDS = {"concern": {"narrative": "Alex Example came home."}}
A_WEEK = dt.timedelta(days=7)

Send = Callable[..., Any]


@pytest.fixture
def send(client: TestClient, context: AppContext) -> Send:
    """Return a function that posts a test with a test key, what it is given beside the required fields and `test`."""
    token = add_client(context.writer, name="example-sandbox", scopes=[Scope.SUBMIT], test=True, at=A_TUESDAY)

    def post(path: str = "/v1/concerns", key: str = "", **changes: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        return client.post(path, json=a_concern(**({"test": True} | changes)), headers=headers)

    return post


def claims_of(receipt: dict[str, Any]) -> dict[str, Any]:
    part = receipt["receipt"].split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def add_to(client: TestClient, receipt: dict[str, Any]) -> Any:
    token = token_of(receipt)
    return client.post(f"{receipt['links']['self']}/additions", json=WORDS, headers=token)


def references(desk: Desk, query: str = "") -> list[str]:
    return [entry["reference"] for entry in desk.get(f"/concerns{query}").json()["concerns"]]


def concern_events(context: AppContext) -> list[EventRow]:
    with Session(context.engine) as session:
        return list(session.exec(select(EventRow).where(col(EventRow.kind).startswith("concern."))))


def counted(client: TestClient, outcome: str) -> float:
    """Return how often that came of a concern with a test key, or with the mark of a test."""
    series = f'guidance_test_concerns_total{{outcome="{outcome}"}} '
    return float(client.get("/metrics").text.partition(series)[2].partition("\n")[0])


def test_a_test_concern_is_taken_and_every_answer_marks_it(send: Send, client: TestClient, desk: Desk) -> None:
    answer = send()

    receipt = answer.json()
    assert answer.status_code == 201
    assert receipt["test"] is True
    assert receipt["next_steps"][1] == TEST
    assert not any("social worker should" in step for step in receipt["next_steps"])
    assert claims_of(receipt)["test"] is True
    token = token_of(receipt)
    status = client.get(receipt["links"]["self"], headers=token).json()
    assert status["test"] is True
    assert TEST in status["next_steps"]
    added = add_to(client, receipt).json()
    assert added["test"] is True
    assert TEST in added["next_steps"]
    assert desk.get(f"/concerns/{receipt['reference']}").json()["test"] is True
    page = client.post("/concerns", data={"reference": receipt["reference"], "code": receipt["status_token"]}).text
    assert "This was a test. Nobody will read it." in page
    assert "A social worker should reply by" not in page


@pytest.mark.parametrize("path", ["/v1/concerns", "/v1/concerns/check"])
@pytest.mark.parametrize("marked", [{"test": False}, {"test": None}, {}])
def test_an_unmarked_concern_with_a_test_key_is_refused_and_explained(
    client: TestClient, context: AppContext, desk: Desk, path: str, marked: dict[str, Any]
) -> None:
    key = add_client(context.writer, name="example-sandbox", scopes=[Scope.SUBMIT], test=True, at=A_TUESDAY)
    headers = {"Authorization": f"Bearer {key}"}

    refused = client.post(path, json=a_concern(immediate_danger="yes", **marked), headers=headers)

    (fault,) = refused.json()["errors"]
    assert refused.status_code == 422
    assert fault["pointer"] == "#/test"
    assert "To go live" in fault["detail"]
    assert refused.json()["signposts"][0]["phones"]
    assert refused.json()["contacts"]
    assert references(desk) == references(desk, "?test=true") == []
    assert client.post(path, json=a_concern(**marked)).is_success


def test_a_page_refuses_a_test_key_and_keeps_the_words_typed(
    client: TestClient, context: AppContext, desk: Desk
) -> None:
    key = add_client(context.writer, name="example-sandbox", scopes=[Scope.SUBMIT], test=True, at=A_TUESDAY)
    typed = {
        "immediate_danger": "no",
        "reporter.kind": "member_of_public",
        "concern.narrative": "Alex Example came home.",
        "do": "send",
    }

    refused = client.post("/raise-a-concern", data=typed, headers={"Authorization": f"Bearer {key}"})

    assert refused.status_code == 422
    assert "To go live" in refused.text
    assert "Alex Example came home." in refused.text
    assert references(desk) == references(desk, "?test=true") == []


def test_only_tests_and_refusals_are_counted_logged_and_shown_to_the_operator(
    send: Send, client: TestClient, clock: SettableClock, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.post("/v1/concerns", json=a_concern()).status_code == 201
    assert "test-concerns" not in client.get("/health/ready").json()["warnings"]
    assert (counted(client, "stored"), counted(client, "refused")) == (0, 0)

    first = send(key="5d2f0c8e").json()
    assert send(key="5d2f0c8e").json() == first
    assert send(test=False).status_code == 422
    assert client.post("/v1/concerns", json=a_concern(test=True)).status_code == 422

    assert (counted(client, "stored"), counted(client, "refused")) == (1, 2)
    assert [record.msg for record in caplog.records].count("test_concern_refused") == 2
    ready = client.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["warnings"]["test-concerns"] == "received in the last day"
    clock.time = A_TUESDAY + dt.timedelta(days=1, seconds=1)
    assert "test-concerns" not in client.get("/health/ready").json()["warnings"]


@pytest.mark.parametrize("path", ["/v1/concerns", "/v1/concerns/check"])
@pytest.mark.parametrize("key", [False, True])
def test_a_marked_concern_without_a_test_key_is_refused_with_a_remedy(
    client: TestClient, context: AppContext, desk: Desk, path: str, key: bool
) -> None:
    token = add_client(context.writer, name="example-school", scopes=[Scope.SUBMIT], at=A_TUESDAY)
    headers = {"Authorization": f"Bearer {token}"} if key else {}

    refused = client.post(path, json=a_concern(test=True), headers=headers)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/test"
    assert "send it again without `test`" in refused.json()["errors"][0]["detail"]
    assert refused.json()["signposts"]
    assert references(desk) == references(desk, "?test=true") == []


def test_a_real_concern_is_stored_and_its_receipt_mentions_no_test(client: TestClient, desk: Desk) -> None:
    receipt = raise_concern(client, test=False)

    assert receipt["test"] is False
    assert TEST not in receipt["next_steps"]
    assert "test" not in claims_of(receipt)
    assert references(desk) == [receipt["reference"]]


@pytest.mark.parametrize(("outcome", "status"), [("busy", 503), ("too_many", 429), ("refused", 422)])
def test_a_test_key_chooses_the_outcome_and_nothing_is_stored(
    send: Send, desk: Desk, outcome: str, status: int
) -> None:
    answer = send(f"/v1/concerns?test_outcome={outcome}")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("Retry-After" in answer.headers) is (status != 422)
    assert answer.json()["signposts"]
    assert references(desk, "?test=true") == []
    assert send("/v1/concerns?test_outcome=accepted").status_code == 201


def test_only_a_test_key_chooses_an_outcome_after_the_usual_validation(
    send: Send, client: TestClient, desk: Desk
) -> None:
    refused = client.post("/v1/concerns?test_outcome=busy", json=a_concern())

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["parameter"] == "test_outcome"
    assert send("/v1/concerns?test_outcome=busy", guide="no-such-guide").status_code == 422
    assert references(desk) == []


def test_a_test_is_marked_at_the_desk_and_never_among_the_concerns(
    send: Send, client: TestClient, desk: Desk, clock: SettableClock
) -> None:
    real = raise_concern(client)["reference"]
    test = send().json()["reference"]
    clock.time = A_TUESDAY + A_WEEK

    entries = desk.get("/concerns?test=true").json()["concerns"]

    assert [(entry["reference"], entry["test"], entry["overdue"]) for entry in entries] == [(test, True, False)]
    assert references(desk) == references(desk, "?overdue=true") == [real]
    assert references(desk, "?test=true&overdue=true") == []
    assert desk.act(test, "acknowledgement").json()["test"] is True


def test_no_act_on_a_test_changes_a_figure_or_makes_an_event(
    send: Send, client: TestClient, context: AppContext, desk: Desk, clock: SettableClock
) -> None:
    counted = desk.get("/summary").json()
    tests = [send().json() for _ in range(2)]
    for receipt in tests:
        assert add_to(client, receipt).status_code == 201
    clock.time = A_TUESDAY + A_WEEK

    append_overdue_events(context.writer, now=clock.time, limit=100)
    assert desk.get("/summary").json() == counted
    assert desk.act(tests[0]["reference"], "acknowledgement", up_to_addition=1).is_success
    assert desk.act(tests[0]["reference"], "outcome", outcome="early_help").is_success

    assert desk.get("/summary").json() == counted
    assert concern_events(context) == []


def test_a_test_is_erased_after_a_day_and_a_concern_is_not(
    send: Send, client: TestClient, context: AppContext, desk: Desk
) -> None:
    receipt = raise_concern(client)
    tests = [send().json() for _ in range(3)]
    for each in (receipt, tests[0]):
        assert add_to(client, each).status_code == 201
    assert desk.act(tests[2]["reference"], "hold", held=True, reason="A made-up reason.").is_success

    def erased(after: dt.timedelta) -> set[str]:
        at, periods = A_TUESDAY + after, RetentionPeriods(None, None)
        return set(erase_due_concerns(context.engine, context.writer, periods, at=at, is_clock_checked=True))

    assert erased(dt.timedelta(days=1)) == set()
    assert erased(dt.timedelta(days=1, seconds=1)) == {test["reference"] for test in tests[:2]}
    assert erased(A_WEEK) == set()
    with Session(context.engine) as session:
        kept = session.exec(select(ConcernRow.reference).where(col(ConcernRow.sealed).is_not(None)))
        assert set(kept) == {receipt["reference"], tests[2]["reference"]}
    assert concern_events(context)[0].data["reference"] == receipt["reference"]
    faults = [what for what, _ in find_faults(context.engine)]
    assert faults == ["the time that was last known"]  # it was noted a week ahead, as if nothing had happened since


def test_the_database_refuses_to_make_a_real_concern_a_test(client: TestClient, context: AppContext) -> None:
    assert client.post("/v1/concerns", json=a_concern()).status_code == 201

    refusal = pytest.raises(DBAPIError, match="what was received is never altered")
    with refusal, for_writing(context.engine).begin() as connection:
        connection.execute(update(ConcernRow).values(test=True))


@pytest.mark.parametrize("scopes", [[Scope.READ], [Scope.SUBMIT, Scope.READ], []])
def test_a_client_for_tests_may_submit_and_nothing_else(context: AppContext, scopes: list[Scope]) -> None:
    with pytest.raises(SetupError):
        add_client(context.writer, name="example-sandbox", scopes=scopes, test=True, at=A_TUESDAY)


def test_the_form_for_reporters_has_no_question_about_tests(client: TestClient) -> None:
    assert "test" not in client.get("/v1/concerns/form").json()["json_schema"]["properties"]


def test_the_command_makes_a_test_key_and_lists_it_as_one(settings: Settings, client: TestClient) -> None:
    added = guidance("clients", "add", "example-sandbox", "--test", "--data-dir", settings.data_dir)

    listed = guidance("clients", "list", "--json", "--data-dir", settings.data_dir)

    key = {"Authorization": f"Bearer {added.stdout.strip()}"}
    assert client.post("/v1/concerns", json=SMALLEST_EXAMPLE | {"test": True}, headers=key).json()["test"] is True
    assert [(each["test"], each["scopes"]) for each in json.loads(listed.stdout)] == [(True, ["concerns:submit"])]
