"""Taking over: whoever takes a concern from someone is asked once, and whoever loses it is told for a day."""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.models.audit.rows import DeskAct
from app.services.audit.audit_log import Actor
from app.services.desk.taken_over import list_taken_over
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import raise_concern
from tests.support.desk import Desk, acts_on, look, press, text_of
from tests.support.people import JO, context_of_service, sign_in_as

pytestmark = pytest.mark.slow

SAM = "Sam Example"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@pytest.fixture
def sam(service: FastAPI, jo: TestClient) -> Iterator[TestClient]:
    assert jo.get("/health/live").is_success
    browser = TestClient(service, follow_redirects=False)
    sign_in_as(service, browser, SAM)
    yield browser
    browser.close()


@pytest.fixture
def of_jo(jo: TestClient) -> str:
    reference = str(raise_concern(jo)["reference"])
    assert take(jo, reference, JO).status_code == 303
    return reference


def take(worker: TestClient, reference: str, person: str, **fields: str) -> Any:
    return press(worker, reference, "assignment", person=person, seen=look(worker, reference), **fields)


def take_over(worker: TestClient, reference: str, person: str) -> Any:
    """Take the concern over, with the answer to the question."""
    return press(worker, reference, "assignment", **dict(HIDDEN.findall(take(worker, reference, person).text)))


def assignments(service: FastAPI, reference: str) -> list[str]:
    return [detail for act, _, detail in acts_on(service, reference) if act == DeskAct.ASSIGNED]


def mine(worker: TestClient) -> str:
    return text_of(worker.get("/desk?show=mine"))


def test_taking_over_from_someone_is_asked_once(service: FastAPI, sam: TestClient, of_jo: str) -> None:
    asked = take(sam, of_jo, SAM)
    between = assignments(service, of_jo)
    done = press(sam, of_jo, "assignment", **dict(HIDDEN.findall(asked.text)))

    assert (asked.status_code, done.status_code) == (200, 303)
    assert f"{JO} has it since 09:30. Take it over?" in text_of(asked)
    assert between == [JO]
    assert assignments(service, of_jo) == [JO, SAM]


@pytest.mark.parametrize("person", [SAM, ""])
@pytest.mark.usefixtures("sam")
def test_giving_a_concern_away_is_not_asked(jo: TestClient, of_jo: str, person: str) -> None:
    assert take(jo, of_jo, person).status_code == 303


def test_a_form_with_an_outdated_owner_asks_before_it_assigns(
    service: FastAPI, jo: TestClient, sam: TestClient, of_jo: str
) -> None:
    owner = sam.get(f"/desk/concerns/{of_jo}/assignment")
    sign_in_as(service, TestClient(service), "Robin Example")

    asked = press(sam, of_jo, "assignment", person="Robin Example", replaces=SAM)
    done = press(sam, of_jo, "assignment", **dict(HIDDEN.findall(asked.text)))

    assert owner.json() == {"person": JO}
    assert f"{JO} has it since 09:30. Give it to Robin Example?" in text_of(asked)
    assert (done.status_code, assignments(service, of_jo)) == (303, [JO, "Robin Example"])
    assert "given to Robin Example by Sam Example" in mine(jo)


def test_nobody_is_asked_for_what_nobody_or_they_have(jo: TestClient, sam: TestClient, of_jo: str) -> None:
    again = take(jo, of_jo, JO)
    take(jo, of_jo, "")

    assert (again.status_code, take(sam, of_jo, SAM).status_code) == (303, 303)


def test_a_question_about_someone_else_is_asked_again(
    service: FastAPI, jo: TestClient, sam: TestClient, of_jo: str
) -> None:
    asked = take(sam, of_jo, SAM)
    robin = TestClient(service, follow_redirects=False)
    sign_in_as(service, robin, "Robin Example")
    take(jo, of_jo, "Robin Example")

    again = press(sam, of_jo, "assignment", **dict(HIDDEN.findall(asked.text)))

    assert again.status_code == 200
    assert "Robin Example has it since" in text_of(again)
    assert assignments(service, of_jo) == [JO, "Robin Example"]


def test_the_former_person_is_told_in_mine_for_a_day(
    service: FastAPI, jo: TestClient, sam: TestClient, of_jo: str, clock: SettableClock
) -> None:
    clock.time = A_TUESDAY + dt.timedelta(minutes=8)
    take_over(sam, of_jo, SAM)

    page = jo.get("/desk?show=mine")
    told, others, all_of_jo = mine(jo), mine(sam), text_of(jo.get("/desk"))
    clock.time += dt.timedelta(hours=23)
    sign_in_as(service, jo, JO)
    next_day = mine(jo)
    clock.time += dt.timedelta(hours=1, minutes=1)
    for worker, name in ((jo, JO), (sam, SAM)):
        sign_in_as(service, worker, name)
    assert press(sam, of_jo, "notes", text="A made-up note.").status_code == 303  # the concern changes later too

    assert f"{of_jo} taken over by {SAM} at 09:38" in told
    assert f'href="/desk/concerns/{of_jo}?list=who%3Dme"' in page.text
    assert "taken over" not in others + all_of_jo
    assert f"taken over by {SAM} at 09:38 on Tuesday 24 November 2026" in next_day
    assert "taken over" not in mine(jo)


def test_what_is_told_in_mine_is_on_the_record(service: FastAPI, jo: TestClient, sam: TestClient, of_jo: str) -> None:
    take_over(sam, of_jo, SAM)
    jo.get("/desk?show=mine")

    assert acts_on(service, "inbox")[-1] == (DeskAct.LISTED, f"passkey:desk/{JO}", of_jo)


def test_a_program_that_takes_a_concern_is_told_too(jo: TestClient, robin: Desk, of_jo: str) -> None:
    path = f"/v1/desk/concerns/{of_jo}/assignment"

    assert robin.http.put(path, headers=robin.headers).json()["replaced"]["assigned_to"] == JO
    assert f"{of_jo} taken over by Robin Example at 09:30" in mine(jo)
    robin.http.put(path, json={"person": SAM}, headers=robin.headers)
    assert f"{of_jo} taken over by Robin Example at 09:30" in mine(jo)


def test_a_worker_learns_who_gave_away_or_unassigned_their_concern(jo: TestClient, robin: Desk) -> None:
    given, left = raise_concern(jo)["reference"], raise_concern(jo)["reference"]
    for reference in (given, left):
        take(jo, reference, JO)
    path = "/v1/desk/concerns/{}/assignment"
    robin.http.put(path.format(given), json={"person": SAM}, headers=robin.headers)
    robin.http.delete(path.format(left), headers=robin.headers)

    told = mine(jo)

    assert f"{given} given to {SAM} by Robin Example at 09:30" in told
    assert f"{left} unassigned by Robin Example at 09:30" in told


def test_what_one_gives_away_or_has_again_is_not_told(
    service: FastAPI, jo: TestClient, sam: TestClient, of_jo: str
) -> None:
    take_over(sam, of_jo, SAM)
    take_over(jo, of_jo, JO)
    again = mine(jo)
    take(jo, of_jo, SAM)

    with Session(context_of_service(service).engine) as session:
        assert list_taken_over(session, Actor(f"desk/{JO}", "here", A_TUESDAY)) == []
    assert "taken over" not in again + mine(jo)
