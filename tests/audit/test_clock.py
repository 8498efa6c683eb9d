"""The clock: one working day to acknowledge; what is overdue; what the team and the reporter see until it is closed."""

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.models.concerns.examples import FULL_EXAMPLE
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import raise_concern, status_of, token_of
from tests.support.desk import Desk

pytestmark = pytest.mark.slow

A_MINUTE = dt.timedelta(minutes=1)
DUE = A_TUESDAY + dt.timedelta(days=1)
CALL = "call the Duty and Assessment Team on 01225 396312 or 01225 396313 (option 1)."

Receipt = dict[str, Any]
Status = Callable[[], Any]


@pytest.fixture
def status(client: TestClient, receipt: Receipt) -> Status:
    """Return a function that reads what the reporter is told now."""
    key = token_of(receipt)
    return lambda: client.get(receipt["links"]["self"], headers=key).json()


def entry(desk: Desk) -> Any:
    (only,) = desk.get("/concerns").json()["concerns"]
    return only


@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-11-24T09:30:00+00:00", "2026-11-25T09:30:00Z"),
        ("2026-11-27T16:00:00+00:00", "2026-11-30T16:00:00Z"),  # over a weekend
        ("2026-11-28T16:00:00+00:00", "2026-12-01T00:00:00Z"),  # on a Saturday
        ("2026-12-24T16:00:00+00:00", "2026-12-29T16:00:00Z"),  # Christmas Day, the weekend, Boxing Day's substitute
        ("2027-03-26T08:00:00+00:00", "2027-03-30T23:00:00Z"),  # Good Friday to Easter Monday; the clocks go forward
    ],
)
def test_receipt_inbox_and_status_name_the_same_moment_one_working_day_on(
    client: TestClient, desk: Desk, clock: SettableClock, received: str, due: str
) -> None:
    clock.time = dt.datetime.fromisoformat(received)
    receipt = raise_concern(client)

    status = status_of(client, receipt)

    assert (receipt["acknowledge_by"], entry(desk)["acknowledge_by"], status["acknowledge_by"]) == (due, due, due)


def test_a_concern_is_overdue_after_its_moment_until_it_is_acknowledged(
    desk: Desk, reference: str, clock: SettableClock
) -> None:
    seen = []
    for clock.time in (DUE, DUE + A_MINUTE):
        seen.append((entry(desk)["overdue"], desk.get("/summary").json()["overdue"]))
    desk.act(reference, "acknowledgement")
    seen.append((entry(desk)["overdue"], desk.get("/summary").json()["overdue"]))

    assert seen == [(False, 0), (True, 1), (False, 0)]


def without_change(shown: dict[str, Any]) -> dict[str, Any]:
    """Return the entry without the time of the last act, which an act that changes nothing is too."""
    return {name: value for name, value in shown.items() if name != "changed_at"}


def test_acknowledging_tells_the_time_and_doing_so_again_changes_nothing(
    desk: Desk, reference: str, clock: SettableClock
) -> None:
    clock.time = A_TUESDAY + A_MINUTE
    first = desk.act(reference, "acknowledgement")
    clock.time = DUE

    again = desk.act(reference, "acknowledgement")

    assert (first.status_code, first.json()["state"]) == (200, "acknowledged")
    assert first.json()["acknowledged_at"] == "2026-11-24T09:31:00Z"
    assert without_change(again.json()) == without_change(first.json()) == without_change(entry(desk))


def test_acknowledging_a_closed_concern_leaves_it_closed(desk: Desk, reference: str) -> None:
    desk.act(reference, "acknowledgement")
    closed = desk.act(reference, "outcome", outcome="early_help")

    again = desk.act(reference, "acknowledgement")

    assert again.json() == closed.json()
    assert again.json()["state"] == "closed"


def test_an_outcome_needs_an_acknowledgement_first(desk: Desk, reference: str) -> None:
    refused = desk.act(reference, "outcome", outcome="early_help")

    assert refused.status_code == 409
    assert refused.json()["type"] == "/v1/problems/not-acknowledged"
    assert (entry(desk)["state"], entry(desk)["outcome"]) == ("received", None)


@pytest.mark.parametrize("made_up", ["solved", "", "Early help", "EARLY_HELP"])
def test_an_outcome_is_a_code_of_the_list(desk: Desk, reference: str, made_up: str) -> None:
    desk.act(reference, "acknowledgement")

    refused = desk.act(reference, "outcome", outcome=made_up)

    assert refused.status_code == 422
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["#/outcome"]
    assert entry(desk)["state"] == "acknowledged"


def test_another_outcome_is_refused_and_the_same_once_more_changes_nothing(
    desk: Desk, reference: str, clock: SettableClock
) -> None:
    desk.act(reference, "acknowledgement")
    first = desk.act(reference, "outcome", outcome="early_help")
    clock.time = DUE

    other = desk.act(reference, "outcome", outcome="assessment_required")
    again = desk.act(reference, "outcome", outcome="early_help")

    assert first.json()["closed_at"] == "2026-11-24T09:30:00Z"
    assert (other.status_code, other.json()["type"]) == (409, "/v1/problems/outcome-given")
    assert without_change(again.json()) == without_change(first.json()) == without_change(entry(desk))


@pytest.mark.slow
def test_every_outcome_of_the_list_is_accepted(desk: Desk, client: TestClient) -> None:
    codes = [code["code"] for code in client.get("/v1/code-lists/outcome").json()["codes"]]
    for code in codes:
        reference = raise_concern(client)["reference"]
        desk.act(reference, "acknowledgement")

        assert desk.act(reference, "outcome", outcome=code).json()["outcome"] == code
    assert len(codes) == 6


def test_the_reporter_sees_each_state_its_time_and_who_to_call(
    desk: Desk, reference: str, status: Status, clock: SettableClock
) -> None:
    told = [status()]
    clock.time = A_TUESDAY + A_MINUTE
    desk.act(reference, "acknowledgement")
    told.append(status())
    clock.time = A_TUESDAY + 2 * A_MINUTE
    desk.act(reference, "outcome", outcome="early_help", shared_with_reporter=True)
    told.append(status())

    assert [each["state"] for each in told] == ["received", "acknowledged", "closed"]
    assert [each["acknowledged_at"] for each in told] == [None, *["2026-11-24T09:31:00Z"] * 2]
    assert [each["closed_at"] for each in told] == [None, None, "2026-11-24T09:32:00Z"]
    assert [each["outcome"] for each in told] == [None, None, "early_help"]
    assert {each["next_steps"][0] for each in told} == {"If a child is in immediate danger, call 999 now."}
    assert {each["signposts"][0]["phones"][0]["number"] for each in told} == {"999"}


def test_the_reporter_is_told_when_to_expect_acknowledgement_and_when_to_call(
    desk: Desk, reference: str, status: Status, clock: SettableClock
) -> None:
    when = "Wednesday 25 November 2026 at 09:30"
    told = []
    for clock.time in (DUE, DUE + A_MINUTE):
        told.append(status()["next_steps"][1:])
    desk.act(reference, "acknowledgement")
    told.append(status()["next_steps"][1:])

    assert told == [
        [f"A social worker should acknowledge it by {when}. If nobody has by then, {CALL}"],
        [f"A social worker should have acknowledged it by {when}. Please {CALL}"],
        [],
    ]


@pytest.mark.parametrize("shared", [{}, {"shared_with_reporter": False}])
def test_the_reporter_is_not_told_an_outcome_that_is_not_shared(
    desk: Desk, reference: str, status: Status, shared: dict[str, bool]
) -> None:
    desk.act(reference, "acknowledgement")
    desk.act(reference, "outcome", outcome="strategy_discussion_or_section_47", **shared)

    told = status()

    assert (told["state"], told["outcome"]) == ("closed", None)
    assert "section_47" not in json.dumps(told)
    assert desk.http.get("/metrics").text.count("section_47") == 0


def counts(client: TestClient) -> dict[str, float]:
    found = re.findall(r'^guidance_concerns\{state="(\w+)"\} (\S+)$', client.get("/metrics").text, re.MULTILINE)
    return {state: float(count) for state, count in found}


def test_metrics_count_concerns_from_five_up_and_fall_silent_below(
    client: TestClient, desk: Desk, clock: SettableClock
) -> None:
    seen = []
    references = []
    for _ in range(5):
        references.append(raise_concern(client)["reference"])
        seen.append(counts(client))
    clock.time = DUE + A_MINUTE
    seen.append(counts(client))
    desk.act(references[0], "acknowledgement")
    seen.append(counts(client))

    assert seen == [{}] * 4 + [{"received": 5}, {"received": 5, "overdue": 5}, {}]


def test_metrics_hold_no_reference_and_no_word_of_any_concern(client: TestClient, desk: Desk) -> None:
    receipts = [raise_concern(client, **FULL_EXAMPLE) for _ in range(5)]
    desk.get(f"/concerns/{receipts[0]['reference']}")

    told = client.get("/metrics").text

    assert counts(client) == {"received": 5}
    for secret in (
        "Example",
        "Alex",
        "2A",
        *(receipt["reference"] for receipt in receipts),
        receipts[0]["status_token"],
    ):
        assert secret not in told
