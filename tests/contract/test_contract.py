"""The contract: requests of every kind, good and bad, get only the answers that the OpenAPI document promises.

Schemathesis derives the requests from the document, the same ones in every run, and holds each answer against it: no
5xx, no status, media type, header or body that is not documented, bad data refused, good data accepted, and nothing
given without the token that the document asks for. It runs in four phases, each a test of its own.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.context import AppContext
from app.models.access.clients import Scope as ClientScope
from app.models.concerns.examples import FULL_EXAMPLE
from app.models.guides.editions import EDITION_EXAMPLE
from app.services.access.clients import add_client
from docs_site.api import resolved
from tests.support.concerns import raise_concern
from tests.support.drafts import SEED_GUIDE
from tests.support.exploring import ACCEPTED, REFUSALS, REJECTED, WITHDRAWAL
from tests.support.loops import by_day
from tests.support.openapi import Operation, call, examples_of, faults_against, operations, registry_of
from tests.support.publishing import publish_next

pytestmark = [pytest.mark.slow, pytest.mark.any_database]  # processes, browsers or long work

# The least number of answers of each phase: fewer would mean that it no longer tests what it did.
PHASES = {
    "examples": 80,  # the examples of the document
    "coverage": 2500,  # every boundary of every parameter and field, one at a time
    "fuzzing": 150,  # whole requests, drawn at large
    "stateful": 20,  # chains of requests, where one answer feeds the next
}
DRAWN = 5
"""How many requests of an operation, or chains of them, are drawn."""
LEFT_OUT = {
    # Their bodies are made of the same parts as that of /v1/concerns/check, whose 2,500 boundaries take half a minute.
    "coverage": ["/v1/concerns", "/v1/concerns/{reference}/additions"],
    "fuzzing": ["/v1/concerns/check"],  # its body is that of /v1/concerns
}
SCHEMES = ("ClientKey", "StatusToken")
SECOND = 2  # the only edition that is withdrawn, so that there is always a current one

# The reasons to refuse a request although each of its values fits the schema. Anything else that is told to a caller
# with good data is a defect: of the schema, which promised too much, or of the service.
BEYOND_ANY_SCHEMA = [
    r"A test needs a test key, .*",
    r"Nothing was stored: with a test key, a concern must say `\"test\": true`\. .*",
    r"A simulated outcome needs a test key\.",
    # ids, codes, numbers and cursors are right or wrong by what is kept here
    r"This is not a code of the list [a-z-]+\. GET /v1/code-lists/[a-z-]+ gives the codes\.",
    r"The edition has no item with this id among its [a-z ]+\.",
    r"There is no guide with this name\. GET /v1/guides lists the guides\.",
    r"The guide has no edition with this number\.",
    r"Edition 1 has none before it\. Name one to compare with: since=2\.",
    r"This service did not issue that cursor\.",
    r"This Idempotency-Key was used for different content\. Use a new key for new content\.",
    r"Send If-Match with the ETag of the current edition, .*",
    r"The ETag in If-Match does not match the current edition\. .*",
    r"The concern has no addition with that number\.",
    r"This burst has no concern with that reference\.",
    r"Write this number without a fraction or an exponent\.",
    r"Send If-Match with the ETag of the draft you read, .*",
    r"The ETag in If-Match does not match the draft\. .*",
    r"`follows` must be the number of the last edition, .*",
    r"The caller wrote part of this draft\. .*",
    # what the check says of a draft, which may be saved with faults
    r"(the file|The file|Indicator|Contact|Factor|Definition|Caution|Linked risk|Responsibility|`).*",
    r"This is not an age recipient \(age1\.\.\.\)\.",
    r"these are not the current keys of this service: encrypt it again to the current keys",
    r"The ETag in If-Match does not match the assignment\. .*",
    r"The edition has no (item|limb) (of|with) this (id|label)\.",
    r"The edition has no text here\.",
    r"No such picture is stored here\.",
    r"The stored picture has [0-9]+ by [0-9]+ pixels\.",
    r"This item has another picture\.",
    r"This is not the digest of that edition: .*",
    r"This edition was withdrawn, so it cannot have new renditions\.",
    r".*[Mm]ust be the tag of a known language \(BCP 47\), .*",
    # two values that fit one by one, and not together
    r"Give either `(submission|addition)` or `sealed`\.",
    r"Must be a reference with a correct check character\.",
    r"Must (not be in the future|be within the last 90 days: .*)\.",
    r"Ask whether a child is in immediate danger, and give the answer\.",
    r"Give `reference` and `form_version` with `sealed`\.",
    r"Give `.*` only with `sealed`\.",
    r"A worker writes down no tests: .*",
    r"This is not such a text, encrypted to those keys, .*",
    r"This reference is in use: choose another\.",
    r"A rendition in simple words, and no other, has a tag that ends in `-simple`: `en-GB-simple`\.",
    r"Only a rendition in simple words has pictures\.",
    r"A film in British Sign Language, and nothing else, has the tag `bfi`\.",
    r"The guide itself is in English, so this is no translation\.",
    r"Name the program that made it\.",
    r"Give both `checked_by` and `checked_on`, or neither\.",
    r"Only large print, a film or a recording has a link\.",
    r"Large print, a film or a recording (needs its link|has no words of its own)\.",
    r"This id occurs twice in the list\.",
    r"`opens` must be before `closes`\.",
    r"A telephone contact needs at least one number in `phones`\.",
    r"`cautions` needs an entry, since there are factors or indicators\.",
    r"An email contact needs an `email`\.",
    r"A contact to visit or write to needs an `address`\.",
    r"It has never been assigned\. Your change was not made\. The attempt is recorded\.",
    r"It is assigned to .* Your change was not made\. The attempt is recorded\.",
    r"Give either `text` or `sealed`\.",
    r"Give `recipients` if, and only if, you give `sealed`\.",
    r"These are not the current keys of this service: encrypt it again to the current keys\.",
    r"This is not a note about this concern encrypted to those keys\.",
    r"Give one of `?assigned_to`?, `?mine`? and `?unassigned`?\.",
    r"`position` must run 1, 2, 3 \.\.\. in the order of the items\.",
    r"Every `id` in a section must be different\.",
    r"This `id` occurs twice: combine the entries\.",
    r"A phone contact needs at least one number in `phones`\.",
    r"A web contact needs a `url`\.",
    r"This is neither the reference of a concern nor a list: .*",
    r"No concern has this reference\.",
    r"The audit log has nobody of this name\.",
    r"This day is before the first day\.",
    # notations that have no format in JSON Schema
    r"as_of must be a date such as 2026-11-24, or a time with its zone, such as 2026-11-24T09:30:00Z\.",
    r"Accept-Datetime must be an HTTP date, such as Tue, 24 Nov 2026 09:30:00 GMT\.",
    r"Use a time such as 2026-11-24T09:30:00Z\.",
    r"Must be a date such as 2026-11-24, 2026-11 or 2026; put other text beside it\.",  # 2026-02-30 fits the pattern
    r"Give at least four valid characters of a reference\.",
    r"Must be a file of the age format, in base64\.",
    r"Must contain text\.",
    r"Must be printable text without leading or trailing spaces\.",
    r"Enter a whole number\.",  # 14.0 is an integer to JSON Schema, and not to a reader
    r"The body contains a NUL character or a lone surrogate, which cannot be stored\.",
    r"A query parameter contains a NUL character\.",
]


def started(service: FastAPI) -> ASGIApp:
    """The service as a fixture has started it; Schemathesis would start it again."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await service(scope, receive, send)
            return
        for happening in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{happening}.complete"})

    return serve


def scenarios(service: FastAPI, phase: str, tokens: dict[str, str]) -> Iterator[events.ScenarioFinished]:
    """The result of each scenario of the phase, over the whole document."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "continue-on-failure": True,
            "generation": {"deterministic": True, "database": "none", "max-examples": DRAWN, "no-shrink": True},
            "phases": {name: {"enabled": name == phase} for name in PHASES},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ACCEPTED},
                "negative_data_rejection": {"expected-statuses": REJECTED},
            },
            "auth": {"openapi": {scheme: {"bearer": token} for scheme, token in tokens.items() if scheme in SCHEMES}},
            "operations": [
                *({"include-path": path, "enabled": False} for path in LEFT_OUT.get(phase, [])),
                {"include-path": WITHDRAWAL, "parameters": {"number": SECOND}},
            ],
        }
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", started(service), config=config)
    for event in from_schema(schema).execute():
        assert not isinstance(event, events.FatalError | events.NonFatalError), event
        if isinstance(event, events.ScenarioFinished):
            yield event


def faults(scenario: events.ScenarioFinished) -> Iterator[str]:
    """Every answer that broke a check, with the request that got it."""
    for checks in scenario.recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                yield f"{check.name}: {check.failure_info.failure.message}\n{check.failure_info.code_sample}"


def refusals_of_good_data(scenario: events.ScenarioFinished) -> Iterator[str]:
    """The answer to a caller whose data fits its schema and was refused all the same."""
    for case_id, node in scenario.recorder.cases.items():
        told, meta = scenario.recorder.interactions.get(case_id), node.value.meta
        if told is None or told.response is None or meta is None or meta.generation.mode.is_negative:
            continue
        if told.response.status_code in REFUSALS:
            problem = json.loads(told.response.content)
            yield from (fault["detail"] for fault in problem.get("errors", [problem]))


@pytest.fixture
def tokens(service: FastAPI, client: TestClient) -> dict[str, str]:
    """A token for each security scheme of the document; there are two editions, and a concern with an addition."""
    context: AppContext = service.state.context
    publish_next(service, change_note="The second edition.")
    key = add_client(context.writer, name="contract", scopes=ClientScope, at=context.clock())
    receipt = raise_concern(client, **FULL_EXAMPLE)
    status_token, reference = receipt["status_token"], receipt["reference"]
    addition = {"immediate_danger": "no", "concern": {"narrative": "Alex Example is home."}}
    added = client.post(
        f"/v1/concerns/{reference}/additions", json=addition, headers={"Authorization": f"Bearer {status_token}"}
    )
    assert added.status_code == 201
    desk = {"Authorization": f"Bearer {key}"}
    for path, body in (("notes", {"text": "A made-up note."}), ("messages", {"text": "Which school?"})):
        assert client.post(f"/v1/desk/concerns/{reference}/{path}", json=body, headers=desk).is_success
    label = {"text": "A made-up label"}
    assert client.put(f"/v1/desk/concerns/{reference}/label", json=label, headers=desk).is_success
    editor = {"Authorization": f"Bearer {add_client(context.writer, 'editor', ClientScope, at=context.clock())}"}
    draft = f"/v1/guides/{SEED_GUIDE}/draft"
    assert client.put(draft, json=EDITION_EXAMPLE, headers=editor).status_code == 201
    return {"ClientKey": key, "StatusToken": status_token, "reference": reference}


@pytest.mark.parametrize("phase", by_day(PHASES, ["examples"]))
def test_every_answer_is_one_that_the_document_promises(
    service: FastAPI, tokens: dict[str, str], phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.routers.events.events.WAIT_UNIT_SECONDS", 0.0)  # nobody waits here for an event
    broken: list[str] = []
    refused: set[str] = set()
    answers = 0
    for scenario in scenarios(service, phase, tokens):
        broken += faults(scenario)
        refused |= set(refusals_of_good_data(scenario))
        answers += len(scenario.recorder.interactions)

    assert broken == []
    unknown = [told for told in refused if not any(re.fullmatch(known, told) for known in BEYOND_ANY_SCHEMA)]
    assert unknown == [], "\n".join(unknown)
    assert answers >= PHASES[phase]


def reads(document: dict[str, Any]) -> Iterator[Operation]:
    return (told for told in operations(document) if told.method == "get")


def known_of(told: Operation, tokens: dict[str, str]) -> dict[str, str]:
    """The input of the operation: the kept concern, and the second edition, which has one before it."""
    number = {"number": str(SECOND)} if told.path.startswith("/v1/guides/{guide}/editions/") else {}
    token = {"token": tokens[told.scheme]} if told.scheme else {}
    return {"reference": tokens["reference"]} | token | number


def test_every_read_answers_as_documented_with_every_example_of_a_parameter(
    service: FastAPI, client: TestClient, tokens: dict[str, str]
) -> None:
    document = service.openapi()
    schemas = registry_of(resolved(document))
    for told in reads(document):
        content, known = told.definition["responses"]["200"]["content"], known_of(told, tokens)
        parameters = [each for each in told.definition.get("parameters", []) if each["name"] not in known]

        answer = call(client, told, known)  # with the first example of each parameter that is required
        for parameter in parameters:
            for example in examples_of(parameter)[parameter["required"] :]:
                call(client, told, known, also=(parameter, example))

        media_type = answer.headers["content-type"].partition(";")[0]
        assert media_type in content, told.id
        if media_type.endswith("json"):
            schema = ("paths", told.path, "get", "responses", "200", "content", media_type, "schema")
            assert faults_against(schemas, schema, answer.json()) == []
