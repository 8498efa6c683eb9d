"""Sealed entries of a concern: how each kind is written, listed and opened, and what becomes of it afterwards.

The writer records what will be shown and reads metadata alone. The sealed texts, which may be large, are read after
that is committed, outside the writer, one row at a time.
"""

import base64
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, case, exists, func, insert, literal_column, select, update
from sqlmodel import Session

from app.age.files import count_keys
from app.age.keys import NotThatFile, recipient_of
from app.errors import (
    AlreadyStored,
    ConcernErased,
    NoSuchItem,
    NotAcknowledged,
    SealedTextMisplaced,
    UnsealingUnavailable,
    ValidationFailed,
)
from app.faults import FaultCode, FieldError
from app.models.base import format_utc
from app.models.concerns.receipts import ConcernState
from app.models.concerns.tables import MORE_URGENT, ConcernRow
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.recorded import seal_entry
from app.models.digest import canonical_submission
from app.models.entries import (
    ENTRY_SPECS,
    ENTRY_WAITS,
    EntryKind,
    EntryPlace,
    EntryRow,
    Message,
    MessageEntry,
    MessagesResponse,
    NewNote,
    NoteEntry,
)
from app.models.events.tables import EventKind
from app.models.links import desk_additions_path, desk_concern_path, desk_messages_path, note_path
from app.services.concerns.idempotency import IdempotencyKeys, IdempotentResult, Retryable
from app.services.concerns.sealing import note_plaintext, open_note, seal_message
from app.services.desk.desk import Desk
from app.services.events.payloads import addition_payload
from app.store.changes import record_change
from app.store.concerns import get_concern, get_unerased
from app.store.disclosures import Actor, record_disclosure
from app.store.events import append_event
from app.store.tables import table_of
from app.store.writer import Writer, write_operation

PAGE_BYTES = 1_000_000
"""The most sealed bytes of a page of entries. A single one that is larger has a page of its own."""
GIVEN = "sealed text given"
"""What the record says of texts that were given sealed, to be opened elsewhere."""
NO_SUCH_ADDITION = "The concern has no addition of that number."
NOT_OUR_KEYS = "these are not the keys that this service seals to now: seal it again, to those"
NO_NOTE = "this is no note about this concern that is sealed to those keys"

_TABLE, _CONCERNS = table_of(EntryRow), table_of(ConcernRow).c
_ENTRIES = _TABLE.c
_WAITS: ColumnElement[bool] = literal_column(f"({ENTRY_WAITS})")
_OF_A_TEST = exists().where(_CONCERNS.reference == _ENTRIES.reference, _CONCERNS.test)
_MOST_URGENT = func.max(case({each: rank for rank, each in enumerate(MORE_URGENT)}, value=_ENTRIES.immediate_danger))
_METADATA: Select[Any] = select(
    *(column for column in _ENTRIES if column.name != "sealed"),
    func.coalesce(func.length(_ENTRIES.sealed), 0).label("size"),
)
"""Every column without the sealed text, which may be large, but with its size in bytes."""


def measure_entries(session: Session, kind: EntryKind, reference: str) -> tuple[int, int]:
    """Return how many entries of the kind the concern has, and how many bytes they have together, sealed."""
    measured = select(func.count(), func.coalesce(func.sum(func.length(_ENTRIES.sealed)), 0))
    count, size = session.connection().execute(measured.where(*_of(kind, reference))).one()
    return count, int(size)


def list_entries(
    session: Session, kind: EntryKind, reference: str, *, after: int = 0, limit: int | None = None
) -> Sequence[Row[Any]]:
    """Return the metadata of the entries after that number, in the order of arrival."""
    listed = _METADATA.where(*_of(kind, reference), _ENTRIES.number > after).order_by(_ENTRIES.number)
    return _rows(session, listed.limit(limit))


def read_sealed_entry(engine: Engine, reference: str, place: EntryPlace) -> bytes:
    """Return one sealed text. Raises `NoSuchItem`, or `ConcernErased` if it went since the record."""
    one = select(_ENTRIES.sealed).where(*_of(place.kind, reference), _ENTRIES.number == place.number)
    with Session(engine) as session:
        found = session.connection().execute(one).one_or_none()
    if found is None:
        raise NoSuchItem(f"The concern has no {place.kind} of that number.")
    if found.sealed is None:
        raise ConcernErased
    sealed: bytes = found.sealed
    return sealed


def _rows(session: Session, statement: Select[Any]) -> Sequence[Row[Any]]:
    return session.connection().execute(statement).all()


def _of(kind: EntryKind, reference: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _ENTRIES.reference == reference, _ENTRIES.kind == kind.value


# Writing


@dataclass(frozen=True)
class NewEntry:
    """An entry as it is received."""

    kind: EntryKind
    received_at: dt.datetime
    actor: Actor
    sealed: bytes
    recipients: Sequence[str] = ()
    acknowledge_by: dt.datetime | None = None
    immediate_danger: str | None = None


def append_entry(
    session: Session,
    concern: ConcernRow,
    entry: NewEntry,
    former: tuple[int, int],
    columns: dict[str, Any] | None = None,
) -> int:
    """Record the entry, insert it under the next number, and return the number.

    `former` is what `measure_entries` found. `columns` are those of the concern's row, if the act sets them. Raises
    `ConcernErased`, or that the concern has as many entries of the kind, or as large ones, as it may have.
    """
    spec, reference = ENTRY_SPECS[entry.kind], concern.reference
    if concern.erased_at is not None:
        raise ConcernErased
    count, size = former
    if count >= spec.most or size + len(entry.sealed) > spec.most_bytes:
        raise spec.too_many
    place, at = EntryPlace(entry.kind, count + 1), entry.received_at
    detail = str(seal_entry(entry.sealed, entry.recipients, added=place, columns=columns))
    if spec.changes_concern:
        record_change(session, concern, spec.act, actor=entry.actor, at=at, detail=detail)
    else:
        record_disclosure(session, chain=reference, act=spec.act, actor=entry.actor, at=at, detail=detail)
    own = {"reference": reference, "kind": entry.kind.value, "number": place.number, "author": entry.actor.client}
    own |= {"overdue_announced": False, "due_soon_announced": False}
    names = ("received_at", "sealed", "recipients", "acknowledge_by", "immediate_danger")
    session.connection().execute(insert(_TABLE), own | {name: getattr(entry, name) for name in names})
    return place.number


@write_operation
def _store(
    session: Session,
    reference: str,
    entry: NewEntry,
    request: Retryable,
    present: Callable[[int], bytes],
    faults: Sequence[FieldError] = (),
) -> bytes:
    """Insert the entry, and return it as `present` gives it. A retry is found before anything is refused."""
    concern = get_concern(session, reference)
    former = measure_entries(session, entry.kind, reference)
    presented = present(former[0] + 1)
    request.store(session, reference, presented)
    if faults:
        raise ValidationFailed(list(faults))
    append_entry(session, concern, entry, former)
    return presented


def write_note(
    desk: Desk, reference: str, note: NewNote, *, keys: IdempotencyKeys | None, actor: Actor, at: dt.datetime
) -> IdempotentResult:
    """Store the note, sealed here or where it was typed, and return its entry (JSON) after it is on the disk.

    A retry with the same idempotency key writes no second note. Raises `NoSuchConcern`, `ConcernErased`,
    `TooManyNotes`, `IdempotencyKeyReused`, `StoreBusy`, or `ValidationFailed` for a file that the desk cannot open.
    """
    faults: list[FieldError] = []
    if note.sealed is not None:
        sealed, faults = base64.b64decode(note.sealed), _faults_in(note, reference, desk)
    else:
        written = {"received_at": format_utc(at), "author": actor.client}
        sealed = desk.sealer.seal(note_plaintext(note.text or "", reference, **written))
    entry = NewEntry(EntryKind.NOTE, at, actor, sealed, desk.sealer.fingerprints)
    request = Retryable(canonical_submission(note), keys)

    def present(number: int) -> bytes:
        return note_entry(reference, number, written_at=at, by=actor.client).model_dump_json().encode()

    try:
        return IdempotentResult(
            reference, _store(desk.writer, reference, entry, request, present, faults), is_replay=False
        )
    except AlreadyStored:
        return request.replay(desk.engine)


def _faults_in(note: NewNote, reference: str, desk: Desk) -> list[FieldError]:
    """Return what is wrong with a note that was sealed elsewhere, as far as this service can see it.

    Where it opens notes it sees all: one text that is none would hide the others of its page.
    """
    sealer, unsealer = desk.sealer, desk.unsealer
    if sorted(note.recipients or ()) != sorted(map(str, sealer.recipients)):
        return [FieldError(("recipients",), NOT_OUR_KEYS, FaultCode.NOT_LISTED)]
    sealed = base64.b64decode(note.sealed or "")
    try:
        if count_keys(sealed) != len(sealer.recipients):
            raise NotThatFile
        if unsealer.has_one_of(sealer.fingerprints):
            open_note(unsealer, sealed, reference=reference, received_at=None, author=None)
    except (NotThatFile, SealedTextMisplaced, UnsealingUnavailable):
        return [FieldError(("sealed",), NO_NOTE)]
    return []


def note_entry(reference: str, number: int, *, written_at: dt.datetime, by: str, text: str | None = None) -> NoteEntry:
    """Return the entry of a note, with its words if they are given."""
    links = {"self": note_path(reference, number), "concern": desk_concern_path(reference)}
    return NoteEntry(number=number, written_at=written_at, by=by, text=text, links=links)


def send_message(
    desk: Desk, reference: str, message: Message, *, keys: IdempotencyKeys | None, actor: Actor, at: dt.datetime
) -> IdempotentResult:
    """Store the message, sealed to the reporter's code, and return its entry (JSON) after it is on the disk.

    A retry with the same idempotency key sends no second message. Raises `NoSuchConcern`,
    `ConcernErased`, `TooManyMessages`, `IdempotencyKeyReused` or `StoreBusy`.
    """
    with Session(desk.engine) as session:
        concern = get_concern(session, reference)
    if message.sealed is not None:
        sealed = base64.b64decode(message.sealed)
    else:
        sealed = seal_message(message.text or "", reference, recipient_of(concern.message_key), at=at)
    entry, request = NewEntry(EntryKind.MESSAGE, at, actor, sealed), Retryable(canonical_submission(message), keys)

    def present(number: int) -> bytes:
        return MessageEntry(number=number, sent_at=at, read_at=None, answered_by=None).model_dump_json().encode()

    try:
        return IdempotentResult(reference, _store(desk.writer, reference, entry, request, present), is_replay=False)
    except AlreadyStored:
        return request.replay(desk.engine)


@write_operation
def read_sent_messages(session: Session, reference: str, *, actor: Actor, at: dt.datetime) -> MessagesResponse:
    """Return the messages without their words, and the recipient of the next. Raises `NoSuchConcern`."""
    concern = get_concern(session, reference)
    record_disclosure(session, chain=reference, act=DeskAct.LISTED, actor=actor, at=at, detail="messages")
    return MessagesResponse(
        messages=list_messages(session, reference),
        recipient=recipient_of(concern.message_key),
        links={
            "self": desk_messages_path(reference),
            "concern": desk_concern_path(reference),
            "additions": desk_additions_path(reference),
        },
    )


def list_messages(session: Session, reference: str) -> tuple[MessageEntry, ...]:
    """Return what was sent to the reporter of the concern, without words."""
    return tuple(
        MessageEntry(number=row.number, sent_at=row.received_at, read_at=row.read_at, answered_by=row.answered_by)
        for row in list_entries(session, EntryKind.MESSAGE, reference)
    )


def mark_answered(session: Session, reference: str, *, addition: int) -> list[int]:
    """Write that the addition answers what was read and has no answer yet, and return the numbers of those messages."""
    read = (*_of(EntryKind.MESSAGE, reference), _ENTRIES.read_at.is_not(None), _ENTRIES.answered_by.is_(None))
    changed = update(_TABLE).where(*read).values(answered_by=addition).returning(_ENTRIES.number)
    return sorted(session.connection().execute(changed).scalars())


# Opening


@dataclass(frozen=True)
class EntryPage:
    """The metadata of some entries of one kind, and the number after which the next page begins, if there is one.

    `seen` is the number of the act that records the page; `opens` says whether all its texts are opened here.
    """

    kind: EntryKind
    rows: tuple[Row[Any], ...] = ()
    next_after: int | None = None
    seen: int = 0
    opens: bool = False

    def __str__(self) -> str:
        """Return what the record says was shown."""
        return f"{self.kind}s {self.rows[0].number} to {self.rows[-1].number}" if self.rows else f"no {self.kind}s"


@dataclass(frozen=True)
class PagePlace:
    """Where a page of entries begins: their kind, the concern, the number before, and how many it may have."""

    kind: EntryKind
    reference: str
    after: int
    limit: int


def open_page(
    writer: Writer,
    place: PagePlace,
    *,
    actor: Actor,
    at: dt.datetime,
    act: DeskAct,
    fingerprints: frozenset[str] | None = None,
) -> EntryPage:
    """Record that a page of entries is opened, or is listed without words.

    With the fingerprints of the keys that are here, the record says so where a text is sealed to none of them: all are
    then given sealed. Raises `NoSuchConcern` or `ConcernErased`.
    """
    shown = _Shown(act, fingerprints)
    return _open_page(writer, place.reference, place, shown, actor=actor, at=at)


@dataclass(frozen=True)
class _Shown:
    act: DeskAct
    fingerprints: frozenset[str] | None


@write_operation
def _open_page(
    session: Session, reference: str, place: PagePlace, shown: _Shown, *, actor: Actor, at: dt.datetime
) -> EntryPage:
    get_unerased(session, reference)
    page = page_of(session, place.kind, reference, after=place.after, limit=place.limit)
    opens = opens_all(page.rows, shown.fingerprints)
    detail = str(page) if opens or shown.fingerprints is None else f"{GIVEN}, {page}"
    row = record_disclosure(session, chain=reference, act=shown.act, actor=actor, at=at, detail=detail)
    return replace(page, seen=row.number, opens=opens)


@write_operation
def open_entry(session: Session, reference: str, place: EntryPlace, *, actor: Actor, at: dt.datetime) -> int:
    """Record that one entry is fetched, and return how many of its kind there are.

    Raises `NoSuchConcern` or `ConcernErased`.
    """
    get_unerased(session, reference)
    count, _ = measure_entries(session, place.kind, reference)
    detail = f"sealed file of {place}"
    record_disclosure(session, chain=reference, act=DeskAct.OPENED, actor=actor, at=at, detail=detail)
    return count


def read_page(engine: Engine, page: EntryPage) -> Iterator[tuple[Row[Any], bytes]]:
    """Yield each entry of the page with its sealed text, one row at a time. Raises `ConcernErased` if it went."""
    for row in page.rows:
        yield row, read_sealed_entry(engine, row.reference, EntryPlace(page.kind, row.number))


def page_of(session: Session, kind: EntryKind, reference: str, *, after: int, limit: int | None) -> EntryPage:
    """Return the metadata of the entries after that number: a page of them or, without a limit, all."""
    if limit is None:
        return EntryPage(kind, tuple(list_entries(session, kind, reference, after=after)))
    found = list_entries(session, kind, reference, after=after, limit=limit + 1)
    rows: list[Row[Any]] = []
    size = 0
    for row in found[:limit]:
        if rows and size + row.size > PAGE_BYTES:
            break
        rows.append(row)
        size += row.size
    return EntryPage(kind, tuple(rows), rows[-1].number if rows and len(rows) < len(found) else None)


def last_page_of(session: Session, kind: EntryKind, reference: str, *, limit: int) -> EntryPage:
    """Return the last entries, at most `limit` of them; `next_after` is set where there are earlier ones."""
    count, _ = measure_entries(session, kind, reference)
    before = max(count - limit, 0)
    page = page_of(session, kind, reference, after=before, limit=limit)
    return EntryPage(kind, page.rows, 0 if before else None)


def opens_all(texts: Iterable[Any], fingerprints: frozenset[str] | None) -> bool:
    """Return whether each text is sealed to one of these keys at least."""
    if not fingerprints:
        return False
    return all(not fingerprints.isdisjoint(text.recipients) for text in texts)


# Additions wait for an acknowledgement of their own.


@write_operation
def acknowledge_addition(session: Session, reference: str, number: int, *, actor: Actor, at: dt.datetime) -> ConcernRow:
    """Record that a social worker has seen that addition. Again, it only adds a disclosure.

    Raises `NoSuchConcern`, `NoSuchItem`, or `NotAcknowledged` if the concern itself waits.
    """
    concern = get_concern(session, reference)
    count, _ = measure_entries(session, EntryKind.ADDITION, reference)
    if number > count:
        raise NoSuchItem(NO_SUCH_ADDITION)
    if concern.state == ConcernState.RECEIVED:
        raise NotAcknowledged
    record_change(session, concern, DeskAct.ACKNOWLEDGED, actor=actor, at=at, detail=f"addition {number}")
    _acknowledge(session, concern, first=number, last=number, at=at)
    return concern


def acknowledge_up_to(session: Session, concern: ConcernRow, number: int, *, at: dt.datetime) -> None:
    """Acknowledge the additions up to that number, in the caller's transaction, which has recorded the act.

    Raises `ValidationFailed` if there is no addition of that number.
    """
    if number == 0:
        return
    count, _ = measure_entries(session, EntryKind.ADDITION, concern.reference)
    if number > count:
        raise ValidationFailed([FieldError(("up_to_addition",), NO_SUCH_ADDITION)])
    _acknowledge(session, concern, first=1, last=number, at=at)


def _acknowledge(session: Session, concern: ConcernRow, *, first: int, last: int, at: dt.datetime) -> None:
    """Acknowledge those from the first to the last number that wait, with an event for each."""
    named = (*_of(EntryKind.ADDITION, concern.reference), _ENTRIES.number.between(first, last), _WAITS)
    found = _rows(session, _METADATA.where(*named).order_by(_ENTRIES.number))
    session.connection().execute(update(_TABLE).where(*named).values(acknowledged_at=at))
    count_waiting(session, concern)
    for row in () if concern.test else found:
        data = addition_payload(concern, number=row.number, acknowledge_by=row.acknowledge_by)
        append_event(session, EventKind.CONCERN_ADDITION_ACKNOWLEDGED, at=at, data=data)


def count_waiting(session: Session, concern: ConcernRow) -> None:
    """Count again what waits, for the columns of the concern by which the inbox is ordered."""
    counted = select(func.count(), func.min(_ENTRIES.acknowledge_by), _MOST_URGENT)
    waiting = counted.where(*_of(EntryKind.ADDITION, concern.reference), _WAITS)
    count, earliest, danger = session.connection().execute(waiting).one()
    concern.additions_waiting, concern.addition_acknowledge_by = count, earliest
    concern.addition_danger = None if danger is None else MORE_URGENT[danger]


def count_additions(session: Session, *, now: dt.datetime) -> dict[str, int]:
    """Count the additions that wait, of all concerns but tests, and those that are overdue."""
    is_late = case((_ENTRIES.acknowledge_by < now, 1))
    counted = select(func.count(), func.count(is_late)).where(_WAITS, ~_OF_A_TEST)
    waiting, overdue = session.connection().execute(counted).one()
    return {"additions_waiting": waiting, "additions_overdue": overdue}
