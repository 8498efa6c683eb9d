"""Resealing: texts that were sealed to old keys are sealed to new ones, by the holder of an old identity."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from app.age.keys import Sealer
from app.errors import SealedTextMisplaced, UnsealingUnavailable
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.recorded import SealEntry, seal_entry
from app.models.desk.remnants import Remnants
from app.models.progress import OnStep, show_no_progress
from app.services.concerns.sealing import Unsealer
from app.store.disclosures import Actor, record_disclosure
from app.store.remnants import purge_remnants
from app.store.sealed_texts import SealedPlace, list_sealed, read_sealed, replace_sealed
from app.store.writer import Writer, write_operation


@dataclass(frozen=True)
class Resealed:
    """How many texts were sealed anew, those that stay as they were, and what is left of the former texts."""

    count: int
    unopened: tuple[SealedPlace, ...]
    misplaced: tuple[SealedPlace, ...]
    remnants: Remnants


def reseal(
    engine: Engine,
    writer: Writer,
    unsealer: Unsealer,
    sealer: Sealer,
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
            if sorted(text.recipients) == sorted(sealer.fingerprints):
                continue
            try:
                count += _reseal(engine, writer, unsealer, sealer, text, actor=actor, at=at)
            except UnsealingUnavailable:
                unopened.append(text)
            except SealedTextMisplaced:
                misplaced.append(text)
    finally:
        remnants = purge_remnants(engine)  # they may hold texts that the old keys open
    return Resealed(count, tuple(unopened), tuple(misplaced), remnants)


def _reseal(
    engine: Engine,
    writer: Writer,
    unsealer: Unsealer,
    sealer: Sealer,
    text: SealedPlace,
    *,
    actor: Actor,
    at: dt.datetime,
) -> bool:
    """Seal one text anew. Returns false if it was erased meanwhile."""
    with Session(engine) as session:
        sealed = read_sealed(session, text)
    if not sealed:
        return False
    unsealer.open(sealed, reference=text.reference)
    anew = sealer.seal(unsealer.decrypt(sealed))
    entry = seal_entry(anew, sealer.fingerprints, added=text.added)
    return _replace(writer, text.reference, text, entry, former=sealed, sealed=anew, actor=actor, at=at)


@write_operation
def _replace(
    session: Session,
    reference: str,
    text: SealedPlace,
    entry: SealEntry,
    *,
    former: bytes,
    sealed: bytes,
    actor: Actor,
    at: dt.datetime,
) -> bool:
    """Record and store the new text, unless the former one was erased or sealed anew meanwhile."""
    if read_sealed(session, text) != former:
        return False
    record_disclosure(session, chain=reference, act=DeskAct.RESEALED, actor=actor, at=at, detail=str(entry))
    replace_sealed(session, text, sealed=sealed, recipients=entry.recipients)
    return True
