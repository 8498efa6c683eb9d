"""The most common desk actions, each beside its floor: reading the inbox, opening a concern and acknowledging it.

A floor is the least work that an action can take. The action calls what its route calls, without HTTP: the service's
functions, the writer, and the response as JSON. The floor does the same by plain SQL in one thread: it reads, inserts
and updates the same rows, computes the same hashes, and decrypts the same text. It commits as often and returns a
response with the same members. It checks nothing and refuses nothing.
"""

import asyncio
import contextlib
import datetime as dt
import gc
import hashlib
import itertools
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyrage
from pyrage import x25519
from sqlalchemy import event

from app.db.database import DATABASE_FILE, PRAGMAS
from app.http.context import AppContext
from app.models.base import canonical_json, format_utc
from app.models.concerns.concern import Concern
from app.models.concerns.rows import BY_URGENCY
from app.models.desk.actions import Acknowledgement
from app.models.desk.inbox import InboxResponse
from app.models.desk.inbox_filters import InboxOrder
from app.models.links import desk_concern_path, disclosures_path, edition_path
from app.routers.desk.actions import ADDITIONS_SHOWN
from app.server.run import OBJECTS_BETWEEN_COLLECTIONS
from app.services.audit.audit_log import Actor
from app.services.desk import actions, inbox, opened_concerns, presented_concerns
from app.services.desk.inbox import INBOX_COLUMNS, InboxQuery
from app.services.desk.presented_concerns import LINKED_STEPS
from bench.content import CONCERN, Progress, running_context
from bench.report import SLOWEST_ACT, TO_ITS_FLOOR
from bench.rounds import Results, Say
from bench.years import fill_with_years

FEW, DESIGNED_FOR, TEN_TIMES = 1_000, 70_000, 700_000
TOGETHER = 10  # actions in one measurement, because the writer's thread is still busy for a moment after the response
PAGE = 50
BY, ADDRESS = "bench", "192.0.2.7"
TRANSACTIONS = ("BEGIN", "COMMIT")

COLUMNS = [column.name for column in INBOX_COLUMNS]
NAMES, URGENT = ", ".join(COLUMNS), ", ".join(BY_URGENCY)
ONE_CONCERN = f"SELECT {NAMES} FROM concerns WHERE reference = ?"  # noqa: S608  # own names
FIRST_PAGE = (
    f"SELECT {NAMES} FROM concerns WHERE reference IN"  # noqa: S608  # own names
    f" (SELECT reference FROM concerns WHERE test IS 0 ORDER BY {URGENT} LIMIT {PAGE + 1}) ORDER BY {URGENT}"
)
ADDITIONS = (
    "SELECT number, received_at, immediate_danger, acknowledge_by, acknowledged_at FROM entries"  # noqa: S608  # a number
    f" WHERE reference = ? AND kind = 'addition' ORDER BY number LIMIT {ADDITIONS_SHOWN + 1}"
)
END_OF_CHAIN = "SELECT length, head_sha256 FROM chains WHERE name = ?"
NEW_END = "UPDATE chains SET length = ?, head_sha256 = ? WHERE name = ?"
NEW_DISCLOSURE = (
    "INSERT INTO audit_entries (chain, number, at, client, act, address, detail, previous_sha256, sha256, position)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT max(position) + 1 FROM audit_entries))"
)
RECEIVERS = "SELECT name, kinds FROM webhooks WHERE disabled_at IS NULL"
NEW_EVENT = "INSERT INTO events (id, kind, at, data, webhooks, sha256) VALUES (?, ?, ?, ?, ?, ?)"
NOW_ACKNOWLEDGED = (
    "UPDATE concerns SET state = 'acknowledged', acknowledged_at = ?1, changed_at = ?1 WHERE reference = ?2"
)

Act = Callable[[str], bytes]
"""An action on the concern with the given reference. It returns the response."""


def measure_acts(results: Results, work: Path, rounds: int, *, is_whole: bool, progress: Progress, say: Say) -> None:
    """Measure each action and its floor on databases with few concerns, and with seven years of concerns.

    If `is_whole` is true, also measure with ten times as many. Add the figures to `results`.
    """
    for concerns in (FEW, DESIGNED_FOR, *([TEN_TIMES] if is_whole else [])):
        folder = work / f"acts-{concerns}"
        fill_with_years(folder, concerns, progress)
        with running_context(folder) as context, _as_served(), Floor(context, folder) as floor:
            for name, act, its_floor in _acts_of(context, floor):
                what = f"{name} with {concerns:,} concerns"
                say(what)
                found = _measure(context, floor, (act, its_floor), rounds)
                results.figures |= {f"{what}, {each}": value for each, value in found.items()}


@contextlib.contextmanager
def _as_served() -> Iterator[None]:
    """Until the context ends, collect garbage as the server does: less often than Python by default.

    Objects that exist at the start are never collected.
    """
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    gc.freeze()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def _acts_of(context: AppContext, floor: "Floor") -> list[tuple[str, Act, Act]]:
    """Return the actions: for each, its name, the function of the service, and the function of the floor."""
    desk = context.desk

    def actor() -> Actor:
        return Actor(BY, ADDRESS, context.clock())

    def read_inbox(_reference: str) -> bytes:
        by, query = actor(), InboxQuery(InboxOrder.URGENT)
        rows = inbox.read_inbox(desk.writer, query, actor=by, after=None, limit=PAGE)
        page = tuple(presented_concerns.inbox_entry(row._mapping, now=by.at) for row in rows[:PAGE])
        return InboxResponse(concerns=page, next_changed_since=by.at, next_cursor=None).model_dump_json().encode()

    def open_concern(reference: str) -> bytes:
        by = actor()
        opening = desk.writer.run(
            opened_concerns.open_concern, reference, opened_concerns.OpeningRequest("opened here", ADDITIONS_SHOWN), by
        )
        return opened_concerns.opened_concern(desk, opening, now=by.at).model_dump_json().encode()

    def acknowledge(reference: str) -> bytes:
        by = actor()
        concern = desk.writer.run(actions.acknowledge, reference, Acknowledgement(), by)
        return presented_concerns.entry_of(concern, now=by.at).model_dump_json().encode()

    return [
        ("the inbox", read_inbox, floor.read_inbox),
        ("opening", open_concern, floor.open_concern),
        ("acknowledging", acknowledge, floor.acknowledge),
    ]


def _measure(context: AppContext, floor: "Floor", pair: Sequence[Act], rounds: int) -> dict[str, float]:
    """Run the action and its floor in turn, and return the figures of both. `pair` is the action and its floor.

    The concerns for this are submitted first.
    """
    references = iter(asyncio.run(_receive(context, 2 * TOGETHER * (rounds + 1))))
    used: list[list[float]] = [[], []]
    slowest = 0.0
    asked: list[list[str]] = [[], []]
    with _listening(context, floor, asked):
        for act in pair:
            for reference in itertools.islice(references, TOGETHER):
                act(reference)
    for _, (place, act) in itertools.product(range(rounds), enumerate(pair)):
        before = time.process_time()
        for reference in itertools.islice(references, TOGETHER):
            began = time.perf_counter()
            act(reference)
            slowest = max(slowest, 0.0 if place else time.perf_counter() - began)
        used[place].append((time.process_time() - before) / TOGETHER * 1e6)
    service, least = map(statistics.median, used)
    return {
        "microseconds of processor": service,
        "microseconds of processor of the floor": least,
        TO_ITS_FLOOR: service / least,
        "statements": len(asked[0]) / TOGETHER,
        "statements of the floor": len(asked[1]) / TOGETHER,
        SLOWEST_ACT: slowest * 1000,
    }


async def _receive(context: AppContext, number: int) -> list[str]:
    concern = Concern.model_validate_json(CONCERN)
    submit = context.submissions.submit
    stored = [await submit(concern, keys=None, at=context.clock()) for _ in range(number)]
    return [each.reference for each in stored]


@contextlib.contextmanager
def _listening(context: AppContext, floor: "Floor", asked: Sequence[list[str]]) -> Iterator[None]:
    """Until the context ends, collect the SQL statements: of the service in `asked[0]`, of the floor in `asked[1]`.

    Statements that begin or end a transaction are left out.
    """

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(TRANSACTIONS):
            asked[0].append(statement)

    def note_of_floor(statement: str) -> None:
        # SQLite reports a statement again for each trigger that the statement runs.
        if not statement.startswith(TRANSACTIONS) and statement not in asked[1][-1:]:
            asked[1].append(statement)

    event.listen(context.engine, "before_cursor_execute", note)
    floor.connection.set_trace_callback(note_of_floor)
    yield
    floor.connection.set_trace_callback(None)
    event.remove(context.engine, "before_cursor_execute", note)


class Floor:
    """The floors of the actions: plain SQL on a connection with the service's settings."""

    def __init__(self, context: AppContext, folder: Path) -> None:
        self.connection = sqlite3.connect(folder / DATABASE_FILE, isolation_level=None)
        for pragma in PRAGMAS:
            self.connection.execute(f"PRAGMA {pragma}")
        self._ask = self.connection.execute
        self._clock = context.clock
        self._identities: list[x25519.Identity] = list(context.unsealer.identities)

    def __enter__(self) -> "Floor":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def read_inbox(self, _reference: str) -> bytes:
        """Read the first page of the inbox, and record the reading in the audit log."""
        at = self._clock()
        self._ask("BEGIN IMMEDIATE")
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in self._ask(FIRST_PAGE)][:PAGE]
        self._record("inbox", "listed", at, " ".join(row["reference"] for row in rows))
        self._ask("COMMIT")
        answer = {"concerns": [_entry(row, at) for row in rows], "next_changed_since": at, "next_cursor": None}
        return orjson.dumps(answer)

    def open_concern(self, reference: str) -> bytes:
        """Record in the audit log that the concern is opened, and decrypt it."""
        at = self._clock()
        self._ask("BEGIN IMMEDIATE")
        row = self._read_concern(reference)
        additions = self._ask(ADDITIONS, (reference,)).fetchall()
        self._record(reference, "opened", at, "opened here")
        self._ask("COMMIT")
        (sealed,) = self._ask("SELECT sealed FROM concerns WHERE reference = ?", (reference,)).fetchone()
        document = orjson.loads(pyrage.decrypt(sealed, self._identities))
        return orjson.dumps(_entry(row, at) | {"submission": document["submission"], "additions": additions})

    def acknowledge(self, reference: str) -> bytes:
        """Acknowledge the concern, record this in the audit log, and append the event."""
        at = self._clock()
        self._ask("BEGIN IMMEDIATE")
        row = self._read_concern(reference)
        self._record(reference, "acknowledged", at, "")
        times = {name: _utc(row[name]) for name in ("received_at", "acknowledge_by")} | {
            "acknowledged_at": format_utc(at)
        }
        self._announce(at, {"reference": reference, **times, "links": {"concern": desk_concern_path(reference)}})
        self._ask(NOW_ACKNOWLEDGED, (_stored(at), reference))
        self._ask("COMMIT")
        return orjson.dumps(_entry(row | {"state": "acknowledged", "acknowledged_at": _stored(at)}, at))

    def _read_concern(self, reference: str) -> dict[str, Any]:
        return dict(zip(COLUMNS, self._ask(ONE_CONCERN, (reference,)).fetchone(), strict=True))

    def _record(self, chain: str, act: str, at: dt.datetime, detail: str) -> None:
        length, head = self._ask(END_OF_CHAIN, (chain,)).fetchone()
        columns = {"chain": chain, "number": length + 1, "at": format_utc(at), "client": BY, "act": act}
        columns |= {"address": ADDRESS, "detail": detail, "previous_sha256": head}
        columns["sha256"] = hashlib.sha256(canonical_json(columns)).hexdigest()
        self._ask(NEW_DISCLOSURE, tuple((columns | {"at": _stored(at)}).values()))
        self._ask(NEW_END, (length + 1, columns["sha256"], chain))

    def _announce(self, at: dt.datetime, data: Mapping[str, Any]) -> None:
        self._ask(RECEIVERS).fetchall()  # the action reads the webhooks too: here there are none
        length, head = self._ask(END_OF_CHAIN, ("outbox",)).fetchone()
        columns = {"id": length + 1, "kind": "concern.acknowledged", "at": format_utc(at), "data": data, "webhooks": []}
        sha256 = hashlib.sha256(canonical_json(columns | {"previous_sha256": head})).hexdigest()
        stored = (_stored(at), orjson.dumps(data).decode(), "[]", sha256)
        self._ask(NEW_EVENT, (length + 1, "concern.acknowledged", *stored))
        self._ask(NEW_END, (length + 1, sha256, "outbox"))


def _entry(row: Mapping[str, Any], at: dt.datetime) -> dict[str, Any]:
    """Return the members of the inbox entry for the concern in `row`."""
    reference = row["reference"]
    times = {name: row[name] and _utc(row[name]) for name in COLUMNS if name.endswith(("_at", "_by", "due"))}
    links = {step: desk_concern_path(reference, step) for step in LINKED_STEPS}
    links |= {"self": desk_concern_path(reference), "disclosures": disclosures_path(reference)}
    links["edition"] = edition_path(row["guide"], row["edition"])
    recipients = orjson.loads(row["recipients"])
    overdue = not row["waiting"] and row["due"] < _stored(at)
    return {**row, **times, "recipients": recipients, "overdue": overdue, "links": links}


def _stored(at: dt.datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")


def _utc(stored: str) -> str:
    return f"{stored[:10]}T{stored[11:]}Z".replace(".000000Z", "Z")
