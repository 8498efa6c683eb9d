"""Schemathesis against a live server, in a process of its own: chains of requests until the time is over."""

import json
import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.support.answers import Answer
from tests.support.waiting import LONG_ENOUGH

REFUSALS = (400, 412, 422, 428)
ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "410", *map(str, REFUSALS)]
REJECTED = ["4xx"]  # 413 too: a list that is too long has more values than any body may have
DRAWN = 200
WITH_STATUS_TOKEN = ("/v1/concerns/{reference}", "/v1/concerns/{reference}/additions")
WITHDRAWAL = "/v1/guides/{guide}/editions/{number}/withdrawal"


@dataclass
class Explored:
    """What one explorer did and saw. `broken` are the answers that broke a check, each with its request."""

    answers: list[Answer] = field(default_factory=list)
    operations: set[str] = field(default_factory=set)
    links: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    unanswered: int = 0

    @property
    def statuses(self) -> Counter[int]:
        """How many answers had each status."""
        return Counter(each.status for each in self.answers)

    def add(self, scenario: events.ScenarioFinished) -> None:
        """Add what came of one chain of requests."""
        recorder = scenario.recorder
        for case_id, node in recorder.cases.items():
            said = recorder.interactions.get(case_id)
            if said is None or said.response is None:
                self.unanswered += 1
                continue
            case, answer = node.value, said.response
            request_id = answer.headers["x-request-id"][0]
            self.answers.append(Answer(request_id, said.request.method, _route_of(case), answer.status_code))
            self.operations.add(case.operation.label)
            if node.transition is not None and node.is_transition_applied:
                self.links[node.transition.id] += 1
            self.broken += _foreign_names(case.path_parameters, answer.content)
        self.broken += _broken_checks(recorder)


def _route_of(case: Any) -> str:
    return str(case.operation.path)


def _foreign_names(parameters: Mapping[str, Any] | None, content: bytes | None) -> Iterator[str]:
    """Check that an answer names what its request named: the reference of a concern, the number of an edition ..."""
    if not content or not content.startswith(b"{"):
        return
    answer = json.loads(content)
    for name, wanted in (parameters or {}).items():
        found = answer.get({"item_id": "id"}.get(name, name))
        if isinstance(found, str | int) and "type" not in answer and str(found) != str(wanted):
            yield f"an answer to {name} {wanted} is about {found}"


def _broken_checks(recorder: Any) -> Iterator[str]:
    for checks in recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                yield f"{check.name}: {check.failure_info.failure.message}\n{check.failure_info.code_sample}"


def explore(url: str, tokens: Mapping[str, str], seed: int, seconds: float) -> Explored:
    """Send chains of requests to that server, with the tokens of those security schemes, and return what came of it."""
    _use_tokens_of_receipts()
    explored, deadline = Explored(), math.inf  # the time begins with the first answers
    while time.monotonic() < deadline:
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=_config(tokens, seed), timeout=LONG_ENOUGH)
        stream = from_schema(schema).execute()
        for event in stream:
            assert not isinstance(event, events.FatalError | events.NonFatalError), event
            if isinstance(event, events.ScenarioFinished):
                explored.add(event)
                deadline = min(deadline, time.monotonic() + seconds)
            if time.monotonic() > deadline:
                stream.stop()
        seed += 1
    return explored


def _use_tokens_of_receipts() -> None:
    """Let the requests about a concern that this process raised carry the status token of its receipt."""
    tokens: dict[str, str] = {}

    def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
        token = tokens.get((case.path_parameters or {}).get("reference", ""))
        if token is not None and case.operation.path.startswith("/v1/concerns/"):
            case.headers["Authorization"] = f"Bearer {token}"

    def after_call(_context: Any, case: Any, response: Any) -> None:
        if case.operation.label == "POST /v1/concerns" and response.status_code == HTTPStatus.CREATED:
            receipt = response.json()
            tokens[receipt["reference"]] = receipt["status_token"]

    schemathesis.hook(before_call)
    schemathesis.hook(after_call)


def _config(tokens: Mapping[str, str], seed: int) -> SchemathesisConfig:
    auth = {"openapi": {scheme: {"bearer": token} for scheme, token in tokens.items()}}
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "request-timeout": LONG_ENOUGH,
            "generation": {"database": "none", "max-examples": DRAWN, "no-shrink": True},
            "phases": {
                name: {"enabled": name == "stateful"} for name in ("examples", "coverage", "fuzzing", "stateful")
            },
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ACCEPTED},
                "negative_data_rejection": {"expected-statuses": REJECTED},
            },
            **({"auth": auth} if tokens else {}),
            "operations": [
                {"include-path": WITHDRAWAL, "parameters": {"number": 2}},  # there is always a current edition
                {"include-path": "/v1/events", "parameters": {"wait": 0}},
                # the hook gives the right token to the requests of this check too; the contract test makes it
                *({"include-path": path, "checks": {"ignored_auth": {"enabled": False}}} for path in WITH_STATUS_TOKEN),
            ],
        }
    )
