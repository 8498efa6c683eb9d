"""The pages of sealed cards: who gets them, that none is missed or given twice, and what the audit log has of it."""

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from app.config import ROLES_WITH_CARDS, Settings
from app.http.context import AppContext
from app.main import create_app
from app.models.access.clients import Scope
from app.models.access.roles import SCOPES_OF, Role
from app.models.audit.details import CardsGivenDetails, details_of
from app.models.audit.entry_kinds import EntryKind
from app.models.audit.rows import CARDS, AuditEntryRow, DeskAct
from app.services.audit.replay import RecordedConcern, replay
from app.services.concerns.card_making import number_of_card
from app.services.concerns.keys import DEVELOPMENT_IDENTITY
from app.services.concerns.sealing import read_identities
from app.services.desk.card_pages import RECENT, digest_of_cards
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import add, raise_concern
from tests.support.desk import Desk, worker_of
from tests.support.people import sign_in_as

CARD_PATH = "/cards"
Raise = Callable[..., dict[str, Any]]


@pytest.fixture
def raised(client: TestClient, clock: SettableClock) -> Raise:
    """Return a function that raises a concern a minute after the one before, and returns its receipt."""

    def bring(name: str = "Alex") -> dict[str, Any]:
        clock.time += dt.timedelta(minutes=1)
        return raise_concern(client, children=[{"given_names": name}])

    return bring


def pages_of(desk: Desk, query: str = "") -> Iterator[dict[str, Any]]:
    path = f"{CARD_PATH}?{query}"
    while path:
        page = desk.get(path).json()
        yield page
        path = page["links"].get("next", "").removeprefix("/v1/desk")
        assert (page["next_cursor"] is None) == (path == "")


def places_of(desk: Desk, query: str = "") -> list[tuple[str, int | None]]:
    return [(each["reference"], each["addition"]) for page in pages_of(desk, query) for each in page["cards"]]


def entries_of_cards(context: AppContext) -> list[AuditEntryRow]:
    with Session(context.engine) as session:
        rows = select(AuditEntryRow).where(AuditEntryRow.chain == CARDS)
        return list(session.exec(rows.order_by(col(AuditEntryRow.number))))


def close(desk: Desk, reference: str) -> None:
    assert desk.act(reference, "acknowledgement").status_code == 200
    assert desk.act(reference, "outcome", outcome="early_help").status_code == 200


def test_a_card_opens_on_the_team_s_computer(desk: Desk, settings: Settings, raised: Raise) -> None:
    receipt = raised("Alex")

    answer = desk.get(CARD_PATH)

    (card,) = answer.json()["cards"]
    unsealer = read_identities(settings.data_dir / DEVELOPMENT_IDENTITY)
    document = json.loads(unsealer.decrypt(base64.b64decode(card["card"])))
    assert answer.headers["cache-control"] == "no-store"
    assert (document["reference"], document["received_at"]) == (receipt["reference"], card["received_at"])
    assert document["card"]["children"][0]["names"] == ["Alex"]
    assert (card["addition"], card["label"]) == (None, None)


@pytest.mark.slow
def test_the_cards_of_additions_come_with_their_concern(client: TestClient, desk: Desk, raised: Raise) -> None:
    first, second = raised(), raised()
    for _ in range(2):
        add(client, first)

    assert places_of(desk, "limit=1") == [(second["reference"], None), *((first["reference"], n) for n in (None, 1, 2))]


@pytest.mark.slow
def test_no_card_is_missed_or_given_twice_while_concerns_change(client: TestClient, desk: Desk, raised: Raise) -> None:
    receipts = [raised() for _ in range(5)]
    expected = [(each["reference"], None) for each in reversed(receipts)]
    given = []

    for page in pages_of(desk, "limit=2"):
        given += [(each["reference"], each["addition"]) for each in page["cards"]]
        raised()
        close(desk, receipts[0]["reference"]) if len(given) == 2 else add(client, receipts[-1])

    assert given == expected


@pytest.mark.slow
def test_what_arrives_meanwhile_is_given_to_who_asks_for_changes(
    client: TestClient, desk: Desk, clock: SettableClock, raised: Raise
) -> None:
    first, _ = raised(), raised()
    clock.time += dt.timedelta(hours=1)
    page = desk.get(f"{CARD_PATH}?limit=1").json()
    new = raised()
    add(client, first)

    later = places_of(desk, f"changed_since={page['next_changed_since']}")

    assert later == [(new["reference"], None), (first["reference"], None), (first["reference"], 1)]


@pytest.mark.slow
def test_closed_concerns_without_a_change_for_90_days_are_earlier(
    desk: Desk, clock: SettableClock, raised: Raise
) -> None:
    old, recent, waiting = raised()["reference"], raised()["reference"], raised()["reference"]
    close(desk, old)
    clock.time += dt.timedelta(days=1)
    close(desk, recent)
    clock.time += RECENT

    assert places_of(desk, "scope=earlier") == [(old, None)]
    assert places_of(desk) == [(waiting, None), (recent, None)]


def test_an_erased_concern_has_no_card_to_give(desk: Desk, raised: Raise) -> None:
    gone, kept = raised()["reference"], raised()["reference"]
    desk.act(gone, "acknowledgement")
    desk.act(gone, "erasure", reason="A made-up reason.")

    assert places_of(desk, "limit=1") == [(kept, None)]


def test_a_page_ends_early_where_its_cards_are_large(
    desk: Desk, raised: Raise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.desk.card_pages.PAGE_BYTES", 1)
    references = [raised()["reference"] for _ in range(3)]

    pages = list(pages_of(desk))

    assert [[each["reference"] for each in page["cards"]] for page in pages] == [[each] for each in references[::-1]]


def test_each_page_is_one_entry_that_names_its_concerns(desk: Desk, context: AppContext, raised: Raise) -> None:
    for _ in range(3):
        raised()

    list(pages_of(desk, "limit=2"))

    rows = entries_of_cards(context)
    assert [(row.act, row.client, len(details_of(row).positions)) for row in rows] == [
        (DeskAct.CARDS_GIVEN, "example-desk", 2),
        (DeskAct.CARDS_GIVEN, "example-desk", 1),
    ]


def recomputed(context: AppContext, details: CardsGivenDetails) -> tuple[list[str], str]:
    """Return the references and the digest that the audit log alone gives for an entry, as the documents say."""
    with Session(context.engine) as session:
        named = select(AuditEntryRow.chain).where(col(AuditEntryRow.position).in_(details.positions))
        references = list(session.exec(named.order_by(col(AuditEntryRow.position))))
        lines = []
        for reference, position in zip(references, details.positions, strict=True):
            chain = select(AuditEntryRow).where(AuditEntryRow.chain == reference)
            acts = session.exec(
                chain.where(col(AuditEntryRow.position) <= details.log).order_by(col(AuditEntryRow.number))
            )
            recorded = replay(RecordedConcern(), acts)
            labels = [place for place in recorded.seals if place is not None and place.kind is EntryKind.LABEL]
            newest = recorded.seals[max(labels)].sealed_sha256 if labels else None
            for place, card in recorded.cards.items():
                number = number_of_card(place)
                lines.append((position, number or 0, card, None if number else newest))
    return references, digest_of_cards(lines)


@pytest.mark.slow
def test_a_reader_recomputes_who_was_on_a_page_from_the_log(
    client: TestClient, desk: Desk, context: AppContext, raised: Raise
) -> None:
    receipts = [raised() for _ in range(3)]
    add(client, receipts[0])
    for text in ("first", "second"):
        desk.http.put(f"/v1/desk/concerns/{receipts[1]['reference']}/label", json={"text": text}, headers=desk.headers)
    desk.get(f"{CARD_PATH}?limit=2")
    desk.get(CARD_PATH)
    add(client, receipts[2])

    two, three = (details_of(row) for row in entries_of_cards(context))

    references = [each["reference"] for each in receipts]
    assert recomputed(context, two) == (references[1:], two.sha256)
    assert recomputed(context, three) == (references, three.sha256)


def test_the_digest_of_a_page_is_over_the_cards_that_were_given(desk: Desk, context: AppContext, raised: Raise) -> None:
    raised()

    (card,) = desk.get(CARD_PATH).json()["cards"]

    (row,) = entries_of_cards(context)
    sha256 = hashlib.sha256(base64.b64decode(card["card"])).hexdigest()
    (position,) = details_of(row).positions
    assert details_of(row).sha256 == hashlib.sha256(f"{position} 0 {sha256} -\n".encode()).hexdigest()


@pytest.mark.slow
def test_the_audit_log_of_a_concern_has_the_readings_of_its_cards(
    client: TestClient, service: FastAPI, desk: Desk, raised: Raise
) -> None:
    references = [raised()["reference"] for _ in range(12)]
    worker = worker_of(service, client, "Robin Example")
    worker.get(f"{CARD_PATH}?limit=1")
    worker.get(f"{CARD_PATH}?limit=12")

    logs = [desk.get(f"/disclosures?chain={each}").json()["disclosures"] for each in references]

    acts = [[(each["chain"], each["act"]) for each in log] for log in logs]
    given = (CARDS, "cards_given")
    assert acts == [[(each, "received"), given] for each in references[:-1]] + [
        [(references[-1], "received"), given, given]
    ]
    assert logs[0][1]["client"] == "desk-of-robin/Robin Example"
    assert logs[0][1]["details"]["scope"] == "current"


def test_the_audit_log_of_a_person_has_the_cards_they_fetched(
    client: TestClient, service: FastAPI, desk: Desk, raised: Raise
) -> None:
    raised()
    worker_of(service, client, "Robin Example").get(CARD_PATH)

    log = desk.get("/disclosures?client=desk-of-robin/Robin Example").json()["disclosures"]

    assert [each["act"] for each in log] == ["cards_given"]


@pytest.mark.slow
def test_the_pages_of_a_concern_s_log_are_in_order_and_whole(desk: Desk, raised: Raise) -> None:
    reference = raised()["reference"]
    for _ in range(3):
        desk.get(CARD_PATH)
        desk.get(f"/concerns/{reference}")

    found, cursor = [], ""
    while cursor is not None:
        page = desk.get(f"/disclosures?chain={reference}&limit=2{cursor and f'&cursor={cursor}'}").json()
        found += [each["act"] for each in page["disclosures"]]
        cursor = page["next_cursor"]

    assert found == ["received", *["cards_given", "opened"] * 3]


def test_a_concern_erased_while_a_page_is_read_is_not_on_it(
    desk: Desk, context: AppContext, raised: Raise, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = raised()["reference"], raised()["reference"]
    desk.act(gone, "acknowledgement")
    run = context.writer.run

    def erase_first(operation: Any, *values: Any, **more: Any) -> Any:
        if operation.__name__ == "_record":
            monkeypatch.undo()
            desk.act(gone, "erasure", reason="A made-up reason.")
        return run(operation, *values, **more)

    monkeypatch.setattr(context.writer, "run", erase_first)

    page = desk.get(CARD_PATH).json()

    (row,) = entries_of_cards(context)
    assert [each["reference"] for each in page["cards"]] == [kept]
    assert recomputed(context, details_of(row)) == ([kept], details_of(row).sha256)


@pytest.mark.parametrize("cursor", ["x", "MQ", "IngiIg"])
def test_a_cursor_of_another_list_is_refused(desk: Desk, cursor: str) -> None:
    assert desk.get(f"{CARD_PATH}?cursor={cursor}").status_code == 400


def test_the_roles_with_cards_are_those_that_open_concerns() -> None:
    assert set(ROLES_WITH_CARDS) == {role for role, scopes in SCOPES_OF.items() if Scope.READ in scopes}


@pytest.mark.parametrize(
    ("roles", "scopes", "status"),
    [
        (("worker",), (Scope.READ, Scope.WRITE), 200),
        (("worker",), (Scope.READ,), 403),
        (("reader",), (Scope.READ,), 200),
        (("lead",), (Scope.READ, Scope.WRITE), 403),
        ((), (Scope.READ, Scope.WRITE, Scope.AUDIT), 403),
    ],
)
def test_only_the_roles_of_the_setting_get_cards(
    settings: Settings, roles: tuple[str, ...], scopes: tuple[Scope, ...], status: int
) -> None:
    service = create_app(settings.model_copy(update={"cards": roles}), SettableClock())
    with TestClient(service) as http:
        answer = worker_of(service, http, "Robin Example", *scopes).get(CARD_PATH)

    assert answer.status_code == status
    if status == 403:
        assert answer.json()["type"] == "/v1/problems/cards-refused"
        assert "This service gives no cards to this role." in answer.json()["detail"]


def test_a_signed_in_person_gets_cards_by_the_page_s_path(
    client: TestClient, service: FastAPI, context: AppContext, raised: Raise
) -> None:
    receipt = raised()
    sign_in_as(service, client)

    answer = client.get("/desk/cards?limit=1")

    (row,) = entries_of_cards(context)
    assert [each["reference"] for each in answer.json()["cards"]] == [receipt["reference"]]
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert row.client.startswith("passkey:desk/")


def test_a_person_whose_role_gets_no_cards_is_told_so(settings: Settings) -> None:
    service = create_app(settings.model_copy(update={"cards": ("lead",)}), SettableClock())
    with TestClient(service) as http:
        sign_in_as(service, http, role=Role.WORKER)
        answer = http.get("/desk/cards")

    assert answer.status_code == 403
    assert "Your role does not get cards" in answer.text


FEW_ROWS = ("ix_concerns_received", "ix_concerns_restricted", "SCAN people", "SCAN clients")
"""What may be read whole: up to the limit of the page, and who may open the few concerns that are restricted."""


@pytest.mark.embedded
def test_the_search_for_a_page_reads_an_index_alone(desk: Desk, context: AppContext, raised: Raise) -> None:
    raised()
    statements: list[Any] = []
    event.listen(context.engine, "before_cursor_execute", lambda *given: statements.append(given[2:4]))
    since = (A_TUESDAY - dt.timedelta(days=1)).isoformat().replace("+00:00", "Z")
    for query in ("limit=1", "scope=earlier", f"changed_since={since}"):
        desk.get(f"{CARD_PATH}?{query}")

    found = [
        each for each in statements if "cards" in each[0] and each[0].startswith("SELECT") and "concerns" in each[0]
    ]
    plans = []
    with context.engine.connect() as connection:
        for statement, parameters in found:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            plans.append([row[-1] for row in rows])
    assert len(plans) == 5  # the search for "earlier" finds no concern, so no card is read
    scans = [step for plan in plans for step in plan if step.startswith("SCAN")]
    assert not [step for step in scans if not any(each in step for each in FEW_ROWS)]
    searches = [plan for plan in plans if any("COVERING INDEX ix_concerns_received" in step for step in plan)]
    assert len(searches) == 3
    assert not [step for plan in searches for step in plan if "TEMP B-TREE" in step]
