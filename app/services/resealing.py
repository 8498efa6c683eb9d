"""Resealing: texts that were sealed to old keys are sealed to new ones, by the holder of an old identity."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from app.age.keys import Sealer
from app.db.writer import Writer, write_operation
from app.errors import SealedTextMisplaced, UnsealingUnavailable
from app.models.base import OnStep, show_no_progress
from app.models.record import DeskAct, Remnants
from app.models.record_details import SealEntry, seal_entry
from app.services.entries import SealedPlace, list_sealed, read_sealed, replace_sealed
from app.services.record import Actor, purge_remnants, record_disclosure
from app.services.sealing import Unsealer


@dataclass(frozen=True)
class Resealed:
    """How many texts were sealed anew, those that stay as they were, and what is left of the former texts."""

    count: int
    unopened: tuple[SealedPlace, ...]
    misplaced: tuple[SealedPlace, ...]
    remnants: Remnants


@dataclass(frozen=True)
class ChangeOfKeys:
    """What opens the former texts, and the recipients that all are sealed to from now on."""

    unsealer: Unsealer
    sealer: Sealer


@dataclass(frozen=True)
class _Anew:
    """One text as it was, and as it is sealed anew."""

    place: SealedPlace
    former: bytes
    sealed: bytes
    entry: SealEntry


def reseal(
    engine: Engine,
    writer: Writer,
    keys: ChangeOfKeys,
    *,
    actor: Actor,
    at: dt.datetime,
    on_step: OnStep = show_no_progress,
) -> Resealed:
    """Seal every concern, addition and note anew that is not sealed to exactly those recipients.

    A text that the identities do not open, or that belongs to another concern, stays as it is; the others are sealed
    anew. Each new text is recorded with its digest and recipients, in the transaction that stores it.
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
                count += anew is not None and _replace(writer, anew, actor=actor, at=at)
            except UnsealingUnavailable:
                unopened.append(text)
            except SealedTextMisplaced:
                misplaced.append(text)
    finally:
        remnants = purge_remnants(engine)  # they may hold texts that the old keys open
    return Resealed(count, tuple(unopened), tuple(misplaced), remnants)


def _seal_anew(engine: Engine, keys: ChangeOfKeys, place: SealedPlace) -> _Anew | None:
    """Return the text sealed anew; None if it was erased meanwhile."""
    with Session(engine) as session:
        former = read_sealed(session, place)
    if not former:
        return None
    keys.unsealer.open(former, reference=place.reference)
    sealed = keys.sealer.seal(keys.unsealer.decrypt(former))
    return _Anew(place, former, sealed, seal_entry(sealed, keys.sealer.fingerprints, added=place.added))


@write_operation
def _replace(session: Session, anew: _Anew, *, actor: Actor, at: dt.datetime) -> bool:
    """Record and store the new text, unless the former one was erased or sealed anew meanwhile."""
    if read_sealed(session, anew.place) != anew.former:
        return False
    chain, detail = anew.place.reference, str(anew.entry)
    record_disclosure(session, chain=chain, act=DeskAct.RESEALED, actor=actor, at=at, detail=detail)
    replace_sealed(session, anew.place, sealed=anew.sealed, recipients=anew.entry.recipients)
    return True
