"""Sealed entries of a concern: writing and reading their rows."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, Integer, Row, Select, bindparam, func, insert, select
from sqlmodel import Session

from app.age.keys import Sealer
from app.db.tables import table_of
from app.db.writer import Writer
from app.errors import ConcernErased, FieldError, NoSuchItem, ValidationFailed
from app.models.audit.entry_kinds import ENTRY_SPECS, EntryKind, EntryPlace
from app.models.base import MAX_NUMBER
from app.models.concerns.digests import seal_details
from app.models.concerns.entries import EntryRow
from app.models.concerns.rows import ConcernRow, StoredReceiptRow
from app.services.audit.audit_log import Actor, record_action, record_change
from app.services.concerns.idempotency import Retryable
from app.services.concerns.presented_entries import present_entry
from app.services.concerns.receipt_signing import ReceiptSigner
from app.services.concerns.rows import get_concern
from app.services.concerns.sealing import Unsealer
from app.services.guides.reference_data import ReferenceData

PAGE_BYTES = 1_000_000
"""Maximum sealed bytes of a page of entries. A larger entry gets its own page."""
_TABLE, _CONCERNS = table_of(EntryRow), table_of(ConcernRow).c
_ENTRIES = _TABLE.c
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
"""Every column except the sealed text, which may be large, and the size of this text in bytes."""
_SEALED = select(_CONCERNS.sealed).where(_CONCERNS.reference == bindparam("reference"))
_SEALED_ENTRY = select(_ENTRIES.sealed).where(*_OF_ONE_KIND, _ENTRIES.number == bindparam("number"))


def measure_entries(session: Session, kind: EntryKind, reference: str) -> tuple[int, int]:
    """Return the number of entries of the kind, and their total sealed size in bytes."""
    count, size = session.connection().execute(_MEASURED, {"reference": reference, "kind": kind.value}).one()
    return count, int(size)


def list_entries(
    session: Session, kind: EntryKind, reference: str, *, after: int = 0, limit: int | None = None
) -> Sequence[Row[Any]]:
    """Return the metadata of the entries with numbers above `after`, in order of arrival."""
    wanted = {
        "reference": reference,
        "kind": kind.value,
        "after": after,
        "limit": MAX_NUMBER if limit is None else limit,
    }
    return session.connection().execute(_LISTED, wanted).all()


def read_sealed(engine: Engine, reference: str, place: EntryPlace | None = None) -> bytes:
    """Return the sealed text of an entry or of the concern. The caller has recorded the opening.

    Raise `NoSuchItem`, or `ConcernErased` if it was erased after the opening was recorded.
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
    """Return the conditions that select a concern's entries of one kind."""
    return _ENTRIES.reference == reference, _ENTRIES.kind == kind.value


@dataclass(frozen=True)
class Desk:
    """The services of the desk: encryption, decryption (if this process holds an identity), signing, and code lists."""

    engine: Engine
    writer: Writer
    sealer: Sealer
    unsealer: Unsealer
    signer: ReceiptSigner
    reference_data: ReferenceData


@dataclass(frozen=True)
class NewEntry:
    """An entry as received."""

    kind: EntryKind
    actor: Actor
    sealed: bytes
    recipients: Sequence[str] = ()
    acknowledge_by: dt.datetime | None = None
    immediate_danger: str | None = None

    def numbered(self, reference: str, number: int) -> EntryRow:
        """Return the row of the entry, with this reference and number."""
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

    `former` is the result of `measure_entries`. `receipt` is stored for a retry. `columns` are those of the concern's
    row, if the action sets them. Raise `ConcernErased`, or the kind's `too_many` error above the maximum number or size
    of entries.
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
        record_action(session, reference, spec.act, entry.actor, details)
    session.connection().execute(insert(_TABLE), row.model_dump())
    return row


def store_sealed(
    session: Session, reference: str, entry: NewEntry, request: Retryable, faults: Sequence[FieldError] = ()
) -> bytes:
    """Store the entry of the concern with this reference. Raise `NoSuchConcern`, or as `store_entry` does."""
    return store_entry(session, get_concern(session, reference), entry, request, faults)


def store_entry(
    session: Session, concern: ConcernRow, entry: NewEntry, request: Retryable, faults: Sequence[FieldError] = ()
) -> bytes:
    """Store the entry in the caller's transaction, and return it (JSON) without its text.

    Raise `AlreadyStored` for a retry, before any other error. Raise `ValidationFailed` for `faults`, or as
    `append_entry` does.
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
