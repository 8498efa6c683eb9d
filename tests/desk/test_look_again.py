"""Look again on: a day for a concern, the team's or a person's own, and what is due at the top of the inbox."""

import datetime as dt

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.services.operations.verification import find_faults
from tests.support.clock import SettableClock
from tests.support.concerns import raise_concern
from tests.support.databases import RawConnection
from tests.support.desk import Desk, acts_on, look, press, send, text_of
from tests.support.people import JO, context_of_service, sign_in_as

SAM = "Sam Example"
NOTICE = "Look again today"


def first_lines(browser: TestClient, address: str = "/desk") -> str:
    """Return the words of the inbox between the notice and the table."""
    return text_of(browser.get(address)).partition(NOTICE)[2].partition("concerns, most urgent first")[0]


@pytest.mark.slow
def test_a_day_brings_a_concern_to_the_top_of_the_inbox(service: FastAPI, jo: TestClient, clock: SettableClock) -> None:
    teams, own, later = (raise_concern(jo)["reference"] for _ in range(3))
    sam = TestClient(service, follow_redirects=False)
    sign_in_as(service, sam, SAM)
    for reference, whose, day in (
        (teams, "team", "2026-11-25"),
        (own, "own", "2026-11-25"),
        (later, "team", "2026-11-26"),
    ):
        answer = press(jo, reference, "look-again", day=day, whose=whose, seen=look(jo, reference))
        assert answer.status_code == 303

    before = first_lines(jo)
    clock.time += dt.timedelta(days=1)
    for browser, name in ((jo, JO), (sam, SAM)):
        sign_in_as(service, browser, name)

    assert before == ""
    assert teams in (of_jo := first_lines(jo))
    assert own in of_jo
    assert later not in of_jo
    assert (teams in first_lines(sam), own in first_lines(sam)) == (True, False)
    assert first_lines(jo, "/desk?show=overdue") == ""
    assert send(jo, f"/desk/concerns/{teams}/look-again", day="", whose="team").status_code == 303
    assert teams not in first_lines(jo)
    assert acts_on(service, teams)[-1] == ("look_again", f"passkey:desk/{JO}", "no day for the team")


def test_the_api_sets_reads_and_removes_both_days(desk: Desk, client: TestClient) -> None:
    reference = raise_concern(client)["reference"]
    path = f"/v1/desk/concerns/{reference}/look-again"

    def put(**body: object) -> object:
        answer = client.put(path, json=body, headers=desk.headers)
        return answer.json() if answer.status_code == 200 else answer.status_code

    assert put(day="2026-12-01") == {"reference": reference, "team": "2026-12-01", "own": None, "officer": None}
    assert put(day="2026-12-02", whose="own") == {
        "reference": reference,
        "team": "2026-12-01",
        "own": "2026-12-02",
        "officer": None,
    }
    assert put(day=None) == {"reference": reference, "team": None, "own": "2026-12-02", "officer": None}
    assert desk.get(f"/concerns/{reference}/look-again").json()["own"] == "2026-12-02"
    assert put(day="tomorrow") == 422
    desk.act(reference, "acknowledgement")
    assert desk.act(reference, "erasure", reason="A made-up reason.").status_code == 200
    assert put(day="2026-12-03") == 410
    assert desk.get(f"/concerns/{reference}/look-again").json()["own"] is None


def test_verify_finds_a_day_that_was_altered_or_taken_away(
    service: FastAPI, desk: Desk, client: TestClient, database: RawConnection
) -> None:
    reference = raise_concern(client)["reference"]
    client.put(f"/v1/desk/concerns/{reference}/look-again", json={"day": "2026-12-01"}, headers=desk.headers)
    engine = context_of_service(service).engine
    assert list(find_faults(engine)) == []

    for statement in ("UPDATE look_again SET day = '2036-12-01'", "DELETE FROM look_again"):
        database.execute(statement)
        assert any("look at it again" in str(fault) for fault in find_faults(engine))
