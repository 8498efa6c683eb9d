"""One change of each column of each table, and each row deleted: `verify` finds it, or a table says why not."""

import datetime as dt
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pyrage
import pytest
from fastapi import FastAPI
from sqlalchemy import JSON, Boolean, Column, Date, Engine, Integer, LargeBinary, Table
from sqlmodel import Session, SQLModel, select
from starlette.testclient import TestClient

from app.age.keys import Sealer
from app.config import Settings
from app.db.database import open_database
from app.main import create_app
from app.models.access.clients import Scope
from app.models.access.roles import Role
from app.models.audit.details import DETAILS, details_of, sentence_of
from app.models.audit.rows import AuditEntryRow
from app.models.base import UtcDateTimeType
from app.models.concerns.additions import ADDITION_EXAMPLE
from app.models.events.rows import WebhookRow
from app.services.access import passkeys
from app.services.access.access_record import by_operator
from app.services.access.clients import rotate_key
from app.services.access.key_copies import NewCopy, store_copy
from app.services.access.people import remove_person_access
from app.services.access.row_signing import open_access_keys
from app.services.audit.known_time import note_time
from app.services.concerns.keys import create_identity
from app.services.events.webhook_keys import remove_webhook
from app.services.events.webhooks import insert_webhook
from app.services.operations.verification import find_faults, verify_editions
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import add, token_of
from tests.support.databases import (
    RawConnection,
    address_for,
    copy_database,
    drop_triggers,
    on_postgresql,
    raw_connection,
)
from tests.support.delivery import a_receiver
from tests.support.desk import desk_of, send, worker_of
from tests.support.drafts import whole_draft, writer_of
from tests.support.form_answers import FORM, NARRATIVE, REQUIRED_ANSWERS
from tests.support.load import A_CONCERN
from tests.support.people import JO, context_of_service, invited, sign_in_as, store_passkey
from tests.support.pictures import publish_pictured, stored_jpeg
from tests.support.publishing import a_key, publish_next, withdraw

pytestmark = pytest.mark.slow

A_DAY = dt.timedelta(days=1)
ROW, ROWS = "a row deleted", "every row deleted"
CHANGED, TO_NULL, FROM_NULL = "changed", "to null", "from null"


def raise_concern(http: TestClient, key: str) -> Any:
    answer = http.post("/v1/concerns", json=A_CONCERN, headers={"Idempotency-Key": f"a-made-up-key-of-a-test-{key}"})
    assert answer.status_code == 201
    receipt = answer.json()
    assert add(http, receipt, danger="yes").status_code == 201
    return receipt


def let_people_in(service: FastAPI, http: TestClient) -> None:
    """Have somebody of each kind let in, and somebody whose way in has ended."""
    context = context_of_service(service)
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    passkey = store_passkey(service, invited(service), b"passkey of Jo", b"public", recipient)
    copy = NewCopy(passkey, Sealer.to(recipient).seal(b"an identity"), ("0123456789abcdef",))
    context.writer.run(store_copy, JO, copy, (), actor=by_operator(A_TUESDAY))
    sign_in_as(service, http)
    invited(service, "Sam Example", Role.LEAD)
    invited(service, "Lee Example", Role.LEAD)
    context.writer.run(remove_person_access, "Lee Example", at=A_TUESDAY)
    a_key(http, Scope.SUBMIT, name="changed-key")
    rotate_key(context.writer, name="changed-key", overlap=A_DAY, at=A_TUESDAY)
    context.writer.run(passkeys._use_challenge, b"a signed challenge", A_TUESDAY)


def work_at_the_desk(service: FastAPI, http: TestClient, recipient: str) -> None:
    """Do everything that is done to concerns, and leave some unread."""
    desk, receipts = desk_of(service, http), [raise_concern(http, str(number)) for number in range(7)]
    unread, acknowledged, closed, reopened, held, erased, handed = receipts
    for receipt in (acknowledged, closed, reopened, erased):
        ok(desk.act(receipt["reference"], "acknowledgement", up_to_addition=1))
    for receipt in (closed, reopened):
        ok(desk.act(receipt["reference"], "outcome", outcome="early_help"))
    ok(desk.act(reopened["reference"], "reopening", reason="A made-up reason."))
    ok(desk.act(held["reference"], "hold", held=True, reason="A made-up reason."))
    ok(desk.act(erased["reference"], "erasure", reason="A made-up reason."))
    body = {"recipient": recipient, "body": "Example Council", "reason": "The child lives there."}
    for _ in range(2):
        ok(desk.act(handed["reference"], "hand-over", **body))
    ok(desk.act(handed["reference"], "hand-over/1/receipt", receipt="a.b.c"))
    robin = worker_of(service, http, "Robin Example")
    ok(robin.act(held["reference"], "notes", text="A made-up note."))
    path = f"/v1/desk/concerns/{held['reference']}/assignment"
    ok(robin.http.put(path, json={"person": "Robin Example"}, headers=robin.headers))
    for whose in ("team", "own"):
        path = f"/v1/desk/concerns/{held['reference']}/look-again"
        ok(robin.http.put(path, json={"day": "2026-12-01", "whose": whose}, headers=robin.headers))
    for _ in range(2):
        ok(robin.act(acknowledged["reference"], "messages", text="A made-up question?"))
    ok(http.get(acknowledged["links"]["messages"], headers=token_of(acknowledged)))
    ok(add(http, acknowledged))
    ok(robin.act(acknowledged["reference"], "messages", text="Another?"))
    ok(robin.http.put("/v1/desk/views/mine", json={"danger": "yes"}, headers=robin.headers))
    until = re.findall(r'name="until" value="([^"]*)"', http.get("/desk?show=changed").text)[0]
    ok(send(http, "/desk/looked", until=until))
    ok(desk.get(f"/concerns/{unread['reference']}"))
    call = {"channel": "call", "came_at": "2026-11-24T09:00:00Z"}
    ok(robin.post("/concerns", call | {"submission": A_CONCERN}))
    ok(robin.post(f"/concerns/{unread['reference']}/additions", call | {"addition": ADDITION_EXAMPLE}))
    invited(service, "Lou Example", Role.READER)
    sam = worker_of(service, http, "Sam Example", Scope.READ, Scope.WRITE, Scope.AUDIT)
    for receipt, restricted, people in (
        (closed, True, ["Sam Example", "Lou Example"]),
        (handed, True, []),
        (handed, False, []),
    ):
        limit: dict[str, Any] = {"restricted": restricted, "people": people, "reason": "A made-up reason."}
        path = f"/v1/desk/concerns/{receipt['reference']}/restriction"
        ok(http.put(path, json=limit, headers=sam.headers))
    assert robin.get(f"/concerns/{closed['reference']}").status_code == 404


def publish_and_follow(service: FastAPI, http: TestClient) -> None:
    """Publish, withdraw and draft guides, save a form, and follow events by a reader and by webhooks."""
    writer = context_of_service(service).writer
    publish_next(service, change_note="The second.")
    publish_next(service, change_note="The third.")
    publish_pictured(service, stored_jpeg())
    withdraw(service, 3)
    for guide in ("county-lines", "another-guide"):
        author = writer_of(service, http, f"author-of-{guide}", guide=guide)
        tag = author.saved(whole_draft())
        ok(author.call("POST", "/offer", tag=tag) if guide == "county-lines" else author.call("GET"))
    ok(http.post(FORM, data=REQUIRED_ANSWERS | {"concern.narrative": NARRATIVE, "do": "save"}))
    follower = a_key(http, Scope.EVENTS, name="case-system")
    shown = http.get("/v1/events?limit=5", headers=follower).json()
    ok(http.get(f"/v1/events?after={shown['next_cursor']}", headers=follower))
    writer.run(insert_webhook, a_receiver_named("removed"))
    writer.run(remove_webhook, "removed", at=A_TUESDAY)


def a_receiver_named(name: str) -> WebhookRow:
    return WebhookRow(**a_receiver().model_dump() | {"name": name})


def ok(answer: Any) -> None:
    assert answer.status_code < 400, answer.text


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose database has rows in every table, after a day's work."""
    folder = tmp_path_factory.mktemp("filled")
    service = create_app(Settings(data_dir=folder / "data", deliver=False), SettableClock())
    recipient = create_identity(folder / "neighbour.txt", at=A_TUESDAY)
    with TestClient(service) as http:
        context = context_of_service(service)
        context.writer.run(insert_webhook, a_receiver())
        let_people_in(service, http)
        publish_and_follow(service, http)
        work_at_the_desk(service, http, recipient)
        context.writer.run(note_time, A_TUESDAY, is_checked=True)
        context.authenticator.key_uses.store(context.writer)
        for days in range(2):
            context.checkpoints.make(at=A_TUESDAY + days * A_DAY)
    return folder / "data"


@dataclass(frozen=True)
class Change:
    """One change of a row: the values that it gets, or None for a row that is deleted."""

    place: str
    """Table and column, or the table, where rows are deleted."""
    what: str
    rows: Sequence[dict[str, Any]]
    values: dict[str, Any] | None = None


def changes_of(table: Table, rows: Sequence[dict[str, Any]], most: int) -> Iterator[Change]:
    """Yield each change of each column, in that many rows that can have it, and the deletions."""
    for column in (each for each in table.c if each.computed is None):
        place, name = f"{table.name}.{column.name}", column.name
        full = [row for row in rows if row[name] is not None]
        for row in spread(full, most):
            yield Change(place, CHANGED, [row], {name: another(column, row[name])})
            if column.nullable:
                yield Change(place, TO_NULL, [row], {name: None})
        for row in spread([row for row in rows if row[name] is None], most):
            yield Change(place, FROM_NULL, [row], {name: as_json(full[0][name]) if full else invented(column)})
    yield from (Change(table.name, ROW, [row]) for row in spread(rows, most))
    yield Change(table.name, ROWS, rows)


def spread(rows: Sequence[dict[str, Any]], most: int) -> Sequence[dict[str, Any]]:
    """Return at most that many of the rows, from all over."""
    return rows[:: max(1, -(-len(rows) // most))]


def another(column: Column[Any], stored: Any) -> Any:
    """Return another value that the column can have, as the driver takes it."""
    if isinstance(column.type, JSON):
        value = json.loads(stored) if isinstance(stored, str) else stored
        return json.dumps(value[:-1] if isinstance(value, list) and value else [] if value else ["x"])
    if isinstance(column.type, UtcDateTimeType):
        moment = dt.datetime.fromisoformat(stored) if isinstance(stored, str) else stored
        return as_stored(moment + 3 * A_DAY)
    if isinstance(column.type, Date):
        day = dt.date.fromisoformat(str(stored)) + A_DAY
        return day if on_postgresql() else str(day)
    if isinstance(stored, int):
        is_either = isinstance(column.type, Boolean)
        return not stored if is_either else stored + 1000  # so that it is no other row's number
    if isinstance(stored, bytes):
        return stored[:-1] + (b"y" if stored.endswith(b"x") else b"x")
    return stored[:-1] + ("y" if stored.endswith("x") else "x")


def invented(column: Column[Any]) -> Any:
    """Return a value for a column of which no row has one."""
    if isinstance(column.type, UtcDateTimeType):
        return as_stored(A_TUESDAY)
    if isinstance(column.type, LargeBinary):
        return b"x"
    return 1 if isinstance(column.type, Integer) else "x"


def as_stored(moment: dt.datetime) -> Any:
    return moment if on_postgresql() else moment.replace(tzinfo=None).strftime("%Y-%m-%d %H:%M:%S.%f")


@dataclass(frozen=True)
class Altered:
    """A copy of the database without its rules, which somebody changes, and the engine that verifies it."""

    database: RawConnection
    engine: Engine

    def rows_of(self, table: Table) -> list[dict[str, Any]]:
        key = ", ".join(table.primary_key.columns.keys())
        names = [column.name for column in table.c if column.computed is None]
        found = self.database.execute(f"SELECT {', '.join(names)} FROM {table.name} ORDER BY {key}")  # noqa: S608  # own names
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def do(self, table: Table, change: Change) -> None:
        for row in change.rows:
            if change.values is None:
                where, which = self._where(table, row)
                self.database.execute(f"DELETE FROM {table.name} WHERE {where}", which)  # noqa: S608  # own names
            else:
                self._update(table, row, change.values)

    def undo(self, table: Table, change: Change) -> None:
        for row in change.rows:
            if change.values is None:
                places = ", ".join("?" * len(row))
                values = tuple(map(as_json, row.values()))
                self.database.execute(f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({places})", values)  # noqa: S608  # own names
            else:
                self._update(table, row | change.values, {name: as_json(row[name]) for name in change.values})

    def _update(self, table: Table, row: dict[str, Any], values: dict[str, Any]) -> None:
        where, which = self._where(table, row)
        assigned = ", ".join(f"{name} = ?" for name in values)
        self.database.execute(f"UPDATE {table.name} SET {assigned} WHERE {where}", (*values.values(), *which))  # noqa: S608  # own names

    @staticmethod
    def _where(table: Table, row: dict[str, Any]) -> tuple[str, tuple[Any, ...]]:
        names = table.primary_key.columns.keys()
        return " AND ".join(f"{name} = ?" for name in names), tuple(row[name] for name in names)

    def iterate_faults(self) -> Iterator[str]:
        """Yield what `verify` finds."""
        found = chain(find_faults(self.engine), verify_editions(self.engine))
        yield from (f"{about}: {fault}" for about, fault in found if fault is not None)

    def faults(self) -> list[str]:
        """Return all that `verify` finds."""
        return list(self.iterate_faults())

    def has_a_fault(self) -> bool:
        """Return whether `verify` finds anything: it is asked no further than to the first fault."""
        return next(self.iterate_faults(), None) is not None


def as_json(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (list, dict)) else value


@pytest.fixture
def altered(filled: Path, tmp_path: Path) -> Iterator[Altered]:
    copy_database(filled, tmp_path / "data")
    engine = open_database(tmp_path / "data", address_for(tmp_path / "data"))
    open_access_keys(Settings(data_dir=tmp_path / "data"), engine)
    with raw_connection(tmp_path / "data") as database:
        drop_triggers(database)
        if on_postgresql():
            database.execute("SET session_replication_role = replica")  # no foreign keys either
        yield Altered(database, engine)
    engine.dispose()


OWN = "the person sees what is set on the page, and no concern is out of reach by it"
UNNAMED = "no record names a saved form, so that nothing tells who began one; no byte of it opens but by its code"
SENT = "no record can say what a receiver got; one that must not miss an event reads them all by itself"
A_MINUTE_S_WORTH = "a challenge is used once, within five minutes, and lets nobody in without the passkey"
NO_MEANING: dict[str, tuple[set[str], str]] = {
    "client_keys.last_used_at": ({CHANGED, TO_NULL, FROM_NULL}, "it is shown to the operator alone, and ends no key"),
    "deliveries.message": ({CHANGED}, SENT),
    "deliveries.state": ({CHANGED}, SENT),
    "deliveries.attempts": ({CHANGED}, SENT),
    "deliveries.due": ({CHANGED}, SENT),
    "deliveries.last_answer": ({FROM_NULL}, SENT),
    "desk_sessions": ({ROW, ROWS}, "a session that is over goes without an act; its person signs in again"),
    "saved_forms.form_id": ({CHANGED}, UNNAMED),
    "saved_forms.sealed": ({CHANGED}, UNNAMED),
    "saved_forms.expires_at": ({CHANGED}, UNNAMED),
    "saved_forms.opened_by_sha256": ({FROM_NULL}, UNNAMED),
    "saved_forms.source": ({CHANGED}, UNNAMED),
    "saved_forms.size": ({CHANGED}, UNNAMED),
    "saved_forms": ({ROW, ROWS}, UNNAMED),
    "generation.id": ({CHANGED}, "there is one row, and its number counts"),
    "hand_overs.receipt": ({CHANGED}, "this service signed it: whoever is shown it checks the signature"),
    "inbox_looks.person": ({CHANGED}, OWN),
    "inbox_looks.looked_at": ({CHANGED}, OWN),
    "inbox_looks": ({ROW, ROWS}, OWN),
    "look_again.reference": ({CHANGED}, "a day that is moved to no concern is one that is missing"),
    "look_again": ({ROW}, "own days go with a person who leaves; a day of the team that is missing is found"),
    "passkey_challenges.challenge": ({CHANGED}, A_MINUTE_S_WORTH),
    "passkey_challenges.expires_at": ({CHANGED}, A_MINUTE_S_WORTH),
    "passkey_challenges": ({ROW, ROWS}, A_MINUTE_S_WORTH),
    "saved_views.person": ({CHANGED}, OWN),
    "saved_views.name": ({CHANGED}, OWN),
    "saved_views.filters": ({CHANGED}, OWN),
    "saved_views.saved_at": ({CHANGED}, OWN),
    "saved_views": ({ROW, ROWS}, OWN),
}
"""The changes that `verify` does not find, and why each has no meaning, or cannot be known. All others are found."""
ON_POSTGRESQL_ALONE: dict[str, tuple[set[str], str]] = {
    "catalogue.id": ({CHANGED}, "the full-text index of SQLite names entries by it, and nothing else does"),
}
COMPUTED = {"concerns.waiting", "concerns.danger", "concerns.due", "concerns.restricted"}
"""The columns that the database computes from others of the row."""
TABLES = SQLModel.metadata.sorted_tables


def not_found(altered: Altered, table: Table, most: int) -> dict[str, set[str]]:
    """Make each change, and return those that `verify` does not find, by their places."""
    rows = altered.rows_of(table)
    assert rows, "a table without rows says nothing"
    missed: dict[str, set[str]] = {}
    for change in changes_of(table, rows, most):
        altered.do(table, change)
        if not altered.has_a_fault():
            missed.setdefault(change.place, set()).add(change.what)
        altered.undo(table, change)
    assert altered.faults() == []
    return missed


def without_meaning(table: Table) -> dict[str, set[str]]:
    known = NO_MEANING | (ON_POSTGRESQL_ALONE if on_postgresql() else {})
    return {place: whats for place, (whats, _) in known.items() if place.partition(".")[0] == table.name}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.name))
def test_a_change_of_each_column_is_found_or_has_a_reason(altered: Altered, table: Table) -> None:
    missed, known = not_found(altered, table, most=1), without_meaning(table)

    assert {place: whats for place, whats in missed.items() if whats - known.get(place, set())} == {}


@pytest.mark.nightly
@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.name))
def test_a_change_of_each_row_is_found_or_has_a_reason(altered: Altered, table: Table) -> None:
    assert not_found(altered, table, most=8) == without_meaning(table)


def test_each_column_is_changed_or_computed_from_others() -> None:
    computed = {f"{table.name}.{column.name}" for table in TABLES for column in table.c if column.computed is not None}

    assert computed == COMPUTED
    assert {place.partition(".")[0] for place in NO_MEANING} <= {table.name for table in TABLES}


def rows_of_the_log(engine: Engine) -> list[AuditEntryRow]:
    with Session(engine) as session:
        return list(session.exec(select(AuditEntryRow)))


def test_each_entry_of_the_log_reads_back_to_its_stored_bytes(altered: Altered) -> None:
    rows = rows_of_the_log(altered.engine)

    assert [row.detail for row in rows] == [details_of(row).stored for row in rows]


@pytest.mark.parametrize(
    "words", ["", "addition 3", "with additions 1 to 9", "sha256:" + "0" * 64, "{person}; as lead"]
)
def test_no_wording_of_a_sentence_changes_what_verify_finds(
    altered: Altered, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for model in DETAILS.values():
        monkeypatch.setattr(model, "__str__", lambda _details: words)

    assert {sentence_of(row) for row in rows_of_the_log(altered.engine)} == {words}
    assert altered.faults() == []
