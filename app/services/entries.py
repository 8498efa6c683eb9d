"""Sealed entries of a concern: how each kind is written, listed and opened, and what becomes of it afterwards.

The writer records what will be shown and reads metadata alone. The sealed texts, which may be large, are read after
that is committed, outside the writer, one row at a time.
"""

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Engine,
    Integer,
    Row,
    Select,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlmodel import Session

from app.age.files import count_keys
from app.age.keys import NotThatFile, Sealer, recipient_of
from app.db.tables import table_of
from app.db.writer import Writer
from app.errors import (
    AlreadyStored,
    ConcernErased,
    FaultCode,
    FieldError,
    IdempotencyKeyReused,
    InvalidConcern,
    NoSuchConcern,
    NoSuchItem,
    NotAcknowledged,
    SealedTextMisplaced,
    TooManyConcerns,
    UnsealingUnavailable,
    ValidationFailed,
)
from app.models.base import MAX_NUMBER, canonical_submission, format_utc
from app.models.concerns import MORE_URGENT, Addition, ConcernRow, ImmediateDanger, StoredReceiptRow
from app.models.entries import (
    ENTRY_SPECS,
    ENTRY_WAITS,
    AdditionEntry,
    EntryKind,
    EntryPlace,
    EntryRow,
    Message,
    MessageEntry,
    MessagesResponse,
    NewNote,
    NoteEntry,
    OpenedAddition,
    ReceivedMessage,
    ReceivedMessages,
)
from app.models.events import EventKind
from app.models.links import desk_concern_path
from app.models.receipts import ConcernState, ConcernStatus, find_reference, standard_token
from app.models.record import DeskAct
from app.models.record_details import AcknowledgedDetails, MessageReadDetails, ShownDetails, ShownPage, seal_details
from app.services.concerns import EditionResolver, find_concern, get_concern, get_unerased, unknown_ids
from app.services.editions import EditionKey
from app.services.events import append_events, events_about
from app.services.limits import CodeTries, Networks, Sources
from app.services.receipts import (
    IdempotentResult,
    PinnedEdition,
    ReceiptBuilder,
    ReceiptSigner,
    Retryable,
    derive_idempotency_keys,
)
from app.services.record import Actor, by_reporter, record_change, record_disclosure
from app.services.reference_data import ReferenceData
from app.services.sealing import (
    Unsealer,
    addition_plaintext,
    find_message,
    note_plaintext,
    open_note,
    seal_message,
    token_identity,
)

PAGE_BYTES = 1_000_000
"""The most sealed bytes of a page of entries. A single one that is larger has a page of its own."""
GIVEN = "sealed text given"
"""What the record says of texts that were given sealed, to be opened elsewhere."""
NO_SUCH_ADDITION = "The concern has no addition with that number."
NOT_OUR_KEYS = "these are not the current keys of this service: encrypt it again to the current keys"
NO_NOTE = "this is not a note about this concern encrypted to those keys"
READ, ADD = "read", "add"
"""What a reporter follows a concern for."""

_TABLE, _CONCERNS = table_of(EntryRow), table_of(ConcernRow).c
_ENTRIES = _TABLE.c
_WAITS: ColumnElement[bool] = literal_column(f"({ENTRY_WAITS})")
_OF_A_TEST = exists().where(_CONCERNS.reference == _ENTRIES.reference, _CONCERNS.test)
_MOST_URGENT = func.max(case({each: rank for rank, each in enumerate(MORE_URGENT)}, value=_ENTRIES.immediate_danger))
# Executed with every opening: built once.
_OF_ONE_KIND = _ENTRIES.reference == bindparam("reference"), _ENTRIES.kind == bindparam("kind")
_MEASURED = select(func.count(), func.coalesce(func.sum(func.length(_ENTRIES.sealed)), 0)).where(*_OF_ONE_KIND)
_LISTED: Select[Any] = (
    select(
        *(column for column in _ENTRIES if column.name != "sealed"),
        func.coalesce(func.length(_ENTRIES.sealed), 0).label("size"),
    )
    .where(*_OF_ONE_KIND, _ENTRIES.number > bindparam("after"))
    .order_by(_ENTRIES.number)
    .limit(bindparam("limit", type_=Integer))
)
"""Every column without the sealed text, which may be large, but with its size in bytes."""
_SEALED = select(_CONCERNS.sealed).where(_CONCERNS.reference == bindparam("reference"))
_SEALED_ENTRY = select(_ENTRIES.sealed).where(*_OF_ONE_KIND, _ENTRIES.number == bindparam("number"))


def measure_entries(session: Session, kind: EntryKind, reference: str) -> tuple[int, int]:
    """Return how many entries of the kind the concern has, and how many bytes they have together, sealed."""
    count, size = session.connection().execute(_MEASURED, {"reference": reference, "kind": kind.value}).one()
    return count, int(size)


def list_entries(
    session: Session, kind: EntryKind, reference: str, *, after: int = 0, limit: int | None = None
) -> Sequence[Row[Any]]:
    """Return the metadata of the entries after that number, in the order of arrival."""
    wanted = {
        "reference": reference,
        "kind": kind.value,
        "after": after,
        "limit": MAX_NUMBER if limit is None else limit,
    }
    return session.connection().execute(_LISTED, wanted).all()


def read_sealed(engine: Engine, reference: str, place: EntryPlace | None = None) -> bytes:
    """Return one sealed text, an entry's or the concern's own, whose opening is on the record.

    Raises `NoSuchItem`, or `ConcernErased` if it went since the record.
    """
    entry = {} if place is None else {"kind": place.kind.value, "number": place.number}
    with engine.connect() as connection:
        one = connection.execute(_SEALED_ENTRY if entry else _SEALED, {"reference": reference, **entry})
        found = one.one_or_none()
    if found is None and place is not None:
        raise NoSuchItem(f"The concern has no {place.kind} with that number.")
    if found is None or found.sealed is None:
        raise ConcernErased
    sealed: bytes = found.sealed
    return sealed


def _of(kind: EntryKind, reference: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _ENTRIES.reference == reference, _ENTRIES.kind == kind.value


@dataclass(frozen=True)
class Desk:
    """Seals what the desk writes, opens what this process holds an identity for, signs what leaves, knows the codes."""

    engine: Engine
    writer: Writer
    sealer: Sealer
    unsealer: Unsealer
    signer: ReceiptSigner
    reference_data: ReferenceData


# Writing


@dataclass(frozen=True)
class NewEntry:
    """An entry as it is received."""

    kind: EntryKind
    actor: Actor
    sealed: bytes
    recipients: Sequence[str] = ()
    acknowledge_by: dt.datetime | None = None
    immediate_danger: str | None = None

    def numbered(self, reference: str, number: int) -> EntryRow:
        """Return its row."""
        return EntryRow(
            reference=reference,
            kind=self.kind.value,
            number=number,
            received_at=self.actor.at,
            author=self.actor.client,
            recipients=list(self.recipients),
            sealed=self.sealed,
            acknowledge_by=self.acknowledge_by,
            immediate_danger=self.immediate_danger,
        )


def append_entry(
    session: Session,
    concern: ConcernRow,
    entry: NewEntry,
    former: tuple[int, int],
    receipt: StoredReceiptRow | None,
    columns: dict[str, Any] | None = None,
) -> EntryRow:
    """Record the entry, insert it under the next number, and return its row.

    `former` is what `measure_entries` found, `receipt` what is stored for a retry. `columns` are those of the concern's
    row, if the act sets them. Raises `ConcernErased`, or that the concern has as many entries of the kind, or as large
    ones, as it may have.
    """
    spec, reference = ENTRY_SPECS[entry.kind], concern.reference
    if concern.erased_at is not None:
        raise ConcernErased
    count, size = former
    if count >= spec.most or size + len(entry.sealed) > spec.most_bytes:
        raise spec.too_many
    row = entry.numbered(reference, count + 1)
    details = seal_details(entry.sealed, entry.recipients, added=row.place, row=row, columns=columns, receipt=receipt)
    if spec.changes_concern:
        record_change(session, concern, spec.act, entry.actor, details)
    else:
        record_disclosure(session, reference, spec.act, entry.actor, details)
    session.connection().execute(insert(_TABLE), row.model_dump())
    return row


def _store(
    session: Session, reference: str, entry: NewEntry, request: Retryable, faults: Sequence[FieldError] = ()
) -> bytes:
    """Store the entry about the concern of that reference. Raises `NoSuchConcern`, and as `store_entry` does."""
    return store_entry(session, get_concern(session, reference), entry, request, faults)


def store_entry(
    session: Session, concern: ConcernRow, entry: NewEntry, request: Retryable, faults: Sequence[FieldError] = ()
) -> bytes:
    """Store the entry in the caller's transaction, and return it (JSON) without its words.

    Raises `AlreadyStored` for a retry, before anything is refused.
    """
    reference = concern.reference
    former = measure_entries(session, entry.kind, reference)
    row = entry.numbered(reference, former[0] + 1)
    presented = present_entry(row, now=entry.actor.at).model_dump_json().encode()
    receipt = request.store(session, reference, presented)
    if faults:
        raise ValidationFailed(list(faults))
    append_entry(session, concern, entry, former, receipt)
    return presented


def write_note(desk: Desk, reference: str, note: NewNote, actor: Actor, key: str | None = None) -> IdempotentResult:
    """Store the note, sealed here or where it was typed, and return its entry (JSON) after it is on the disk.

    A retry with the same idempotency key writes no second note. Raises `NoSuchConcern`, `ConcernErased`,
    `TooManyNotes`, `IdempotencyKeyReused`, `StoreBusy`, or `ValidationFailed` for a file that the desk cannot open.
    """
    faults: list[FieldError] = []
    if note.sealed is not None:
        sealed, faults = base64.b64decode(note.sealed), _faults_in(note, reference, desk)
    else:
        written = {"received_at": format_utc(actor.at), "author": actor.client}
        sealed = desk.sealer.seal(note_plaintext(note.text or "", reference, **written))
    entry = NewEntry(EntryKind.NOTE, actor, sealed, desk.sealer.fingerprints)
    keys = derive_idempotency_keys(key, client=f"{actor.client}, note about {reference}")
    return _store_once(desk, reference, entry, Retryable(canonical_submission(note), keys), faults)


def _store_once(
    desk: Desk, reference: str, entry: NewEntry, request: Retryable, faults: Sequence[FieldError] = ()
) -> IdempotentResult:
    """Store the entry, unless this is a retry. Return it (JSON) without its words."""
    try:
        presented = desk.writer.run(_store, reference, entry, request, faults)
    except AlreadyStored:
        return request.replay(desk.engine)
    return IdempotentResult(reference, presented, is_replay=False)


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


def send_message(
    desk: Desk, reference: str, message: Message, actor: Actor, key: str | None = None
) -> IdempotentResult:
    """Store the message, sealed to the reporter's code, and return its entry (JSON) after it is on the disk.

    A retry with the same idempotency key sends no second message. Raises `NoSuchConcern`,
    `ConcernErased`, `TooManyMessages`, `IdempotencyKeyReused` or `StoreBusy`.
    """
    entry = new_message(desk, reference, message, actor)
    keys = derive_idempotency_keys(key, client=f"{actor.client}, message to {reference}")
    return _store_once(desk, reference, entry, Retryable(canonical_submission(message), keys))


def new_message(desk: Desk, reference: str, message: Message, actor: Actor) -> NewEntry:
    """Return the message as it is stored, sealed to the reporter's code. Raises `NoSuchConcern`."""
    if message.sealed is not None:
        return NewEntry(EntryKind.MESSAGE, actor, base64.b64decode(message.sealed))
    with Session(desk.engine) as session:
        recipient = recipient_of(get_concern(session, reference).message_key)
    return NewEntry(EntryKind.MESSAGE, actor, seal_message(message.text or "", reference, recipient, at=actor.at))


def read_sent_messages(session: Session, reference: str, actor: Actor) -> MessagesResponse:
    """Return the messages without their words, and the recipient of the next. Raises `NoSuchConcern`."""
    concern = get_concern(session, reference)
    record_disclosure(session, reference, DeskAct.LISTED, actor, ShownDetails(what="messages"))
    return MessagesResponse(
        messages=list_messages(session, reference),
        recipient=recipient_of(concern.message_key),
        links={
            "self": desk_concern_path(reference, "messages"),
            "concern": desk_concern_path(reference),
            "additions": desk_concern_path(reference, "additions"),
        },
    )


def list_messages(session: Session, reference: str) -> tuple[MessageEntry, ...]:
    """Return what was sent to the reporter of the concern, without words."""
    return tuple(map(_message_entry, list_entries(session, EntryKind.MESSAGE, reference)))


def _message_entry(row: Row[Any] | EntryRow) -> MessageEntry:
    return MessageEntry(number=row.number, sent_at=row.received_at, read_at=row.read_at, answered_by=row.answered_by)


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

    @property
    def shown(self) -> ShownPage:
        """What the audit log says of the page."""
        numbers = {"first": self.rows[0].number, "last": self.rows[-1].number} if self.rows else {}
        return ShownPage(kind=self.kind, **numbers)


@dataclass(frozen=True)
class PagePlace:
    """Where a page of entries begins: their kind, the concern, the number before, and how many it may have."""

    kind: EntryKind
    reference: str
    after: int
    limit: int | None
    """None: all."""


def open_page(
    session: Session, place: PagePlace, actor: Actor, act: DeskAct, fingerprints: frozenset[str] | None = None
) -> EntryPage:
    """Record that a page of entries is opened, or is listed without words.

    With the fingerprints of the keys that are here, the record says so where a text is sealed to none of them: all are
    then given sealed. Raises `NoSuchConcern` or `ConcernErased`.
    """
    get_unerased(session, place.reference)
    page = page_of(session, place)
    opens = opens_all(page.rows, fingerprints)
    shown = ShownDetails(what="" if opens or fingerprints is None else GIVEN, pages=(page.shown,))
    seen = record_disclosure(session, place.reference, act, actor, shown).number
    return replace(page, seen=seen, opens=opens)


def open_entry(session: Session, reference: str, place: EntryPlace, actor: Actor) -> int:
    """Record that one entry is fetched, and return how many of its kind there are.

    Raises `NoSuchConcern` or `ConcernErased`.
    """
    get_unerased(session, reference)
    count, _ = measure_entries(session, place.kind, reference)
    shown = ShownDetails(what="sealed file", kind=place.kind, number=place.number)
    record_disclosure(session, reference, DeskAct.OPENED, actor, shown)
    return count


def read_page(engine: Engine, page: EntryPage) -> Iterator[tuple[Row[Any], bytes]]:
    """Yield each entry of the page with its sealed text, one row at a time. Raises `ConcernErased` if it went."""
    for row in page.rows:
        yield row, read_sealed(engine, row.reference, EntryPlace(page.kind, row.number))


def page_of(session: Session, place: PagePlace) -> EntryPage:
    """Return the metadata of the entries of that page."""
    more = None if place.limit is None else place.limit + 1
    found = list_entries(session, place.kind, place.reference, after=place.after, limit=more)
    if place.limit is None:
        return EntryPage(place.kind, tuple(found))
    rows: list[Row[Any]] = []
    size = 0
    for row in found[: place.limit]:
        size += row.size
        if rows and size > PAGE_BYTES:
            break
        rows.append(row)
    return EntryPage(place.kind, tuple(rows), rows[-1].number if rows and len(rows) < len(found) else None)


def first_page_of(session: Session, kind: EntryKind, reference: str, *, limit: int | None) -> tuple[EntryPage, int]:
    """Return the first entries, at most `limit` of them, and how many there are, which a whole page says itself."""
    page = EntryPage(kind) if limit == 0 else page_of(session, PagePlace(kind, reference, 0, limit))
    is_whole = limit != 0 and page.next_after is None
    return page, len(page.rows) if is_whole else measure_entries(session, kind, reference)[0]


def last_page_of(session: Session, kind: EntryKind, reference: str, *, limit: int) -> EntryPage:
    """Return the last entries, at most `limit` of them; `next_after` is set where there are earlier ones."""
    count, _ = measure_entries(session, kind, reference)
    before = max(count - limit, 0)
    page = page_of(session, PagePlace(kind, reference, before, limit))
    return replace(page, next_after=0 if before else None)


def opens_all(texts: Iterable[Any], fingerprints: frozenset[str] | None) -> bool:
    """Return whether each text is sealed to one of these keys at least."""
    if not fingerprints:
        return False
    return all(not fingerprints.isdisjoint(text.recipients) for text in texts)


# Additions wait for an acknowledgement of their own.


def acknowledge_addition(session: Session, reference: str, number: int, actor: Actor) -> ConcernRow:
    """Record that a social worker has seen that addition. Again, it only adds a disclosure.

    Raises `NoSuchConcern`, `NoSuchItem`, or `NotAcknowledged` if the concern itself waits.
    """
    concern = get_concern(session, reference)
    count, _ = measure_entries(session, EntryKind.ADDITION, reference)
    if number > count:
        raise NoSuchItem(NO_SUCH_ADDITION)
    if concern.state == ConcernState.RECEIVED:
        raise NotAcknowledged
    record_change(session, concern, DeskAct.ACKNOWLEDGED, actor, AcknowledgedDetails(addition=number))
    _acknowledge(session, concern, first=number, last=number, at=actor.at)
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


def last_waiting_addition(session: Session, reference: str, *, until: dt.datetime) -> int:
    """Return the number of the last addition that waits and came until then; 0 if there is none."""
    waiting = (*_of(EntryKind.ADDITION, reference), _WAITS, _ENTRIES.received_at <= until)
    last = select(func.coalesce(func.max(_ENTRIES.number), 0)).where(*waiting)
    number: int = session.connection().execute(last).scalar_one()
    return number


def _acknowledge(session: Session, concern: ConcernRow, *, first: int, last: int, at: dt.datetime) -> None:
    """Acknowledge those from the first to the last number that wait, with an event for each."""
    named = (*_of(EntryKind.ADDITION, concern.reference), _ENTRIES.number.between(first, last), _WAITS)
    changed = update(_TABLE).where(*named).values(acknowledged_at=at)
    found = session.connection().execute(changed.returning(_ENTRIES.number, _ENTRIES.acknowledge_by)).all()
    count_waiting(session, concern)
    events = []
    for addition in sorted((number, due) for number, due in found):
        events += events_about(EventKind.CONCERN_ADDITION_ACKNOWLEDGED, concern, at=at, addition=addition)
    append_events(session, events)


def count_waiting(session: Session, concern: ConcernRow) -> None:
    """Count again what waits, for the columns of the concern by which the inbox is ordered."""
    counted = select(func.count(), func.min(_ENTRIES.acknowledge_by), _MOST_URGENT)
    waiting = counted.where(*_of(EntryKind.ADDITION, concern.reference), _WAITS)
    count, earliest, danger = session.connection().execute(waiting).one()
    concern.additions_waiting, concern.addition_acknowledge_by = count, earliest
    concern.addition_danger = None if danger is None else MORE_URGENT[danger]


class WaitingAdditions(NamedTuple):
    """Since when additions to a concern wait, and whether one of them answers a message."""

    since: dt.datetime
    has_answer: bool


def find_waiting(session: Session, references: Collection[str]) -> dict[str, WaitingAdditions]:
    """Return what waits of the additions to these concerns, by reference. Only metadata is read."""
    if not references:
        return {}
    message = _TABLE.alias("message").c
    is_answer = exists().where(
        message.reference == _ENTRIES.reference,
        message.kind == EntryKind.MESSAGE.value,
        message.answered_by == _ENTRIES.number,
    )
    waiting = (
        select(_ENTRIES.reference, func.min(_ENTRIES.received_at), func.max(case((is_answer, 1), else_=0)))
        .where(_ENTRIES.reference.in_(references), _ENTRIES.kind == EntryKind.ADDITION.value, _WAITS)
        .group_by(_ENTRIES.reference)
    )
    found = session.connection().execute(waiting)
    return {reference: WaitingAdditions(since, bool(answers)) for reference, since, answers in found}


def count_additions(session: Session, *, now: dt.datetime) -> dict[str, int]:
    """Count the additions that wait, of all concerns but tests, and those that are overdue."""
    is_late = case((_ENTRIES.acknowledge_by < now, 1))
    counted = select(func.count(), func.count(is_late)).where(_WAITS, ~_OF_A_TEST)
    waiting, overdue = session.connection().execute(counted).one()
    return {"additions_waiting": waiting, "additions_overdue": overdue}


# Requests of a reporter after submitting, with reference and status token: read the status and messages, add more.


@dataclass(frozen=True)
class StatusCode:
    """What a reporter typed to follow a concern, its reference and its status token, and where that came from."""

    typed_reference: str
    token: str
    networks: Networks


@dataclass(frozen=True)
class FollowUps:
    """Reads the status of a concern and its messages, and stores additions to it, sealed like the concern itself."""

    engine: Engine
    writer: Writer
    resolver: EditionResolver
    sealer: Sealer
    receipts: ReceiptBuilder
    sources: Sources
    code_tries: CodeTries

    def read_status(self, code: StatusCode, *, at: dt.datetime) -> ConcernStatus:
        """Return the concern's status. Raises what `find` raises."""
        row = self.find(code)
        with Session(self.engine) as session:
            additions = list_entries(session, EntryKind.ADDITION, row.reference)
            messages = list_messages(session, row.reference)
        return self.receipts.build_status(row, additions, messages, self._pinned(row).who, at=at)

    def add(
        self,
        row: ConcernRow,
        addition: Addition,
        *,
        idempotency_key: str | None,
        at: dt.datetime,
    ) -> IdempotentResult:
        """Store what is added to that concern, sealed, and return its receipt after it is on the disk.

        It never lowers the urgency. Raises `TooManyConcerns` for a long one to one of many concerns of a source,
        `ConcernErased`, `InvalidConcern` with every fault, `TooManyAdditions`, or `StoreBusy`.
        """
        pinned, danger = self._pinned(row), addition.immediate_danger
        keys = derive_idempotency_keys(idempotency_key, client=f"addition to {row.reference}")
        refresh = partial(self.receipts.with_current_numbers, who=pinned.who, danger=danger, at=at)
        request = Retryable(canonical_submission(addition), keys, refresh)
        if row.erased_at is not None:
            return self._replay_after_erasure(request)
        faults = self.receipts.reference_data.faults_in_codes(addition)
        faults += unknown_ids(addition.concern, pinned.content)
        if faults:
            raise InvalidConcern(faults)
        try:
            size, danger = len(addition.model_dump_json(exclude_unset=True)), addition.immediate_danger
            self.sources.admit_addition(row.burst, size, in_danger=danger == ImmediateDanger.YES)
        except TooManyConcerns:
            with suppress(IdempotencyKeyReused):  # it may have been taken, and stored, before
                return request.replay(self.engine)
            raise
        response = self.receipts.build_addition_receipt(row, danger, pinned.who, at=at)
        receipt = response.model_dump_json().encode()
        entry = NewEntry(
            EntryKind.ADDITION,
            by_reporter(at),
            self.sealer.seal(addition_plaintext(addition, row.reference, at=at)),
            self.sealer.fingerprints,
            response.acknowledge_by,
            danger,
        )
        try:
            self.writer.run(_add, row.reference, entry, request, receipt)
        except AlreadyStored:
            return request.replay(self.engine)
        return IdempotentResult(row.reference, receipt, is_replay=False)

    def open_messages(self, code: StatusCode, *, at: dt.datetime) -> ReceivedMessages:
        """Return every message with its words, after it is recorded which of them are read for the first time.

        Raises what `find` raises, and `StoreBusy`.
        """
        reference = self.find(code).reference
        with Session(self.engine) as session:
            unread = _unread(session, reference)
        if unread:
            self.writer.run(_record_reading, reference, at=at)
        with Session(self.engine) as session:
            messages = select(_TABLE).where(*_of(EntryKind.MESSAGE, reference)).order_by(_ENTRIES.number)
            rows = session.connection().execute(messages).all()
            added = list_entries(session, EntryKind.ADDITION, reference)
        added_at = {row.number: row.received_at for row in added}
        identity = token_identity(code.token, reference)
        opened = (
            ReceivedMessage(
                number=row.number,
                sent_at=row.received_at,
                read_at=row.read_at,
                answered_at=added_at.get(row.answered_by or 0),
                message=find_message(row.sealed, identity, reference),
            )
            for row in rows
            if row.read_at is not None  # one that came after the record is for the next time
        )
        return ReceivedMessages(reference=reference, messages=tuple(opened))

    def find(self, code: StatusCode, *, purpose: str = READ) -> ConcernRow:
        """Return the concern's row. A wrong token counts as a try, a right one as a request for that concern.

        What is read stops nobody from adding: each purpose has its own count.

        Raises `NoSuchConcern` for a wrong reference and a wrong token alike, `TooManyTries` after too many, and
        `RateLimited` where this concern was asked for too often.
        """
        reference = find_reference(code.typed_reference)
        with self.code_tries.guard(reference, code.networks, purpose):
            with Session(self.engine) as session:
                row = find_concern(session, reference or "")
            expected = row.status_token_sha256 if row else bytes(hashlib.sha256().digest_size)
            given = hashlib.sha256(standard_token(code.token).encode()).digest()
            if not hmac.compare_digest(given, expected) or row is None:
                raise NoSuchConcern
            return row

    def _replay_after_erasure(self, request: Retryable) -> IdempotentResult:
        """Return the receipt of what was added before the erasure. Anything else can no longer be added."""
        try:
            return request.replay(self.engine)
        except IdempotencyKeyReused:
            raise ConcernErased from None

    def _pinned(self, row: ConcernRow) -> PinnedEdition:
        return self.resolver.pin(EditionKey(row.guide, row.edition))


def _add(session: Session, reference: str, entry: NewEntry, request: Retryable, receipt: bytes) -> None:
    """Insert the addition under the next number, with its event. A retry is found before anything is refused."""
    stored = request.store(session, reference, receipt)
    concern, at = get_concern(session, reference), entry.actor.at  # read again: the desk may have changed it
    danger = max(concern.immediate_danger, entry.immediate_danger or "no", key=MORE_URGENT.index)
    former = measure_entries(session, EntryKind.ADDITION, reference)
    number = append_entry(session, concern, entry, former, stored, dict(concern) | {"immediate_danger": danger}).number
    concern.added_at, concern.immediate_danger = at, danger
    count_waiting(session, concern)
    read = (*_of(EntryKind.MESSAGE, reference), _ENTRIES.read_at.is_not(None), _ENTRIES.answered_by.is_(None))
    answered = update(_TABLE).where(*read).values(answered_by=number).returning(_ENTRIES.number)
    events = []
    for message in sorted(session.connection().execute(answered).scalars()):
        kind, answer = EventKind.CONCERN_MESSAGE_ANSWERED, (number, None)
        events += events_about(kind, concern, at=at, message=message, addition=answer)
    events += events_about(EventKind.CONCERN_ADDED, concern, at=at, addition=(number, entry.acknowledge_by))
    append_events(session, events)


def _record_reading(session: Session, reference: str, *, at: dt.datetime) -> None:
    concern, numbers = get_concern(session, reference), _unread(session, reference)
    if not numbers:  # another request was first
        return
    details = MessageReadDetails(messages=tuple(numbers))
    record_disclosure(session, reference, DeskAct.MESSAGE_READ, by_reporter(at), details)
    read = update(_TABLE).where(*_of(EntryKind.MESSAGE, reference), _ENTRIES.number.in_(numbers))
    session.connection().execute(read.values(read_at=at))
    events = []
    for number in numbers:
        events += events_about(EventKind.CONCERN_MESSAGE_READ, concern, at=at, message=number)
    append_events(session, events)


def _unread(session: Session, reference: str) -> Sequence[int]:
    unread = select(_ENTRIES.number).where(*_of(EntryKind.MESSAGE, reference), _ENTRIES.read_at.is_(None))
    return session.connection().execute(unread.order_by(_ENTRIES.number)).scalars().all()


# Entries as the desk sees them: with their words, where this process opens them, or without.


def present_page(page: EntryPage, *, now: dt.datetime) -> tuple[Any, ...]:
    """Return the entries of the page without their words."""
    return tuple(present_entry(row, now=now) for row in page.rows)


def open_entries(engine: Engine, page: EntryPage, unsealer: Unsealer, *, now: dt.datetime) -> tuple[Any, ...]:
    """Return the entries of the page with their words.

    Raise `UnsealingUnavailable` if this process has no identity for them, and `SealedTextMisplaced` if a text is that
    of another concern or, a note, names another time or author than its row.
    """
    return tuple(
        present_entry(row, _words_of(row, sealed, unsealer), now=now) for row, sealed in read_page(engine, page)
    )


def present_entry(
    row: Row[Any] | EntryRow, words: Any = None, *, now: dt.datetime
) -> AdditionEntry | NoteEntry | MessageEntry:
    """Return an entry as the desk sees it, with its words if they are given."""
    if row.kind == EntryKind.MESSAGE:
        return _message_entry(row)
    path = desk_concern_path(row.reference, f"{row.kind}s", row.number)
    if row.kind == EntryKind.NOTE:
        links = {"self": path, "concern": desk_concern_path(row.reference)}
        return NoteEntry(number=row.number, written_at=row.received_at, by=row.author, text=words, links=links)
    waits_until = row.acknowledge_by if row.acknowledged_at is None else None
    fields = {
        "number": row.number,
        "received_at": row.received_at,
        "immediate_danger": row.immediate_danger,
        "acknowledge_by": row.acknowledge_by,
        "acknowledged_at": row.acknowledged_at,
        "overdue": waits_until is not None and waits_until < now,
        "addition": words,
        "links": {"self": path, "acknowledgement": f"{path}/acknowledgement"},
    }
    return AdditionEntry(**fields) if words is None else OpenedAddition(**fields)


def _words_of(row: Row[Any], sealed: bytes, unsealer: Unsealer) -> Any:
    place = {"reference": row.reference, "received_at": row.received_at}
    if row.kind == EntryKind.NOTE:
        return open_note(unsealer, sealed, author=row.author, **place)["note"]["text"]
    return unsealer.open_member(EntryKind.ADDITION.value, sealed, **place)
