"""Writing and reading the rows of a concern's entries: additions, notes, labels and messages, with sealed text."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
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
from app.services.concerns.card_making import insert_cards
from app.services.concerns.idempotency import Retryable
from app.services.concerns.presented_entries import present_entry
from app.services.concerns.receipt_signing import ReceiptSigner
from app.services.concerns.sealing import Unsealer
from app.services.guides.reference_data import ReferenceData

PAGE_BYTES = 1_000_000
"""Limit for the sealed texts on a page of entries. A larger entry has a page of its own."""
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
"""Every column but the sealed text, which may be large; `size` is its length in bytes."""
_SEALED = select(_CONCERNS.sealed).where(_CONCERNS.reference == bindparam("reference"))
_SEALED_ENTRY = select(_ENTRIES.sealed).where(*_OF_ONE_KIND, _ENTRIES.number == bindparam("number"))


def measure_entries(session: Session, kind: EntryKind, reference: str) -> tuple[int, int]:
    """Return the number and total bytes of the entries. Erased entries count, with size 0."""
    count, size = session.connection().execute(_MEASURED, {"reference": reference, "kind": kind.value}).one()
    return count, int(size)


def list_entries(
    session: Session, kind: EntryKind, reference: str, *, after: int = 0, limit: int | None = None
) -> Sequence[Row[Any]]:
    """Return the rows with numbers above `after`. In place of the sealed text they have its `size`."""
    parameters = {
        "reference": reference,
        "kind": kind.value,
        "after": after,
        "limit": MAX_NUMBER if limit is None else limit,
    }
    return session.connection().execute(_LISTED, parameters).all()


def read_sealed(engine: Engine, reference: str, place: EntryPlace | None = None) -> bytes:
    """Return a sealed text, whose opening must be recorded first. `place` is None for the concern itself.

    Raise `NoSuchItem` or `ConcernErased`.
    """
    entry = {} if place is None else {"kind": place.kind.value, "number": place.number}
    with engine.connect() as connection:
        one = connection.execute(_SEALED_ENTRY if entry else _SEALED, {"reference": reference, **entry})
        found = one.one_or_none()
    if found is None and place is not None:
        raise NoSuchItem(f"The concern has no {place.kind} with that number.")
    if found is None or found.sealed is None:
        raise ConcernErased
    return bytes(found.sealed)


def entries_of(kind: EntryKind, reference: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _ENTRIES.reference == reference, _ENTRIES.kind == kind.value


@dataclass(frozen=True)
class Desk:
    """Everything that the desk's operations need. `unsealer` decrypts only if this process holds an identity."""

    engine: Engine
    writer: Writer
    sealer: Sealer
    unsealer: Unsealer
    signer: ReceiptSigner
    reference_data: ReferenceData


@dataclass(frozen=True)
class NewEntry:
    """An entry before it has a number. `recipients` are fingerprints, none for a message to the reporter.

    Only an addition has a deadline, an answer about danger, a channel and a card. `restricts` means that the concern is
    about someone who works for the council. `officer_by` is as in `SealDetails`.
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
    officer_by: dt.date | None = None

    def numbered(self, reference: str, number: int) -> EntryRow:
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
    """Record the entry, and insert it with its card under the next number. `former` is from `measure_entries`.

    The audit log gets digests of `receipt`, which the caller stores, and of `columns` after the action. Raise
    `ConcernErased`, `ReporterHasNoCode`, the `too_many` of `ENTRY_SPECS`, or as `expect_seen`.
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
    details = seal_details(
        entry.sealed,
        entry.recipients,
        added=row.place,
        row=row,
        columns=columns,
        receipt=receipt,
        card=entry.card,
        officer_by=entry.officer_by,
    )
    if spec.changes_concern:
        record_change(session, concern, spec.act, entry.actor, details)
    else:
        record_action(session, reference, spec.act, entry.actor, details)
    session.connection().execute(insert(_TABLE), row.model_dump())
    if entry.card is not None:
        insert_cards(session.connection(), [(reference, row.number, entry.card)])
    return row


def store_entry(
    session: Session, concern: ConcernRow, entry: NewEntry, request: Retryable, faults: Sequence[FieldError] = ()
) -> bytes:
    """Store `entry` in the caller's transaction, and for a retry its JSON without the text, which is returned.

    Raise `AlreadyStored` for a retry before all else, then `ValidationFailed` if there are `faults`, then as
    `append_entry`.
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
