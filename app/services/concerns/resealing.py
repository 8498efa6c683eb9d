"""Resealing: re-encryption of all sealed texts and cards of the desk to new keys, by the holder of an old identity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, literal, select, tuple_
from sqlmodel import Session

from app.age.keys import Sealer
from app.db.tables import table_of
from app.db.writer import Writer
from app.errors import SealedTextMisplaced, UnsealingUnavailable
from app.models.audit.details import SealDetails
from app.models.audit.entry_kinds import FOR_THE_DESK, EntryKind, EntryPlace
from app.models.audit.rows import DeskAct, Remnants
from app.models.base import OnStep, show_no_progress
from app.models.concerns.card_rows import CardRow
from app.models.concerns.digests import seal_details
from app.models.concerns.entries import EntryRow
from app.models.concerns.rows import ConcernRow
from app.services.audit.audit_log import Actor, record_action
from app.services.audit.remnants import purge_remnants
from app.services.concerns.card_making import (
    CARD,
    card_of_addition,
    card_of_concern,
    has_all_of,
    number_of_card,
    seal_card,
)
from app.services.concerns.sealing import Unsealer, pad_entry

SEALED_KINDS: tuple[EntryKind | None, ...] = (None, *FOR_THE_DESK)
"""None stands for the concerns' own texts."""
ADDED = EntryKind.ADDITION.value


@dataclass(frozen=True)
class SealedPlace:
    """Where a sealed text stands. `added` is None for the concern's own text. `recipients` are fingerprints."""

    reference: str
    added: EntryPlace | None
    recipients: tuple[str, ...]

    def __str__(self) -> str:
        return self.reference if self.added is None else f"{self.added} to {self.reference}"


def list_sealed_of(
    session: Session, kind: EntryKind | None, *, after: SealedPlace | None = None, limit: int | None = None
) -> list[SealedPlace]:
    """Return the texts of a kind by reference and number. Without `kind` they are the concerns' own texts."""
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
    """Return the fingerprints of the newest concern's recipients, or None without a concern."""
    concerns = table_of(ConcernRow).c
    newest = select(concerns.recipients).order_by(concerns.received_at.desc()).limit(1)
    return session.connection().execute(newest).scalars().first()


@dataclass(frozen=True)
class Resealed:
    """Result of a change of keys. `count` texts were re-encrypted, and `cards` made that were missing or incomplete.

    `unopened` could not be decrypted and `misplaced` do not belong to their concern: both are unchanged. `remnants`
    says whether files may still have the former texts.
    """

    count: int
    cards: int
    unopened: tuple[SealedPlace, ...]
    misplaced: tuple[SealedPlace, ...]
    remnants: Remnants


@dataclass(frozen=True)
class _ResealedText:
    """`sealed` is `former` if the recipients are right. `makes_card`: it was missing, or had less than the text."""

    place: SealedPlace
    former: bytes
    sealed: bytes
    card: bytes | None
    makes_card: bool
    details: SealDetails


def reseal(
    engine: Engine,
    writer: Writer,
    unsealer: Unsealer,
    sealer: Sealer,
    *,
    actor: Actor,
    on_step: OnStep = show_no_progress,
) -> Resealed:
    """Re-encrypt every concern, addition, note and label whose recipients differ from those of `sealer`.

    Texts are padded, and missing or older cards made, even if the recipients are right. A text that `unsealer`
    cannot decrypt, or that does not belong to its concern, stays as it is. Each transaction also records digests and
    recipients. At the end, also after an error, the former texts are purged from the database files as far as possible.
    `on_step` gets the number of each text and the total. Raise `StoreBusy`.
    """
    count, cards = 0, 0
    unopened, misplaced = list[SealedPlace](), list[SealedPlace]()
    with Session(engine) as session:
        texts = [text for kind in SEALED_KINDS for text in list_sealed_of(session, kind)]
    try:
        for step, text in enumerate(texts, start=1):
            on_step(step, len(texts))
            try:
                resealed = _reseal_text(engine, unsealer, sealer, text)
                if resealed is not None and writer.run(_replace, resealed, actor=actor):
                    count += resealed.sealed != resealed.former
                    cards += resealed.makes_card
            except UnsealingUnavailable:
                unopened.append(text)
            except SealedTextMisplaced:
                misplaced.append(text)
    finally:
        remnants = purge_remnants(engine)  # the database files may still have texts that the old keys decrypt
    return Resealed(count, cards, tuple(unopened), tuple(misplaced), remnants)


def _reseal_text(engine: Engine, unsealer: Unsealer, sealer: Sealer, place: SealedPlace) -> _ResealedText | None:
    """None if it was erased, or is right already. Raise `UnsealingUnavailable` or `SealedTextMisplaced`."""
    number = number_of_card(place.added)
    is_current = sorted(place.recipients) == sorted(sealer.fingerprints)
    if is_current and number is None:
        return None
    with Session(engine) as session:
        row = _row_of(session, place)
        former, received_at = row.sealed, row.received_at
        card_row = None if number is None else session.get(CardRow, (place.reference, number))
        stored = None if card_row is None else card_row.sealed
    if not former:
        return None
    if is_current and stored and not unsealer.has_one_of(place.recipients):
        return None  # nothing to re-encrypt, and a card that only others can read
    document = unsealer.open(former, reference=place.reference)
    card, makes_card = None, False
    if number is not None:
        made, known = _card_of(place, document), _open_card(unsealer, stored, place.reference)
        makes_card = not has_all_of(known, made)
        if is_current and not makes_card:
            return None
        card = seal_card(sealer, made if makes_card else known, place.reference, at=received_at)
    sealed = (
        former if is_current else sealer.seal(pad_entry(place.added and place.added.kind, unsealer.decrypt(former)))
    )
    details = seal_details(sealed, sealer.fingerprints, added=place.added, card=card)
    return _ResealedText(place, former, sealed, card, makes_card, details)


def _open_card(unsealer: Unsealer, sealed: bytes | None, reference: str) -> Any:
    try:
        return unsealer.open(sealed, reference=reference).get(CARD) if sealed else None
    except (UnsealingUnavailable, SealedTextMisplaced):
        return None


def _card_of(place: SealedPlace, document: dict[str, Any]) -> dict[str, Any]:
    member, make = ("submission", card_of_concern) if place.added is None else (ADDED, card_of_addition)
    content = document.get(member)
    return make(content if isinstance(content, dict) else {})


def _replace(session: Session, resealed: _ResealedText, *, actor: Actor) -> bool:
    """Return False, and do nothing, if it was erased or re-encrypted meanwhile."""
    row = _row_of(session, resealed.place)
    if row.sealed != resealed.former:
        return False
    record_action(session, resealed.place.reference, DeskAct.RESEALED, actor, resealed.details)
    if resealed.sealed != resealed.former:
        row.sealed, row.recipients = resealed.sealed, list(resealed.details.recipients)
    number = number_of_card(resealed.place.added)
    if resealed.card is not None and number is not None:
        session.merge(CardRow(reference=resealed.place.reference, addition=number, sealed=resealed.card))
    return True
