"""Writing and reading the rows of a concern's entries: additions, notes, labels and messages, with sealed text."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Engine, Integer, Row, Select, bindparam, func, insert, select
from sqlmodel import Session

from app.age.keys import Sealer
from app.db.tables import table_of
from app.db.writer import Writer
from app.errors import ConcernErased, FieldError, NoSuchItem, ReporterHasNoCode, ValidationFailed
from app.models.audit.entry_kinds import ENTRY_SPECS, EntryKind, EntryPlace
from app.models.base import MAX_NUMBER
from app.models.concerns.digests import seal_details
from app.models.concerns.entries import EntryRow
from app.models.concerns.rows import ConcernRow, StoredReceiptRow
from app.services.audit.audit_log import Actor, record_action, record_change
from app.services.concerns.cards import insert_cards
from app.services.concerns.idempotency import Retryable
from app.services.concerns.presented_entries import present_entry
from app.services.concerns.receipt_signing import ReceiptSigner
from app.services.concerns.rows import get_concern
from app.services.concerns.sealing import Unsealer
from app.services.guides.reference_data import ReferenceData

PAGE_BYTES = 1_000_000
"""Maximum size of the sealed texts on a page of entries, in bytes. A larger entry has its own page."""
_TABLE, _CONCERNS = table_of(EntryRow), table_of(ConcernRow).c
_ENTRIES = _TABLE.c
# Built once, because these statements are executed with every opening.
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
"""Selects every column except the sealed text, which may be large. `size` is the size of the sealed text in bytes."""
_SEALED = select(_CONCERNS.sealed).where(_CONCERNS.reference == bindparam("reference"))
_SEALED_ENTRY = select(_ENTRIES.sealed).where(*_OF_ONE_KIND, _ENTRIES.number == bindparam("number"))


def measure_entries(session: Session, kind: EntryKind, reference: str) -> tuple[int, int]:
    """Return the number of the concern's entries of `kind`, and the total size of their sealed texts in bytes.

    Erased entries are counted, with the size 0.
    """
    count, size = session.connection().execute(_MEASURED, {"reference": reference, "kind": kind.value}).one()
    return count, int(size)


def list_entries(
    session: Session, kind: EntryKind, reference: str, *, after: int = 0, limit: int | None = None
) -> Sequence[Row[Any]]:
    """Return the rows of the concern's entries of `kind` with numbers above `after`, in order of their numbers.

    Leave out the sealed text: each row has its `size` in bytes instead. Return at most `limit` entries, or all if
    `limit` is None.
    """
    wanted = {
        "reference": reference,
        "kind": kind.value,
        "after": after,
        "limit": MAX_NUMBER if limit is None else limit,
    }
    return session.connection().execute(_LISTED, wanted).all()


def read_sealed(engine: Engine, reference: str, place: EntryPlace | None = None) -> bytes:
    """Return the sealed text of the entry at `place`, or of the concern itself if `place` is None.

    The caller must first record the opening in the audit log. Raise `NoSuchItem` if there is no such entry, or
    `ConcernErased` if the concern was erased. If `place` is None, raise `ConcernErased` for an unknown reference too.
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


def entries_of(kind: EntryKind, reference: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the SQL conditions that select the entries of `kind` of the concern `reference`."""
    return _ENTRIES.reference == reference, _ENTRIES.kind == kind.value


@dataclass(frozen=True)
class Desk:
    """The resources of the desk's operations: the database, keys to encrypt, decrypt and sign with, and code lists.

    `unsealer` decrypts only if this process holds an identity (private key).
    """

    engine: Engine
    writer: Writer
    sealer: Sealer
    unsealer: Unsealer
    signer: ReceiptSigner
    reference_data: ReferenceData


@dataclass(frozen=True)
class NewEntry:
    """An entry with its sealed text, before it has a number.

    `actor` is the author, with the time. `recipients` are the fingerprints of the desk's keys to which the text is
    sealed. A message has no `recipients`, because it is sealed to the reporter's key. Only an addition has
    `acknowledge_by`, `immediate_danger`, `channel`, `came_at` and a sealed `card`. `restricts` is True for an addition
    that says that the concern is about someone who works for the council.
    """

    kind: EntryKind
    actor: Actor
    sealed: bytes
    recipients: Sequence[str] = ()
    acknowledge_by: dt.datetime | None = None
    immediate_danger: str | None = None
    channel: str | None = None
    came_at: dt.datetime | None = None
    card: bytes | None = None
    restricts: bool = False

    def numbered(self, reference: str, number: int) -> EntryRow:
        """Return the row of this entry as the entry `number` of the concern `reference`."""
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
            channel=self.channel,
            came_at=self.came_at,
        )


def append_entry(
    session: Session,
    concern: ConcernRow,
    entry: NewEntry,
    former: tuple[int, int],
    receipt: StoredReceiptRow | None,
    columns: dict[str, Any] | None = None,
) -> EntryRow:
    """Record the entry in the audit log, insert the entry with its card under the next number, and return its row.

    `former` is the number and the total size of the stored entries of this kind, from `measure_entries`. `receipt` is
    the row for retries, which the caller stores, or None. `columns` are the columns of the concern after the action, if
    the action sets them. The audit log records digests of `receipt` and `columns`.

    Raise `ConcernErased` if the concern was erased. Raise `ReporterHasNoCode` for a message that nobody could read. If
    the entry would exceed the maximum number or size of entries of its kind, raise the error `too_many` in
    `ENTRY_SPECS`.

    For a note or a message, raise `ChangedMeanwhile` if the same client wrote another one after `entry.actor.seen`: the
    form may have been sent twice. For a message, also raise `ChangedMeanwhile` if, after `entry.actor.seen`, another
    client changed the concern, added an addition or a note, sent a message or handed the concern over.
    """
    spec, reference = ENTRY_SPECS[entry.kind], concern.reference
    if concern.erased_at is not None:
        raise ConcernErased
    if entry.kind is EntryKind.MESSAGE and not concern.message_key:
        raise ReporterHasNoCode
    count, size = former
    if count >= spec.most or size + len(entry.sealed) > spec.most_bytes:
        raise spec.too_many
    row = entry.numbered(reference, count + 1)
    seal = partial(seal_details, entry.sealed, entry.recipients, added=row.place, card=entry.card)
    details = seal(row=row, columns=columns, receipt=receipt)
    if spec.changes_concern:
        record_change(session, concern, spec.act, entry.actor, details)
    else:
        record_action(session, reference, spec.act, entry.actor, details)
    session.connection().execute(insert(_TABLE), row.model_dump())
    if entry.card is not None:
        insert_cards(session.connection(), [(reference, row.number, entry.card)])
    return row


def store_sealed(
    session: Session, reference: str, entry: NewEntry, request: Retryable, faults: Sequence[FieldError] = ()
) -> bytes:
    """Store `entry` for the concern `reference` in the caller's transaction. Return the entry (JSON) without its text.

    Also store this result for a retry of `request`. Raise `NoSuchConcern` if the reference is unknown. Otherwise raise
    `AlreadyStored` if `request` is a retry. Otherwise raise `ValidationFailed` if there are `faults`.

    Otherwise raise `ConcernErased` if the concern was erased, `ReporterHasNoCode` for a message that nobody could read,
    or the error `too_many` in `ENTRY_SPECS` above the maximum number or size of entries of this kind. For a note or a
    message, raise `ChangedMeanwhile` under the conditions of `append_entry`.
    """
    return store_entry(session, get_concern(session, reference), entry, request, faults)


def store_entry(
    session: Session, concern: ConcernRow, entry: NewEntry, request: Retryable, faults: Sequence[FieldError] = ()
) -> bytes:
    """Store `entry` for `concern` in the caller's transaction. Return the entry (JSON) without its text.

    Also store this result for a retry of `request`. If `request` is a retry, raise `AlreadyStored` before any other
    error. Otherwise raise `ValidationFailed` if there are `faults`.

    Otherwise raise `ConcernErased` if the concern was erased, `ReporterHasNoCode` for a message that nobody could read,
    or the error `too_many` in `ENTRY_SPECS` above the maximum number or size of entries of this kind. For a note or a
    message, raise `ChangedMeanwhile` under the conditions of `append_entry`.
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
