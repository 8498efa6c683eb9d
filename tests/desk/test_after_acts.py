"""After an act: what was done and what to do next, undo, and the way on through the list from which one came."""

import html
import re
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.audit.rows import DeskAct
from app.pages.desk.list_place import ListPlace
from app.services.access.people import remove_person_access
from tests.support.clock import A_TUESDAY
from tests.support.concerns import add, raise_concern
from tests.support.desk import acts_on, look, press, text_of
from tests.support.loops import for_each
from tests.support.people import JO, context_of_service, sign_in_as

pytestmark = pytest.mark.slow

SAM = "Sam Example"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
NEXT = re.compile(r'href="([^"]*)" data-next')
BACK = re.compile(r'href="([^"]*)" data-back>([^<]*)<')
CONCERN = re.compile(r'class="row-link" href="(/desk/concerns/[^"]*)"')


@pytest.fixture
def closed(jo: TestClient, reference: str) -> str:
    press(jo, reference, "acknowledgement")
    assert press(jo, reference, "outcome", outcome="early_help").status_code == 303
    return reference


def fields_of(page: Any, action: str) -> dict[str, str]:
    """Return the hidden fields of the first form with that action."""
    form = re.findall(rf'<form method="post" action="[^"]*/{action}".*?</form>', page.text, re.DOTALL)[0]
    return {name: html.unescape(value) for name, value in HIDDEN.findall(form)}


def follow(jo: TestClient, answer: Any) -> Any:
    assert answer.status_code == 303, answer.text
    return jo.get(answer.headers["Location"])


def said(page: Any) -> str:
    """Return the words of the panel after an act."""
    (panel,) = re.findall(r'<div id="done"[^>]*>(.*?)</div>', page.text, re.DOTALL)
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", panel)).split())


def test_the_page_says_what_to_do_next(jo: TestClient, reference: str) -> None:
    acts: list[tuple[str, dict[str, str], str]] = [
        ("acknowledgement", {}, "Nobody has it: assign it, so that someone works on it."),
        ("assignment", {"person": JO}, "It is in your list ‘Mine’."),
        ("acknowledgement", {}, "You have it. Close it with an outcome"),
        ("outcome", {"outcome": "early_help"}, "If it was a mistake, reopen it below."),
        ("notes", {"text": "A made-up note."}, "Only the team can read it. This concern is closed, and stays closed."),
        ("assignment", {"person": ""}, "Nobody has it now. This concern is closed, and stays closed."),
        (
            "reopening",
            {"reason": "A slip."},
            "Nobody has it: assign it, so that someone works on it. The reporter sees",
        ),
        ("hold", {"held": "yes", "reason": "Court."}, "The text is not erased until the concern is released."),
    ]

    for act, fields, words in acts:
        assert words in said(follow(jo, press(jo, reference, act, **fields))), act


def test_a_closed_concern_says_so_beside_its_forms_and_offers_to_reopen(jo: TestClient, closed: str) -> None:
    page = jo.get(f"/desk/concerns/{closed}")
    opened = follow(jo, press(jo, closed, "reopening", reason="A slip.", seen=look(jo, closed)))

    assert page.text.count("data-closed") == 1
    assert "Reopen the concern" in page.text
    assert "data-closed" not in opened.text
    assert "Close the concern" in opened.text
    assert "Reopened by Jo Example" in text_of(opened)


def test_an_open_concern_offers_no_reopening(jo: TestClient, reference: str) -> None:
    refused = press(jo, reference, "reopening", reason="A slip.", seen=look(jo, reference))

    assert "Reopen the concern" not in jo.get(f"/desk/concerns/{reference}").text
    assert (refused.status_code, "There is nothing to reopen" in refused.text) == (409, True)


def test_reopening_without_a_reason_is_asked_for_one(service: FastAPI, jo: TestClient, closed: str) -> None:
    refused = press(jo, closed, "reopening", reason=" ", seen=look(jo, closed))

    assert (refused.status_code, 'class="fault"' in refused.text) == (422, True)
    assert DeskAct.REOPENED not in [act for act, _, _ in acts_on(service, closed)]


def test_undo_gives_the_concern_back_as_a_further_act(service: FastAPI, jo: TestClient, reference: str) -> None:
    sign_in_as(service, TestClient(service), SAM)
    press(jo, reference, "assignment", person=JO)
    given = follow(jo, press(jo, reference, "assignment", person=SAM, seen=look(jo, reference)))

    undone = follow(jo, press(jo, reference, "assignment", **fields_of(given, "assignment")))

    assert f": assign it to {JO} again" in given.text
    assert said(undone).startswith(f"Done: assigned to {JO}")
    acts = [(act, detail) for act, _, detail in acts_on(service, reference) if "assigned" in act]
    assert acts == [(DeskAct.ASSIGNED, JO), (DeskAct.ASSIGNED, SAM), (DeskAct.ASSIGNED, JO)]


def test_a_first_assignment_is_undone_to_nobody(service: FastAPI, jo: TestClient, reference: str) -> None:
    taken = follow(jo, press(jo, reference, "assignment", person=JO))

    press(jo, reference, "assignment", **fields_of(taken, "assignment"))

    assert acts_on(service, reference)[-1][0] == DeskAct.UNASSIGNED


def test_undo_sets_the_former_label_again(service: FastAPI, jo: TestClient, reference: str) -> None:
    press(jo, reference, "label", text="First label")
    changed = follow(jo, press(jo, reference, "label", text="Second label", seen=look(jo, reference)))

    undone = follow(jo, press(jo, reference, "label", **fields_of(changed, "label")))

    assert ": set the former label again" in changed.text
    assert '<dt>Label</dt><dd><span class="as-typed">First label</span>' in undone.text
    assert [act for act, _, _ in acts_on(service, reference)].count(DeskAct.LABELLED) == 3


def test_what_left_the_house_or_is_not_the_last_has_no_undo(service: FastAPI, jo: TestClient, reference: str) -> None:
    sign_in_as(service, TestClient(service), SAM)
    pages = [
        follow(jo, press(jo, reference, act, **fields))
        for act, fields in (
            ("acknowledgement", {}),
            ("messages", {"text": "Which school?"}),
            ("outcome", {"outcome": "early_help"}),
        )
    ]
    press(jo, reference, "assignment", person=SAM)
    context_of_service(service).writer.run(remove_person_access, SAM, at=A_TUESDAY)
    pages.append(follow(jo, press(jo, reference, "assignment", person=JO, replaces=SAM)))
    earlier = press(jo, reference, "assignment", person="")
    press(jo, reference, "assignment", person=JO)
    pages.append(follow(jo, earlier))

    assert [": assign it to" in page.text for page in pages] == [False] * 5


def test_next_follows_the_list_as_it_was_and_back_returns_there(jo: TestClient) -> None:
    urgent = raise_concern(jo, immediate_danger="yes")["reference"]
    others = sorted(raise_concern(jo)["reference"] for _ in range(2))
    (first, *_) = CONCERN.findall(jo.get("/desk?show=received").text)
    walked, page = [urgent], jo.get(html.unescape(first))

    for _ in range(3):
        page = follow(jo, press(jo, walked[-1], "acknowledgement", **fields_of(page, "acknowledgement")))
        (address,) = NEXT.findall(page.text)
        reached = jo.get(html.unescape(address)).headers["Location"]
        page = jo.get(reached)
        walked.append(reached.split("?")[0].rpartition("/")[2])

    assert walked == [urgent, *others, "desk"]
    assert "That was the last concern in this list" in page.text
    assert 'aria-current="page">Waiting' in page.text


def test_the_concern_that_one_leaves_is_never_the_next(jo: TestClient) -> None:
    reference = raise_concern(jo)["reference"]
    opened = jo.get(f"/desk/concerns/{reference}")
    page = follow(jo, press(jo, reference, "acknowledgement", **fields_of(opened, "acknowledgement")))

    (address,) = NEXT.findall(page.text)

    assert jo.get(html.unescape(address)).headers["Location"] == "/desk?ended=true"


def test_the_next_concern_is_on_the_record(service: FastAPI, jo: TestClient) -> None:
    first, second = raise_concern(jo, immediate_danger="yes")["reference"], raise_concern(jo)["reference"]
    (address,) = NEXT.findall(jo.get(f"/desk/concerns/{first}").text)

    jo.get(html.unescape(address))

    assert acts_on(service, "inbox")[-1] == (DeskAct.LISTED, f"passkey:desk/{JO}", second)


@for_each(
    ("query", "back", "label"),
    [
        ("", "/desk", "the list"),
        ("show=all", "/desk", "the list"),
        ("show=mine", "/desk?who=me", "‘Mine’"),
        ("who=me", "/desk?who=me", "‘Mine’"),
        ("show=changed&until=x", "/desk?show=changed&until=x", "‘New since I last looked’"),
        ("state=closed&danger=yes", "/desk?show=closed&danger=yes", "the filtered list"),
        ("state=received&cursor=x", "/desk?show=received&cursor=x", "‘Waiting’"),
        ("show=nothing", "/desk", "the list"),
        ("guide=<script>", "/desk", "the list"),
        ("https://elsewhere.example/", "/desk", "the list"),
    ],
)
def test_the_way_back_is_a_list_of_this_inbox(query: str, back: str, label: str) -> None:
    place = ListPlace.of(query, None)

    assert (place.back, place.label) == (back, label)


def test_a_position_of_another_list_is_found_again(jo: TestClient, reference: str) -> None:
    page = jo.get(f"/desk/concerns/{reference}?list=show%3Dchanged&at=nonsense")

    assert (page.status_code, len(NEXT.findall(page.text))) == (200, 1)
    assert BACK.findall(page.text) == [("/desk?show=changed", "Back to ‘New since I last looked’")]
    assert jo.get("/desk/next?at=nonsense").headers["Location"] == "/desk?ended=true"


def test_a_refused_form_leads_back_to_the_same_list(jo: TestClient, reference: str) -> None:
    opened = jo.get(f"/desk/concerns/{reference}?list=show%3Dmine")
    refused = press(jo, reference, "notes", **fields_of(opened, "notes") | {"text": " "})

    again = press(jo, reference, "notes", **fields_of(refused, "notes") | {"text": "A made-up note."})

    assert ("/desk?who=me", "Back to ‘Mine’") in BACK.findall(follow(jo, again).text)


def test_a_refusal_says_that_an_addition_says_danger(jo: TestClient) -> None:
    receipt = raise_concern(jo)
    reference = receipt["reference"]
    press(jo, reference, "acknowledgement")
    seen = look(jo, reference)
    add(jo, receipt, "He is here.")
    add(jo, receipt, "He is here with a knife.", danger="yes")

    meanwhile = press(jo, reference, "outcome", outcome="early_help", seen=seen)
    unread = press(jo, reference, "outcome", outcome="early_help", seen=look(jo, reference))

    for page, status in ((meanwhile, 412), (unread, 409)):
        assert page.status_code == status
        assert "<h1>An addition says: immediate danger</h1>" in page.text
        assert "Addition 2 says that a child is in immediate danger" in text_of(page)
        assert f"/desk/concerns/{reference}#addition-2" in page.text


def test_erasing_is_asked_once_with_what_goes_and_what_stays(service: FastAPI, jo: TestClient, closed: str) -> None:
    press(jo, closed, "notes", text="A made-up note.")
    press(jo, closed, "label", text="A made-up label")
    offered = jo.get(f"/desk/concerns/{closed}")

    asked = press(jo, closed, "erasure", reason="Requested.", seen=look(jo, closed))
    between = [act for act, _, _ in acts_on(service, closed)]
    done = press(jo, closed, "erasure", reason="Requested.", **fields_of(asked, "erasure") | {"repeated": closed})

    assert (asked.status_code, done.status_code) == (200, 303)
    assert DeskAct.ERASED not in between
    for what in ("the text of 1 team note", "the card, by which it is found", "the label"):
        assert what in text_of(asked)
    assert 'value="Requested."' in asked.text
    assert '<button class="second danger">Erase this concern</button>' in offered.text
    assert '<button class="danger">Erase permanently</button>' in asked.text
    assert acts_on(service, closed)[-1] == (DeskAct.ERASED, f"passkey:desk/{JO}", "Requested.")
