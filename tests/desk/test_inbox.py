"""The inbox: only metadata, most urgent first, whole at any size, and the same with any indicators."""

import asyncio
import dataclasses
import datetime as dt
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.db.writer import WriteOp
from app.http.context import AppContext
from app.main import create_app
from app.models.concerns.concern import Concern as ConcernModel
from app.models.concerns.examples import FULL_EXAMPLE, SMALLEST_EXAMPLE
from app.models.desk.actions import Acknowledgement
from app.services.audit.audit_log import Actor
from app.services.concerns import submission
from app.services.concerns.submission import Submissions
from app.services.cursors import encode_key
from app.services.desk.actions import acknowledge
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import a_concern, raise_concern, token_of
from tests.support.desk import Desk, desk_of
from tests.support.loops import for_each, some_by_day
from tests.support.publishing import GUIDE, SLUG

pytestmark = pytest.mark.slow

MANY = 600
PORTION = 50  # a transaction each, which a busy machine ends in the time that a caller waits
DANGERS = ("yes", "not_sure", "no")
ORDERS = ("urgent", "newest")
OWN = ("reference", "links")

Entry = dict[str, Any]
Raise = Callable[..., str]


class GatheringWriter:
    """In the writer's place: gathers operations, to be run by one commit."""

    def __init__(self) -> None:
        self.operations: list[WriteOp[Any]] = []

    def run(self, operation: Callable[..., Any], *values: object) -> None:
        self.operations.append(lambda session: operation(session, *values))

    async def run_async(self, operation: WriteOp[Any]) -> None:
        self.operations.append(operation)

    def run_all(self, session: Session) -> None:
        for operation in self.operations:
            operation(session)


def fill(service: FastAPI, count: int) -> None:
    """Receive that many concerns, minute by minute, of every answer about danger; every third is acknowledged."""
    context: AppContext = service.state.context
    concerns = [ConcernModel.model_validate(SMALLEST_EXAMPLE | {"immediate_danger": danger}) for danger in DANGERS]
    for start in range(0, count, PORTION):
        writer: Any = GatheringWriter()
        submissions = dataclasses.replace(context.submissions, writer=writer)

        async def submit(begin: int, submissions: Submissions, writer: Any) -> None:
            for number in range(begin, min(begin + PORTION, count)):
                at = A_TUESDAY + dt.timedelta(minutes=number * 7919 % count)
                stored = await submissions.submit(concerns[number // 3 % 3], keys=None, at=at)
                if number % 3 == 0:
                    writer.run(
                        acknowledge, stored.reference, Acknowledgement(), Actor("example-worker", "192.0.2.10", at)
                    )

        asyncio.run(submit(start, submissions, writer))
        context.writer.run(writer.run_all)


def walk(desk: Desk, query: str, between: Callable[[], None] = lambda: None) -> list[Entry]:
    """Every page of the inbox, one after another; after each, something may happen."""
    found: list[Entry] = []
    path = f"/concerns?{query}"
    while True:
        answer = desk.get(path)
        assert answer.status_code == 200, answer.text
        found += answer.json()["concerns"]
        between()
        before, path = path, answer.json()["links"].get("next", "").removeprefix("/v1/desk")
        assert (answer.json()["next_cursor"] is None, path != before) == (path == "", True)
        if not path:
            return found


def by_urgency(entry: Entry) -> Any:
    """Return the urgency of an entry, to sort by: the moments are all of one length, so that text sorts as time."""
    waits = entry["state"] == "received"
    return (not waits, DANGERS.index(entry["immediate_danger"]), entry["acknowledge_by"], entry["reference"])


def by_newest(entry: Entry) -> Any:
    return (entry["received_at"], entry["reference"])


@pytest.fixture
def raise_at(client: TestClient, clock: SettableClock) -> Raise:
    """Raise a concern some minutes after the first; gives its reference. The clock stays there."""

    def raised(minutes: int, danger: str = "no", **changes: Any) -> str:
        clock.time = A_TUESDAY + dt.timedelta(minutes=minutes)
        told = a_concern(immediate_danger=danger, **changes)
        return str(client.post("/v1/concerns", json=told).json()["reference"])

    return raised


def references(answer: Any) -> list[str]:
    return [entry["reference"] for entry in answer.json()["concerns"]]


def test_what_waits_comes_first_then_danger_then_the_longest_overdue(
    desk: Desk, raise_at: Raise, clock: SettableClock
) -> None:
    seen = raise_at(0, "yes")
    later_no, early_no = raise_at(20), raise_at(10)
    unsure = raise_at(30, "not_sure")
    later_yes, early_yes = raise_at(50, "yes"), raise_at(40, "yes")
    seen_no = raise_at(5)
    for reference in (seen, seen_no):
        desk.act(reference, "acknowledgement")
    clock.time = A_TUESDAY + dt.timedelta(days=1, minutes=15)

    answer = desk.get("/concerns")

    assert references(answer) == [early_yes, later_yes, unsure, early_no, later_no, seen, seen_no]
    assert [entry["overdue"] for entry in answer.json()["concerns"]] == [True] * 4 + [False] * 3


def test_danger_in_an_addition_and_in_a_first_report_stands_in_one_order(
    client: TestClient, desk: Desk, clock: SettableClock
) -> None:
    """Longest overdue first, on one page, from page to page, and from a cursor of an earlier version."""
    raised = []
    for minutes, in_addition in ((0, False), (10, True), (20, False), (30, True)):
        clock.time = A_TUESDAY + dt.timedelta(minutes=minutes)
        receipt = raise_concern(client, immediate_danger="no" if in_addition else "yes")
        raised.append(receipt["reference"])
        if in_addition:
            desk.act(receipt["reference"], "acknowledgement")
            more = {"immediate_danger": "yes", "concern": {"narrative": "More."}}
            client.post(f"/v1/concerns/{receipt['reference']}/additions", json=more, headers=token_of(receipt))
    calm = raise_concern(client)["reference"]
    entries = desk.get("/concerns").json()["concerns"]
    due = [min(e["acknowledge_by"], e["addition_acknowledge_by"] or "~") for e in entries]
    wanted = sorted(raised, key=lambda each: (due[[e["reference"] for e in entries].index(each)], raised.index(each)))

    whole, walked = [each["reference"] for each in entries], walk(desk, "limit=1")
    first = entries[0]
    before = f"0 0 {first['addition_acknowledge_by'] or first['acknowledge_by']} {first['received_at']} {'0' * 12}"

    assert whole == [*wanted, calm]
    assert [each["reference"] for each in walked] == whole
    assert set(references(desk.get(f"/concerns?cursor={encode_key(before)}"))) == set(whole)


def test_concerns_due_at_the_same_moment_come_oldest_first(desk: Desk, raise_at: Raise) -> None:
    raised = [raise_at(4 * 24 * 60 + minutes) for minutes in range(6)]

    found = walk(desk, "limit=1")

    assert len({entry["acknowledge_by"] for entry in found}) == 1
    assert [entry["reference"] for entry in found] == raised


def test_the_newest_come_first_if_asked_for(desk: Desk, raise_at: Raise) -> None:
    raised = [raise_at(minutes, danger) for minutes, danger in ((0, "yes"), (1, "no"), (2, "not_sure"))]
    desk.act(raised[2], "acknowledgement")

    assert references(desk.get("/concerns?order=newest")) == raised[::-1]


def test_filters_give_what_they_name_and_no_more(desk: Desk, raise_at: Raise, clock: SettableClock) -> None:
    late, seen, closed, fresh = raise_at(0), raise_at(1), raise_at(2), raise_at(60)
    for reference in (seen, closed):
        desk.act(reference, "acknowledgement")
    desk.act(closed, "outcome", outcome="early_help")
    clock.time = A_TUESDAY + dt.timedelta(days=1, minutes=30)

    found = {
        query: set(references(desk.get(f"/concerns?{query}")))
        for query in ("state=received", "state=acknowledged", "state=closed", "overdue=true", "overdue=false")
    }

    assert list(found.values()) == [{late, fresh}, {seen}, {closed}, {late}, {seen, closed, fresh}]
    assert references(desk.get("/concerns?state=received&overdue=true&order=newest")) == [late]
    assert references(desk.get("/concerns?state=closed&overdue=true")) == []


@pytest.mark.slow
@some_by_day(order=ORDERS, scope=["", "&state=received"])
def test_a_walk_meets_each_waiting_concern_once_while_others_are_acknowledged(
    desk: Desk, service: FastAPI, order: str, scope: str
) -> None:
    fill(service, 60)
    before = walk(desk, f"order={order}{scope}&limit=200")
    drawn = random.Random(1)  # noqa: S311  # the same in every run
    acknowledged: set[str] = set()

    def acknowledge_some() -> None:
        waiting = [each["reference"] for each in before if each["state"] == "received"]
        for reference in drawn.sample([each for each in waiting if each not in acknowledged], 2):
            desk.act(reference, "acknowledgement")
            acknowledged.add(reference)

    found = walk(desk, f"order={order}{scope}&limit=4", between=acknowledge_some)

    stayed = [entry["reference"] for entry in before if entry["reference"] not in acknowledged]
    assert [entry["reference"] for entry in found if entry["reference"] not in acknowledged] == stayed
    assert len(acknowledged) >= 14
    if not scope:  # one that is acknowledged behind the reader's back goes behind what waits, and is not missed
        assert {entry["reference"] for entry in found} == {entry["reference"] for entry in before}


@for_each("query", ["stat=received", "state=opened", "overdue=perhaps", "order=risk", "state=", "limit=0"])
def test_a_misspelt_filter_is_refused(desk: Desk, query: str) -> None:
    assert desk.get(f"/concerns?{query}").status_code == 400


def test_a_cursor_of_another_list_or_order_is_refused(desk: Desk, raise_at: Raise) -> None:
    for minutes in range(3):
        raise_at(minutes)
    given = {
        query: desk.get(f"{query}limit=1").json()["next_cursor"]
        for query in ("/concerns?order=newest&", "/concerns?", "/concerns?state=received&", "/disclosures?")
    }
    a_position = "NTA"  # of the record, whose cursors are numbers
    accepted = {*given.items(), ("/disclosures?", a_position)}
    made_up = [a_position, "IjAgMCAwIg", "*", encode_key("0 0 0001-01-01T00:00:00+23:59 X")]

    for query, other in itertools.product(given, [*given.values(), *made_up]):
        answer = desk.get(f"{query}limit=1&cursor={other}")

        assert answer.status_code == (200 if (query, other) in accepted else 400), (query, other)


def words_of(told: Any) -> Iterator[str]:
    """Every text in it that is long enough to be known again."""
    if isinstance(told, dict | list):
        for part in told.values() if isinstance(told, dict) else told:
            yield from words_of(part)
    elif isinstance(told, str) and len(told) > 5:
        yield told


def test_no_word_of_a_concern_is_in_the_inbox_or_an_answer(client: TestClient, desk: Desk) -> None:
    reference = raise_concern(client, **FULL_EXAMPLE)["reference"]

    answers = [
        desk.get("/concerns"),
        desk.get("/summary"),
        desk.act(reference, "acknowledgement"),
        desk.act(reference, "outcome", outcome="early_help"),
        desk.act(reference, "hold", held=True, reason="A made-up reason."),
    ]

    assert [answer.status_code for answer in answers] == [200] * 5
    told = "".join(answer.text for answer in answers)
    assert [word for word in words_of(FULL_EXAMPLE) if word != SLUG and word in told] == []
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize("seen", [(0, 10), (10, 0)])
def test_the_number_of_indicators_does_not_change_a_concern_s_row(
    desk: Desk, raise_at: Raise, monkeypatch: pytest.MonkeyPatch, seen: tuple[int, int]
) -> None:
    drawn = iter(["02FK-926W-0X3R", "4F7K-926W-0X3R"])
    monkeypatch.setattr(submission, "new_reference", lambda: next(drawn))
    known = [indicator["id"] for indicator in desk.http.get(f"{GUIDE}/indicators").json()["indicators"]]
    assert len(known) == 10

    raised = [
        raise_at(0, concern={"narrative": "Example.", "indicators": [{"id": each} for each in known[:count]]})
        for count in seen
    ]

    first, second = desk.get("/concerns").json()["concerns"]
    assert [first["reference"], second["reference"]] == raised
    assert {k: v for k, v in first.items() if k not in OWN} == {k: v for k, v in second.items() if k not in OWN}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, Desk]]:
    """A desk before many concerns."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("full") / "data", deliver=False)
    service = create_app(settings, lambda: A_TUESDAY + dt.timedelta(days=3))
    with TestClient(service) as client:
        fill(service, MANY)
        yield service, desk_of(service, client)


@pytest.mark.slow
@pytest.mark.parametrize(("order", "key"), [("urgent", by_urgency), ("newest", by_newest)])
def test_many_concerns_come_page_by_page_in_order_each_once(
    full: tuple[FastAPI, Desk], order: str, key: Callable[[Entry], Any]
) -> None:
    found = walk(full[1], f"order={order}&limit=50")

    assert len({entry["reference"] for entry in found}) == len(found) == MANY
    assert found == sorted(found, key=key, reverse=order == "newest")
