"""Publishing: the one door through which words become an edition."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from app.errors import EditionAlreadyPublished, EditionOutOfOrder, EditionRefused
from app.models.digest import digest_of
from app.models.editions import EditionContent
from app.models.guide_tables import GuideRow
from app.services.reference_data import ReferenceData
from app.store.editions import EditionKey, find_history, insert_edition


@dataclass(frozen=True)
class Published:
    """What came of it: `is_new` is false where the same words already stood under that number."""

    key: EditionKey
    digest: str
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
    the number, `EditionOutOfOrder` where the number is not the next, `EditionRefused` where a code is not in its list.
    """
    faults = reference_data.faults_in_codes(content)
    if faults:
        raise EditionRefused(faults)
    digest = digest_of(content)
    history = find_history(connection, guide=key.guide)
    standing = next((head for head in history if head.number == key.number), None)
    if standing is not None:
        if standing.digest != digest:
            raise EditionAlreadyPublished
        return Published(key, digest, is_new=False)
    if key.number != len(history) + 1:
        raise EditionOutOfOrder
    try:
        if not history:
            connection.execute(insert(GuideRow), [{"slug": key.guide, "first_published_at": at}])
        insert_edition(connection, key, content=content, digest=digest, at=at)
    except IntegrityError:  # somebody else was first
        raise EditionAlreadyPublished from None
    return Published(key, digest, is_new=True)
