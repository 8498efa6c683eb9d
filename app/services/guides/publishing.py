"""Publication and withdrawal of editions and renditions: from requests, from files and from the seed folder."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from app.db.writer import Writer
from app.errors import (
    AlreadyWithdrawn,
    EditionAlreadyPublished,
    EditionOutOfOrder,
    InvalidEdition,
    InvalidRendition,
    NobodyPublishesAlone,
    NoSuchGuide,
    SeedError,
    SeedFileError,
)
from app.logs import Log
from app.models.base import digest_of
from app.models.events.rows import EventKind
from app.models.guides.edition_files import (
    EditionFile,
    GuideFile,
    RenditionFile,
    read_edition_file,
    read_rendition_file,
)
from app.models.guides.edition_keys import AnyKey, EditionKey, RenditionKey
from app.models.guides.edition_rows import OWN_WORDS, GuideDraftAct
from app.models.guides.editions import EditionContent
from app.models.guides.renditions import RenditionContent
from app.models.guides.seed_files import edition_place
from app.services.events.outbox import Event, append_event, append_events, edition_payload, rendition_payload
from app.services.guides.catalogue import index_guide
from app.services.guides.editions import (
    EditionHead,
    StoredRendition,
    current_of,
    every_publication,
    find_history,
    get_history,
    head_of,
    insert_publication,
    insert_withdrawal,
    list_renditions,
)
from app.services.guides.guide_acts import GuideAct, append_guide_act
from app.services.guides.reference_data import ReferenceData
from app.services.guides.renditions import current_renditions, is_of_former_edition, rendition_of, require_sound

Precondition = Callable[[Session, EditionHead | None], None]
"""Gets the guide's current edition, if any. Its error prevents the publication."""
Key = TypeVar("Key", EditionKey, RenditionKey)
RENDITIONS = "renditions"
"""The folder with `<guide>/<language>.yaml`."""
NO_GUIDE = "no guide of the folder's name is published, so it has no renditions"
log = Log(__name__)


@dataclass(frozen=True)
class Publication(Generic[Key]):
    """`is_new` is False if the same content was already published, which the other fields describe."""

    key: Key
    digest: str
    published_at: dt.datetime
    is_new: bool


Published = Publication[EditionKey]

PublishedRendition = Publication[RenditionKey]


@dataclass(frozen=True)
class Withdrawn:
    """`is_new` is False if it had been withdrawn for the same reason."""

    withdrawn_at: dt.datetime
    is_new: bool


def _refuse_single_publisher(*, two_people: bool) -> None:
    """Raise `NobodyPublishesAlone` if the council requires a second person."""
    if two_people:
        raise NobodyPublishesAlone


def publish_edition(
    session: Session,
    reference_data: ReferenceData,
    guide: str,
    content: EditionContent,
    number: int | None = None,
    *,
    at: dt.datetime,
    two_people: bool,
    precondition: Precondition | None = None,
) -> Published:
    """Publish the next edition, index its items, and append the events. Equal content changes nothing.

    It must get `number`, if given. `precondition` is called only for new content. Raise `NobodyPublishesAlone`,
    `InvalidEdition` for an unknown code, `EditionAlreadyPublished` if `number` has other content, `EditionOutOfOrder`
    if it is not the next.
    """
    _refuse_single_publisher(two_people=two_people)
    history, digest = find_history(session, guide=guide), digest_of(content)
    current = current_of(history)
    known = current if number is None else next((each for each in history if each.number == number), None)
    is_known = known is not None and known.digest == digest
    if precondition is not None and not is_known:
        precondition(session, current)
    faults = reference_data.faults_in_codes(content)
    if faults:
        raise InvalidEdition(faults)
    if known is not None and is_known:
        return Published(known.key, digest, known.published_at, is_new=False)
    if number is not None and known is not None:
        raise EditionAlreadyPublished
    if number not in (None, len(history) + 1):
        raise EditionOutOfOrder
    return insert_next_edition(session, history, guide, content, digest=digest, at=at)


def insert_next_edition(
    session: Session,
    history: Sequence[EditionHead],
    guide: str,
    content: EditionContent,
    *,
    digest: str,
    at: dt.datetime,
) -> Published:
    """Store and index checked content, and append `EDITION_PUBLISHED` and each `RENDITION_BEHIND`."""
    key = EditionKey(guide, len(history) + 1)
    insert_publication(session, key, content, digest=digest, at=at)
    index_guide(session, key.guide, key)
    events: list[Event] = [(EventKind.EDITION_PUBLISHED, at, edition_payload(key, digest=digest))]
    for each in current_renditions(history, list_renditions(session, guide=guide)):
        if not is_of_former_edition(history, each.edition):
            data = rendition_payload(each.key, each.content, digest=each.digest, behind=True)
            events.append((EventKind.RENDITION_BEHIND, at, data))
    append_events(session.connection(), events)
    return Published(key, digest, at, is_new=True)


def publish_rendition(
    session: Session, guide: str, content: RenditionContent, *, at: dt.datetime, two_people: bool
) -> PublishedRendition:
    """Publish the next rendition in its language, with an event. Equal content, not withdrawn, changes nothing.

    Raise `NobodyPublishesAlone`, `NoSuchGuide`, or `InvalidRendition` with every error.
    """
    _refuse_single_publisher(two_people=two_people)
    history = require_sound(session, guide, content)
    digest, stored = digest_of(content), list_renditions(session, guide=guide, language=content.language)
    newest = stored[0] if stored else None
    if newest is not None and newest.digest == digest and newest.withdrawn_at is None:
        return PublishedRendition(newest.key, digest, newest.published_at, is_new=False)
    key = RenditionKey(guide, content.language, len(stored) + 1)
    insert_publication(session, key, content, digest=digest, at=at)
    behind = is_of_former_edition(history, content.of.edition)
    payload = rendition_payload(key, content, digest=digest, behind=behind)
    append_event(session, EventKind.RENDITION_PUBLISHED, at=at, data=payload)
    return PublishedRendition(key, digest, at, is_new=True)


def withdraw_published(
    session: Session, key: AnyKey, *, reason: str, at: dt.datetime, by: str | None = None
) -> Withdrawn:
    """Withdraw `key`, with an event. Its content stays stored; reads return `reason`.

    The same reason again changes nothing. Search then finds the edition that is current. `by` is recorded among the
    actions on drafts. Raise `NoSuchGuide`, `NoSuchEdition`, `NoSuchRendition`, or `AlreadyWithdrawn` for another
    reason.
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
    if by is not None:
        act = GuideAct(key.guide, by, at, key.language if isinstance(key, RenditionKey) else OWN_WORDS)
        details = {"number": key.number}
        append_guide_act(session, GuideDraftAct.WITHDRAWN, act, digest=found.digest, details=details)
    if isinstance(found, StoredRendition):
        behind = is_of_former_edition(history, found.edition)
        payload = rendition_payload(found.key, found.content, digest=found.digest, behind=behind, reason=reason)
        append_event(session, EventKind.RENDITION_WITHDRAWN, at=at, data=payload)
    else:
        current = current_of([other for other in history if other != found])
        index_guide(session, found.guide, current.key if current is not None else None)
        append_event(session, EventKind.EDITION_WITHDRAWN, at=at, data=edition_payload(found.key, reason=reason))
    return Withdrawn(at, is_new=True)


@contextmanager
def refused_with_lines(file: GuideFile[Any]) -> Iterator[None]:
    """Turn refusals into `SeedFileError` with lines, 0 for the whole file.

    `NobodyPublishesAlone` and the precondition's errors stay.
    """
    try:
        yield
    except (InvalidEdition, InvalidRendition) as refusal:
        raise file.refusal(refusal.faults) from None
    except NoSuchGuide:
        raise SeedFileError(file.path, [SeedError(0, NO_GUIDE)]) from None
    except (EditionAlreadyPublished, EditionOutOfOrder) as refusal:
        raise SeedFileError(file.path, [SeedError(0, str(type(refusal).__doc__))]) from None


def publish_file(
    writer: Writer,
    reference_data: ReferenceData,
    file: EditionFile,
    *,
    at: dt.datetime,
    two_people: bool,
    precondition: Precondition | None = None,
) -> Published:
    """Publish a file read from `.../<guide>/<number>.yaml`. Equal content changes nothing.

    Raise `NobodyPublishesAlone`, the precondition's errors, or `SeedFileError` with file, line and reason.
    """
    guide, number = edition_place(file.path)
    with refused_with_lines(file):
        published = writer.run(
            publish_edition,
            reference_data,
            guide,
            file.content,
            number,
            at=at,
            two_people=two_people,
            precondition=precondition,
        )
    if published.is_new:
        log.info("edition_published", guide=guide, edition=number, digest=published.digest)
    return published


def publish_seed(
    engine: Engine, writer: Writer, reference_data: ReferenceData, seed_dir: Path, *, at: dt.datetime
) -> None:
    """Publish the seed's editions of guides that have none, and its renditions if the database had no edition at all.

    Later ones need a command: a person must decide on text that is new to the council. Access to the folder is enough,
    so no second person is asked. Raise `SeedFileError`; files before it stay published.
    """
    with Session(engine) as session:
        published = {key.guide for key, _ in every_publication(session)}
    for folder in sorted(path for path in (seed_dir / "guides").glob("*") if path.is_dir()):
        if folder.name not in published:
            for path in sorted(folder.glob("*.yaml"), key=lambda path: edition_place(path)[1]):
                publish_file(writer, reference_data, read_edition_file(path), at=at, two_people=False)
    if not published:
        _publish_seed_renditions(engine, writer, seed_dir, at=at)


def check_rendition_file(session: Session, file: RenditionFile) -> None:
    """Check a rendition's file. Raise `SeedFileError` with every error."""
    with refused_with_lines(file):
        require_sound(session, file.guide, file.content)


def publish_rendition_file(
    writer: Writer, file: RenditionFile, *, at: dt.datetime, two_people: bool
) -> PublishedRendition:
    """Publish a rendition's file as `publish_rendition` does. Raise `SeedFileError` with every error."""
    with refused_with_lines(file):
        return writer.run(publish_rendition, file.guide, file.content, at=at, two_people=two_people)


def _publish_seed_renditions(engine: Engine, writer: Writer, seed_dir: Path, *, at: dt.datetime) -> None:
    """Check all first: raise `SeedFileError`. Skip and log one whose edition is withdrawn or has another digest."""
    files = [read_rendition_file(path) for path in sorted((seed_dir / RENDITIONS).glob("*/*.yaml"))]
    with Session(engine) as session:
        ready = [file for file in files if _has_edition(session, file)]
        for file in ready:
            check_rendition_file(session, file)
    for file in ready:
        published = publish_rendition_file(writer, file, at=at, two_people=False)
        log.info("rendition_published", guide=file.guide, digest=published.digest)


def _has_edition(session: Session, file: RenditionFile) -> bool:
    of = file.content.of
    found = any(
        (head.number, head.digest, head.withdrawn_at) == (of.edition, of.digest, None)
        for head in find_history(session, guide=file.guide)
    )
    if not found:
        log.warning("rendition_left_out", guide=file.guide, edition=of.edition)
    return found
