"""The places of all sealed texts, and their re-encryption to new keys by the holder of an old identity."""

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
"""Places of texts that the desk decrypts: the concerns (None), and these kinds of entries."""


@dataclass(frozen=True)
class SealedPlace:
    """The place of a sealed text, with its recipients. `added` is None for the concern's own text."""

    reference: str
    added: EntryPlace | None
    recipients: tuple[str, ...]

    def __str__(self) -> str:
        """Return the place's name for an operator."""
        return self.reference if self.added is None else f"{self.added} to {self.reference}"


def list_sealed(session: Session) -> list[SealedPlace]:
    """Return the place of every sealed text that was not erased."""
    return [text for kind in SEALED_KINDS for text in list_sealed_of(session, kind)]


def list_sealed_of(
    session: Session, kind: EntryKind | None, *, after: SealedPlace | None = None, limit: int | None = None
) -> list[SealedPlace]:
    """Return the places of the sealed texts of one kind, in order. None means the concerns' own texts."""
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
    """Return the recipients of the newest concern, or None if there is no concern."""
    concerns = table_of(ConcernRow).c
    newest = select(concerns.recipients).order_by(concerns.received_at.desc()).limit(1)
    return session.connection().execute(newest).scalars().first()


@dataclass(frozen=True)
class Resealed:
    """The result of resealing: the number of re-encrypted texts, those left unchanged, and remnants of former texts."""

    count: int
    unopened: tuple[SealedPlace, ...]
    misplaced: tuple[SealedPlace, ...]
    remnants: Remnants


@dataclass(frozen=True)
class ChangeOfKeys:
    """The identities that decrypt the former texts, and the new recipients."""

    unsealer: Unsealer
    sealer: Sealer


@dataclass(frozen=True)
class _Anew:
    """A text before and after re-encryption."""

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

    A text that the identities cannot decrypt, or that belongs to another concern, stays unchanged. Each new text is
    recorded with its digest and recipients, in the transaction that stores it.
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
                anew = _seal_anew(engine, keys, text)
                count += anew is not None and writer.run(_replace, anew, actor=actor)
            except UnsealingUnavailable:
                unopened.append(text)
            except SealedTextMisplaced:
                misplaced.append(text)
    finally:
        remnants = purge_remnants(engine)  # they may hold texts that the old keys decrypt
    return Resealed(count, tuple(unopened), tuple(misplaced), remnants)


def _seal_anew(engine: Engine, keys: ChangeOfKeys, place: SealedPlace) -> _Anew | None:
    """Return the re-encrypted text, or None if it has been erased."""
    with Session(engine) as session:
        former = _row_of(session, place).sealed
    if not former:
        return None
    keys.unsealer.open(former, reference=place.reference)
    sealed = keys.sealer.seal(keys.unsealer.decrypt(former))
    return _Anew(place, former, sealed, seal_details(sealed, keys.sealer.fingerprints, added=place.added))


def _replace(session: Session, anew: _Anew, *, actor: Actor) -> bool:
    """Record and store the new text. Return False if the former text has since been erased or re-encrypted."""
    row = _row_of(session, anew.place)
    if row.sealed != anew.former:
        return False
    record_action(session, anew.place.reference, DeskAct.RESEALED, actor, anew.details)
    row.sealed, row.recipients = anew.sealed, list(anew.details.recipients)
    return True
