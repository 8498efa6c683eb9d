"""Two workers at one concern: the second is shown what the first did, loses nothing typed, and both are on record."""

import html
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pyrage
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.models.access.roles import Role
from app.models.audit.rows import DeskAct
from tests.support.concerns import add, raise_concern
from tests.support.desk import SEEN, acts_on, look, press, text_of
from tests.support.people import JO, sign_in_as

pytestmark = pytest.mark.slow

SAM = "Sam Example"
JO_S, SAM_S = (f"passkey:desk/{name}" for name in (JO, SAM))
BODY = "Example Council"
DECISIONS = {
    "outcome": ({"outcome": "early_help", "shared_with_reporter": "yes"}, DeskAct.CLOSED),
    "assignment": ({"person": SAM}, DeskAct.ASSIGNED),
    "hold": ({"held": "yes", "reason": "Court proceedings."}, DeskAct.HELD),
    "erasure": ({"reason": "Requested in writing.", "sure": "yes", "repeated": "{reference}"}, DeskAct.ERASED),
    "messages": ({"text": "Which school?\nAnd since when?"}, DeskAct.MESSAGE_SENT),
    "hand-over": ({"body": BODY, "reason": "The child lives there."}, DeskAct.HANDED_OVER),
}
SENDINGS = {name: DECISIONS[name] for name in ("messages", "hand-over")} | {
    "notes": ({"text": "Spoke to the school."}, DeskAct.NOTED)
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    return settings.model_copy(update={"hand_over_bodies": {BODY: recipient}})


@pytest.fixture
def jo(service: FastAPI, client: TestClient) -> TestClient:
    client.follow_redirects = False
    sign_in_as(service, client, JO, Role.LEAD)
    return client


@pytest.fixture
def sam(service: FastAPI, client: TestClient) -> Iterator[TestClient]:
    assert client.get("/health/live").is_success
    browser = TestClient(service, follow_redirects=False)
    sign_in_as(service, browser, SAM)
    yield browser
    browser.close()


@pytest.fixture
def reference(jo: TestClient) -> str:
    return acknowledged(jo)


def decide(reference: str, act: str, fields: dict[str, str], shown: tuple[TestClient, str]) -> Any:
    client, seen = shown
    return press(client, reference, act, seen=seen, **about(reference, fields))


def about(reference: str, fields: dict[str, str]) -> dict[str, str]:
    """Return what is typed for the concern: some forms ask for its reference."""
    return {name: typed.format(reference=reference) for name, typed in fields.items()}


def acknowledged(jo: TestClient) -> str:
    found = str(raise_concern(jo)["reference"])
    press(jo, found, "acknowledgement", up_to_addition="0")
    return found


def test_an_outdated_decision_is_asked_again_with_the_change_and_typed_words(
    service: FastAPI, jo: TestClient, sam: TestClient
) -> None:
    for act, (wanted, done) in DECISIONS.items():
        reference = acknowledged(jo)
        seen, fields = look(jo, reference), about(reference, wanted)
        press(sam, reference, "assignment", person=SAM, seen=look(sam, reference))

        first = press(jo, reference, act, seen=seen, **fields)
        between = [each for each, client, _ in acts_on(service, reference) if client == JO_S]
        second = press(jo, reference, act, seen=SEEN.findall(first.text)[0], **fields)

        assert (first.status_code, second.status_code) == (412, 200 if act == "hand-over" else 303), act
        assert f"Assigned to {SAM} by {SAM}" in text_of(first)
        assert [typed for typed in fields.values() if typed not in html.unescape(first.text)] == []
        assert (between[-1], done in between) == (DeskAct.WITHHELD, False)
        by = {(each, client) for each, client, _ in acts_on(service, reference)}
        assert {(DeskAct.ASSIGNED, SAM_S), (DeskAct.WITHHELD, JO_S), (done, JO_S)} <= by


@pytest.mark.parametrize(("act", "fields"), [("acknowledgement", {}), ("notes", {"text": "Spoke to the school."})])
def test_a_harmless_act_is_done_and_then_shows_the_other_s_change(
    jo: TestClient, sam: TestClient, reference: str, act: str, fields: dict[str, str]
) -> None:
    seen = look(jo, reference)
    press(sam, reference, "notes", text="Called the family.", seen=look(sam, reference))

    answer = press(jo, reference, act, seen=seen, **fields)
    page = text_of(jo.get(answer.headers["Location"]))

    assert answer.status_code == 303
    assert f"Changes since you opened this page Note written by {SAM}" in page
    assert "Changes since you opened this page" not in text_of(sam.get(f"/desk/concerns/{reference}"))


def test_one_of_two_decisions_at_once_is_done_and_the_other_withheld(
    service: FastAPI, jo: TestClient, sam: TestClient
) -> None:
    for act, (fields, done) in DECISIONS.items():
        reference = acknowledged(jo)
        presses = [(client, look(client, reference)) for client in (jo, sam)]

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(partial(decide, reference, act, fields), presses))

        refused = [answer for answer in answers if answer.status_code in (409, 410, 412)]
        assert len(refused) == 1, act
        assert "Changes since you opened this page" in text_of(refused[0])
        acts = [(each, client) for each, client, _ in acts_on(service, reference)]
        assert {client for each, client in acts if each in (done, DeskAct.WITHHELD)} == {JO_S, SAM_S}
        assert [each for each, _ in acts].count(done) == 1


def test_a_form_sent_twice_acts_once(service: FastAPI, jo: TestClient) -> None:
    for act, (fields, done) in SENDINGS.items():
        reference = acknowledged(jo)
        seen = look(jo, reference)

        answers = [press(jo, reference, act, seen=seen, **fields) for _ in range(2)]

        assert (answers[0].is_error, answers[1].status_code) == (False, 412), act
        assert "You have just done this" in answers[1].text
        assert [each for each, _, _ in acts_on(service, reference)].count(done) == 1


def test_nobody_closes_a_concern_over_what_its_reporter_has_just_added(service: FastAPI, jo: TestClient) -> None:
    receipt = raise_concern(jo)
    reference = receipt["reference"]
    press(jo, reference, "acknowledgement", up_to_addition="0")
    seen = look(jo, reference)
    add(jo, receipt, "Alex Example came home.")

    answer = press(jo, reference, "outcome", outcome="no_further_action", seen=seen)

    assert answer.status_code == 412
    assert "Addition received by the reporter" in text_of(answer)
    assert DeskAct.CLOSED not in [act for act, _, _ in acts_on(service, reference)]


def test_of_two_outcomes_the_first_stays_and_both_are_recorded(
    service: FastAPI, jo: TestClient, sam: TestClient, reference: str
) -> None:
    seen = look(jo, reference)
    press(sam, reference, "outcome", outcome="early_help", seen=look(sam, reference))

    answer = press(jo, reference, "outcome", outcome="no_further_action", seen=seen)

    assert answer.status_code == 409
    assert f"Closed by {SAM}" in text_of(answer)
    assert "Early help, not shared with the reporter" in text_of(answer)
    assert acts_on(service, reference)[-1] == (DeskAct.WITHHELD, JO_S, "outcome")


def test_a_form_without_a_seen_number_is_done_like_an_api_call(jo: TestClient, sam: TestClient, reference: str) -> None:
    press(sam, reference, "assignment", person=SAM)

    unseen = ["", "x", "-1", "9" * 40, "٣"]
    assert {press(jo, reference, "assignment", person=SAM, seen=seen).status_code for seen in unseen} == {303}
