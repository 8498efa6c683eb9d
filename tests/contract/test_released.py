"""Callers of the last release are not broken: its OpenAPI document is compared with that of this version."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from docs_site.api import resolved
from tests.support.compatibility import breaks
from tests.support.openapi import Part
from tests.support.released import DOCUMENT

pytestmark = pytest.mark.slow


@pytest.mark.skipif(not DOCUMENT.exists(), reason="nothing was released yet")
def test_nothing_in_the_document_breaks_a_caller_of_the_last_release(service: FastAPI) -> None:
    released = resolved(json.loads(DOCUMENT.read_text(encoding="utf-8")))

    assert list(breaks(released, resolved(service.openapi()))) == []


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


def test_every_kind_of_break_would_be_found(service: FastAPI) -> None:
    document = resolved(service.openapi())
    missed = {}
    for name, (make, expected) in BREAKS.items():
        broken = copy.deepcopy(document)
        make(broken)
        found = list(breaks(document, broken))
        if not any(expected in line for line in found):
            missed[name] = found

    assert missed == {}
    assert list(breaks(document, document)) == []
