"""Renditions in responses: what each is, and the edition with its words put in."""

from collections.abc import Callable, Sequence
from typing import Any

from app.models.guidance.editions import EditionContent
from app.models.guidance.guide_responses import Withdrawal
from app.models.guidance.languages import GUIDE_LANGUAGE, direction_of
from app.models.guidance.renditions import ListedRendition, RenderedWords, RenditionFacts, RenditionResponse, render
from app.models.guidance.sections import Section
from app.models.links import Links, edition_path, edition_renditions_path, guide_path, rendition_path, renditions_path
from app.services.guidance.renditions import chosen_by_language, is_of_former_edition
from app.store.editions import EditionHead, EditionKey, StoredRendition, current_of, head_of, status_of

ReadContent = Callable[[EditionKey], EditionContent]
"""Reads the content of an edition."""
UNCHECKED = (
    "A machine made these words, and nobody has checked them. "
    "The cautions and the numbers to call are in the guide’s own words."
)
BEHIND = "The guide has changed since these words were made: edition {of} is here, and another edition is current."


def notices_of(stored: StoredRendition, *, behind: bool) -> tuple[str, ...]:
    """Return the sentences to show with the words."""
    notices = [UNCHECKED] if stored.content.is_unchecked else []
    return (*notices, *([BEHIND.format(of=stored.edition)] if behind else []))


def rendered_words(
    history: Sequence[EditionHead], stored: StoredRendition, read: ReadContent, *, is_numbered: bool
) -> RenderedWords:
    """Return the words. Of the rendition to read, the cautions and the contacts are those of the current edition."""
    current = current_of(history)
    takes_current = not is_numbered and current is not None and current.number != stored.edition
    now = read(current.key) if takes_current and current is not None else None
    return render(stored.content, read(stored.edition_key), now)


def present_rendition(
    history: list[EditionHead], stored: StoredRendition, read: ReadContent, *, is_numbered: bool = False
) -> RenditionResponse:
    """Return the edition with the words of the rendition."""
    head = head_of(history, stored.edition)
    words = rendered_words(history, stored, read, is_numbered=is_numbered)
    facts = rendition_facts(history, stored, words)
    return RenditionResponse(
        guide=head.guide,
        edition=head.number,
        status=status_of(head, history),
        published_at=head.published_at,
        digest=head.digest,
        **dict(words.content),
        rendition=facts,
        links=_links(stored, is_numbered=is_numbered),
    )


def rendition_facts(history: Sequence[EditionHead], stored: StoredRendition, words: RenderedWords) -> RenditionFacts:
    """Return what the words are, and which of them are in the guide's own language."""
    return RenditionFacts(
        **_summary(history, stored),
        in_guide_language=words.in_guide_language,
        unchecked_cautions=words.unchecked_cautions,
    )


def list_rendition(history: Sequence[EditionHead], stored: StoredRendition) -> ListedRendition:
    """Return the rendition as it is in the list of its guide."""
    withdrawal = None
    if stored.withdrawn_at is not None and stored.reason is not None:
        withdrawal = Withdrawal(withdrawn_at=stored.withdrawn_at, reason=stored.reason)
    return ListedRendition(**_summary(history, stored), withdrawal=withdrawal, links=_links(stored, is_numbered=True))


def language_paths(history: Sequence[EditionHead], stored: Sequence[StoredRendition], guide: str) -> dict[str, str]:
    """Return the path of the guide in each language, its own first."""
    languages = chosen_by_language(history, stored)
    return {GUIDE_LANGUAGE: guide_path(guide)} | {each: rendition_path(guide, each) for each in languages}


def edition_language_paths(
    head: EditionHead, history: Sequence[EditionHead], stored: Sequence[StoredRendition]
) -> dict[str, str]:
    """Return the numbered path of the edition in each language, its own first. `stored` are its renditions."""
    return {GUIDE_LANGUAGE: edition_path(*head.key)} | {
        language: rendition_path(*each.key) for language, each in chosen_by_language(history, stored).items()
    }


def content_language(stored: StoredRendition) -> str:
    """Return the language of the words in the response: a recording has none of its own."""
    return stored.key.language if stored.content.form.has_words else GUIDE_LANGUAGE


def _summary(history: Sequence[EditionHead], stored: StoredRendition) -> dict[str, Any]:
    content, behind = stored.content, is_of_former_edition(history, stored.edition)
    own = ("form", "of", "made_by", "tool", "checked_by", "checked_on", "link")
    return {name: getattr(content, name) for name in own} | {
        "language": content.language,
        "dir": direction_of(content.language),
        "number": stored.key.number,
        "digest": stored.digest,
        "published_at": stored.published_at,
        "behind": behind,
        "notices": notices_of(stored, behind=behind),
    }


def _links(stored: StoredRendition, *, is_numbered: bool) -> Links:
    guide, language, number = stored.key
    numbered, latest = rendition_path(guide, language, number), rendition_path(guide, language)
    path = numbered if is_numbered else latest
    return {
        "self": path,
        **(_other_forms(path, is_numbered=is_numbered) if stored.content.form.has_words else {}),
        "latest_version": latest,
        "numbered": numbered,
        "edition": edition_path(*stored.edition_key),
        "guide": guide_path(guide),
        "collection": renditions_path(guide),
        "edition_renditions": edition_renditions_path(*stored.edition_key),
        "describedby": "/openapi.json",
    }


def _other_forms(path: str, *, is_numbered: bool) -> Links:
    tables = {f"{section.key}_csv": f"{path}/{section.value}.csv" for section in Section}
    large_print = {} if is_numbered else {"large_print": f"{path}/large-print.pdf"}
    return {"markdown": f"{path}.md", "pdf": f"{path}.pdf"} | large_print | tables
