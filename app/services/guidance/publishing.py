"""Publishing and withdrawing editions."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.errors import AlreadyWithdrawn, EditionAlreadyPublished, EditionOutOfOrder, InvalidEdition
from app.models.digest import digest_of
from app.models.events.tables import EventKind
from app.models.guidance.editions import EditionContent
from app.services.events.payloads import edition_payload
from app.services.guidance.reference_data import ReferenceData
from app.services.guidance.renditions import report_renditions_behind
from app.store import editions
from app.store.catalogue import index_guide
from app.store.editions import EditionHead, EditionKey
from app.store.events import append_event
from app.store.writer import Writer, write_operation

Precondition = Callable[[Session, EditionHead | None], None]
"""Gets the guide's current edition (None if there is none), and raises unless the caller knows it."""


@dataclass(frozen=True)
class Published:
    """The result of publishing: `is_new` is false if the same content was already published."""

    key: EditionKey
    digest: str
    published_at: dt.datetime
    is_new: bool


@dataclass(frozen=True)
class Withdrawn:
    """The result of withdrawing: `is_new` is false if the edition was already withdrawn for that reason."""

    key: EditionKey
    withdrawn_at: dt.datetime
    is_new: bool


def publish_edition(
    writer: Writer,
    reference_data: ReferenceData,
    *,
    guide: str,
    content: EditionContent,
    at: dt.datetime,
    number: int | None = None,
    precondition: Precondition | None = None,
) -> Published:
    """Publish the content as the guide's next edition. If `number` is given, the edition must get that number.

    Nothing changes if the edition of that number (without a number: the current edition) already has the same content.
    Else raises the errors of the precondition, `InvalidEdition` if a code is not in its list, `EditionAlreadyPublished`
    if other content has the number, `EditionOutOfOrder` if the number is not the next.
    """
    faults, digest = reference_data.faults_in_codes(content), digest_of(content)

    def write(session: Session) -> Published:
        history = editions.find_history(session, guide=guide)
        known = editions.current_of(history) if number is None else _numbered(history, number)
        is_known = known is not None and known.digest == digest
        if precondition is not None and not is_known:
            precondition(session, editions.current_of(history))
        if faults:
            raise InvalidEdition(faults)
        if known is not None and is_known:
            return Published(known.key, digest, known.published_at, is_new=False)
        if number is not None and known is not None:
            raise EditionAlreadyPublished
        key = EditionKey(guide, len(history) + 1)
        if number not in (None, key.number):
            raise EditionOutOfOrder
        return insert_next_edition(session, history, key, content, digest=digest, at=at)

    return writer.run(write)


def insert_next_edition(
    session: Session,
    history: Sequence[EditionHead],
    key: EditionKey,
    content: EditionContent,
    *,
    digest: str,
    at: dt.datetime,
) -> Published:
    """Write the edition, what finds it, and the events: it is published, and renditions are behind.

    `history` is that before this edition. The caller checked the content.
    """
    editions.insert_edition(session, key, content=content, digest=digest, at=at)
    index_guide(session, key.guide, key)
    append_event(session, EventKind.EDITION_PUBLISHED, at=at, data=edition_payload(key, digest=digest))
    report_renditions_behind(session, history, key.guide, at=at)
    return Published(key, digest, at, is_new=True)


def _numbered(history: Sequence[EditionHead], number: int) -> EditionHead | None:
    return next((head for head in history if head.number == number), None)


@write_operation
def withdraw_edition(session: Session, key: EditionKey, *, reason: str, at: dt.datetime) -> Withdrawn:
    """Withdraw the edition: its content stays unchanged, and reads of it return the reason instead.

    Withdrawing it again for the same reason changes nothing. Raises `NoSuchGuide`, `NoSuchEdition`, or
    `AlreadyWithdrawn` if it was withdrawn for another reason.
    """
    history = editions.get_history(session, guide=key.guide)
    head = editions.head_of(history, key.number)
    if head.withdrawn_at is not None:
        if head.reason != reason:
            raise AlreadyWithdrawn
        return Withdrawn(key, head.withdrawn_at, is_new=False)
    editions.insert_withdrawal(session, key, reason=reason, at=at)
    current = editions.current_of([other for other in history if other != head])
    index_guide(session, key.guide, current.key if current is not None else None)
    append_event(session, EventKind.EDITION_WITHDRAWN, at=at, data=edition_payload(key))
    return Withdrawn(key, at, is_new=True)
