"""The page on which a worker writes down a call, without scripts."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.access.roles import Role
from app.services.concerns.keys import create_identity
from tests.support.canaries import CANARY
from tests.support.clock import A_TUESDAY
from tests.support.desk import KEY, Desk, send
from tests.support.people import JO, sign_in_as
from tests.support.service import a_service

SAID = f"{CANARY} rang twice."
FILLED = {
    "concern.narrative": SAID,
    "immediate_danger": "no",
    "channel": "call",
    "came_at": "09:10",
    "came_on": "2026-11-24",
}
REFERENCE = re.compile(r'class="reference">([0-9A-Z-]+)<')


@pytest.fixture
def jo(service: FastAPI, client: TestClient) -> TestClient:
    sign_in_as(service, client)
    return client


def write(client: TestClient, **changes: str) -> Any:
    return send(client, "/desk/new", **FILLED | changes)


def test_the_page_comes_with_the_time_now_and_a_call(jo: TestClient) -> None:
    page = jo.get("/desk/new").text

    assert 'name="came_at" id="came_at" value="09:30"' in page
    assert 'name="came_on" value="2026-11-24"' in page
    assert '<input type="radio" name="channel" value="call" checked>' in page
    assert "data-perhaps-known data-while-typing" in page
    assert page.index("concern.narrative") < page.index("immediate_danger")


@pytest.mark.slow
def test_what_the_page_sends_is_stored_once(jo: TestClient, desk: Desk) -> None:
    key = KEY.findall(jo.get("/desk/new").text)[0]
    fields = {
        "key": key,
        "reporter.name": "Robin Example",
        "reporter.phone": "01632 960001",
        "children.0.given_names": "Alex",
        "children.0.estimated_age": "14",
        "wants_code": "yes",
    }
    first, second = write(jo, **fields), write(jo, **fields)

    (entry,) = desk.get("/concerns").json()["concerns"]
    opened = desk.get(f"/concerns/{entry['reference']}").json()
    assert (first.status_code, second.text) == (200, first.text)
    assert REFERENCE.findall(first.text)[0] == entry["reference"]
    assert (entry["came_at"], entry["received_by"].partition("/")[2]) == ("2026-11-24T09:10:00Z", JO)
    assert opened["submission"] == {
        "immediate_danger": "no",
        "reporter": {"name": "Robin Example", "phone": "01632 960001", "kind": "member_of_public"},
        "children": [{"given_names": "Alex", "estimated_age": 14}],
        "concern": {"narrative": SAID},
    }
    assert entry["reporter_has_code"] is True


def test_an_addition_keeps_what_has_no_field(jo: TestClient, desk: Desk, reference: str) -> None:
    fields = {"to_concern": reference.lower(), "reporter.name": "Robin Example", "children.0.given_names": "Alex"}
    written = write(jo, immediate_danger="yes", **fields)

    (addition,) = desk.get(f"/concerns/{reference}/additions").json()["additions"]
    assert "Added to the concern" in written.text
    assert written.text.index("Call 999") < written.text.index("Added to the concern")
    assert addition["addition"] == {
        "immediate_danger": "yes",
        "concern": {"narrative": f"{SAID}\n\nFrom: Robin Example\nChild: Alex"},
    }


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"concern.narrative": " "}, "concern.narrative", "Write down what was said"),
        ({"immediate_danger": ""}, "immediate_danger", "Say whether a child is in immediate danger"),
        ({"came_at": "soon"}, "came_at", "Give the time and the day on which it came"),
        ({"came_at": "11:00"}, "came_at", "The time must not be in the future"),
        ({"came_on": "2025-11-24"}, "came_at", "The time must be within the last 90 days"),
        ({"children.0.estimated_age": "old"}, "children.0.estimated_age", ""),
        ({"to_concern": "4F7K-926W-0X3R"}, "to_concern", "No concern has this reference"),
        ({"to_concern": "Alex"}, "to_concern", "No concern has this reference"),
    ],
)
def test_a_fault_stands_at_its_field_and_nothing_typed_is_lost(
    jo: TestClient, desk: Desk, changes: dict[str, str], field: str, sentence: str
) -> None:
    refused = write(jo, **changes)

    assert refused.status_code == 422
    assert f'id="fault-{field}">{sentence}' in refused.text
    assert "concern.narrative" in changes or SAID in refused.text
    assert desk.get("/concerns").json()["concerns"] == []


@pytest.mark.slow
def test_another_text_with_the_same_key_is_not_taken_for_the_first(jo: TestClient, desk: Desk) -> None:
    key = KEY.findall(jo.get("/desk/new").text)[0]
    write(jo, key=key)
    refused = write(jo, key=key, **{"concern.narrative": "Something else."})
    again = write(jo, key=KEY.findall(refused.text)[0], **{"concern.narrative": "Something else."})

    assert (refused.status_code, again.status_code) == (409, 200)
    assert len(desk.get("/concerns").json()["concerns"]) == 2


def test_a_service_that_cannot_read_takes_no_unencrypted_call(tmp_path: Path) -> None:
    service = a_service(data_dir=tmp_path / "data", seal_to=(create_identity(tmp_path / "team.txt", at=A_TUESDAY),))
    with TestClient(service) as client:
        sign_in_as(service, client)
        page, refused = client.get("/desk/new").text, write(client)
        inbox = client.get("/desk").text

    assert "<button disabled>Write it down</button>" in page
    assert refused.status_code == 422
    assert "must be encrypted before it is sent" in refused.text
    assert "No concerns." in inbox


@pytest.mark.slow
@pytest.mark.parametrize(("role", "status"), [(Role.READER, 403), (Role.AUDITOR, 403), (Role.LEAD, 200)])
def test_only_those_who_act_can_write_down(service: FastAPI, client: TestClient, role: Role, status: int) -> None:
    sign_in_as(service, client, role=role)

    assert (client.get("/desk/new").status_code, write(client).status_code) == (status, status)
    assert ("Write down a call" in client.get("/desk").text) is (status == 200)


@pytest.mark.slow
def test_a_concern_without_a_code_offers_no_message(jo: TestClient, desk: Desk) -> None:
    reference = REFERENCE.findall(write(jo).text)[0]
    desk.act(reference, "acknowledgement")
    page = jo.get(f"/desk/concerns/{reference}").text

    assert "The reporter has no code" in page
    assert "New message to the reporter" not in page
    assert "Last message to the reporter" not in page
    assert "By telephone, Tuesday 24 November 2026 at 09:10" in page
