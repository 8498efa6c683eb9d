"""The contract: requests of every kind, good and bad, get only the answers that the OpenAPI document promises.

Schemathesis derives the requests from the document, the same ones in every run, and holds each answer against it: no
5xx, no status, media type, header or body that is not documented, bad data refused, good data accepted, and nothing
given without the token that the document asks for.
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

from app.models.clients import Scope as ClientScope
from app.routers.parts import Parts
from app.services.clients import add_client
from tests.conftest import Concern, publish_next

PHASES = {
    "examples": "the examples of the document",
    "coverage": "every boundary of every parameter and field, one at a time",
    "fuzzing": "whole requests, drawn at large",
    "stateful": "chains of requests, where one answer feeds the next",
}
DRAWN = 10
LEFT_OUT = {
    "coverage": ["/v1/concerns"],  # its body is that of /v1/concerns/check, whose 2,500 boundaries take half a minute
    "fuzzing": ["/v1/concerns/check"],  # its body is that of /v1/concerns
}
WITHDRAWAL = "/v1/guides/{guide}/editions/{number}/withdrawal"
ANOTHER_GUIDE = "another-guide"  # it alone is withdrawn, so that the guide of the examples can still be read
REFUSALS = (400, 412, 422, 428)
ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "410", *REFUSALS]  # the refusals are held against this list:
BEYOND_ANY_SCHEMA = ["X"]


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
    """What came of each scenario of the phase, over the whole document."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "continue-on-failure": True,
            "generation": {"deterministic": True, "database": "none", "max-examples": DRAWN, "no-shrink": True},
            "phases": {name: {"enabled": name == phase} for name in PHASES},
            "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
            "auth": {"openapi": {scheme: {"bearer": token} for scheme, token in tokens.items()}},
            "operations": [
                *({"include-path": path, "enabled": False} for path in LEFT_OUT.get(phase, [])),
                {"include-path": WITHDRAWAL, "parameters": {"guide": ANOTHER_GUIDE}},
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
    """What a caller was told whose data fits its schema and was refused all the same."""
    for case_id, node in scenario.recorder.cases.items():
        told, meta = scenario.recorder.interactions.get(case_id), node.value.meta
        if told is None or told.response is None or meta is None or meta.generation.mode.is_negative:
            continue
        if told.response.status_code in REFUSALS:
            problem = json.loads(told.response.content)
            yield from (fault["detail"] for fault in problem.get("errors", [problem]))


@pytest.fixture
def tokens(service: FastAPI, client: TestClient, a_concern: Concern) -> dict[str, str]:
    """A token for each security scheme of the document."""
    parts: Parts = service.state.parts
    publish_next(service, ANOTHER_GUIDE)
    key = parts.intake.writer.keep(
        lambda connection: add_client(connection, name="contract", scopes=ClientScope, at=parts.clock())
    )
    receipt = client.post("/v1/concerns", json=a_concern()).json()
    return {"ClientKey": key, "StatusToken": receipt["status_token"]}


@pytest.mark.parametrize("phase", PHASES)
def test_every_answer_is_one_that_the_document_promises(service: FastAPI, tokens: dict[str, str], phase: str) -> None:
    broken: list[str] = []
    refused: set[str] = set()
    answers: dict[str, int] = {}
    for scenario in scenarios(service, phase, tokens):
        broken += faults(scenario)
        refused |= set(refusals_of_good_data(scenario))
        for told in scenario.recorder.interactions.values():
            answers[told.response.status_code] = answers.get(told.response.status_code, 0) + 1
    print(answers)
    for r in sorted(refused):
        print(r)
    for r in broken[:40]:
        print("##", r[:1200])
    unexplained = [told for told in refused if not any(re.fullmatch(sentence, told) for sentence in BEYOND_ANY_SCHEMA)]

    assert broken == []
    assert unexplained == []
