"""Publishing and withdrawing: editions, and renditions of them."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.errors import AlreadyWithdrawn, EditionAlreadyPublished, EditionOutOfOrder, InvalidEdition, InvalidRendition
from app.models.digest import digest_of
from app.models.events.tables import EventKind
from app.models.guidance.editions import EditionContent
from app.models.guidance.renditions import RenditionContent
from app.services.events.payloads import edition_payload, rendition_payload
from app.services.guidance.reference_data import ReferenceData
from app.services.guidance.renditions import (
    current_renditions,
    find_rendition_faults,
    is_of_former_edition,
    rendition_of,
)
from app.store.catalogue import index_guide
from app.store.editions import (
    EditionHead,
    EditionKey,
    RenditionKey,
    StoredRendition,
    current_of,
    find_history,
    get_history,
    head_of,
    insert_edition,
    insert_rendition,
    insert_withdrawal,
    list_renditions,
)
from app.store.events import append_event
from app.store.writer import Writer, write_operation

Precondition = Callable[[Session, EditionHead | None], None]
"""Gets the guide's current edition (None if there is none), and raises unless the caller knows it."""


@dataclass(frozen=True)
class NewEdition:
    """An edition to publish. With a number, it must be that one."""

    guide: str
    content: EditionContent
    number: int | None = None


@dataclass(frozen=True)
class Published:
    """The result of publishing an edition: `is_new` is false if the same content was already published."""

    key: EditionKey
    digest: str
    published_at: dt.datetime
    is_new: bool


@dataclass(frozen=True)
class PublishedRendition:
    """The result of publishing a rendition: `is_new` is false if the newest one already has the same content."""

    key: RenditionKey
    digest: str
    published_at: dt.datetime
    is_new: bool


@dataclass(frozen=True)
class Withdrawn:
    """The result of withdrawing: `is_new` is false if it was already withdrawn for that reason."""

    withdrawn_at: dt.datetime
    is_new: bool


def publish_edition(
    writer: Writer,
    reference_data: ReferenceData,
    new: NewEdition,
    *,
    at: dt.datetime,
    precondition: Precondition | None = None,
) -> Published:
    """Publish the content as the next edition of the guide.

    Nothing changes if the edition of that number (without a number: the current edition) already has the same content.
    Else raises the errors of the precondition, `InvalidEdition` if a code is not in its list, `EditionAlreadyPublished`
    if other content has the number, `EditionOutOfOrder` if the number is not the next.
    """
    guide, number = new.guide, new.number
    faults, digest = reference_data.faults_in_codes(new.content), digest_of(new.content)

    def write(session: Session) -> Published:
        history = find_history(session, guide=guide)
        current = current_of(history)
        known = current if number is None else next((each for each in history if each.number == number), None)
        is_known = known is not None and known.digest == digest
        if precondition is not None and not is_known:
            precondition(session, current)
        if faults:
            raise InvalidEdition(faults)
        if known is not None and is_known:
            return Published(known.key, digest, known.published_at, is_new=False)
        if number is not None and known is not None:
            raise EditionAlreadyPublished
        if number not in (None, len(history) + 1):
            raise EditionOutOfOrder
        return insert_next_edition(session, history, guide, new.content, digest=digest, at=at)

    return writer.run(write)


def insert_next_edition(
    session: Session,
    history: Sequence[EditionHead],
    guide: str,
    content: EditionContent,
    *,
    digest: str,
    at: dt.datetime,
) -> Published:
    """Write the edition, what finds it, and the events: it is published, and renditions are behind.

    `history` is that before this edition. The caller checked the content.
    """
    key = EditionKey(guide, len(history) + 1)
    insert_edition(session, key, content=content, digest=digest, at=at)
    index_guide(session, key.guide, key)
    append_event(session, EventKind.EDITION_PUBLISHED, at=at, data=edition_payload(key, digest=digest))
    for each in current_renditions(history, list_renditions(session, guide=guide)):
        if not is_of_former_edition(history, each.edition):
            data = rendition_payload(each.key, each.content, digest=each.digest, behind=True)
            append_event(session, EventKind.RENDITION_BEHIND, at=at, data=data)
    return Published(key, digest, at, is_new=True)


@write_operation
def publish_rendition(
    session: Session, guide: str, content: RenditionContent, *, at: dt.datetime
) -> PublishedRendition:
    """Publish the content as the guide's next rendition in its language.

    Nothing changes if the newest one has the same content. Raises `NoSuchGuide`, and `InvalidRendition` with every
    fault.
    """
    return write_rendition(session, guide, content, at=at)


def write_rendition(session: Session, guide: str, content: RenditionContent, *, at: dt.datetime) -> PublishedRendition:
    """Do that in the writer's transaction."""
    faults = find_rendition_faults(session, guide, content)
    if faults:
        raise InvalidRendition(faults)
    digest, stored = digest_of(content), list_renditions(session, guide=guide, language=content.language)
    newest = stored[0] if stored else None
    if newest is not None and newest.digest == digest and newest.withdrawn_at is None:
        return PublishedRendition(newest.key, digest, newest.published_at, is_new=False)
    key = RenditionKey(guide, content.language, len(stored) + 1)
    insert_rendition(session, key, content=content, digest=digest, at=at)
    behind = is_of_former_edition(get_history(session, guide=guide), content.of.edition)
    payload = rendition_payload(key, content, digest=digest, behind=behind)
    append_event(session, EventKind.RENDITION_PUBLISHED, at=at, data=payload)
    return PublishedRendition(key, digest, at, is_new=True)


@write_operation
def withdraw_published(session: Session, key: EditionKey | RenditionKey, *, reason: str, at: dt.datetime) -> Withdrawn:
    """Withdraw the edition or rendition: its content stays unchanged, and reads of it return the reason instead.

    Withdrawing it again for the same reason changes nothing. Raises `NoSuchGuide`, `NoSuchEdition`, `NoSuchRendition`,
    or `AlreadyWithdrawn` if it was withdrawn for another reason.
    """
    history = get_history(session, guide=key.guide)
    found: EditionHead | StoredRendition = (
        head_of(history, key.number)
        if isinstance(key, EditionKey)
        else rendition_of(list_renditions(session, guide=key.guide, language=key.language), key.number)
    )
    if found.withdrawn_at is not None:
        if found.reason != reason:
            raise AlreadyWithdrawn
        return Withdrawn(found.withdrawn_at, is_new=False)
    insert_withdrawal(session, key, reason=reason, at=at)
    if isinstance(found, StoredRendition):
        behind = is_of_former_edition(history, found.edition)
        payload = rendition_payload(found.key, found.content, digest=found.digest, behind=behind)
        append_event(session, EventKind.RENDITION_WITHDRAWN, at=at, data=payload)
    else:
        current = current_of([other for other in history if other != found])
        index_guide(session, found.guide, current.key if current is not None else None)
        append_event(session, EventKind.EDITION_WITHDRAWN, at=at, data=edition_payload(found.key))
    return Withdrawn(at, is_new=True)
