"""Resealing: re-encryption of all sealed texts to new keys, by the holder of an old identity (private key)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, literal, select, tuple_
from sqlmodel import Session

from app.age.keys import Sealer
from app.db.tables import table_of
from app.db.writer import Writer
from app.errors import SealedTextMisplaced, UnsealingUnavailable
from app.models.audit.audit_log import DeskAct, Remnants
from app.models.audit.details import SealDetails
from app.models.audit.entry_kinds import FOR_THE_DESK, EntryKind, EntryPlace
from app.models.base import OnStep, show_no_progress
from app.models.concerns.digests import seal_details
from app.models.concerns.entries import EntryRow
from app.models.concerns.rows import ConcernRow
from app.services.audit.audit_log import Actor, record_action
from app.services.audit.remnants import purge_remnants
from app.services.concerns.sealing import Unsealer

SEALED_KINDS: tuple[EntryKind | None, ...] = (None, *FOR_THE_DESK)
"""The kinds of texts that the desk decrypts. None stands for the concerns' own texts."""


@dataclass(frozen=True)
class SealedPlace:
    """The place of a sealed text, and the fingerprints of its recipients.

    `added` is the place of an entry, or None for the concern's own text.
    """

    reference: str
    added: EntryPlace | None
    recipients: tuple[str, ...]

    def __str__(self) -> str:
        """Return the place's name for an operator."""
        return self.reference if self.added is None else f"{self.added} to {self.reference}"


def list_sealed(session: Session) -> list[SealedPlace]:
    """Return the place of every sealed text for the desk. Erased texts, and messages to reporters, are left out."""
    return [text for kind in SEALED_KINDS for text in list_sealed_of(session, kind)]


def list_sealed_of(
    session: Session, kind: EntryKind | None, *, after: SealedPlace | None = None, limit: int | None = None
) -> list[SealedPlace]:
    """Return the places of the sealed texts of `kind`, in order. If `kind` is None, these are the concerns' own texts.

    Begin after the place `after`, if given. Return at most `limit` places, or all if `limit` is None.
    """
    row = table_of(ConcernRow if kind is None else EntryRow).c
    order = (row.reference,) if kind is None else (row.reference, row.number)
    statement = select(row.recipients, *order).where(row.sealed.is_not(None)).order_by(*order).limit(limit)
    if kind is not None:
        statement = statement.where(row.kind == kind.value)
    if after is not None:
        values = (after.reference,) if after.added is None else (after.reference, after.added.number)
        position = (literal(value, column.type) for value, column in zip(values, order, strict=True))
        statement = statement.where(tuple_(*order) > tuple_(*position))
    return [
        SealedPlace(reference, None if kind is None else EntryPlace(kind, *number), tuple(recipients))
        for recipients, reference, *number in session.connection().execute(statement)
    ]


def _row_of(session: Session, text: SealedPlace) -> ConcernRow | EntryRow:
    if text.added is None:
        return session.get_one(ConcernRow, text.reference)
    return session.get_one(EntryRow, (text.reference, text.added.kind.value, text.added.number))


def find_newest_recipients(session: Session) -> Sequence[str] | None:
    """Return the fingerprints of the recipients of the newest concern, or None if there is no concern."""
    concerns = table_of(ConcernRow).c
    newest = select(concerns.recipients).order_by(concerns.received_at.desc()).limit(1)
    return session.connection().execute(newest).scalars().first()


@dataclass(frozen=True)
class Resealed:
    """The result of resealing. `count` is the number of re-encrypted texts.

    `unopened` texts could not be decrypted, and `misplaced` texts belong to another concern: both are unchanged.
    `remnants` says if the database files may still have former texts.
    """

    count: int
    unopened: tuple[SealedPlace, ...]
    misplaced: tuple[SealedPlace, ...]
    remnants: Remnants


@dataclass(frozen=True)
class ChangeOfKeys:
    """The identities that decrypt the former texts (`unsealer`), and the new recipients (`sealer`)."""

    unsealer: Unsealer
    sealer: Sealer


@dataclass(frozen=True)
class _ResealedText:
    """A text before and after re-encryption, with the details for the audit log."""

    place: SealedPlace
    former: bytes
    sealed: bytes
    details: SealDetails


def reseal(
    engine: Engine,
    writer: Writer,
    keys: ChangeOfKeys,
    *,
    actor: Actor,
    on_step: OnStep = show_no_progress,
) -> Resealed:
    """Re-encrypt every concern, addition and note whose recipients differ from those of `keys.sealer`.

    A text that the identities cannot decrypt, or that belongs to another concern, stays unchanged. The audit log
    records the digest and recipients of each new text, in the transaction that stores the text. At the end, the former
    texts are purged from the database files. `on_step` is called with the number of each text and the total.
    """
    count = 0
    unopened: list[SealedPlace] = []
    misplaced: list[SealedPlace] = []
    with Session(engine) as session:
        texts = list_sealed(session)
    try:
        for done, text in enumerate(texts, start=1):
            on_step(done, len(texts))
            if sorted(text.recipients) == sorted(keys.sealer.fingerprints):
                continue
            try:
                anew = _reseal_text(engine, keys, text)
                count += anew is not None and writer.run(_replace, anew, actor=actor)
            except UnsealingUnavailable:
                unopened.append(text)
            except SealedTextMisplaced:
                misplaced.append(text)
    finally:
        remnants = purge_remnants(engine)  # the database files may still have texts that the old keys decrypt
    return Resealed(count, tuple(unopened), tuple(misplaced), remnants)


def _reseal_text(engine: Engine, keys: ChangeOfKeys, place: SealedPlace) -> _ResealedText | None:
    """Return the re-encrypted text, or None if the text has been erased.

    Raise `UnsealingUnavailable` if no identity decrypts the text, or `SealedTextMisplaced` if the text belongs to
    another concern.
    """
    with Session(engine) as session:
        former = _row_of(session, place).sealed
    if not former:
        return None
    keys.unsealer.open(former, reference=place.reference)
    sealed = keys.sealer.seal(keys.unsealer.decrypt(former))
    return _ResealedText(place, former, sealed, seal_details(sealed, keys.sealer.fingerprints, added=place.added))


def _replace(session: Session, anew: _ResealedText, *, actor: Actor) -> bool:
    """Record the new text in the audit log, store it, and return True.

    If the former text has since been erased or re-encrypted, do nothing and return False.
    """
    row = _row_of(session, anew.place)
    if row.sealed != anew.former:
        return False
    record_action(session, anew.place.reference, DeskAct.RESEALED, actor, anew.details)
    row.sealed, row.recipients = anew.sealed, list(anew.details.recipients)
    return True
