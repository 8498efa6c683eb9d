"""Guides that were never printed: by bodies other than councils, without a source, with other ways to be reached."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from pypdf import PdfReader
from starlette.testclient import TestClient

from app.errors import FaultCode
from app.http.context import AppContext
from app.models.base import digest_of
from app.models.guides.edition_files import read_edition_file
from app.models.guides.seed_files import edition_place
from app.services.guides.publishing import publish_edition
from tests.support.publishing import GUIDE, an_edition, publish_next

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "guides").glob("*/*.yaml"))
SEED_DIGEST = "sha256:a5129e4eb899eb9761fcc041e91847544b4a1ab7d8694f456b328b5c056593e9"
EMPTY_KEYS = {"owner": None, "applies_to": None}
SCHOOL = "/v1/guides/worried-about-a-pupil"


@pytest.fixture
def with_examples(client: TestClient, service: FastAPI) -> TestClient:
    """The service with the invented guides of the examples."""
    context: AppContext = service.state.context
    for path in EXAMPLES:
        context.writer.run(
            publish_edition,
            context.reference_data,
            edition_place(path)[0],
            read_edition_file(path).content,
            at=context.clock(),
            two_people=False,
        )
    return client


def test_the_seed_has_its_digest_and_the_new_keys_are_empty(client: TestClient) -> None:
    edition = client.get(GUIDE).json()

    assert edition["digest"] == digest_of(an_edition()) == SEED_DIGEST
    assert {name: edition[name] for name in EMPTY_KEYS} == EMPTY_KEYS
    assert edition["contacts"][0]["email"] is None
    assert edition["contacts"][0]["opening_hours"] == []


def test_the_examples_have_three_kinds_of_publisher_outside_the_seed(client: TestClient) -> None:
    kinds = {read_edition_file(path).content.publisher.kind for path in EXAMPLES}

    assert len(EXAMPLES) == len(kinds) == 3
    assert [each["guide"] for each in client.get("/v1/guides").json()["guides"]] == ["child-sexual-exploitation"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_is_read_in_every_form(with_examples: TestClient, path: Path) -> None:
    guide, content = path.parent.name, read_edition_file(path).content

    answers = {
        form: with_examples.get(address)
        for form, address in {
            "json": f"/v1/guides/{guide}",
            "markdown": f"/v1/guides/{guide}.md",
            "pdf": f"/v1/guides/{guide}.pdf",
            "page": f"/guides/{guide}",
            "csv": f"/v1/guides/{guide}/contacts.csv",
            "form": f"/raise-a-concern/{guide}",
        }.items()
    }

    assert {form: answer.status_code for form, answer in answers.items()} == dict.fromkeys(answers, 200)
    assert answers["json"].json()["digest"] == digest_of(content)
    assert answers["json"].json()["source"] is None
    assert all(str(each.email or "") in answers["page"].text for each in content.contacts)


def test_hours_address_and_text_relay_are_shown_wherever_people_read(with_examples: TestClient, tmp_path: Path) -> None:
    page, markdown = with_examples.get("/guides/worried-about-a-pupil").text, with_examples.get(f"{SCHOOL}.md").text

    for text in (page, markdown):
        assert "Monday to Friday, 08:00 to 16:30" in text
        assert "Example Academy, 1 School Lane, Exampleton, ZZ99 9ZZ" in text
    assert "18001 01632 960021" in with_examples.get("/guides/child-criminal-exploitation").text
    (tmp_path / "a.pdf").write_bytes(with_examples.get(f"{SCHOOL}.pdf").content)
    printed = " ".join(page.extract_text() for page in PdfReader(tmp_path / "a.pdf").pages)
    assert "safeguarding@academy.example" in printed


def test_the_directory_gives_hours_as_schedules_and_the_school_number(with_examples: TestClient) -> None:
    services = with_examples.get("/open-referral/v3/services?per_page=50").json()["contents"]
    (lead,) = [each for each in services if each["name"] == "Designated safeguarding lead"]

    service = with_examples.get(f"/open-referral/v3/services/{lead['id']}").json()

    (schedule,) = service["schedules"]
    assert (schedule["byday"], schedule["opens_at"]) == ("MO,TU,WE,TH,FR", "08:00")
    assert service["organization"]["organization_identifiers"][0]["identifier"] == "999999"
    assert service["contacts"][0]["email"] == "safeguarding@academy.example"


def test_the_directory_lists_an_address_beside_the_virtual_location(with_examples: TestClient) -> None:
    services = with_examples.get("/open-referral/v3/services?per_page=50").json()["contents"]
    whole = [with_examples.get(f"/open-referral/v3/services/{each['id']}").json() for each in services]
    (placed,) = [each for each in whole if len(each["service_at_locations"]) == 2]
    afar, place = placed["service_at_locations"]

    assert (afar["location"]["location_type"], place["location"]["location_type"]) == ("virtual", "physical")
    (address,) = place["location"]["addresses"]
    assert {name: address[name] for name in ("address_1", "city", "postal_code", "country", "address_type")} == {
        "address_1": "Example Academy, 1 School Lane",
        "city": "Exampleton",
        "postal_code": "ZZ99 9ZZ",
        "country": "GB",
        "address_type": "physical",
    }
    found = with_examples.get(f"/open-referral/v3/service_at_locations/{place['id']}").json()
    assert (found["location"], found["service_id"]) == (place["location"], placed["id"])
    assert len({each["id"] for one in whole for each in one["service_at_locations"]}) == len(whole) + 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": "email"}, FaultCode.NOT_REACHABLE),
        ({"kind": "address"}, FaultCode.NOT_REACHABLE),
        ({"opening_hours": [{"days": ["monday"], "opens": "17:00", "closes": "08:30"}]}, FaultCode.OUT_OF_ORDER),
    ],
)
def test_a_contact_without_what_its_kind_needs_is_refused(changes: dict[str, Any], code: FaultCode) -> None:
    contact = an_edition().contacts[0].model_dump() | changes

    with pytest.raises(ValidationError) as refused:
        an_edition(contacts=[contact])

    reasons = [error["ctx"]["error"] for error in refused.value.errors() if "error" in error["ctx"]]
    assert [reason.code for reason in reasons] == [code]


def test_indicators_need_a_caution_and_a_guide_may_have_neither() -> None:
    with pytest.raises(ValueError, match="`cautions` needs an entry"):
        an_edition(cautions=[])

    assert an_edition(cautions=[], factors=[], indicators=[]).cautions == ()


def test_a_second_edition_may_lose_its_source(client: TestClient, service: FastAPI) -> None:
    published = publish_next(service, source=None, owner="Example Team", applies_to="Example")

    edition = client.get(GUIDE).json()

    assert (edition["source"], edition["owner"], edition["digest"]) == (None, "Example Team", published.digest)
