"""The tools: each reads published guidance, and nothing else.

No tool takes a concern or an account of a child, and none matches a child to indicators: that would be a score.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.errors import NoSuchEdition
from app.models.base import RequestModel
from app.models.guidance.assistant_arguments import OfChanges, OfGuide, OfGuideInLanguage, OfSearch, OfSection
from app.models.guidance.assistant_results import (
    AssistantResult,
    ChangesResult,
    FoundWords,
    GuideResult,
    NamedGuide,
    SearchResult,
    SectionResult,
    WhoToCallResult,
)
from app.models.guidance.comparison import changed_fields, changed_sections
from app.models.guidance.sections import Section
from app.presenters.assistants.library import Library, result_beginning
from app.presenters.assistants.words import facts_of_section, read_words
from app.store.catalogue import LISTED_SECTIONS, list_entries
from app.store.editions import get_current, get_history, list_current, readable_of, require_current

MAX_GUIDES_NAMED = 100


@dataclass(frozen=True)
class Tool:
    """One tool. `read` gets arguments that were parsed by the model `arguments`."""

    name: str
    title: str
    description: str
    arguments: type[RequestModel]
    result: type[AssistantResult]
    read: Callable[[Library, Any], AssistantResult]


def _read_guide(library: Library, arguments: OfGuideInLanguage) -> AssistantResult:
    words = read_words(library, arguments)
    guides = list_current(library.session, limit=MAX_GUIDES_NAMED)
    return GuideResult(
        **result_beginning(library, words.content.cautions, words.cited),
        rendition=words.rendition,
        languages=words.languages,
        content=words.content,
        guides=tuple(NamedGuide(guide=each.guide, title=each.title) for each in guides),
    )


def _read_section(library: Library, arguments: OfSection) -> AssistantResult:
    words = read_words(library, arguments)
    return SectionResult(
        **result_beginning(library, words.content.cautions, words.cited),
        rendition=facts_of_section(words.rendition, arguments.section),
        section=arguments.section,
        items=getattr(words.content, arguments.section.key),
    )


def _search(library: Library, arguments: OfSearch) -> AssistantResult:
    found = list_entries(
        library.session, sections=LISTED_SECTIONS, offset=0, limit=arguments.limit, words=arguments.words
    )
    cautions = {(each.key, caution.id): caution for each in found for caution in each.cautions}
    cited = {each.key: each.digest for each in found}
    return SearchResult(
        **result_beginning(library, cautions.values(), cited.items()),
        results=tuple(
            FoundWords(guide=each.key.guide, section=Section.of_key(each.part), item=each.item) for each in found
        ),
    )


def _compare(library: Library, arguments: OfChanges) -> AssistantResult:
    guide = library.guide_of(arguments)
    history = get_history(library.session, guide=guide)
    after = require_current(history) if arguments.edition is None else readable_of(history, arguments.edition)
    if arguments.since is None and after.number == 1:
        raise NoSuchEdition
    before = readable_of(history, arguments.since or after.number - 1)
    old, new = library.contents(before.key, library.session), library.contents(after.key, library.session)
    return ChangesResult(
        **result_beginning(library, new.cautions, [(after.key, after.digest), (before.key, before.digest)]),
        edition=after.number,
        since=before.number,
        change_note=new.change_note,
        sections=changed_sections(old, new),
        fields=changed_fields(old, new),
    )


def _who_to_call(library: Library, arguments: OfGuide) -> AssistantResult:
    head = get_current(library.session, guide=library.guide_of(arguments))
    content = library.contents(head.key, library.session)
    return WhoToCallResult(
        **result_beginning(library, content.cautions, [(head.key, head.digest)]),
        contacts=content.contacts,
        signposts=library.signposts,
        form_url=f"{library.public_url}/raise-a-concern/{head.guide}",
    )


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "who_to_call",
            "Who to call about a child",
            "Return the numbers to call, 999 first, and the page where a person raises a concern.",
            OfGuide,
            WhoToCallResult,
            _who_to_call,
        ),
        Tool(
            "read_guide",
            "Read a guide",
            "Return the current edition of a guide, word for word, and the names of all guides. With a language, the "
            "same in other words: say its notices.",
            OfGuideInLanguage,
            GuideResult,
            _read_guide,
        ),
        Tool(
            "read_section",
            "Read a section of a guide",
            "Return one section of the current edition, word for word, or in the words of a language.",
            OfSection,
            SectionResult,
            _read_section,
        ),
        Tool(
            "search_guidance",
            "Search the guidance",
            "Return the items of all guides that hold every one of a few words. It finds words. It does not judge, and "
            "it cannot say whether something has happened to a child.",
            OfSearch,
            SearchResult,
            _search,
        ),
        Tool(
            "compare_editions",
            "Compare two editions",
            "Return what an edition of a guide added, removed, reworded and moved since an earlier one.",
            OfChanges,
            ChangesResult,
            _compare,
        ),
    )
}
