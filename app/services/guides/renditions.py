"""Renditions of a guide: the choice of a rendition to read, validation of new renditions, and response data."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlmodel import Session

from app.errors import EditionWithdrawn, FaultCode, FieldError, InvalidRendition, NoSuchRendition, RenditionWithdrawn
from app.models.guides.edition_keys import EditionKey
from app.models.guides.editions import EditionContent
from app.models.guides.rendered import RenderedWords, find_mismatches, find_own_faults, render
from app.models.guides.renditions import ListedRendition, RenditionContent, RenditionFacts, ShownPicture
from app.models.guides.sections import Section
from app.models.languages import ENGLISH_TAG, GUIDE_LANGUAGE, RenditionForm, direction_of
from app.models.links import (
    Links,
    edition_path,
    guide_path,
    picture_path,
    rendition_path,
    renditions_path,
)
from app.services.guides.editions import (
    EditionHead,
    StoredRendition,
    current_of,
    get_history,
    read_content,
    readable_of,
    withdrawal_of,
)
from app.services.guides.pictures import find_picture_errors

GUIDE_TAGS = frozenset({ENGLISH_TAG, GUIDE_LANGUAGE.lower()})
ReadContent = Callable[[EditionKey], EditionContent]
UNCHECKED = (
    "This version was made by a computer and has not been checked. "
    "The cautions and the numbers to call are in the guide’s own words."
)
BEHIND = "The guide has changed since this version was made: edition {of} is here, and another edition is current."


def require_sound(session: Session, guide: str, content: RenditionContent) -> list[EditionHead]:
    """Return the guide's history. Raise `NoSuchGuide`, or `InvalidRendition` with every error."""
    history = get_history(session, guide=guide)
    head = next((each for each in history if each.number == content.of.edition), None)
    faults = [*find_own_faults(content), *_faults_of_edition(head, content)]
    if head is not None:
        faults += find_mismatches(content, read_content(session, head.key))
    faults += find_picture_errors(session, content)
    if faults:
        raise InvalidRendition(faults)
    return history


def current_renditions(history: Sequence[EditionHead], stored: Sequence[StoredRendition]) -> list[StoredRendition]:
    """Return the rendition to read in each language and format, by language: of the latest edition, the most recent.

    Withdrawn renditions, and those of a withdrawn edition, do not count. Those with text come before recordings, later
    editions first.
    """
    readable = {head.number for head in history if head.withdrawn_at is None}
    return latest_renditions(each for each in stored if each.withdrawn_at is None and each.edition in readable)


def latest_renditions(readable: Iterable[StoredRendition]) -> list[StoredRendition]:
    """Same as `current_renditions`, of renditions of which none is withdrawn."""
    found: dict[tuple[str, RenditionForm], StoredRendition] = {}
    for each in sorted(readable, key=lambda one: (one.edition, one.key.number)):
        found[each.key.language, each.form] = each
    newest_first = sorted(found.values(), key=lambda one: (one.edition, one.key.number), reverse=True)
    return sorted(newest_first, key=lambda one: (one.key.language, not one.form.has_words))


def _chosen_by_language(current: Iterable[StoredRendition]) -> dict[str, StoredRendition]:
    """Prefer text to a recording, then a later edition. Leave out the guide's own language.

    `current` are the `current_renditions`.
    """
    found: dict[str, StoredRendition] = {}
    for each in current:
        if each.key.language != GUIDE_LANGUAGE:
            found.setdefault(each.key.language, each)
    return found


def chosen_rendition(
    history: Sequence[EditionHead], stored: Sequence[StoredRendition], language: str, number: int | None = None
) -> StoredRendition:
    """Return the rendition `number`, or the one to read. Raise the errors of `find_rendition`."""
    of_language = [each for each in stored if each.key.language == language]
    if number is not None:
        return _readable_rendition(history, rendition_of(of_language, number))
    found = [*current_renditions(history, of_language), *of_language]
    if not found:
        raise NoSuchRendition
    return _readable_rendition(history, found[0])


def rendition_of(stored: Sequence[StoredRendition], number: int) -> StoredRendition:
    """Return a rendition of one guide and language, withdrawn or not. Raise `NoSuchRendition`."""
    found = next((each for each in stored if each.key.number == number), None)
    if found is None:
        raise NoSuchRendition
    return found


def _readable_rendition(history: Sequence[EditionHead], stored: StoredRendition) -> StoredRendition:
    """Raise `RenditionWithdrawn` if it or its edition is."""
    if stored.reason is not None:
        raise RenditionWithdrawn(stored.reason)
    try:
        readable_of(history, stored.edition)
    except EditionWithdrawn as withdrawn:
        raise RenditionWithdrawn(str(withdrawn)) from None
    return stored


def preferred_rendition(current: Iterable[StoredRendition], preferences: Sequence[str]) -> StoredRendition | None:
    """Return the rendition with text that best fits (RFC 4647, lookup), or None if the guide's own language does.

    `current` are the `current_renditions`.
    """
    with_words = [each for each in current if each.form.has_words]
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
    """Return True if the rendition's edition is not current, also if none is."""
    current = current_of(history)
    return current is None or current.number != edition


def _faults_of_edition(head: EditionHead | None, content: RenditionContent) -> Iterator[FieldError]:
    if head is None:
        yield FieldError(("of", "edition"), "The guide has no edition with this number.", FaultCode.UNKNOWN_EDITION)
    elif head.withdrawn_at is not None:
        yield FieldError(("of", "edition"), "This edition was withdrawn, so it cannot have new renditions.")
    elif head.digest != content.of.digest:
        yield FieldError(("of", "digest"), "This is not the digest of that edition: other words were rendered.")


def notices_of(history: Sequence[EditionHead], stored: StoredRendition) -> tuple[str, ...]:
    """Return a notice if a machine made the rendition and nobody checked it, and one if it is out of date."""
    notices = [UNCHECKED] if stored.content.is_unchecked else []
    behind = [BEHIND.format(of=stored.edition)] if is_of_former_edition(history, stored.edition) else []
    return (*notices, *behind)


def rendered_words(
    history: Sequence[EditionHead], stored: StoredRendition, read: ReadContent, *, is_numbered: bool
) -> RenderedWords:
    """Return the edition with the rendition's text. Cautions and contacts are current, unless `is_numbered`."""
    current = current_of(history)
    takes_current = not is_numbered and current is not None and current.number != stored.edition
    now = read(current.key) if takes_current and current is not None else None
    return render(stored.content, read(stored.edition_key), now)


def rendition_facts(history: Sequence[EditionHead], stored: StoredRendition, words: RenderedWords) -> RenditionFacts:
    """Return the facts about a rendition, including unchecked cautions and pointers to untranslated text."""
    return RenditionFacts(
        **_summary(history, stored),
        in_guide_language=words.in_guide_language,
        unchecked_cautions=words.unchecked_cautions,
        pictures=tuple(_shown_pictures(stored, words)),
    )


def _shown_pictures(stored: StoredRendition, words: RenderedWords) -> Iterator[ShownPicture]:
    for section in Section:
        for place, item in enumerate(words.document[section.key] if words.pictures else ()):
            found = words.picture_of(section.key, item["id"])
            if found is not None:
                url = picture_path(*stored.key, found.digest)
                yield ShownPicture(at=f"/{section.key}/{place}", url=url, **found.model_dump(exclude={"item"}))


def list_rendition(history: Sequence[EditionHead], stored: StoredRendition) -> ListedRendition:
    links = rendition_links(stored, is_numbered=True)
    return ListedRendition(**_summary(history, stored), withdrawal=withdrawal_of(stored), links=links)


def language_paths(current: Iterable[StoredRendition], guide: str) -> dict[str, str]:
    """The guide's own language first, then those of `current_renditions`."""
    languages = _chosen_by_language(current)
    return {GUIDE_LANGUAGE: guide_path(guide)} | {each: rendition_path(guide, each) for each in languages}


def edition_language_paths(
    head: EditionHead, history: Sequence[EditionHead], stored: Sequence[StoredRendition]
) -> dict[str, str]:
    """Numbered, the guide's own language first. `stored` are those of `head` only."""
    current = current_renditions(history, stored)
    return {GUIDE_LANGUAGE: edition_path(*head.key)} | {
        language: rendition_path(*each.key) for language, each in _chosen_by_language(current).items()
    }


def content_language(stored: StoredRendition) -> str:
    """The guide's own for a recording or document, which is shown with its text."""
    return stored.key.language if stored.form.has_words else GUIDE_LANGUAGE


def _summary(history: Sequence[EditionHead], stored: StoredRendition) -> dict[str, Any]:
    own = ("language", "form", "of", "made_by", "tool", "checked_by", "checked_on", "link")
    return {name: getattr(stored.content, name) for name in own} | {
        "dir": direction_of(stored.content.language),
        "number": stored.key.number,
        "digest": stored.digest,
        "published_at": stored.published_at,
        "behind": is_of_former_edition(history, stored.edition),
        "notices": notices_of(history, stored),
    }


def rendition_links(stored: StoredRendition, *, is_numbered: bool) -> Links:
    """If `is_numbered`, `self` and the formats have the number; otherwise they lead to the one to read."""
    guide, language, number = stored.key
    numbered, latest = rendition_path(guide, language, number), rendition_path(guide, language)
    path = numbered if is_numbered else latest
    forms = {}
    if stored.form.has_words:
        large_print = {} if is_numbered else {"large_print": f"{path}/large-print.pdf"}
        tables = {f"{section.key}_csv": f"{path}/{section.value}.csv" for section in Section}
        forms = {"markdown": f"{path}.md", "pdf": f"{path}.pdf"} | large_print | tables
    return {
        "self": path,
        **forms,
        "latest_version": latest,
        "numbered": numbered,
        "edition": edition_path(*stored.edition_key),
        "guide": guide_path(guide),
        "collection": renditions_path(guide),
        "edition_renditions": f"{edition_path(*stored.edition_key)}/renditions",
        "describedby": "/openapi.json",
    }
