"""The whole life of concerns, against a model that is a few lines of plain Python: any acts, in any order."""

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from starlette.testclient import TestClient

from app.services.operations.audit_verification import verify_audit_log
from app.services.operations.concern_verification import verify_concerns
from tests.support.concerns import token_of
from tests.support.databases import drop_database_of
from tests.support.desk import desk_of
from tests.support.load import A_CONCERN
from tests.support.service import a_service

pytestmark = pytest.mark.slow  # processes, browsers or long work

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
OUTCOMES = st.sampled_from(["early_help", "no_further_action"])


@dataclass
class Expected:
    """One concern, as the model knows it."""

    receipt: dict[str, Any]
    told: dict[str, Any]
    key: str
    additions: list[str] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    state: str = "received"
    outcome: str | None = None
    held: bool = False
    erased: bool = False
    acts: int = 1  # its receipt

    @property
    def reference(self) -> str:
        return str(self.receipt["reference"])

    @property
    def waiting(self) -> list[int]:
        """The numbers of the additions that nobody has acknowledged."""
        return [number for number in range(1, len(self.additions) + 1) if number not in self.seen]


class Life(RuleBasedStateMachine):
    """Acts on concerns; after each, every status and the inbox must be what the model says."""

    concerns = Bundle("concerns")

    @initialize()
    def begin(self) -> None:
        self.ending = ExitStack()
        folder = Path(tempfile.mkdtemp())
        self.ending.callback(shutil.rmtree, folder)
        self.ending.callback(drop_database_of, folder / "data")
        service = a_service(data_dir=folder / "data")
        self.engine = service.state.context.engine
        self.http: Any = self.ending.enter_context(TestClient(service))
        self.desk = desk_of(service, self.http)
        self.all: dict[str, Expected] = {}

    def teardown(self) -> None:
        if hasattr(self, "ending"):
            assert self.faults() == []
            self.ending.close()

    def faults(self) -> list[object]:
        return [*verify_audit_log(self.engine), *verify_concerns(self.engine)]

    @rule(target=concerns, danger=st.sampled_from(["yes", "no", "not_sure"]), words=WORDS)
    def submit(self, danger: str, words: str) -> Expected:
        told = A_CONCERN | {"immediate_danger": danger, "concern": {"narrative": f"Example. {words}"}}
        key = f"key-{len(self.all)}"
        answer = self.http.post("/v1/concerns", json=told, headers={"Idempotency-Key": key})
        assert answer.status_code == 201
        concern = Expected(answer.json(), told, key)
        assert concern.reference not in self.all
        self.all[concern.reference] = concern
        return concern

    @rule(concern=concerns)
    def retry(self, concern: Expected) -> None:
        answer = self.http.post("/v1/concerns", json=concern.told, headers={"Idempotency-Key": concern.key})
        assert (answer.status_code, answer.json()) == (201, concern.receipt)

    @rule(concern=concerns, words=WORDS)
    def add(self, concern: Expected, words: str) -> None:
        answer = self.http.post(
            f"{concern.receipt['links']['self']}/additions",
            json={"concern": {"narrative": f"More. {words}"}},
            headers=token_of(concern.receipt),
        )
        assert answer.status_code == (410 if concern.erased else 201)
        if not concern.erased:
            concern.acts += 1
            concern.additions.append(f"More. {words}")

    @rule(concern=concerns, up_to=st.integers(0, 3))
    def acknowledge(self, concern: Expected, up_to: int) -> None:
        answer = self.desk.act(concern.reference, "acknowledgement", **({"up_to_addition": up_to} if up_to else {}))
        may = up_to <= len(concern.additions)
        assert answer.status_code == (200 if may else 422)
        if may:
            concern.acts += 1
            concern.seen |= set(range(1, up_to + 1))
            concern.state = "acknowledged" if concern.state == "received" else concern.state

    @rule(concern=concerns, number=st.integers(1, 3))
    def acknowledge_addition(self, concern: Expected, number: int) -> None:
        answer = self.desk.act(concern.reference, f"additions/{number}/acknowledgement")
        exists = number <= len(concern.additions)
        may = exists and concern.state != "received"
        assert answer.status_code == (200 if may else 409 if exists else 404)
        if may:
            concern.acts += 1
            concern.seen.add(number)

    @rule(concern=concerns, outcome=OUTCOMES)
    def close(self, concern: Expected, outcome: str) -> None:
        answer = self.desk.act(concern.reference, "outcome", outcome=outcome)
        may = concern.state == "acknowledged" or (concern.state == "closed" and concern.outcome == outcome)
        assert answer.status_code == (200 if may else 409)
        if may:
            concern.acts += 1
            concern.state, concern.outcome = "closed", outcome

    @rule(concern=concerns, held=st.booleans())
    def hold(self, concern: Expected, held: bool) -> None:
        assert self.desk.act(concern.reference, "hold", held=held, reason="A made-up reason.").status_code == 200
        concern.acts += 1
        concern.held = held

    @rule(concern=concerns)
    def erase(self, concern: Expected) -> None:
        answer = self.desk.act(concern.reference, "erasure", reason="A made-up reason.")
        may = concern.state != "received" and not concern.waiting and not concern.held and not concern.erased
        assert (answer.status_code == 200) == may
        assert answer.status_code < 500
        if may:
            concern.acts += 1
            concern.erased = True

    @rule(concern=concerns)
    def open(self, concern: Expected) -> None:
        answer = self.desk.get(f"/concerns/{concern.reference}", Accept="application/json")
        assert answer.status_code == (410 if concern.erased else 200)
        if not concern.erased:
            concern.acts += 1
            told = answer.json()
            assert told["submission"]["concern"] == concern.told["concern"] | {
                key: value for key, value in told["submission"]["concern"].items() if key != "narrative"
            }
            assert [each["addition"]["concern"]["narrative"] for each in told["additions"]] == concern.additions

    @invariant()
    def everything_stands_as_the_model_says(self) -> None:
        if not hasattr(self, "all"):
            return
        inbox = {each["reference"]: each for each in self.desk.get("/concerns?limit=200").json()["concerns"]}
        assert set(inbox) == set(self.all)
        for reference, concern in self.all.items():
            shown = inbox[reference]
            assert (shown["state"], shown["held"]) == (concern.state, concern.held)
            assert shown["additions_waiting"] == len(concern.waiting)
            assert (shown["erased_at"] is not None) == concern.erased
            token = token_of(concern.receipt)
            status = self.http.get(concern.receipt["links"]["self"], headers=token).json()
            assert status["state"] == concern.state
            unseen = [each["number"] for each in status["additions"] if each["acknowledged_at"] is None]
            assert unseen == concern.waiting
        ranks = [entry["state"] == "received" or entry["additions_waiting"] > 0 for entry in inbox.values()]
        assert ranks == sorted(ranks, reverse=True)
        assert self.desk.get("/summary").json()["additions_waiting"] == sum(
            len(concern.waiting) for concern in self.all.values()
        )
        rows = self.desk.get("/disclosures?limit=200").json()["disclosures"]
        for reference, concern in self.all.items():
            assert sum(row["chain"] == reference for row in rows) == concern.acts or len(rows) == 200


TestLife = Life.TestCase
# One example is twenty acts on a service of its own: a second, where another property takes a hundredth.
TestLife.settings = settings(max_examples=settings().max_examples // 5, stateful_step_count=20)
