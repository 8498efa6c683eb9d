"""People as pages: who has what, an invitation, another role, the end of every session, and leaving."""

import html
import re
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.access.roles import Role
from tests.support.concerns import raise_concern
from tests.support.desk import acts_on, look, press, send, text_of
from tests.support.people import acts_of_people, invited, sign_in_as
from tests.support.statements import counted

LEE, SAM, JO = "Lee Example", "Sam Example", "Jo Example"
pytestmark = pytest.mark.any_database


@pytest.fixture
def lee(service: FastAPI, client: TestClient) -> TestClient:
    """The browser of a lead."""
    client.follow_redirects = False
    sign_in_as(service, client, LEE, Role.LEAD)
    return client


def test_the_page_of_people_asks_the_database_no_more_often_for_more_people(service: FastAPI, lee: TestClient) -> None:
    def statements() -> int:
        with counted(service) as found:
            assert lee.get("/desk/people").status_code == 200
        return len(found)

    before = [statements() for _ in range(2)][-1]
    for number in range(5):
        invited(service, f"Kim Example {number}")

    assert statements() == before


def given_to(lee: TestClient, person: str, count: int) -> list[str]:
    references = [raise_concern(lee)["reference"] for _ in range(count)]
    for reference in references:
        assert press(lee, reference, "assignment", person=person, seen=look(lee, reference)).status_code == 303
    return references


@pytest.mark.slow
def test_who_has_what_leads_to_the_same_concerns_in_the_inbox(service: FastAPI, lee: TestClient) -> None:
    invited(service, SAM)
    first, second = given_to(lee, SAM, 2)
    press(lee, first, "acknowledgement")

    page = lee.get("/desk/day")

    (row,) = re.findall(rf'<tr role="row"><th scope="row" role="rowheader">{SAM}</th>(.*?)</tr>', page.text, re.DOTALL)
    links = [html.unescape(each) for each in re.findall(r'href="([^"]+)"', row)]
    assert re.findall(r">([0-9]+)</a>", row) == ["2", "1"]
    assert [len(re.findall(r'data-row="', lee.get(link).text)) for link in links[:2]] == [2, 1]
    assert links[2:] == [f"/desk/concerns/{min(first, second)}"]  # received at one moment
    assert second in lee.get(links[1]).text


@pytest.mark.slow
def test_all_open_concerns_of_one_person_go_to_another_with_a_reason(service: FastAPI, lee: TestClient) -> None:
    invited(service, SAM)
    invited(service, JO)
    references = given_to(lee, SAM, 2)

    wanting = send(lee, "/desk/people/concerns", name=SAM, to=f"person:{JO}", reason="")
    given = send(lee, "/desk/people/concerns", name=SAM, to=f"person:{JO}", reason="On leave.")

    assert (wanting.status_code, given.status_code) == (422, 303)
    for reference in references:
        assert acts_on(service, reference)[-1] == ("assigned", f"passkey:desk/{LEE}", f"{JO}: On leave.")
    assert "On leave." in text_of(lee.get(f"/desk/concerns/{references[0]}"))
    assert send(lee, "/desk/people/concerns", name=SAM, to=f"person:{SAM}", reason="On leave.").status_code == 422


def test_an_invitation_shows_its_link_once_at_the_address_of_the_service(service: FastAPI, lee: TestClient) -> None:
    answer = send(lee, "/desk/people/invitation", name=SAM, role="worker", lifetime="2 days")

    (link,) = set(re.findall(r'value="([^"]+#[^"]+)"', answer.text))
    token = link.partition("/desk/invitation#")[2]
    assert link.startswith("http://localhost")
    options = send(lee, "/desk/invitation/options", token=token)
    assert (options.status_code, SAM in options.text) == (200, True)
    assert ("invited", f"passkey:desk/{LEE}", "testclient", f"{SAM} as worker") in acts_of_people(service)
    assert token not in lee.get("/desk/people").text


def test_a_lead_gives_no_right_that_a_lead_does_not_have(service: FastAPI, lee: TestClient) -> None:
    invited(service, SAM, Role.PUBLISHER)
    before = acts_of_people(service)

    tried = [
        send(lee, "/desk/people/invitation", name=JO, role="publisher"),
        send(lee, "/desk/people/invitation", name=SAM, role="worker"),
        send(lee, "/desk/people/role", name=SAM, role="worker"),
        send(lee, "/desk/people/role", name=LEE, role="worker"),
        send(lee, "/desk/people/leaving", name=LEE, sure="yes"),
    ]

    assert [each.status_code for each in tried] == [422, 422, 403, 403, 403]
    assert acts_of_people(service) == before


@pytest.mark.slow
@pytest.mark.usefixtures("client")
def test_nobody_but_a_lead_changes_people(service: FastAPI) -> None:
    invited(service, SAM)
    forms: dict[str, dict[str, Any]] = {
        "invitation": {"name": JO, "role": "worker"},
        "role": {"name": SAM, "role": "reader"},
        "sign-out": {"name": SAM},
        "concerns": {"name": SAM, "to": "nobody", "reason": "No reason."},
        "leaving": {"name": SAM, "sure": "yes"},
    }
    for role in (Role.WORKER, Role.AUDITOR, Role.PUBLISHER):
        browser = TestClient(service, follow_redirects=False)
        sign_in_as(service, browser, f"A {role.value}", role)
        assert [send(browser, f"/desk/people/{form}", **fields).status_code for form, fields in forms.items()] == [
            403
        ] * 5


@pytest.mark.slow
def test_a_changed_role_and_the_end_of_sessions_count_at_once(service: FastAPI, lee: TestClient) -> None:
    sam = TestClient(service, follow_redirects=False)
    sign_in_as(service, sam, SAM)

    assert send(lee, "/desk/people/role", name=SAM, role="auditor").status_code == 303
    assert sam.get("/desk").headers["Location"] == "/desk/record"
    assert send(lee, "/desk/people/sign-out", name=SAM).status_code == 303
    assert sam.get("/desk").headers["Location"] == "/desk/sign-in"
    assert lee.get("/desk").status_code == 200
    said = [(act, client, detail) for act, client, _, detail in acts_of_people(service)][-2:]
    by = f"passkey:desk/{LEE}"
    assert said == [
        ("role_changed", by, f"{SAM} from worker to auditor"),
        ("signed_out", by, f"every session of {SAM}"),
    ]


@pytest.mark.slow
def test_who_leaves_is_asked_about_with_what_nobody_has_then(service: FastAPI, lee: TestClient) -> None:
    sam = TestClient(service, follow_redirects=False)
    sign_in_as(service, sam, SAM)
    (reference,) = given_to(lee, SAM, 1)

    asked = send(lee, "/desk/people/leaving", name=SAM)
    still = sam.get("/desk").status_code
    done = send(lee, "/desk/people/leaving", name=SAM, sure="yes")

    assert (asked.status_code, still, done.status_code) == (200, 200, 303)
    assert "1 open concern is then assigned to nobody, and closed ones too." in text_of(asked)
    assert reference in asked.text
    assert sam.get("/desk").headers["Location"] == "/desk/sign-in"
    assert acts_on(service, reference)[-1] == ("unassigned", f"passkey:desk/{LEE}", "the person left the desk")
    assert lee.get(f"/desk/people/person?name={SAM}").status_code == 404
    assert f"{SAM}, " in text_of(lee.get("/desk/people"))
