"""Reporters read the numbers of the current edition everywhere, and never another council's."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import SEED_DIR, Settings
from app.http.context import AppContext
from app.main import create_app
from app.models.guides.contacts import Contact
from app.models.guides.editions import Publisher
from app.services.guides.reference_data import ReferenceData, read_reference_data
from tests.support.clock import SettableClock
from tests.support.concerns import a_concern, add, raise_concern, status_of
from tests.support.log_lines import Lines
from tests.support.publishing import SLUG, an_edition, publish_next, withdraw

pytestmark = pytest.mark.any_database

OLD, NEW = "396313", "01632 960001"
OWN, OTHER = "E06000022", "E06000000"
NIGHT_TEAM, OFFICER = "emergency-duty-team", "designated-officer"
KEY = {"Idempotency-Key": "6f0a3a0e-5b7c-4f58-9f0b-3a8d4a2f9c11"}


def corrected() -> tuple[Contact, ...]:
    first, *others = an_edition().contacts
    phone = first.phones[0].model_copy(update={"number": "+441632960001", "display": NEW})
    return (first.model_copy(update={"phones": (phone,)}), *others)


def proof_of(receipt: dict[str, Any]) -> dict[str, str]:
    return {"reference": receipt["reference"], "code": receipt["status_token"]}


def main_of(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


Read = Callable[[TestClient, dict[str, Any]], str]
WAYS: dict[str, Read] = {
    "status": lambda client, receipt: str(status_of(client, receipt)),
    "status page": lambda client, receipt: main_of(client.post("/concerns", data=proof_of(receipt)).text),
    "saved receipt": lambda client, receipt: (
        client.post("/concerns/receipt", data=proof_of(receipt) | {"receipt": receipt["receipt"]}).text
    ),
    "receipt of a retry": lambda client, _: client.post("/v1/concerns", json=a_concern(), headers=KEY).text,
    "receipt of an addition": lambda client, receipt: add(client, receipt).text,
    "form of the old edition": lambda client, _: client.post("/v1/concerns", json=a_concern(edition=1)).text,
    "page of the old edition": lambda client, receipt: (
        client.get(f"/guides/{receipt['guide']}/editions/1")
        .text.partition('<section class="card call"')[2]
        .partition("</section>")[0]
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_corrected_number_reaches_every_earlier_reporter(client: TestClient, service: FastAPI, way: str) -> None:
    receipt = client.post("/v1/concerns", json=a_concern(), headers=KEY).json()
    read = WAYS[way]
    assert OLD in read(client, receipt)
    publish_next(service, contacts=corrected())

    found = read(client, receipt)

    assert NEW in found
    assert OLD not in found


OF_AN_OFFICER = a_concern(concern={"narrative": "Alex Example", "people_of_concern": [{"works_with_children": "yes"}]})


def officers_in(client: TestClient, receipt: dict[str, Any]) -> dict[str, str]:
    """Return each answer and page that names the designated officer, by its address."""
    found = {
        "status": str(status_of(client, receipt)["signposts"]),
        "receipt of a retry": client.post("/v1/concerns", json=OF_AN_OFFICER, headers=KEY).text,
        "saved receipt": client.post(
            "/concerns/receipt",
            data={"receipt": receipt["receipt"], "code": receipt["status_token"], "also_call": OFFICER},
        ).text,
        "assistant": client.post(
            "/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "who_to_call"}}
        ).text,
    }
    paths = ("/v1/signposts", "/v1/concerns/form", "/open-referral/v3/services", f"/v1/guides/{SLUG}.md", "/")
    return found | {path: client.get(path).text for path in paths}


def test_the_designated_officer_has_the_duty_team_s_number_of_the_current_edition(
    client: TestClient, service: FastAPI
) -> None:
    receipt = client.post("/v1/concerns", json=OF_AN_OFFICER, headers=KEY).json()
    printed = client.get(f"/v1/guides/{SLUG}/editions/1.md").content
    before = officers_in(client, receipt)
    publish_next(service, contacts=corrected())

    after = officers_in(client, receipt)

    assert [name for name, text in before.items() if "396312" not in text] == []
    assert [name for name, text in after.items() if NEW not in text or "396312" in text] == []
    (officer,) = [each for each in client.get("/v1/signposts").json()["signposts"] if each["id"] == OFFICER]
    assert (officer["through_duty_team"], [each["display"] for each in officer["phones"]]) == (True, [NEW])
    assert client.get(f"/v1/guides/{SLUG}/editions/1.md").content == printed


def test_a_signpost_through_a_duty_team_without_a_number_is_left_out(known: ReferenceData) -> None:
    shown = dataclasses.replace(known, council=None).signposts_of(Publisher(name="Any name", gss_code=OWN), ())

    assert OFFICER not in {each.id for each in shown}


def test_no_number_of_a_guide_is_written_into_the_signposts() -> None:
    written = (SEED_DIR / "signposts.yaml").read_text()
    numbers = {phone.number for contact in an_edition().contacts for phone in contact.phones}

    assert [number for number in numbers if number in written] == []


def test_a_retry_gets_the_same_bytes_while_the_numbers_are_the_same(
    client: TestClient, service: FastAPI, clock: SettableClock
) -> None:
    first = client.post("/v1/concerns", json=a_concern(), headers=KEY)
    publish_next(service, change_note="Other words.")
    clock.time = clock.time.replace(hour=16, minute=50)

    again = client.post("/v1/concerns", json=a_concern(), headers=KEY)

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content


def test_a_retry_after_a_correction_keeps_what_was_signed(client: TestClient, service: FastAPI) -> None:
    first = client.post("/v1/concerns", json=a_concern(), headers=KEY).json()
    publish_next(service, contacts=corrected())

    again = client.post("/v1/concerns", json=a_concern(), headers=KEY).json()

    changed = {name for name in first if again[name] != first[name]}
    assert changed == {"contacts", "signposts", "teams", "next_steps"}
    assert (again["edition"], status_of(client, first)["edition"]) == (1, 1)


def test_a_withdrawn_guide_gives_the_numbers_of_the_default_guide(client: TestClient, service: FastAPI) -> None:
    publish_next(service, guide="another-guide", contacts=corrected())
    receipt = raise_concern(client, guide="another-guide")
    assert NEW in str(receipt["contacts"])
    withdraw(service, 1, guide="another-guide")

    assert OLD in str(status_of(client, receipt)["contacts"])


COUNCILS = [  # the council that is set, the publisher of the edition, whether the local signposts are shown
    ("Bath & North East Somerset Council", None, True),
    ("BATH AND NORTH EAST SOMERSET", None, True),
    ("Example Council", None, False),
    ("North East Somerset Council", None, False),
    ("Somerset Council", None, False),
    ("Council", None, False),
    (None, Publisher(name="Any name", gss_code=OWN), True),
    (None, Publisher(name="Bath & North East Somerset Council"), True),
    (None, Publisher(name="Example Council", gss_code=OTHER), False),
    (None, Publisher(name="Bath & North East Somerset Council", gss_code=OTHER), False),
    (None, None, False),
    ("Example Council", Publisher(name="Bath & North East Somerset Council", gss_code=OWN), False),
    ("Bath and North East Somerset Council", Publisher(name="Example Partnership"), True),
]


@pytest.fixture(scope="module")
def known() -> ReferenceData:
    return read_reference_data(SEED_DIR)


@pytest.mark.parametrize(("council", "publisher", "is_own"), COUNCILS)
def test_local_signposts_are_those_of_the_council(
    known: ReferenceData, council: str | None, publisher: Publisher | None, is_own: bool
) -> None:
    shown = dataclasses.replace(known, council=council).signposts_of(publisher, an_edition().contacts)

    assert [each.id in (one.id for one in shown) for each in known.all_signposts if each.council] == [is_own, is_own]
    assert {each.id for each in known.all_signposts if not each.council} <= {each.id for each in shown}


def test_emergency_contacts_are_built_once_for_each_publication(service: FastAPI, context: AppContext) -> None:
    contacts = context.emergency_contacts
    first = contacts.current()

    again = contacts.current()
    publish_next(service, contacts=corrected())
    after = contacts.current()

    assert again is first
    assert NEW in str(after)
    assert contacts.current() is after


ANOTHER_S = ("Bath & North East Somerset Emergency Duty Team", "Designated officer (LADO)", "call the designated")
ANSWERS = (
    "/",
    f"/guides/{SLUG}",
    f"/raise-a-concern/{SLUG}",
    "/worried-about-yourself",
    "/concerns",
    "/covering-your-tracks",
    "/no-such-page",
    "/v1/signposts",
    "/v1/concerns/form",
    "/v1/concerns/4F7K-926W-0X3R",
    f"/v1/guides/{SLUG}.md",
    "/open-referral/v3/services",
)
SETS = {  # what sets the council: the name of the setting, or in its place the publisher of the edition
    "setting": {"council_name": "Example Council"},
    "publisher": {},
}


@pytest.fixture(params=SETS)
def of_another_council(
    settings: Settings, clock: SettableClock, request: pytest.FixtureRequest
) -> Iterator[TestClient]:
    service = create_app(settings.model_copy(update=SETS[request.param]), clock)
    with TestClient(service) as client:
        if request.param == "publisher":
            publish_next(service, publisher=Publisher(name="Example Council", gss_code=OTHER))
        yield client


@pytest.mark.slow
def test_no_answer_names_a_signpost_of_another_council(of_another_council: TestClient) -> None:
    told = a_concern(
        immediate_danger="yes",
        concern={"narrative": "Alex Example", "people_of_concern": [{"works_with_children": "yes"}]},
    )

    receipt = of_another_council.post("/v1/concerns", json=told).json()
    found = {path: of_another_council.get(path).text for path in ANSWERS}
    found["receipt"], found["status"] = str(receipt), str(status_of(of_another_council, receipt))
    found["check"] = str(of_another_council.post("/v1/concerns/check", json=told).json())

    assert [(path, word) for path, page in found.items() for word in ANOTHER_S if word in page] == []
    assert all("999" in found[path] for path in ("/", "/v1/signposts", "receipt"))


def test_readiness_says_that_signposts_are_left_out(of_another_council: TestClient) -> None:
    ready = of_another_council.get("/health/ready")

    assert ready.status_code == 200
    assert ready.json()["warnings"]["signposts"] == "of another council"


def test_readiness_says_nothing_of_the_council_s_own_signposts(client: TestClient) -> None:
    assert "signposts" not in client.get("/health/ready").json()["warnings"]


def test_the_start_says_how_many_signposts_are_left_out(settings: Settings, clock: SettableClock, lines: Lines) -> None:
    with TestClient(create_app(settings.model_copy(update=SETS["setting"]), clock)):
        pass

    assert [each["count"] for each in lines() if each["event"] == "signposts_of_another_council"] == [2]
