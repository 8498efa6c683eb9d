"""The Open Referral UK stub: the profile's rules, its traps, filters and pages, and ids that stay."""

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema_rs import Draft202012Validator
from starlette.testclient import TestClient

from app.config import Settings
from app.extensions.open_data import STUB
from app.extensions.open_data.routers import open_referral
from app.main import create_app
from app.models.access.clients import Scope
from app.models.guides.contacts import Contact
from tests.support.clock import A_TUESDAY
from tests.support.formats import validate_openapi
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, a_key, an_edition, publish_next
from tests.support.service import a_service

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

SCHEMAS = os.environ.get("OPEN_REFERRAL_SCHEMAS", "")
LISTS = {
    "services": ("service_list", "service"),
    "taxonomies": ("taxonomy", "taxonomy"),
    "taxonomy_terms": ("taxonomy_term", "taxonomy_term"),
    "service_at_locations": ("service_at_location_list", "service"),
}
NOWHERE = "00000000-0000-4000-8000-000000000000"

# The members that the profile requires of each thing, by the key of the thing.
REQUIRED = {
    "services": {"id", "organization_id", "name", "status"},
    "service": {"id", "organization_id", "name", "status"},
    "organization": {"id", "name", "description"},
    "organization_identifiers": {"id", "identifier_type", "identifier"},
    "contacts": {"id"},
    "phones": {"id", "number"},
    "service_at_locations": {"id"},
    "location": {"id", "location_type"},
    "attributes": {"id"},
    "schedules": {"id"},
    "taxonomies": {"id", "name", "description"},
    "taxonomy_terms": {"id", "name", "description"},
    "taxonomy_term": {"id", "name", "description"},
}
ENVELOPE = ["total_items", "total_pages", "page_number", "size", "first_page", "last_page", "empty", "contents"]

Part = dict[str, Any]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """For tests that only read."""
    with TestClient(a_service(data_dir=tmp_path_factory.mktemp("directory") / "data")) as client:
        yield client


@pytest.fixture
def own(service: FastAPI) -> Iterator[TestClient]:
    """For a test that publishes."""
    with TestClient(service) as client:
        yield client


@pytest.fixture(scope="module")
def every_thing(client: TestClient) -> list[tuple[str, Part]]:
    return all_things(client)


def get(client: TestClient, path: str) -> Part:
    answer = client.get(STUB + path)
    assert answer.status_code == 200, answer.text
    told: Part = answer.json()
    return told


def listed(client: TestClient, kind: str, query: str = "") -> list[Part]:
    contents: list[Part] = get(client, f"/{kind}?per_page=1000{query}")["contents"]
    return contents


def whole(client: TestClient, kind: str) -> list[Part]:
    return [get(client, f"/{kind}/{entry['id']}") for entry in listed(client, kind)]


def named(client: TestClient, name: str) -> Part:
    return next(service for service in whole(client, "services") if service["name"] == name)


def everything(client: TestClient) -> list[tuple[str, Part]]:
    """Every entry of every list, short and whole, with the name of its list."""
    return [(kind, entry) for kind in LISTS for entry in [*listed(client, kind), *whole(client, kind)]]


def things(key: str, told: Any) -> Iterator[tuple[str, Part]]:
    """Every object, with its key."""
    if isinstance(told, list):
        for entry in told:
            yield from things(key, entry)
    elif isinstance(told, dict):
        yield key, told
        for name, value in told.items():
            yield from things(name, value)


def all_things(client: TestClient) -> list[tuple[str, Part]]:
    return [found for kind, entry in everything(client) for found in things(kind, entry)]


def seed_contacts() -> list[Part]:
    return [contact.model_dump() for contact in an_edition().contacts]


def test_the_stub_has_its_description_with_and_without_a_slash(client: TestClient) -> None:
    told = get(client, "")

    assert told == {
        "version": "HSDS-UK-3.0",
        "profile": "https://docs.openreferraluk.org/en/latest/",
        "openapi_url": "http://127.0.0.1:8000/open-referral/v3/openapi.json",
    }
    assert client.get(f"{STUB}/").content == client.get(STUB).content


def test_whole_addresses_begin_with_the_public_address(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, public_url="https://guidance.example")
    with TestClient(create_app(settings)) as client:
        assert get(client, "")["openapi_url"].startswith("https://guidance.example/")
        assert all(
            term["term_uri"].startswith("https://guidance.example/v1/guides/")
            for term in listed(client, "taxonomy_terms")
        )


def test_everything_has_what_the_profile_requires(every_thing: list[tuple[str, Part]]) -> None:
    assert {key for key, _ in every_thing} == set(REQUIRED)
    assert [(key, thing) for key, thing in every_thing if REQUIRED[key] - set(thing)] == []


def test_every_id_is_a_uuid_of_version_5(every_thing: list[tuple[str, Part]]) -> None:
    ids = [value for _, thing in every_thing for name, value in thing.items() if name == "id" or name[-3:] == "_id"]

    assert len(ids) > 300
    assert [value for value in ids if str(uuid.UUID(value)) != value or uuid.UUID(value).version != 5] == []


def test_no_two_things_share_an_id(every_thing: list[tuple[str, Part]]) -> None:
    alike = {"services": "service", "service_at_locations": "service_at_location", "taxonomy_terms": "taxonomy_term"}
    kinds: dict[str, set[str]] = {}
    numbers: dict[str, set[str]] = {}
    for key, thing in every_thing:
        kinds.setdefault(thing["id"], set()).add(alike.get(key, key))
        if key == "phones":
            numbers.setdefault(thing["id"], set()).add(thing["number"])

    assert [told for told in kinds.values() if len(told) > 1] == []
    assert [told for told in numbers.values() if len(told) > 1] == []


def test_empty_values_are_left_out(every_thing: list[tuple[str, Part]]) -> None:
    values = [value for _, thing in every_thing for value in thing.values()]

    assert [value for value in values if value in (None, "", [], {})] == []


def test_each_list_comes_in_the_envelope(client: TestClient) -> None:
    for kind in LISTS:
        told = get(client, f"/{kind}")

        assert list(told) == ENVELOPE
        assert told["total_items"] == told["size"] == len(told["contents"]) > 0
        assert (told["total_pages"], told["page_number"]) == (1, 1)
        assert (told["first_page"], told["last_page"], told["empty"]) == (True, True, False)


@for_each("per_page", [1, 2, 5, 100])
def test_the_pages_together_are_the_list(client: TestClient, per_page: int) -> None:
    for kind in LISTS:
        entries = listed(client, kind)
        pages = [get(client, f"/{kind}?page=1&per_page={per_page}")]
        while not pages[-1]["last_page"]:
            pages.append(get(client, f"/{kind}?page={len(pages) + 1}&per_page={per_page}"))

        assert [entry for page in pages for entry in page["contents"]] == entries
        assert {page["total_pages"] for page in pages} == {len(pages)}
        assert [page["page_number"] for page in pages] == list(range(1, len(pages) + 1))
        assert [page["size"] for page in pages] == [len(page["contents"]) for page in pages]
        assert [page["first_page"] for page in pages] == [True, *([False] * (len(pages) - 1))]


def test_a_page_beyond_the_last_is_empty(client: TestClient) -> None:
    told = get(client, "/services?page=99")

    assert told["contents"] == []
    assert (told["size"], told["empty"], told["last_page"], told["first_page"]) == (0, True, True, False)
    assert told["total_items"] > 0


def test_a_list_has_only_what_there_is_one_of(client: TestClient) -> None:
    entries = [entry for kind in ("services", "service_at_locations") for entry in listed(client, kind)]

    assert [told for key, thing in things("", entries) for told in thing.values() if isinstance(told, list)] == []


def test_the_duty_team_has_its_numbers_its_form_and_the_council(client: TestClient) -> None:
    team = named(client, "Duty and Assessment Team")

    assert [phone["number"] for phone in team["contacts"][0]["phones"]] == ["+441225396312", "+441225396313"]
    assert team["url"] == "https://www.bathnes.gov.uk/services/children-young-people-and-families/child-protection"
    assert team["status"] == "active"
    assert team["organization"]["name"] == "Bath & North East Somerset Council"
    assert team["organization"]["organization_identifiers"][0]["identifier"] == "E06000022"


def test_trap_a_service_has_no_phones_so_its_description_has_the_numbers(
    client: TestClient,
) -> None:
    for service in whole(client, "services"):
        assert "phones" not in service
        for contact in service.get("contacts", []):
            assert [
                phone["number"] for phone in contact["phones"] if phone["number"] not in service["description"]
            ] == []


def test_trap_what_to_press_is_described_and_is_no_extension(client: TestClient) -> None:
    phones = named(client, "Duty and Assessment Team")["contacts"][0]["phones"]

    assert [phone["description"] for phone in phones] == ["Option 1", "Option 1"]
    assert [phone for phone in phones if "extension" in phone] == []


def test_trap_a_service_at_a_location_is_a_service_too(client: TestClient) -> None:
    for told in whole(client, "service_at_locations"):
        assert told["name"] == told["service"]["name"]
        assert told["status"] == told["service"]["status"]
        assert told["organization_id"] == told["service"]["organization_id"]
        assert told["location"]["id"] == told["location_id"]
        assert told["service"]["id"] == told["service_id"]


def test_trap_one_address_per_service_makes_the_procedures_a_second_service(client: TestClient) -> None:
    guide = [service["name"] for service in listed(client, "services", "&search=edition")]
    procedures = named(client, "LSCB multi-agency policy and procedures")

    assert guide == ["Duty and Assessment Team", "LSCB multi-agency policy and procedures"]
    assert procedures["url"].endswith("/4-lscb-multi-agency-policy-and-procedures")
    assert "contacts" not in procedures


def test_trap_no_list_is_empty(client: TestClient) -> None:
    assert [kind for kind in LISTS if not listed(client, kind)] == []


def test_each_signpost_is_a_service_of_its_own_organization(client: TestClient) -> None:
    signposts = client.get("/v1/signposts").json()["signposts"]
    services = [service for service in listed(client, "services") if "edition" not in service["description"]]

    assert [service["name"] for service in services] == [signpost["name"] for signpost in signposts]
    assert len({service["organization_id"] for service in services}) == len(signposts)
    assert "Telephone: 999." in services[0]["description"]


def test_every_location_is_virtual(every_thing: list[tuple[str, Part]]) -> None:
    locations = [thing for key, thing in every_thing if key == "location"]

    assert {location["location_type"] for location in locations} == {"virtual"}


def test_every_id_that_is_named_leads_to_what_it_names(client: TestClient) -> None:
    services = {service["id"]: service for service in whole(client, "services")}
    terms = {term["id"] for term in listed(client, "taxonomy_terms")}
    taxonomies = {taxonomy["id"] for taxonomy in listed(client, "taxonomies")}
    links = {link["id"] for link in listed(client, "service_at_locations")}

    for service in services.values():
        assert service["organization"]["id"] == service["organization_id"]
        assert {link["id"] for link in service["service_at_locations"]} <= links
        assert all(link["service_id"] == service["id"] for link in service["service_at_locations"])
        for attribute in service.get("attributes", []):
            assert attribute["link_id"] == service["id"]
            assert attribute["taxonomy_term_id"] == attribute["taxonomy_term"]["id"]
            assert attribute["taxonomy_term_id"] in terms
    assert {term["taxonomy_id"] for term in listed(client, "taxonomy_terms")} == taxonomies
    assert {link["service_id"] for link in listed(client, "service_at_locations")} == set(services)


def test_every_address_of_this_service_leads_somewhere(client: TestClient, settings: Settings) -> None:
    addresses = [get(client, "")["openapi_url"], *(term["term_uri"] for term in listed(client, "taxonomy_terms"))]

    assert [url for url in addresses if client.get(url.removeprefix(settings.public_url)).status_code != 200] == []


def test_the_terms_are_the_subject_and_the_linked_risks(client: TestClient) -> None:
    risks = client.get(f"{GUIDE}/linked-risks").json()["linked_risks"]

    names = [term["name"] for term in listed(client, "taxonomy_terms")]

    assert names == ["Child sexual exploitation", *(risk["text"] for risk in risks)]


def test_filters_are_all_to_be_met(client: TestClient) -> None:
    taxonomy = listed(client, "taxonomies")[0]["id"]
    term = listed(client, "taxonomy_terms")[0]["id"]

    for kind in ("services", "service_at_locations"):
        by_term = listed(client, kind, f"&taxonomy_term_id={term}")
        assert len(by_term) == 2
        assert by_term == listed(client, kind, f"&taxonomy_id={taxonomy}") != listed(client, kind)
        assert by_term == listed(client, kind, f"&taxonomy_id={taxonomy}&taxonomy_term_id={term.upper()}")
        assert len(listed(client, kind, f"&taxonomy_term_id={term}&search=PROCEDURES policy")) == 1
        assert listed(client, kind, f"&taxonomy_term_id={term}&search=childline") == []
        assert listed(client, kind, f"&taxonomy_term_id={taxonomy}") == []
        assert listed(client, kind, f"&taxonomy_id={term}") == []
        assert listed(client, kind, "&taxonomy_term_id=another-directory:1") == []
        assert listed(client, kind, "&search=&taxonomy_id=") == listed(client, kind)


def test_filters_without_data_leave_nothing_out(client: TestClient) -> None:
    query = "&day=MO&minimum_age=11&postcode=BA1+1AA&proximity=500&full=true&colour=blue&colour=red"

    assert listed(client, "services", query) == listed(client, "services")
    assert client.get(f"{STUB}?colour=blue").status_code == 200
    assert client.get("/v1/signposts?colour=blue").status_code == 400


def test_a_page_that_cannot_be_is_refused(client: TestClient) -> None:
    for query in ("page=0", "page=-1", "page=one", "per_page=0", "per_page=1001", "page=1&page=2"):
        answer = client.get(f"{STUB}/services?{query}")

        assert answer.status_code == 400, query
        assert answer.headers["Content-Type"] == "application/problem+json"


@for_each("wanted", [NOWHERE, "1", "duty-and-assessment-team", "%00"])
def test_an_unknown_or_malformed_id_is_not_found(client: TestClient, wanted: str) -> None:
    for kind in LISTS:
        answer = client.get(f"{STUB}/{kind}/{wanted}")

        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://finder.example"}])
def test_every_answer_may_be_read_from_every_origin(client: TestClient, headers: dict[str, str]) -> None:
    for method, path, status in (
        ("GET", "", 200),
        ("HEAD", "/services", 200),
        ("GET", "/services?page=x", 400),
        ("GET", "/organizations", 404),
        ("POST", "/services", 405),
        ("OPTIONS", "/services", 204),
    ):
        answer = client.request(method, STUB + path, headers=headers)

        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_defect_may_be_read_from_every_origin(own: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_referral, "read_directory", None)

    answer = own.get(f"{STUB}/services")

    assert answer.status_code == 500
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_is_answered(client: TestClient) -> None:
    headers = {"Origin": "https://finder.example", "Access-Control-Request-Method": "GET"}

    answer = client.options(f"{STUB}/services", headers=headers)

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.slow
def test_an_answer_is_cached_and_checked_again_by_its_etag(client: TestClient) -> None:
    for path in ("", "/openapi.json", *(f"/{kind}" for kind in LISTS)):
        first = client.get(STUB + path)

        again = client.get(STUB + path, headers={"If-None-Match": first.headers["ETag"]})

        assert again.status_code == 304
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Control"] == "public, max-age=60, stale-while-revalidate=600, stale-if-error=604800"
        assert again.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.nightly
def test_the_stub_document_is_valid_openapi(client: TestClient) -> None:
    validate_openapi(get(client, "/openapi.json"))


def test_the_stub_document_describes_the_nine_endpoints_and_its_address(client: TestClient) -> None:
    document = get(client, "/openapi.json")

    ones = {f"/{kind}{below}" for kind in LISTS for below in ("", "/{id}")}
    assert set(document["paths"]) == {"/", *ones}
    assert document["servers"][0]["url"] == "http://127.0.0.1:8000/open-referral/v3"


def test_ids_stay_when_the_next_edition_is_published(own: TestClient, service: FastAPI) -> None:
    before = {thing["id"] for _, thing in all_things(own)}
    contacts = seed_contacts()
    contacts[0] |= {"name": "Duty Team", "when": "In office hours"}

    publish_next(service, contacts=contacts, change_note="Another name.")

    assert named(own, "Duty Team")["description"].startswith("Duty Team, named in ‘One Minute Guide’ to Child")
    assert "edition 2. In office hours. Telephone:" in named(own, "Duty Team")["description"]
    assert {thing["id"] for _, thing in all_things(own)} == before


def test_a_contact_that_an_edition_leaves_out_is_gone(own: TestClient, service: FastAPI) -> None:
    procedures = named(own, "LSCB multi-agency policy and procedures")

    publish_next(service, contacts=seed_contacts()[:2], change_note="Without the procedures.")

    assert own.get(f"{STUB}/services/{procedures['id']}").status_code == 404
    assert procedures["id"] not in {entry["id"] for entry in listed(own, "services")}


def test_a_guide_without_a_current_edition_leaves_the_signposts(own: TestClient) -> None:
    before = listed(own, "services")
    headers = a_key(own, Scope.PUBLISH)
    own.post(f"{GUIDE}/editions/1/withdrawal", json={"reason": "A test."}, headers=headers)

    assert listed(own, "services") == before[2:]
    assert listed(own, "taxonomy_terms") == []


def test_several_guides_share_their_publisher_and_the_terms_that_both_name(own: TestClient, service: FastAPI) -> None:
    publish_next(service, guide="modern-day-slavery", title="Slavery", change_note="A test's second guide.")

    teams = [entry for entry in whole(own, "services") if entry["name"] == "Duty and Assessment Team"]
    terms = listed(own, "taxonomy_terms")
    assert len({team["id"] for team in teams}) == 2
    assert len({team["organization_id"] for team in teams}) == 1
    assert teams[0]["organization"]["description"].endswith("(CSE); Slavery.")
    assert len({term["id"] for term in terms}) == len(terms) == 7
    assert [term["name"] for term in terms][:2] == ["Child sexual exploitation", "Modern day slavery"]


def test_details_that_nobody_has_checked_say_so(client: TestClient) -> None:
    for entry in listed(client, "services"):
        assert entry["description"].endswith("Nobody has checked these details yet.")
        assert "assured_date" not in entry


def test_checked_details_give_the_oldest_day_of_their_checks(own: TestClient, service: FastAPI) -> None:
    contacts = seed_contacts()
    contacts[0]["verified_on"], contacts[1]["verified_on"] = "2026-11-20", "2026-11-02"

    publish_next(service, contacts=contacts, change_note="Two contacts were checked.")

    team, procedures, *_ = listed(own, "services")
    assert team["assured_date"] == "2026-11-02"
    assert team["description"].endswith("A person checked these details on 2026-11-02.")
    assert "assured_date" not in procedures


def test_a_team_whose_form_was_not_checked_has_not_been_checked(own: TestClient, service: FastAPI) -> None:
    contacts = seed_contacts()
    contacts[0]["verified_on"] = "2026-11-20"

    publish_next(service, contacts=contacts, change_note="One contact was checked.")

    assert "assured_date" not in listed(own, "services")[0]


def test_a_number_with_its_own_address_takes_no_other(own: TestClient, service: FastAPI) -> None:
    contacts = seed_contacts()
    contacts[0]["url"] = "https://team.example/a page"

    publish_next(service, contacts=contacts, change_note="The team has a page.")

    urls = {entry["name"]: entry["url"] for entry in listed(own, "services", "&search=edition")}
    assert urls["Duty and Assessment Team"] == "https://team.example/a%20page"
    assert list(urls) == [Contact.model_validate(contact).name for contact in contacts]


def test_the_edition_s_date_is_told_to_the_millisecond(client: TestClient) -> None:
    told = listed(client, "services")[0]["last_modified"]

    assert told == A_TUESDAY.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.skipif(not Path(SCHEMAS or "-").is_dir(), reason="OPEN_REFERRAL_SCHEMAS names no folder of JSON Schemas")
def test_every_answer_fits_the_schemas_of_the_profile(client: TestClient) -> None:
    validators = {
        name: Draft202012Validator(json.loads((Path(SCHEMAS) / f"{name}.json").read_text()), validate_formats=True)
        for name in ("service", "service_list", "service_at_location_list", "taxonomy", "taxonomy_term")
    }

    faults = [
        f"{kind}: {error.instance_path}: {error.message}"
        for kind, (short, long) in LISTS.items()
        for name, entries in ((short, listed(client, kind)), (long, whole(client, kind)))
        for entry in entries
        for error in validators[name].iter_errors(entry)
    ]

    assert faults == []
