"""Renditions of a guide: which one is read, and the faults of a new one."""

from collections.abc import Iterator, Sequence

from sqlmodel import Session

from app.errors import EditionWithdrawn, NoSuchRendition, RenditionWithdrawn
from app.faults import FaultCode, FieldError
from app.models.guidance.languages import ENGLISH_TAG, GUIDE_LANGUAGE
from app.models.guidance.renditions import RenditionContent, RenditionForm, find_own_faults, find_strangers
from app.store.editions import (
    EditionHead,
    StoredRendition,
    current_of,
    get_history,
    list_languages,
    read_content,
    readable_of,
)

GUIDE_TAGS = frozenset({ENGLISH_TAG, GUIDE_LANGUAGE.lower()})


def find_rendition_faults(session: Session, guide: str, content: RenditionContent) -> list[FieldError]:
    """Return every fault of the content against the guide, at once. Raise `NoSuchGuide`."""
    history = get_history(session, guide=guide)
    head = next((each for each in history if each.number == content.of.edition), None)
    faults = [*find_own_faults(content), *_faults_of_edition(head, content)]
    if head is not None:
        faults += find_strangers(content, read_content(session, head.key))
    return faults


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


def rendition_of(stored: Sequence[StoredRendition], number: int) -> StoredRendition:
    """Return the rendition of that number, withdrawn or not. Raise `NoSuchRendition`."""
    found = next((each for each in stored if each.key.number == number), None)
    if found is None:
        raise NoSuchRendition
    return found


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
    for guide, language in list_languages(session):
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
