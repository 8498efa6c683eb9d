"""Retention on pages: the day of each erasure, the lists and their sheets, and an erasure that is asked about twice."""

import csv
import datetime as dt
import html
import io
import re
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.http.context import AppContext
from app.models.access.roles import Role
from app.models.concerns.receipts import ConcernState
from app.pages.desk import oversight
from app.services.audit.audit_log import Actor
from app.services.desk.retention import RetentionPeriods
from app.services.desk.retention_lists import RetentionList, RetentionQuery, read_list
from tests.support.clock import SettableClock
from tests.support.concerns import add, raise_concern
from tests.support.desk import Desk, acts_on, look, press, text_of
from tests.support.people import JO, sign_in_as

pytestmark = pytest.mark.slow

LEE = "Lee Example"
A_DAY = dt.timedelta(days=1)
by_two = pytest.mark.parametrize("settings", [{"two_people_erase": True}], indirect=True)


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """A desk that erases closed concerns after 90 days, with further settings by the test."""
    return settings.model_copy(update={"retention_closed_days": 90} | getattr(request, "param", {}))


@pytest.fixture
def lee(service: FastAPI, client: TestClient) -> TestClient:
    """The browser of a lead."""
    client.follow_redirects = False
    sign_in_as(service, client, LEE, Role.LEAD)
    return client


def do(browser: TestClient, reference: str, act: str, **fields: str) -> Any:
    return press(browser, reference, act, seen=look(browser, reference), **fields)


def a_closed_concern(browser: TestClient) -> str:
    reference = str(raise_concern(browser)["reference"])
    assert do(browser, reference, "acknowledgement").status_code == 303
    assert do(browser, reference, "outcome", outcome="early_help").status_code == 303
    return reference


def test_each_concern_says_when_its_text_will_be_erased(lee: TestClient) -> None:
    reference = a_closed_concern(lee)

    closed = text_of(lee.get(f"/desk/concerns/{reference}"))
    do(lee, reference, "hold", held="yes", reason="Court proceedings.", until="2027-01-31")
    held = text_of(lee.get(f"/desk/concerns/{reference}"))

    assert "Will be erased on 22 February 2027" in closed
    assert "Will be erased Not while it is on hold" in held


def test_what_is_added_and_acknowledged_later_moves_the_day(
    service: FastAPI, lee: TestClient, clock: SettableClock
) -> None:
    receipt = raise_concern(lee)
    reference = receipt["reference"]
    do(lee, reference, "acknowledgement")
    do(lee, reference, "outcome", outcome="early_help")
    clock.time += A_DAY
    sign_in_as(service, lee, LEE, Role.LEAD)
    add(lee, receipt)
    do(lee, reference, "acknowledgement", up_to_addition="1")

    assert "Will be erased on 23 February 2027" in text_of(lee.get(f"/desk/concerns/{reference}"))


def test_the_lists_say_what_goes_what_is_held_and_what_was_erased(
    service: FastAPI, lee: TestClient, clock: SettableClock
) -> None:
    due, held, erased = (a_closed_concern(lee) for _ in range(3))
    do(lee, held, "hold", held="yes", reason="Court proceedings.", until="2027-01-31")
    do(lee, erased, "erasure", reason="Asked for.", sure="yes", repeated=erased)
    soon = lee.get("/desk/retention").text
    clock.time += 40 * A_DAY
    sign_in_as(service, lee, LEE, Role.LEAD)

    lists = {each: lee.get(f"/desk/retention?list={each}") for each in ("due", "held", "erased")}
    sheet = list(csv.DictReader(io.StringIO(lee.get("/desk/retention.csv?list=held").text)))

    assert due not in soon
    assert [due in page.text for page in lists.values()] == [True, False, False]
    assert [held in page.text for page in lists.values()] == [False, True, False]
    assert [erased in page.text for page in lists.values()] == [False, False, True]
    on_hold = (
        f"{held} locked Closed On hold since 24 November 2026 By {LEE} Needed until 31 January 2027 Court proceedings."
    )
    assert on_hold in text_of(lists["held"])
    assert f"{erased} Closed Erased on 24 November 2026 By {LEE} Asked for." in text_of(lists["erased"])
    assert "22 February 2027" in text_of(lists["due"])
    assert [(row["reference"], row["until"]) for row in sheet] == [(held, "2027-01-31")]


def test_a_list_is_narrowed_by_state_and_day_and_so_is_its_sheet(
    service: FastAPI, lee: TestClient, clock: SettableClock
) -> None:
    closed, received = a_closed_concern(lee), str(raise_concern(lee)["reference"])
    for each in (closed, received):
        do(lee, each, "hold", held="yes", reason="Court proceedings.")
    clock.time += 40 * A_DAY
    sign_in_as(service, lee, LEE, Role.LEAD)
    due = a_closed_concern(lee)

    held = lee.get("/desk/retention?list=held&state=received&days=60")
    (sheet,) = re.findall(r'href="(/desk/retention\.csv[^"]*)"', held.text)
    rows = list(csv.DictReader(io.StringIO(lee.get(html.unescape(sheet)).text)))

    assert (received in held.text, closed in held.text) == (True, False)
    assert [row["reference"] for row in rows] == [received]
    assert [due in lee.get(f"/desk/retention?days={days}").text for days in (60, 90, 91)] == [False, False, True]
    assert "No concern is in this list." in lee.get("/desk/retention?days=91&state=acknowledged").text
    assert lee.get("/desk/retention?days=0").status_code == 400


def test_the_page_of_coming_erasures_begins_with_the_earliest(
    service: FastAPI, lee: TestClient, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipts = [raise_concern(lee) for _ in range(2)]
    for receipt in receipts:
        do(lee, receipt["reference"], "acknowledgement")
        do(lee, receipt["reference"], "outcome", outcome="early_help")
    clock.time += A_DAY
    sign_in_as(service, lee, LEE, Role.LEAD)
    earliest = a_closed_concern(lee)
    clock.time += 40 * A_DAY
    sign_in_as(service, lee, LEE, Role.LEAD)
    for receipt in receipts:
        add(lee, receipt)
        do(lee, receipt["reference"], "acknowledgement", up_to_addition="1")
    clock.time += 31 * A_DAY
    sign_in_as(service, lee, LEE, Role.LEAD)
    monkeypatch.setattr(oversight, "MOST_LISTED", 1)
    monkeypatch.setattr(oversight, "read_list", partial(read_list, limit=1))

    page = text_of(lee.get("/desk/retention"))

    assert (
        f"{earliest} locked Closed Will be erased on 23 February 2027 The first 1 are shown. The sheet has all." in page
    )


def test_an_erasure_needs_the_reference_typed_again(lee: TestClient) -> None:
    reference, other = a_closed_concern(lee), a_closed_concern(lee)

    asked = do(lee, reference, "erasure", reason="Asked for.")
    wrong = [do(lee, reference, "erasure", reason="Asked for.", sure="yes", repeated=each) for each in ("", other)]
    done = do(lee, reference, "erasure", reason="Asked for.", sure="yes", repeated=reference.lower().replace("-", " "))

    assert "the card, by which it is found" in text_of(asked)
    assert [each.status_code for each in (asked, *wrong, done)] == [200, 422, 422, 303]
    assert "Text erased" in text_of(lee.get(f"/desk/concerns/{reference}"))


@by_two
def test_by_setting_an_erasure_takes_two_people(service: FastAPI, lee: TestClient) -> None:
    reference = a_closed_concern(lee)
    jo = TestClient(service, follow_redirects=False)
    sign_in_as(service, jo, JO)
    fields = {"reason": "Asked for.", "sure": "yes", "repeated": reference}

    first = [do(lee, reference, "erasure", **fields).status_code for _ in range(2)]
    kept = text_of(jo.get(f"/desk/concerns/{reference}"))
    listed = lee.get("/desk/retention?list=requested").text
    second = do(jo, reference, "erasure", **fields)

    assert (first, second.status_code) == ([303, 303], 303)
    assert f"{LEE} asked on" in kept
    assert "Text erased" not in kept
    assert reference in listed
    acts = [(act, client) for act, client, _ in acts_on(service, reference) if act.startswith("eras")]
    by_lee = ("erasure_requested", f"passkey:desk/{LEE}")
    assert acts == [by_lee, by_lee, ("erased", f"passkey:desk/{JO}")]


@by_two
def test_a_request_to_erase_ends_when_the_concern_changes(service: FastAPI, lee: TestClient) -> None:
    reference = a_closed_concern(lee)
    jo = TestClient(service, follow_redirects=False)
    sign_in_as(service, jo, JO)
    fields = {"reason": "Asked for.", "sure": "yes", "repeated": reference}
    do(lee, reference, "erasure", **fields)
    do(lee, reference, "notes", text="Wait.")

    do(jo, reference, "erasure", **fields)

    assert [act for act, *_ in acts_on(service, reference) if act == "erased"] == []


@by_two
def test_a_list_of_one_shows_the_request_that_stands(context: AppContext, lee: TestClient) -> None:
    *withdrawn, standing = sorted(a_closed_concern(lee) for _ in range(3))
    for each in (*withdrawn, standing):
        do(lee, each, "erasure", reason="Asked for.", sure="yes", repeated=each)
    for each in withdrawn:
        do(lee, each, "notes", text="Wait.")

    actor = Actor(f"passkey:desk/{LEE}", "192.0.2.1", context.clock())
    found = read_list(
        context.writer, RetentionQuery(list=RetentionList.REQUESTED), RetentionPeriods(90, 90), actor=actor, limit=1
    )

    assert [each.reference for each in found] == [standing]


@by_two
def test_a_list_of_one_of_a_state_shows_the_request_after_those_of_others(context: AppContext, lee: TestClient) -> None:
    *closed, sought = sorted(raise_concern(lee)["reference"] for _ in range(3))
    for each in (*closed, sought):
        do(lee, each, "acknowledgement", up_to_addition="0")
    for each in closed:
        do(lee, each, "outcome", outcome="early_help")
    for each in (*closed, sought):
        do(lee, each, "erasure", reason="Asked for.", sure="yes", repeated=each)

    actor = Actor(f"passkey:desk/{LEE}", "192.0.2.1", context.clock())
    query = RetentionQuery(list=RetentionList.REQUESTED, state=ConcernState.ACKNOWLEDGED)
    found = read_list(context.writer, query, RetentionPeriods(90, 90), actor=actor, limit=1)

    assert [each.reference for each in found] == [sought]


@by_two
def test_after_a_request_that_names_no_person_a_lead_is_the_first(lee: TestClient, desk: Desk) -> None:
    reference = a_closed_concern(lee)
    assert desk.act(reference, "erasure", reason="Asked for.").status_code == 403

    asked = do(lee, reference, "erasure", reason="Asked for.")

    assert "Ask a second person to erase it" in text_of(asked)
