"""Publishing, withdrawing and choosing renditions."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.errors import AlreadyWithdrawn, EditionWithdrawn, InvalidRendition, NoSuchRendition, RenditionWithdrawn
from app.faults import FaultCode, FieldError
from app.models.digest import digest_of
from app.models.events.tables import EventKind
from app.models.guidance.languages import ENGLISH_TAG, GUIDE_LANGUAGE
from app.models.guidance.rendition_content import RenditionContent, RenditionForm
from app.models.guidance.rendition_faults import find_own_faults, find_strangers
from app.services.events.payloads import rendition_payload
from app.store import renditions
from app.store.contents import read_content
from app.store.editions import EditionHead, current_of, get_history, readable_of
from app.store.events import append_event
from app.store.renditions import RenditionKey, StoredRendition, list_renditions, rendition_of
from app.store.writer import Writer, write_operation

GUIDE_TAGS = frozenset({ENGLISH_TAG, GUIDE_LANGUAGE.lower()})


@dataclass(frozen=True)
class PublishedRendition:
    """The result of publishing: `is_new` is false if the newest rendition already has the same content."""

    key: RenditionKey
    digest: str
    published_at: dt.datetime
    is_new: bool


@dataclass(frozen=True)
class WithdrawnRendition:
    """The result of withdrawing: `is_new` is false if it was already withdrawn for that reason."""

    key: RenditionKey
    withdrawn_at: dt.datetime
    is_new: bool


def find_rendition_faults(session: Session, guide: str, content: RenditionContent) -> list[FieldError]:
    """Return every fault of the content against the guide, at once. Raise `NoSuchGuide`."""
    history = get_history(session, guide=guide)
    head = next((each for each in history if each.number == content.of.edition), None)
    faults = [*find_own_faults(content), *_faults_of_edition(head, content)]
    if head is not None:
        faults += find_strangers(content, read_content(session, head.key))
    return faults


def publish_rendition(writer: Writer, *, guide: str, content: RenditionContent, at: dt.datetime) -> PublishedRendition:
    """Publish the content as the guide's next rendition in its language.

    Nothing changes if the newest one has the same content. Raises `NoSuchGuide`, and `InvalidRendition` with every
    fault.
    """
    return writer.run(lambda session: write_rendition(session, guide, content, at=at))


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
    renditions.insert_rendition(session, key, content=content, digest=digest, at=at)
    behind = is_of_former_edition(get_history(session, guide=guide), content.of.edition)
    payload = rendition_payload(key, content, digest=digest, behind=behind)
    append_event(session, EventKind.RENDITION_PUBLISHED, at=at, data=payload)
    return PublishedRendition(key, digest, at, is_new=True)


@write_operation
def withdraw_rendition(session: Session, key: RenditionKey, *, reason: str, at: dt.datetime) -> WithdrawnRendition:
    """Withdraw the rendition: reads of it return the reason. To withdraw it again for the same reason changes nothing.

    Raises `NoSuchGuide`, `NoSuchRendition`, or `AlreadyWithdrawn` if it was withdrawn for another reason.
    """
    history = get_history(session, guide=key.guide)
    stored = rendition_of(list_renditions(session, guide=key.guide, language=key.language), key.number)
    if stored.withdrawn_at is not None:
        if stored.reason != reason:
            raise AlreadyWithdrawn
        return WithdrawnRendition(key, stored.withdrawn_at, is_new=False)
    renditions.insert_rendition_withdrawal(session, key, reason=reason, at=at)
    behind = is_of_former_edition(history, stored.edition)
    payload = rendition_payload(key, stored.content, digest=stored.digest, behind=behind)
    append_event(session, EventKind.RENDITION_WITHDRAWN, at=at, data=payload)
    return WithdrawnRendition(key, at, is_new=True)


def report_renditions_behind(session: Session, history: Sequence[EditionHead], guide: str, *, at: dt.datetime) -> None:
    """Append an event for each rendition to read that the guide's next edition puts behind.

    `history` is that before the next edition. The caller's transaction is that of the edition.
    """
    stored = list_renditions(session, guide=guide)
    up_to_date = [
        each for each in current_renditions(history, stored) if not is_of_former_edition(history, each.edition)
    ]
    for each in up_to_date:
        data = rendition_payload(each.key, each.content, digest=each.digest, behind=True)
        append_event(session, EventKind.RENDITION_BEHIND, at=at, data=data)


def current_renditions(history: Sequence[EditionHead], stored: Sequence[StoredRendition]) -> list[StoredRendition]:
    """Return the rendition to read in each language and form, by language: of the newest edition, then the newest.

    In each language words come before links to recordings and documents.
    """
    readable = {head.number for head in history if head.withdrawn_at is None}
    found: dict[tuple[str, RenditionForm], StoredRendition] = {}
    for each in sorted(stored, key=lambda one: (one.edition, one.key.number)):
        if each.withdrawn_at is None and each.edition in readable:
            found[each.key.language, each.content.form] = each
    newest_first = sorted(found.values(), key=lambda one: (one.edition, one.key.number), reverse=True)
    return sorted(newest_first, key=lambda one: (one.key.language, not one.content.form.has_words))


def chosen_by_language(history: Sequence[EditionHead], stored: Sequence[StoredRendition]) -> dict[str, StoredRendition]:
    """Return the rendition to read in each language other than the guide's own: words, or the newest link."""
    found: dict[str, StoredRendition] = {}
    for each in current_renditions(history, stored):
        if each.key.language != GUIDE_LANGUAGE:
            found.setdefault(each.key.language, each)
    return found


def current_in(history: Sequence[EditionHead], stored: Sequence[StoredRendition], language: str) -> StoredRendition:
    """Return the rendition to read in that language. Raise `NoSuchRendition`, or `RenditionWithdrawn` if all were."""
    found = next((each for each in current_renditions(history, stored) if each.key.language == language), None)
    if found is not None:
        return found
    for each in stored:
        if each.key.language == language:
            return _readable_rendition(history, each)
    raise NoSuchRendition


def chosen_rendition(
    history: Sequence[EditionHead], stored: Sequence[StoredRendition], language: str, number: int | None
) -> StoredRendition:
    """Return the rendition of that number in the language, or the one to read. Raise as `current_in` does."""
    if number is None:
        return current_in(history, stored, language)
    of_language = [each for each in stored if each.key.language == language]
    return _readable_rendition(history, rendition_of(of_language, number))


def _readable_rendition(history: Sequence[EditionHead], stored: StoredRendition) -> StoredRendition:
    """Return the rendition. Raise `RenditionWithdrawn`, or `EditionWithdrawn` if its edition was withdrawn."""
    if stored.reason is not None:
        raise RenditionWithdrawn(stored.reason)
    try:
        readable_of(history, stored.edition)
    except EditionWithdrawn as withdrawn:
        raise RenditionWithdrawn(str(withdrawn)) from None
    return stored


def languages_by_guide(session: Session) -> dict[str, list[str]]:
    """Return the languages beside its own that each guide has a rendition to read in, sorted."""
    found: dict[str, list[str]] = {}
    for guide, language in renditions.list_languages(session):
        if language != GUIDE_LANGUAGE:
            found.setdefault(guide, []).append(language)
    return found


def preferred_rendition(
    history: Sequence[EditionHead], stored: Sequence[StoredRendition], preferences: Sequence[str]
) -> StoredRendition | None:
    """Return the rendition with words that the preferences choose before the guide's own language (RFC 4647, lookup).

    `preferences` are language ranges in small letters, the best first. None: the guide's own language is preferred.
    """
    with_words = [each for each in current_renditions(history, stored) if each.content.form.has_words]
    available = {each.key.language.lower(): each for each in with_words}
    for preference in preferences:
        subtags = preference.split("-")
        for length in range(len(subtags), 0, -1):
            tag = "-".join(subtags[:length])
            if tag in available:
                return available[tag]
            if tag in GUIDE_TAGS:
                return None
    return None


def is_of_former_edition(history: Sequence[EditionHead], edition: int) -> bool:
    """Return whether the guide's current edition is another one than that of a rendition."""
    current = current_of(history)
    return current is None or current.number != edition


def _faults_of_edition(head: EditionHead | None, content: RenditionContent) -> Iterator[FieldError]:
    if head is None:
        yield FieldError(("of", "edition"), "The guide has no edition of this number.", FaultCode.UNKNOWN_EDITION)
    elif head.withdrawn_at is not None:
        yield FieldError(("of", "edition"), "This edition was withdrawn, so it gets no renditions.")
    elif head.digest != content.of.digest:
        yield FieldError(("of", "digest"), "This is not the digest of that edition: other words were rendered.")
