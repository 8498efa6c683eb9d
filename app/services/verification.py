"""What is always true of the database: checked as a whole by commands, and again and again while the service runs."""

import datetime as dt
import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from sqlalchemy import Connection, Engine, bindparam, exists, func, literal_column, or_, tuple_
from sqlalchemy import select as select_columns
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, col, select

from app.db.backup import find_file_faults
from app.db.schema import find_schema_faults, newest_revision, read_schema_version
from app.db.search import find_full_text_faults
from app.db.tables import table_of
from app.errors import SchemaBehind, SetupError
from app.logs import Log
from app.models.base import OnStep, show_no_progress, steps_of_part
from app.models.concerns import MORE_URGENT, ConcernRow, StoredReceiptRow
from app.models.editions import EditionRow, GenerationRow, WithdrawalRow
from app.models.entries import EntryKind, EntryPlace, EntryRow
from app.models.events import DeliveryRow, EventKind, EventReaderRow, EventRow
from app.models.hand_overs import HandOverRow
from app.models.record import OUTBOX, WITHOUT_A_CONCERN, ChainRow, CheckpointRow, DeskAct, DisclosureRow
from app.models.record_details import (
    ClosedDetails,
    SealDetails,
    acts_of_hand_overs,
    columns_sha256,
    entry_sha256,
    receipt_sha256,
    recorded_hand_overs,
)
from app.services.access import verify_access
from app.services.catalogue import find_index_faults
from app.services.chains import BEFORE_THE_FIRST, End, find_end, hash_of
from app.services.checkpoints import Checkpoint, MerkleTree, iterate_leaves
from app.services.deadlines import find_unannounced, find_without_event
from app.services.drafts import find_changed_drafts
from app.services.editions import (
    AnyKey,
    EditionKey,
    RenditionKey,
    digest_of_stored,
    every_publication,
    key_of,
    named,
)
from app.services.events import events_after
from app.services.record import find_clock_fault, find_known_time_fault
from app.services.replay import Change, RecordedConcern, Replayed, replay, replay_others
from app.services.resealing import SEALED_KINDS, SealedPlace, list_sealed_of
from app.services.webhooks import find_changed_webhooks

NOTHING_YET = "there is nothing to verify: the database is empty until the first start"
STEP_ROWS = 100
CONCERNS_AT_ONCE = 50
"""About 5 ms of work each, after which others have their turn: a writer holds the lock of all while it waits for it."""
SealedRow = ConcernRow | EntryRow
_RowT = TypeVar("_RowT", bound=SQLModel)
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)
"""What is raised by a row with a value that this service never writes."""
TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
NUMBERS = ("number", "position")
_TABLE = table_of(DisclosureRow)
_CHAINS, _ROWS = table_of(ChainRow).c, _TABLE.c
_FIRST_IN_ORDER = select_columns(
    *(literal_column("at") if column.name == "at" else column for column in _ROWS)
).order_by(_ROWS.chain, _ROWS.number)
"""The first disclosures, the rows of a chain one after the other, each with its time as it is stored."""
_BEFORE = _TABLE.alias("before").c
_NEXT_IN_ORDER = _FIRST_IN_ORDER.where(
    tuple_(_ROWS.chain, _ROWS.number)
    > tuple_(
        *(
            select_columns(column).where(_BEFORE.position == bindparam("position")).scalar_subquery()
            for column in (_BEFORE.chain, _BEFORE.number)
        )
    )
)
"""Those after the one of that position. What was stored is compared in the database, however it was altered."""
_LAST = exists().where(_ROWS.chain == _CHAINS.name, _ROWS.number == _CHAINS.length, _ROWS.sha256 == _CHAINS.head_sha256)
_ONE_MORE = exists().where(_ROWS.chain == _CHAINS.name, _ROWS.number == _CHAINS.length + 1)
_WRONG_ENDS = select_columns(_CHAINS.name, _CHAINS.length).where(or_(~_LAST, _ONE_MORE), _CHAINS.name != OUTBOX)
"""The chains whose last row is not the one that their end names."""
_WITHOUT_END = select_columns(_ROWS.chain).where(_ROWS.number == 1, ~exists().where(_CHAINS.name == _ROWS.chain))


def verify_database(engine: Engine) -> Iterator[str]:
    """Yield each fault of the embedded database's pages, else each table, index or rule that is not as declared.

    PostgreSQL verifies pages itself (data checksums). Before anything else is looked at, raises `SchemaBehind` for an
    older schema, `SchemaUnknown`, and `SetupError` for an empty database.
    """
    with suppress(DBAPIError):  # pages that are damaged are named below
        with engine.connect() as connection:
            version = read_schema_version(connection)
        if version is None:
            raise SetupError(NOTHING_YET)
        if version != newest_revision():
            raise SchemaBehind
    if engine.dialect.name == "sqlite":
        faults = find_file_faults(Path(engine.url.database or ""))
        yield from faults
        if faults:  # the rest cannot be read for certain
            return
    with engine.connect() as connection:
        yield from find_schema_faults(connection)


def verify_editions(engine: Engine) -> Iterator[tuple[str, str | None]]:
    """Verify each edition and each rendition of each guide: yield what names it, and its fault, or None."""
    with Session(engine) as session:
        for key, digest in every_publication(session):
            yield named(key), _find_fault(session, key, digest)


def find_faults(
    engine: Engine, checkpoints: Sequence[tuple[str, Checkpoint]] = (), on_step: OnStep = show_no_progress
) -> Iterator[tuple[str, str]]:
    """Yield every fault of the record and of the concerns: what it is about, and the fault.

    `checkpoints` are those that somebody else has stored, each with a name to show.
    """
    with Session(engine) as session:
        rows = session.exec(select(func.count()).select_from(DisclosureRow)).one()
        concerns = count_concerns(session)
    part = partial(steps_of_part, on_step, total=rows + concerns)
    for about, fault in verify_record(engine, part(after=0)):
        yield about, fault
    for reference, fault in verify_concerns(engine, part(after=rows)):
        yield f"concern {reference}", fault
    yield from verify_access(engine)
    yield from verify_events(engine)
    yield from verify_checkpoints(engine, checkpoints)
    with Session(engine) as session:
        wrong_time = find_known_time_fault(session)
    if wrong_time is not None:
        yield "the time that was last known", wrong_time


def verify_record(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the chains of disclosures and with the order of all of them: what it is, and the fault.

    The rows come in the order of their chains, so that a few at a time are enough, however many there are. A step is
    a row.
    """
    with engine.connect() as connection, _as_stored(connection):
        broken: set[str] = set()
        for about, fault in _faults_in_chains(connection, on_step):
            broken.add(about)
            yield f"disclosures of {about}", fault
        ends = [
            *((name, "its end is missing") for (name,) in connection.execute(_WITHOUT_END)),
            *((name, f"it should end at row {end}, and does not") for name, end in connection.execute(_WRONG_ENDS)),
        ]
        for about, fault in sorted((str(name), fault) for name, fault in ends if name not in broken):
            yield f"disclosures of {about}", fault
        count, last = connection.execute(select_columns(func.count(), func.max(_ROWS.position))).one()
        if count and count != last:
            yield "record", f"it has {count} rows, and the last has the position {last}"


@dataclass(frozen=True)
class _Concern:
    """What is read of one concern: its row, its chain, what it got later, in order, and the receipts for retries."""

    row: ConcernRow
    chain: list[DisclosureRow]
    entries: list[EntryRow]
    hand_overs: list[HandOverRow]
    receipts: list[StoredReceiptRow]


def verify_concerns(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield the reference of each concern that does not agree with its disclosures, and each fault."""
    with Session(engine) as session:
        after, done, is_last = "", 0, False
        total = count_concerns(session)
        while not is_last:
            page = _read_page(session, after)
            for each in page:
                after = each.row.reference
                try:
                    yield from ((after, fault) for fault in _faults_of(each))
                except UNREADABLE:
                    yield after, "a row of it cannot be read any more"
            session.close()  # the sealed texts, and the transaction: SQLite's log could not be emptied
            done, is_last = done + len(page), len(page) < CONCERNS_AT_ONCE
            on_step(done, total)
        for reference in _without_a_concern(session):
            yield reference, "it has disclosures, and no row"


def count_concerns(session: Session) -> int:
    """Return how many concerns there are."""
    return session.exec(select(func.count()).select_from(ConcernRow)).one()


def _read_page(session: Session, after: str) -> list[_Concern]:
    """Read the next concerns, each with its chain and all that belongs to it."""
    rows = select(ConcernRow).where(col(ConcernRow.reference) > after).order_by(col(ConcernRow.reference))
    concerns = session.exec(rows.limit(CONCERNS_AT_ONCE)).all()
    if not concerns:
        return []
    first, last = concerns[0].reference, concerns[-1].reference

    def of_each(row: type[_RowT], reference: str, *order: str) -> defaultdict[str, list[_RowT]]:
        columns = [col(getattr(row, name)) for name in (reference, *order)]
        found: defaultdict[str, list[_RowT]] = defaultdict(list)
        for each in session.exec(select(row).where(columns[0] >= first, columns[0] <= last).order_by(*columns)):
            found[getattr(each, reference)].append(each)
        return found

    chains = of_each(DisclosureRow, "chain", "number")
    entries = of_each(EntryRow, "reference", "kind", "number")
    hand_overs = of_each(HandOverRow, "reference", "number")
    receipts = of_each(StoredReceiptRow, "reference")
    return [
        _Concern(row, chains[name], entries[name], hand_overs[name], receipts[name])
        for row in concerns
        for name in [row.reference]
    ]


def _without_a_concern(session: Session) -> list[str]:
    known = exists().where(col(ConcernRow.reference) == ChainRow.name)  # NOT IN would compare each with all
    names = select(ChainRow.name).where(col(ChainRow.name).not_in(WITHOUT_A_CONCERN), ~known)
    return list(session.exec(names.order_by(col(ChainRow.name))))


def _faults_of(each: _Concern) -> Iterator[str]:
    recorded = replay(RecordedConcern(), each.chain)
    yield from _faults_in_acts(each.row, recorded)
    if recorded.columns_sha256 is None:
        yield "its receipt is not recorded"
    elif recorded.columns_sha256 != columns_sha256(dict(each.row)):
        yield "its row was altered since it was received"
    yield from _faults_in_texts(each, recorded)
    yield from _faults_in_waiting(each, recorded)
    yield from _faults_in_hand_overs(each)
    if recorded.receipts - set(map(receipt_sha256, each.receipts)):
        yield "a receipt that was stored for a retry is missing, or was altered"


@dataclass
class _RecordedEvents(Replayed):
    """What the events say of other tables: what was published and withdrawn, and what was signed."""

    published: dict[AnyKey, tuple[Any, ...]] = field(default_factory=dict)
    withdrawn: dict[AnyKey, tuple[Any, ...]] = field(default_factory=dict)
    checkpoints: dict[int, tuple[Any, ...]] = field(default_factory=dict)

    def publish(self, data: Any, event: EventRow) -> None:
        self.published[_key_in(data)] = (data["edition"], data["digest"], event.at)

    def withdraw(self, data: Any, event: EventRow) -> None:
        self.withdrawn[_key_in(data)] = (data["reason"], event.at)

    def sign(self, data: Any, event: EventRow) -> None:
        signed = (data["size"], data["root_sha256"], data["checkpoint"], event.at)
        self.checkpoints[len(self.checkpoints) + 1] = signed

    def _kind_of(self, row: Any) -> str:
        return str(row.kind)

    def _details_of(self, row: Any) -> Any:
        return row.data

    changes: ClassVar[Mapping[str, Change]] = {
        EventKind.EDITION_PUBLISHED: publish,
        EventKind.RENDITION_PUBLISHED: publish,
        EventKind.EDITION_WITHDRAWN: withdraw,
        EventKind.RENDITION_WITHDRAWN: withdraw,
        EventKind.AUDIT_CHECKPOINT: sign,
    }


ANNOUNCING = {
    EventKind.CONCERN_OVERDUE: table_of(ConcernRow).c.overdue_told,
    EventKind.CONCERN_DUE_SOON: table_of(ConcernRow).c.due_soon_announced,
    EventKind.CONCERN_ADDITION_OVERDUE: table_of(EntryRow).c.overdue_announced,
    EventKind.CONCERN_ADDITION_DUE_SOON: table_of(EntryRow).c.due_soon_announced,
}
"""The column that says that such an event was appended, which then is not appended again."""


def _key_in(data: dict[str, Any]) -> AnyKey:
    if "language" in data:
        return RenditionKey(data["guide"], data["language"], data["number"])
    return EditionKey(data["guide"], data["edition"])


def verify_events(engine: Engine, on_step: OnStep = show_no_progress) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the chain of events, and with all that the events and the record say of other tables.

    Those are deliveries, publications and withdrawals, the generation, search, webhooks, and readers of events.
    """
    with Session(engine) as session:
        said, recorded = _RecordedEvents(), replay_others(session)
        try:
            yield from _faults_in_events(session, said, recorded.last_events, on_step)
            yield from _faults_in_announcements(session)
        except UNREADABLE:
            yield "events", "one of them cannot be read any more"
        yield from _faults_in_publications(session, said)
        yield from _faults_in_readers(session, recorded.confirmed)
        yield from ((f"webhook {name}", fault) for name, fault in find_changed_webhooks(session, recorded.webhooks))
        yield from ((f"draft of {guide}", fault) for guide, fault in find_changed_drafts(session))
        try:
            yield from find_index_faults(session)
        except UNREADABLE:
            yield "search", "a current edition cannot be read any more"
    yield from ((f"search index {name}", "it does not hold the words") for name in find_full_text_faults(engine))


def _faults_in_events(
    session: Session, said: _RecordedEvents, signed: Mapping[int, str], on_step: OnStep
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with each event in its order, and apply those that are whole.

    `signed` has the hash of each event, by number, that the audit log names as the last one at its time.
    """
    end, unseen = BEFORE_THE_FIRST, dict(signed)
    for page in _pages_of_events(session, on_step):
        first, last = page[0].id, page[-1].id
        sent = select(DeliveryRow.event_id, DeliveryRow.webhook).where(col(DeliveryRow.event_id).between(first, last))
        deliveries = set(session.exec(sent))
        for event in page:
            about, own = f"event {event.id}", event.id or 0
            columns = dict(event)
            stored = columns.pop("sha256")
            if own != end.number + 1:
                yield "events", f"there is none between {end.number} and {own}"
            if own == end.number + 1 and stored != end.after(columns).sha256:
                yield about, "it was altered"
            else:
                said.apply(event)
            if {(own, webhook) for webhook in event.webhooks} - deliveries:
                yield about, "a delivery of it is missing"
            end = End(own, stored)
            if unseen.pop(own, end.sha256) != end.sha256:
                yield about, "it, or one before it, is not the one that the record names"
    if find_end(session, OUTBOX) != end:
        yield "events", f"the last one is {end.number}, and that is not where they should end"
    yield from (("events", f"the record names {each} of them, and there are {end.number}") for each in unseen)


def _pages_of_events(session: Session, on_step: OnStep) -> Iterator[Sequence[EventRow]]:
    """Yield the events in their order. A transaction ends with its page, but the last one goes on: it has the end."""
    after, is_last = 0, False
    while not is_last:
        page = events_after(session, after=after, limit=STEP_ROWS)
        if page:
            yield page
            after = page[-1].id or 0
        is_last = len(page) < STEP_ROWS
        if not is_last:
            session.close()
            on_step(after, 0)


def _faults_in_publications(session: Session, said: _RecordedEvents) -> Iterator[tuple[str, str]]:
    names = ("guide", "language", "number", "edition", "digest", "published_at")
    editions = session.execute(select_columns(*(table_of(EditionRow).c[name] for name in names)))
    published = {key_of(guide, language, number): tuple(row) for guide, language, number, *row in editions}
    withdrawals = session.exec(select(WithdrawalRow)).all()
    withdrawn = {key_of(row.guide, row.language, row.number): (row.reason, row.withdrawn_at) for row in withdrawals}
    checkpoints = {
        row.number: (row.size, row.root_sha256, row.note, row.at) for row in session.exec(select(CheckpointRow))
    }
    compared: list[tuple[str, dict[Any, Any], dict[Any, Any]]] = [
        ("publication of", published, said.published),
        ("withdrawal of", withdrawn, said.withdrawn),
        ("checkpoint", checkpoints, said.checkpoints),
    ]
    for what, there, recorded in compared:
        for key in sorted(there.keys() | recorded.keys(), key=str):
            if there.get(key) != recorded.get(key):
                name = key if isinstance(key, int) else named(key)
                yield f"{what} {name}", _difference(key in there, key in recorded)
    generation = session.exec(select(GenerationRow.number)).one_or_none()
    if generation != len(published) + len(withdrawn):
        yield "generation", f"it is {generation}, and {len(published) + len(withdrawn)} things happened"


def _difference(is_there: bool, is_recorded: bool) -> str:
    if is_there and is_recorded:
        return "it is not the one that its event names"
    return "no event names it" if is_there else "an event names it, and it is not there"


def _faults_in_announcements(session: Session) -> Iterator[tuple[str, str]]:
    for kind, told in ANNOUNCING.items():
        names = ("reference", "number") if told.table is table_of(EntryRow) else ("reference",)
        rows = select_columns(*(told.table.c[name] for name in names)).where(told)
        for reference, *_ in find_without_event(session, rows, kind):
            yield f"concern {reference}", f"its row says that {kind} was sent, and there is no such event"


def _faults_in_readers(session: Session, recorded: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    there = {row.client: row.confirmed for row in session.exec(select(EventReaderRow))}
    for client in sorted(there.keys() | recorded.keys()):
        if there.get(client) != recorded.get(client):
            yield (
                f"reader {client}",
                f"it confirmed {recorded.get(client)} events, and its row says {there.get(client)}",
            )


def verify_checkpoints(engine: Engine, others: Sequence[tuple[str, Checkpoint]] = ()) -> Iterator[tuple[str, str]]:
    """Yield each checkpoint that the record does not agree with, and how. Each of `others` has a name to show."""
    with Session(engine) as session:
        stored = session.exec(select(CheckpointRow).order_by(col(CheckpointRow.number))).all()
        expected = [(f"checkpoint {row.number}", row.size, row.root_sha256) for row in stored]
        expected += [(name, checkpoint.size, checkpoint.root.hex()) for name, checkpoint in others]
        try:
            trees, size = _trees_at(session, {each for _, each, _ in expected})
        except UNREADABLE:
            yield "checkpoints", "they cannot be compared, since a hash of the record cannot be read"
            return
    for name, stated, root in expected:
        if stated > size:
            yield name, f"it states {stated} disclosures, and there are {size}: the database was rolled back, or cut"
        elif trees[stated].root.hex() != root:
            yield name, f"the first {stated} disclosures are not those that it states"
    for row in stored:
        if row.size in trees and row.frontier != [node.hex() for node in trees[row.size].frontier]:
            yield f"checkpoint {row.number}", "its subtrees, from which the next one continues, were altered"


def _trees_at(session: Session, sizes: set[int]) -> tuple[dict[int, MerkleTree], int]:
    """Return the tree at each of those sizes, as far as the record goes, and its size."""
    tree = MerkleTree()
    trees = {0: MerkleTree()}
    for leaf in iterate_leaves(session, after=0):
        tree.append(leaf)
        if tree.size in sizes:
            trees[tree.size] = MerkleTree(tree.size, [*tree.frontier])
    return trees, tree.size


def _faults_in_chains(connection: Connection, on_step: OnStep) -> Iterator[tuple[str, str]]:
    """Yield the first fault of each chain whose rows do not follow one another, or were altered."""
    name, end, is_broken = None, BEFORE_THE_FIRST, False
    for row in _in_order(connection, on_step):
        if row.chain != name:
            name, end, is_broken = row.chain, BEFORE_THE_FIRST, False
        fault = None if is_broken else _fault_in(row, end)
        if fault is not None:
            is_broken = True
            yield str(row.chain), fault
        end = End(row.number, row.sha256)


def _in_order(connection: Connection, on_step: OnStep) -> Iterator[DisclosureRow]:
    """Yield every disclosure, and hold no transaction meanwhile: SQLite's log could not be emptied."""
    done, rows, is_last = 0, connection.execute(_FIRST_IN_ORDER.limit(STEP_ROWS)).all(), False
    while not is_last:
        connection.rollback()
        yield from (DisclosureRow(**row._mapping) for row in rows)
        done, is_last = done + len(rows), len(rows) < STEP_ROWS
        on_step(done, 0)
        if not is_last:
            rows = connection.execute(_NEXT_IN_ORDER.limit(STEP_ROWS), {"position": rows[-1].position}).all()


def _fault_in(row: DisclosureRow, end: End) -> str | None:
    """Return what is wrong with the row that comes after that end of its chain, or None."""
    if (row.number, row.previous_sha256) != (end.number + 1, end.sha256):
        return f"row {row.number} does not follow the row before it"
    return None if _has_right_hash(row) else f"row {row.number} was altered"


@contextmanager
def _as_stored(connection: Connection) -> Iterator[Connection]:
    """Read text columns even if tampering left bytes that are not text, so that the rest can still be checked."""
    if connection.dialect.name != "sqlite":  # PostgreSQL stores in a column only what its type allows
        yield connection
        return
    driver: Any = connection.connection.driver_connection
    before, driver.text_factory = driver.text_factory, lambda stored: stored.decode(errors="backslashreplace")
    try:
        yield connection
    finally:
        driver.text_factory = before


def _has_right_hash(row: DisclosureRow) -> bool:
    """Return whether every column has exactly the format that this service writes, and the row's hash is right."""
    if isinstance(row.at, dt.datetime):  # PostgreSQL: the column types ensure the format
        return hash_of(row) == row.sha256
    stored = [getattr(row, column.name) for column in table_of(DisclosureRow).c if column.name not in NUMBERS]
    written = row.at
    if not all(isinstance(value, str) for value in stored):
        return False
    try:
        row.at = dt.datetime.strptime(str(written), TIMESTAMP_FORMAT).replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return row.at.strftime(TIMESTAMP_FORMAT) == written and hash_of(row) == row.sha256


def _faults_in_acts(concern: ConcernRow, recorded: RecordedConcern) -> Iterator[str]:
    if concern.state != recorded.state:
        yield f"its state is {concern.state}, and its disclosures lead to {recorded.state}"
    if concern.held != recorded.held:
        yield f"it is {'' if concern.held else 'not '}on hold, and its disclosures say otherwise"
    if concern.assigned_to != recorded.assigned_to:
        yield "it is not assigned to the recorded person"
    if concern.changed_at != recorded.changed_at:
        yield "its row and its disclosures differ about when it was last changed"
    times = {
        DeskAct.ACKNOWLEDGED: concern.acknowledged_at,
        DeskAct.CLOSED: concern.closed_at,
        DeskAct.ERASED: concern.erased_at,
    }
    for act, at in times.items():
        if at != recorded.first.get(act):
            yield f"its row and its disclosures differ about when it was {act}"
    closing = None if concern.outcome is None else ClosedDetails(outcome=concern.outcome, shared=concern.outcome_shared)
    if closing != recorded.closing or (closing is None and concern.outcome_shared):
        yield "its outcome is not the recorded one"


def _faults_in_texts(each: _Concern, recorded: RecordedConcern) -> Iterator[str]:
    erased = DeskAct.ERASED in recorded.first
    texts: dict[EntryPlace | None, SealedRow] = {None: each.row} | {row.place: row for row in each.entries}
    for missing in sorted(recorded.seals.keys() - texts.keys(), key=str):
        yield f"{missing} is missing"
    for text, row in texts.items():
        fault = _fault_in_text(row, recorded.seals.get(text), erased=erased)
        if fault is not None:
            yield f"{text or 'its sealed text'} {fault}"
        act = recorded.added.get(text)
        if act is not None and (row.received_at, getattr(row, "author", act.client)) != (act.at, act.client):
            yield f"{text} was not received then, or not from that author"
        if isinstance(row, EntryRow):
            yield from _faults_in_entry(row, recorded)


def _faults_in_entry(row: EntryRow, recorded: RecordedConcern) -> Iterator[str]:
    if row.place in recorded.entries and recorded.entries[row.place] != entry_sha256(row):
        yield f"{row.place} was altered since it came"
    if not _is_read_as_recorded(row, recorded):
        yield f"{row.place} was not read or answered as its row says"
    acknowledged = recorded.acknowledged.get(row.number) if row.kind == EntryKind.ADDITION else None
    if row.acknowledged_at != acknowledged:
        yield f"its disclosures and {row.place} differ about when that was acknowledged"


def _faults_in_waiting(each: _Concern, recorded: RecordedConcern) -> Iterator[str]:
    """Yield what is wrong with the columns by which the inbox is ordered."""
    additions = [row for row in each.entries if row.kind == EntryKind.ADDITION and row.acknowledged_at is None]
    waiting = [row for row in additions if row.sealed is not None]
    dangers = [row.immediate_danger for row in waiting if row.immediate_danger is not None]
    expected = (
        len(waiting),
        min((row.acknowledge_by for row in waiting if row.acknowledge_by is not None), default=None),
        max(dangers, key=MORE_URGENT.index, default=None),
    )
    if (each.row.additions_waiting, each.row.addition_acknowledge_by, each.row.addition_danger) != expected:
        yield "its row does not say what waits of its additions"
    if each.row.added_at != recorded.added_at:
        yield "its row and its disclosures differ about when something was last added"


def _is_read_as_recorded(row: EntryRow, recorded: RecordedConcern) -> bool:
    said = (recorded.read_at.get(row.number), recorded.answered_by.get(row.number))
    return (row.read_at, row.answered_by) == (said if row.kind == EntryKind.MESSAGE else (None, None))


def _fault_in_text(row: SealedRow, entry: SealDetails | None, *, erased: bool) -> str | None:
    if erased and row.sealed is not None:
        return "is there, although it was erased"
    if not erased and row.sealed is None:
        return "is gone, and no erasure is recorded"
    if entry is None:
        return "is not recorded"
    if row.sealed is not None and hashlib.sha256(row.sealed).hexdigest() != entry.sealed_sha256:
        return "is not the one that is recorded"
    return None if tuple(row.recipients) == entry.recipients else "is not sealed to the recorded recipients"


def _faults_in_hand_overs(each: _Concern) -> Iterator[str]:
    recorded, there = recorded_hand_overs(each.chain), acts_of_hand_overs(each.hand_overs)
    if there - recorded:
        yield "a hand-over is not the one that is recorded"
    if recorded - there:
        yield "a recorded hand-over, or its receipt, is missing"


def _find_fault(session: Session, key: AnyKey, digest: str) -> str | None:
    try:
        found = digest_of_stored(session, key)
    except UNREADABLE:
        return "its row is no longer a whole edition or rendition"
    return None if found == digest else f"its row now gives {found}"


OVERDUE_GRACE = dt.timedelta(minutes=5)
"""How long after its hour an event may be missing: a process that was away notes what is overdue when it is back."""
NIGHT = dt.time(2, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
PAUSE_SECONDS = 0.02
"""After each step, so that requests have the processor."""

Beat = Callable[[], None]
"""Shows that long work goes on. May raise, to end it."""

log = Log(__name__)


class Invariant(StrEnum):
    """What is always true."""

    OVERDUE_EVENTS = "overdue-events"
    """Nothing waits past its hour without an event that says so."""
    RECIPIENTS = "recipients"
    """No text is sealed to a recipient that was removed."""
    CLOCK = "clock"
    """The clock agrees with the time that was last known."""
    CHAINS = "chains"
    """Every chain of disclosures verifies, and so do the order of all acts, the events, and the tables beside them."""
    ACCESS = "access"
    """Nobody may come in but those whom the record of people lets in, by rows that this service wrote."""


class Invariants:
    """Checks each invariant when it is due: what is overdue each time, recipients each hour, the record each night.

    Without recipients (a trial) there are none that could have been removed. Each process checks for itself.
    """

    def __init__(self, engine: Engine, recipients: Sequence[str], clock: Callable[[], dt.datetime]) -> None:
        self._engine = engine
        self._recipients = recipients
        self._clock = clock
        self._since = clock()
        self.broken: dict[str, bool] = {}
        """Whether each invariant that was checked was broken at the last check."""
        self.checked_at: dict[str, dt.datetime] = {}
        """When the last check of each ended."""

    def check_due(self, beat: Beat) -> None:
        """Check what is due."""
        for invariant in Invariant:
            if self._is_due(invariant):
                faults = find_broken(
                    self._engine, invariant, recipients=self._recipients, at=self._clock(), beat=lambda: _pause(beat)
                )
                if faults:
                    log.error("invariant_broken", reason=invariant.value, count=len(faults))
                self.broken[invariant.value] = bool(faults)
                self.checked_at[invariant.value] = self._clock()
                beat()

    def _is_due(self, invariant: Invariant) -> bool:
        now, last = self._clock(), self.checked_at.get(invariant.value)
        if invariant in (Invariant.OVERDUE_EVENTS, Invariant.CLOCK):
            return True
        if invariant is Invariant.ACCESS:
            return last is None or now - last >= HOUR
        if invariant is Invariant.RECIPIENTS:
            return bool(self._recipients) and (last is None or now - last >= HOUR)
        night = dt.datetime.combine(now.date(), NIGHT)
        return (last or self._since) < (night if night <= now else night - dt.timedelta(days=1))


def find_broken(
    engine: Engine, invariant: Invariant, *, recipients: Collection[str], at: dt.datetime, beat: Beat = lambda: None
) -> list[str]:
    """Return what breaks the invariant. `recipients` are the fingerprints that concerns are sealed to now."""

    def on_step(_done: int, _total: int) -> None:
        beat()

    with Session(engine) as session:
        checks: Mapping[Invariant, Callable[[], Iterable[str]]] = {
            Invariant.OVERDUE_EVENTS: lambda: find_unannounced(session, before=at - OVERDUE_GRACE),
            Invariant.RECIPIENTS: lambda: _sealed_to_others(session, set(recipients), on_step),
            Invariant.CLOCK: lambda: filter(None, [find_clock_fault(session, at=at)]),
            Invariant.CHAINS: lambda: _lines(
                verify_record(engine, on_step), verify_concerns(engine, on_step), verify_events(engine, on_step)
            ),
            Invariant.ACCESS: lambda: _lines(verify_access(engine, on_step)),
        }
        return list(checks[invariant]())


def _lines(*faults: Iterator[tuple[str, str]]) -> Iterator[str]:
    return (f"{about}: {fault}" for about, fault in chain.from_iterable(faults))


def _sealed_to_others(session: Session, recipients: set[str], on_step: OnStep) -> Iterator[str]:
    done = 0
    for kind in SEALED_KINDS:
        after: SealedPlace | None = None
        while texts := list_sealed_of(session, kind, after=after, limit=STEP_ROWS):
            yield from (str(text) for text in texts if not set(text.recipients) <= recipients)
            after = texts[-1]
            done += len(texts)
            session.close()  # and the transaction: SQLite's log could not be emptied
            on_step(done, 0)


def _pause(beat: Beat) -> None:
    beat()
    time.sleep(PAUSE_SECONDS)
