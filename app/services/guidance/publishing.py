"""Publishing and withdrawing: the one door through which words become an edition, or an edition is taken back."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from app.errors import AlreadyWithdrawn, EditionAlreadyPublished, EditionOutOfOrder, InvalidEdition
from app.models.digest import digest_of
from app.models.events.tables import EventKind
from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_tables import GuideRow, WithdrawalRow
from app.services.events.payloads import edition_data
from app.services.guidance.reference_data import ReferenceData
from app.store.catalogue import index_guide
from app.store.editions import EditionKey, find_history, get_history, head_of, insert_edition
from app.store.events import tell
from app.store.generation import mark_raised


@dataclass(frozen=True)
class Published:
    """What came of it: `is_new` is false where the same words already stood under that number."""

    key: EditionKey
    digest: str
    published_at: dt.datetime
    is_new: bool


@dataclass(frozen=True)
class Withdrawn:
    """What came of it: `is_new` is false where the edition was already withdrawn for that reason."""

    key: EditionKey
    withdrawn_at: dt.datetime
    is_new: bool


def publish_edition(
    connection: Connection,
    key: EditionKey,
    *,
    content: EditionContent,
    at: dt.datetime,
    reference_data: ReferenceData,
) -> Published:
    """Publish the words as that edition of the guide.

    Publishing the same words again changes nothing. Raises `EditionAlreadyPublished` where other words stand under
    the number, `EditionOutOfOrder` where the number is not the next, `InvalidEdition` where a code is not in its list.
    """
    faults = reference_data.faults_in_codes(content)
    if faults:
        raise InvalidEdition(faults)
    digest = digest_of(content)
    history = find_history(connection, guide=key.guide)
    standing = next((head for head in history if head.number == key.number), None)
    if standing is not None:
        if standing.digest != digest:
            raise EditionAlreadyPublished
        return Published(key, digest, standing.published_at, is_new=False)
    if key.number != len(history) + 1:
        raise EditionOutOfOrder
    try:
        if not history:
            connection.execute(insert(GuideRow), [{"slug": key.guide, "first_published_at": at}])
        insert_edition(connection, key, content=content, digest=digest, at=at)
    except IntegrityError:  # somebody else was first
        raise EditionAlreadyPublished from None
    mark_raised(connection)
    index_guide(connection, guide=key.guide)
    tell(connection, EventKind.EDITION_PUBLISHED, at=at, data=edition_data(key, digest=digest))
    return Published(key, digest, at, is_new=True)


def withdraw_edition(connection: Connection, key: EditionKey, *, reason: str, at: dt.datetime) -> Withdrawn:
    """Withdraw the edition: its words stay as they are, and reads of it tell the reason instead.

    Withdrawing it again for the same reason changes nothing. Raises `NoSuchGuide`, `NoSuchEdition`, or
    `AlreadyWithdrawn` where it was withdrawn for another reason.
    """
    head = head_of(get_history(connection, guide=key.guide), key.number)
    if head.withdrawn_at is not None:
        if head.reason != reason:
            raise AlreadyWithdrawn
        return Withdrawn(key, head.withdrawn_at, is_new=False)
    row = {"guide": key.guide, "edition": key.number, "withdrawn_at": at, "reason": reason}
    try:
        connection.execute(insert(WithdrawalRow), [row])
    except IntegrityError:  # somebody else was first
        raise AlreadyWithdrawn from None
    mark_raised(connection)
    index_guide(connection, guide=key.guide)
    tell(connection, EventKind.EDITION_WITHDRAWN, at=at, data=edition_data(key))
    return Withdrawn(key, at, is_new=True)
