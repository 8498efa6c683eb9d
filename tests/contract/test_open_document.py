"""The document is open where answers may grow, strict where requests are read, and says every bound of the code."""

import datetime as dt
import re

import pytest
from fastapi import FastAPI
from jsonschema_rs import Draft202012Validator, meta
from starlette.testclient import TestClient

from app.extensions.editing.services.draft_review import offer_draft, return_draft
from app.extensions.editing.services.drafts import DraftAct, write_guide_draft
from app.http.openapi import EXTENSIBLE_ENUM, TAGS
from app.models.access.clients import Scope
from app.models.concerns.examples import FULL_EXAMPLE
from app.models.concerns.form import concern_form
from app.models.events.rows import EventKind
from app.models.guides.sections import Section
from app.services.concerns.deadlines import append_due_soon_events, append_overdue_events
from app.services.desk.file_requests import append_file_events
from docs_site.api import resolved
from tests.support.clock import SettableClock
from tests.support.concerns import raise_concern, token_of
from tests.support.desk import Desk, ask_for_file
from tests.support.openapi import Part, faults_against, operations, registry_of, schemas_in, shown_by_answers
from tests.support.publishing import SLUG, a_key, content_of, publish_next, withdraw
from tests.support.renditions import withdraw_a_rendition
from tests.support.service import a_service

pytestmark = pytest.mark.slow

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
OWN = {
    "openid_issuer": "https://login.council.example/tenant/",
    "openid_audience": "guidance",
    "openid_jwks_url": "https://login.council.example/keys",
    "anonymous_concerns": False,
    "public_url": "https://guidance.council.example",
    "council_name": "Example Council",
}
"""The settings that change the document."""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Part:
    return resolved(a_service(data_dir=tmp_path_factory.mktemp("open")).openapi())


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Part:
    return a_service(data_dir=tmp_path_factory.mktemp("own"), **OWN).openapi()


def answered(document: Part) -> list[tuple[str, Part]]:
    """Return every schema of an answer, and of what is pushed."""
    places = [told.definition["responses"] for told in operations(document)]
    return list(schemas_in([*places, document["webhooks"]], document, set()))


def taken(document: Part) -> list[tuple[str, Part]]:
    """Return every schema of a body or a parameter that callers send."""
    places = [told.definition.get(part) for told in operations(document) for part in ("parameters", "requestBody")]
    return list(schemas_in(places, document, set()))


def test_no_answer_forbids_new_members_or_new_values(document: Part) -> None:
    closed = [
        (at, schema)
        for at, schema in answered(document)
        if schema.get("additionalProperties") is False or {"enum", "const"} & set(schema)
    ]

    assert len(answered(document)) > 500
    assert closed == []


def test_the_known_values_of_an_answer_are_named(document: Part) -> None:
    assert document["components"]["schemas"]["ConcernState"][EXTENSIBLE_ENUM] == ["received", "acknowledged", "closed"]


def test_every_list_with_pages_has_links(document: Part) -> None:
    pages = {
        name: each["properties"] for name, each in document["components"]["schemas"].items() if "properties" in each
    }
    paged = {name: fields for name, fields in pages.items() if "next_cursor" in fields}

    assert len(paged) > 12
    assert [name for name, fields in paged.items() if "links" not in fields] == []


def test_every_body_is_strict(document: Part) -> None:
    loose = [
        at
        for at, schema in taken(document)
        if "properties" in schema and schema.get("additionalProperties") is not False
    ]

    assert loose == []
    assert document["components"]["schemas"]["ConcernStateInput"]["enum"] == ["received", "acknowledged", "closed"]


def test_every_moment_has_its_format(document: Part) -> None:
    every = [(at, schema, schema.get("examples", ())) for at, schema in taken(document)]
    every += [(at, schema, [value]) for at, schema, value in shown_by_answers(document)]
    moments = [(at, schema) for at, schema, shown in every if any(MOMENT.fullmatch(str(each)) for each in shown)]
    schemas = document["components"]["schemas"]
    plain = [
        at
        for at, schema in moments
        if "date-time" not in str([schema, schemas.get(schema.get("$ref", "").rpartition("/")[2])])
    ]

    assert len(moments) > 20
    assert plain == []


def test_no_list_that_may_be_null_has_a_default(document: Part) -> None:
    assert [at for at, schema in taken(document) if "anyOf" in schema and schema.get("default") == []] == []


def is_bounded(schema: Part) -> bool:
    """Return True if the schema says where its longest, highest or largest value ends."""
    match schema.get("type"):
        case "string":
            return bool({"maxLength", "enum", "const"} & set(schema)) or schema.get("format") in ("date", "uuid")
        case "integer":
            return "maximum" in schema
        case "array":
            return "maxItems" in schema
    return True


def test_every_value_that_callers_send_has_a_bound(document: Part) -> None:
    assert [at for at, schema in taken(document) if not is_bounded(schema)] == []


def test_every_section_has_operations_of_its_own(document: Part) -> None:
    for base in ("/v1/guides/{guide}", "/v1/guides/{guide}/editions/{number}"):
        for section in Section:
            answer = document["paths"][f"{base}/{section.value}"]["get"]["responses"]["200"]["content"]
            item = document["paths"][f"{base}/{section.value}/{{item_id}}"]["get"]["responses"]["200"]["content"]

            for content in (answer, item):
                assert list(content) == ["application/json"]
                assert list(content["application/json"]["schema"]) == ["$ref"]


def test_every_other_form_of_a_guide_has_operations_of_its_own(document: Part) -> None:
    reads = {
        path: item["get"] for path, item in document["paths"].items() if path.startswith("/v1/guides") and "get" in item
    }
    for media_type, ending in {"text/csv": ".csv", "text/markdown": ".md", "application/pdf": ".pdf"}.items():
        described = {path for path, read in reads.items() if media_type in read["responses"]["200"]["content"]}

        assert described == {path for path in reads if path.endswith(ending)}
        assert len(described) >= 2


def test_every_operation_that_is_open_to_anyone_says_so(document: Part) -> None:
    security = {told.id: told.definition["security"] for told in operations(document)}

    assert security["read_guide"] == []
    assert security["raise_concern"] == [{"ClientKey": []}, {}]
    assert security["read_inbox"] == [{"ClientKey": ["concerns:read"]}]


def test_the_document_requires_a_key_if_nobody_may_be_anonymous(own: Part) -> None:
    assert own["paths"]["/v1/concerns"]["post"]["security"] == [{"ClientKey": []}, {"OpenID": []}]


def test_the_document_names_the_token_provider_if_one_is_set(own: Part) -> None:
    assert own["components"]["securitySchemes"]["OpenID"]["openIdConnectUrl"] == (
        "https://login.council.example/tenant/.well-known/openid-configuration"
    )
    assert own["paths"]["/v1/desk/summary"]["get"]["security"] == [
        {"ClientKey": ["concerns:read"]},
        {"OpenID": ["concerns:read"]},
    ]


def test_the_server_and_the_contact_are_those_of_the_settings(own: Part) -> None:
    assert [server["url"] for server in own["servers"]] == ["https://guidance.council.example"]
    assert own["info"]["contact"] == {"name": "Example Council", "url": "https://guidance.council.example/"}
    assert own["info"]["license"]["identifier"] == "MIT"


def test_paths_are_in_the_order_of_the_tags(document: Part) -> None:
    tags = list(TAGS)
    assert tags == [tag["name"] for tag in document["tags"]]
    places = [
        min(tags.index(operation["tags"][0]) for operation in methods.values())
        for methods in document["paths"].values()
    ]

    assert places == sorted(places)


def test_every_event_is_a_webhook_whose_schema_fits_what_happened(
    client: TestClient, service: FastAPI, clock: SettableClock, desk: Desk
) -> None:
    document = resolved(service.openapi())
    receipt = raise_concern(client)
    token = token_of(receipt)
    desk.act(receipt["reference"], "messages", text="Which school?")
    client.get(receipt["links"]["messages"], headers=token)
    client.post(f"{receipt['links']['self']}/additions", json={"concern": {"narrative": "More."}}, headers=token)
    writer = service.state.context.writer
    append_due_soon_events(writer, now=clock.time, within=dt.timedelta(days=2), limit=2)
    clock.time += dt.timedelta(days=3)
    append_overdue_events(writer, now=clock.time, limit=1)
    ask_for_file(service, due=clock.time.date())
    writer.run(append_file_events, now=clock.time)
    desk.act(receipt["reference"], "acknowledgement", up_to_addition=1)
    service.state.context.checkpoints.make(at=clock.time)
    desk.act(receipt["reference"], "outcome", outcome="early_help")
    desk.act(receipt["reference"], "reopening", reason="Closed by mistake.")
    publish_next(service, change_note="Second.")
    withdraw(service, 2)
    withdraw_a_rendition(service, "cy", 1)

    content = content_of(client) | {"change_note": "Third."}
    act = DraftAct(SLUG, "editor", clock.time)
    writer.run(write_guide_draft, act, lambda _: content)
    writer.run(offer_draft, service.state.context.reference_data, act)
    writer.run(return_draft, act, reason="Not yet.")

    events = client.get("/v1/events", headers=a_key(client, Scope.EVENTS)).json()["events"]

    assert {event["type"] for event in events} == set(EventKind) == set(document["webhooks"])
    schemas = registry_of(document)
    for event in events:
        at = ("webhooks", event["type"], "post", "requestBody", "content", "application/json", "schema")
        assert faults_against(schemas, at, event) == []


def test_the_example_of_every_webhook_fits_its_schema(document: Part) -> None:
    schemas = registry_of(document)
    for kind, methods in document["webhooks"].items():
        content = methods["post"]["requestBody"]["content"]["application/json"]
        at = ("webhooks", kind, "post", "requestBody", "content", "application/json", "schema")

        assert content["example"]["type"] == kind
        assert faults_against(schemas, at, content["example"]) == []


def test_the_form_schema_is_complete_and_includes_its_codes(client: TestClient) -> None:
    schema = client.get("/v1/concerns/form").json()["json_schema"]
    meta.validate(schema)
    validator = Draft202012Validator(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    answers = {name: value for name, value in FULL_EXAMPLE.items() if name != "test"}  # which is no question
    assert list(validator.iter_errors(answers)) == []
    unknown = answers | {"children": [{"sex": "X"}]}
    assert not validator.is_valid(unknown)


def test_the_form_version_changes_with_a_code_list(client: TestClient, service: FastAPI) -> None:
    data = service.state.context.reference_data
    lists = tuple(data.code_lists.values())
    fewer = tuple(found.model_copy(update={"codes": found.codes[:-1]}) for found in lists)

    version = client.get("/v1/concerns/form").json()["schema_version"]

    assert version == concern_form(lists, data.all_signposts).schema_version
    assert version != concern_form(fewer, data.all_signposts).schema_version
