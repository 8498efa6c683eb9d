"""Resealing: re-encryption of all sealed texts and cards of the desk to new keys, by the holder of an old identity."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

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
from app.models.concerns.cards import CardRow
from app.models.concerns.digests import seal_details
from app.models.concerns.entries import EntryRow
from app.models.concerns.rows import ConcernRow
from app.services.audit.audit_log import Actor, record_action
from app.services.audit.remnants import purge_remnants
from app.services.concerns.cards import (
    card_of_addition,
    card_of_concern,
    insert_cards,
    number_of_card,
    seal_card,
)
from app.services.concerns.sealing import LEAST_CARD, LEAST_TEXT, Unsealer, pad

SEALED_KINDS: tuple[EntryKind | None, ...] = (None, *FOR_THE_DESK)
"""The kinds of texts that the desk decrypts. None stands for the concerns' own texts."""
ADDED = EntryKind.ADDITION.value


@dataclass(frozen=True)
class SealedPlace:
    """The place of a sealed text: the concern's reference, and for an entry its kind and number (`added`).

    `added` is None for the concern's own text. `recipients` are the fingerprints of the keys that the text is encrypted
    to.
    """

    reference: str
    added: EntryPlace | None
    recipients: tuple[str, ...]

    def __str__(self) -> str:
        """Return the place in words for an operator: the reference, after words such as `note 3 to` for an entry."""
        return self.reference if self.added is None else f"{self.added} to {self.reference}"


def list_sealed(session: Session) -> list[SealedPlace]:
    """Return the place of every sealed text for the desk: first of the concerns, then of each kind of entry.

    Erased texts, and messages to reporters, are left out.
    """
    return [text for kind in SEALED_KINDS for text in list_sealed_of(session, kind)]


def list_sealed_of(
    session: Session, kind: EntryKind | None, *, after: SealedPlace | None = None, limit: int | None = None
) -> list[SealedPlace]:
    """Return the places of the sealed texts of `kind`, sorted by reference and number. Erased texts are left out.

    If `kind` is None, the texts are the concerns' own texts. Begin after the place `after`, if it is given. Return at
    most `limit` places, or all if `limit` is None.
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
    """Return the fingerprints of the keys that the newest concern is encrypted to, or None if there is no concern."""
    concerns = table_of(ConcernRow).c
    newest = select(concerns.recipients).order_by(concerns.received_at.desc()).limit(1)
    return session.connection().execute(newest).scalars().first()


@dataclass(frozen=True)
class Resealed:
    """The result of resealing. `count` is the number of re-encrypted texts.

    `cards` is the number of cards that were missing and have now been made. `unopened` are the texts that could not be
    decrypted, and `misplaced` those that do not belong to their concern. These texts are unchanged. `remnants` says if
    the database files may still have the texts as they were encrypted before.
    """

    count: int
    cards: int
    unopened: tuple[SealedPlace, ...]
    misplaced: tuple[SealedPlace, ...]
    remnants: Remnants


@dataclass(frozen=True)
class ChangeOfKeys:
    """The keys of resealing: `unsealer` decrypts the stored texts, and `sealer` encrypts them to the new recipients."""

    unsealer: Unsealer
    sealer: Sealer


@dataclass(frozen=True)
class _ResealedText:
    """A text before and after re-encryption, with its sealed card if it has one, and the details for the audit log.

    `sealed` is equal to `former` if the text has the right recipients and only its card was missing.
    """

    place: SealedPlace
    former: bytes
    sealed: bytes
    card: bytes | None
    details: SealDetails


@dataclass
class _Progress:
    """The result so far: the numbers of texts and of cards, and the texts that could not be re-encrypted."""

    count: int = 0
    cards: int = 0
    unopened: list[SealedPlace] = field(default_factory=list)
    misplaced: list[SealedPlace] = field(default_factory=list)


def reseal(
    engine: Engine,
    writer: Writer,
    keys: ChangeOfKeys,
    *,
    actor: Actor,
    on_step: OnStep = show_no_progress,
) -> Resealed:
    """Re-encrypt every concern, addition, note and label whose recipients differ from those of `keys.sealer`.

    Texts of an earlier version may lack padding, so each text is padded. The card of a re-encrypted concern or addition
    is made again from its text. A concern or addition without a card gets a card, even if its recipients are right. A
    text that `keys.unsealer` cannot decrypt, or that does not belong to its concern, stays unchanged, and so does its
    card.

    The transaction that stores a new text and card also records their digests and recipients in the audit log, as an
    action of `actor`. At the end, also after an error, the texts as they were encrypted before are purged from the
    database files, as far as is possible then. `on_step` is called with the number of each text and the total. Raise
    `StoreBusy` if a new text could not be stored in time.
    """
    done = _Progress()
    with Session(engine) as session:
        texts, cards = list_sealed(session), _list_cards(session)
    try:
        for step, text in enumerate(texts, start=1):
            on_step(step, len(texts))
            is_current = sorted(text.recipients) == sorted(keys.sealer.fingerprints)
            number = number_of_card(text.added)
            lacks_card = number is not None and (text.reference, number) not in cards
            if is_current and not lacks_card:
                continue
            try:
                resealed = _reseal_text(engine, keys, text, is_current=is_current)
                if resealed is not None and writer.run(_replace, resealed, actor=actor):
                    done.count += not is_current
                    done.cards += lacks_card
            except UnsealingUnavailable:
                done.unopened.append(text)
            except SealedTextMisplaced:
                done.misplaced.append(text)
    finally:
        remnants = purge_remnants(engine)  # the database files may still have texts that the old keys decrypt
    return Resealed(done.count, done.cards, tuple(done.unopened), tuple(done.misplaced), remnants)


def _list_cards(session: Session) -> set[tuple[str, int]]:
    """Return the reference and the number of every card, also of erased cards.

    The number is that of the addition, or `OF_THE_CONCERN`.
    """
    cards = table_of(CardRow).c
    return {(reference, number) for reference, number in session.connection().execute(select(*cards[:2]))}


def _reseal_text(engine: Engine, keys: ChangeOfKeys, place: SealedPlace, *, is_current: bool) -> _ResealedText | None:
    """Return the text at `place`, re-encrypted to the new keys, with a new card.

    Return None if the text has been erased. If `is_current` is True, the text has the right recipients and is not
    encrypted again. A note or a label has no card. Raise `UnsealingUnavailable` if no identity decrypts the text, or
    `SealedTextMisplaced` if the text does not belong to its concern.
    """
    with Session(engine) as session:
        row = _row_of(session, place)
        former, received_at = row.sealed, row.received_at
    if not former:
        return None
    document = keys.unsealer.open(former, reference=place.reference)
    sealed = former if is_current else keys.sealer.seal(_padded(place, keys.unsealer.decrypt(former)))
    card = None
    if number_of_card(place.added) is not None:
        card = seal_card(keys.sealer, _card_of(place, document), place.reference, at=received_at)
    details = seal_details(sealed, keys.sealer.fingerprints, added=place.added, card=card)
    return _ResealedText(place, former, sealed, card, details)


def _padded(place: SealedPlace, document: bytes) -> bytes:
    """Return the decrypted `document` of the text at `place`, padded. Older documents may lack padding."""
    is_label = place.added is not None and place.added.kind is EntryKind.LABEL
    return pad(document, LEAST_CARD if is_label else LEAST_TEXT)


def _card_of(place: SealedPlace, document: dict[str, Any]) -> dict[str, Any]:
    """Return the card of the text at `place`, whose decrypted document is `document`."""
    member, make = ("submission", card_of_concern) if place.added is None else (ADDED, card_of_addition)
    content = document.get(member)
    return make(content if isinstance(content, dict) else {})


def _replace(session: Session, resealed: _ResealedText, *, actor: Actor) -> bool:
    """Record the new text and its card in the audit log, store them, and return True.

    If the stored text has been erased or re-encrypted since `resealed` was made, do nothing and return False.
    """
    row = _row_of(session, resealed.place)
    if row.sealed != resealed.former:
        return False
    record_action(session, resealed.place.reference, DeskAct.RESEALED, actor, resealed.details)
    if resealed.sealed != resealed.former:
        row.sealed, row.recipients = resealed.sealed, list(resealed.details.recipients)
    number = number_of_card(resealed.place.added)
    if resealed.card is not None and number is not None:
        card = session.get(CardRow, (resealed.place.reference, number))
        if card is None:
            insert_cards(session.connection(), [(resealed.place.reference, number, resealed.card)])
        else:
            card.sealed = resealed.card
    return True
