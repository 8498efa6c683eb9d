"""Callers of the released version are not broken: its document is compared, and its examples are sent again."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.concerns.receipts import Receipt
from app.models.events.tables import EventKind
from app.services.concerns.receipt_signing import check_receipt
from docs_site.api import resolved
from tests.support.compatibility import breaks
from tests.support.openapi import Part, faults_against

pytestmark = pytest.mark.slow

RELEASED = Path(__file__).parent / "released"
LAST = "0.1.0"
EXPLAINED = {
    # a body has 10,000 values at most, so an edition could hardly have more; the guide's longest list has eleven items
    r".*: (maxItems|maximum) is (500|500\.0|1000000|1000000\.0), and was None": "bounds that are now said",
    r".*: maxLength is (9|16|20|40|64), and was None": "the pattern allowed no more",
    r"post /v1/guides/\{guide\}/editions if-match: maxLength is 1000, and was None": "an ETag has 34 characters",
    # decision 44: a guide that was never printed has no source, and a school or a partnership has no code of an area
    r"get /v1/guides/\{guide\}.* 200 application/json/(source|publisher/gss_code): is null, and was (object|string)": (
        "guides that were never printed"
    ),
    # decision 39: other forms are operations of their own paths; `Accept` leads there as before
    r"get /v1/guides/\{guide\}.* 200: text/(csv|markdown) is gone": "each form has an operation of its own",
}


@pytest.fixture(scope="module")
def released() -> Part:
    document: Part = json.loads((RELEASED / f"{LAST}.json").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def examples() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RELEASED / f"{LAST}-examples.json").read_text(encoding="utf-8"))
    return found


def unexplained(old: Part, new: Part) -> list[str]:
    return [line for line in breaks(old, new) if not any(re.fullmatch(known, line) for known in EXPLAINED)]


def test_nothing_in_the_document_breaks_a_caller_of_the_last_release(service: FastAPI, released: Part) -> None:
    assert unexplained(released, resolved(service.openapi())) == []


def test_every_explanation_is_still_needed(service: FastAPI, released: Part) -> None:
    found = list(breaks(released, resolved(service.openapi())))

    assert [known for known in EXPLAINED if not any(re.fullmatch(known, line) for line in found)] == []


def _schema(document: Part, name: str) -> Part:
    schema: Part = document["components"]["schemas"][name]
    return schema


BREAKS: dict[str, tuple[Callable[[Part], Any], str]] = {
    "a path is gone": (lambda new: new["paths"].pop("/v1/search"), "get /v1/search: is gone"),
    "a section is gone": (
        lambda new: (
            [new["paths"].pop(path) for path in list(new["paths"]) if "/factors" in path and "{guide}" in path]
            and new["paths"].pop("/v1/factors")
        ),
        "get /v1/factors: is gone",
    ),
    "a member of an answer is gone": (
        lambda new: _schema(new, "Receipt")["properties"].pop("status_token"),
        "status_token: is gone",
    ),
    "a member of an answer may be absent": (
        lambda new: _schema(new, "Receipt")["required"].remove("status_token"),
        "status_token: may be absent",
    ),
    "a member of an answer has another type": (
        lambda new: _schema(new, "Receipt")["properties"]["edition"].update(type="string"),
        "edition: is string, and was integer",
    ),
    "a member of a concern is required": (
        lambda new: _schema(new, "Concern")["required"].append("guide"),
        "is required",
    ),
    "a member of a concern is gone": (
        lambda new: _schema(new, "Concern")["properties"].pop("others"),
        "others: is gone",
    ),
    "a value is accepted no more": (
        lambda new: _schema(new, "ImmediateDanger")["enum"].remove("not_sure"),
        "accepts fewer values",
    ),
    "a text must be shorter": (
        lambda new: _schema(new, "ConcernDetail")["properties"]["narrative"].update(maxLength=10),
        "maxLength is 10, and was 50000",
    ),
    "a parameter is gone": (
        lambda new: new["paths"]["/v1/guides"]["get"]["parameters"].clear(),
        "the parameter limit is gone",
    ),
    "a parameter is required": (
        lambda new: new["paths"]["/v1/guides"]["get"]["parameters"][0].update(required=True),
        "is required",
    ),
    "a status is gone": (
        lambda new: new["paths"]["/v1/concerns"]["post"]["responses"].pop("201"),
        "post /v1/concerns 201: is gone",
    ),
    "a read needs a key": (
        lambda new: new["paths"]["/v1/guides"]["get"].update(security=[{"ClientKey": []}]),
        "needs other credentials",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_would_be_found(service: FastAPI, released: Part, name: str) -> None:
    make, expected = BREAKS[name]
    broken = copy.deepcopy(resolved(service.openapi()))
    make(broken)

    assert [line for line in unexplained(released, broken) if expected in line] != []


def test_every_concern_of_the_released_version_is_accepted(client: TestClient, examples: dict[str, Any]) -> None:
    for concern in examples["concerns"]:
        assert client.post("/v1/concerns/check", json=concern).status_code == 200
        assert client.post("/v1/concerns", json=concern).status_code == 201


def test_a_receipt_of_the_released_version_is_read_and_checked(examples: dict[str, Any]) -> None:
    receipt = Receipt.model_validate(examples["receipt"])

    claims = check_receipt(receipt.receipt, examples["jwks"])
    assert (claims["jti"], claims["guide"]) == (receipt.reference, receipt.guide)


def test_an_event_of_the_released_version_has_members_that_are_still_described(
    service: FastAPI, examples: dict[str, Any]
) -> None:
    document = resolved(service.openapi())
    assert {event["type"] for event in examples["events"]} <= set(EventKind)
    for event in examples["events"]:
        at = ("webhooks", event["type"], "post", "requestBody", "content", "application/json", "schema")
        assert faults_against(document, at, {"id": "new since then"} | event) == []
