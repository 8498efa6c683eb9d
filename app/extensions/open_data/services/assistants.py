"""Tools with which AI assistants read published guidance (Model Context Protocol). No tool writes anything.

No tool takes a concern or an account of a child, or matches a child to indicators: a match would be a score. Every
result begins with the emergency sentence, the cautions and the editions, because programs shorten results at the end.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

from pydantic import Field, ValidationError
from pydantic_core import to_jsonable_python
from sqlmodel import Session

from app.errors import EditionWithdrawn, NoSuchEdition, NoSuchGuide, NoSuchRendition, Problem, RenditionWithdrawn
from app.models.base import MAX_NUMBER, RequestModel, ResponseModel, Slug
from app.models.guides.comparison import changed_fields, changed_sections
from app.models.guides.edition_keys import EditionKey
from app.models.guides.editions import EditionContent
from app.models.guides.items import Caution
from app.models.guides.renditions import RenditionFacts
from app.models.guides.sections import Section
from app.models.guides.signposts import CALL_999_FIRST, Signpost, TeamOnDuty, WhoToCall
from app.models.guides.words import CAUTIOUS
from app.models.languages import LanguageTag
from app.models.links import edition_path
from app.services.guides.catalogue import EntryFilter
from app.services.guides.editions import (
    Contents,
    default_guide,
    get_history,
    list_current,
    list_renditions,
    require_current,
)
from app.services.guides.guides import first_signposts, search_catalogue
from app.services.guides.presenters import find_edition, show_rendition
from app.services.guides.reference_data import ReferenceData
from app.services.guides.renditions import (
    GUIDE_TAGS,
    chosen_rendition,
    current_renditions,
    language_paths,
    rendition_facts,
)

MAX_GUIDES_NAMED = 100
IN_TOOLS: Mapping[type[Problem], str] = {
    NoSuchGuide: "There is no guide with this name. `read_guide` names the guides.",
    NoSuchEdition: "The guide has no edition with this number. `read_guide` reads the current one.",
    EditionWithdrawn: "The edition was withdrawn: do not use its text. `read_guide` reads the current one.",
    NoSuchRendition: "The guide has no version in this language. `languages` of `read_guide` names those it has.",
    RenditionWithdrawn: "The version in this language was withdrawn. Read the guide without `language`.",
}
"""Whoever has tools has no paths."""
READ_ONLY = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False}


class OfGuide(RequestModel):
    """The arguments of a tool that reads one guide."""

    guide: Slug | None = Field(None, description="The guide's name. Without it, the service's default guide.")


class OfGuideInLanguage(OfGuide):
    """The arguments of a tool that reads one guide in one language."""

    language: LanguageTag | None = Field(
        None,
        description="The language of the text (BCP 47): one of `languages` of `read_guide`. Without a language, the "
        "guide's own text.",
    )


class OfSection(OfGuideInLanguage):
    """The arguments of `read_section`."""

    section: Section = Field(description="The section to read.")


class OfSearch(RequestModel):
    """The arguments of `search_guidance`."""

    words: str = Field(
        min_length=1,
        max_length=80,
        description="One to four words of the guidance. Never a description of a child or of what happened.",
    )
    limit: int = Field(10, ge=1, le=20, description="The most items to return.")


class OfChanges(OfGuide):
    """The arguments of `compare_editions`."""

    edition: int | None = Field(
        None, ge=1, le=MAX_NUMBER, description="The later edition. Without it, the current one."
    )
    since: int | None = Field(
        None, ge=1, le=MAX_NUMBER, description="The earlier edition. Without it, the one before the later."
    )


class CitedEdition(ResponseModel):
    """The edition from which the text comes. Name the edition whenever you quote the text."""

    guide: str = Field(description="The guide's name.")
    edition: int = Field(description="The edition's number.")
    digest: str = Field(description="The digest of the edition's words.")
    url: str = Field(description="Where the edition is, for ever.")


class AssistantResult(ResponseModel):
    """The beginning of every result."""

    emergency: str = Field(description="Say this first.")
    cautions: tuple[Caution, ...] = Field(description="Say these with every indicator or factor.")
    editions: tuple[CitedEdition, ...] = Field(description="The editions that the words come from.")


@dataclass(frozen=True)
class Library:
    """`preferred_guide` is the council's default guide, if set (see `default_guide`)."""

    session: Session
    contents: Contents
    reference_data: ReferenceData
    public_url: str
    preferred_guide: str | None
    signposts: tuple[Signpost, ...]
    on_duty: Callable[[WhoToCall], tuple[TeamOnDuty, ...]]

    def guide_of(self, arguments: OfGuide) -> str:
        """Return the named guide, which may not exist, or the default one. Raise `NoSuchGuide` if there is none."""
        guide = arguments.guide or default_guide(self.session, self.preferred_guide)
        if guide is None:
            raise NoSuchGuide
        return guide

    def result(
        self, cautions: Iterable[Caution], cited: Iterable[tuple[EditionKey, str]], **rest: Any
    ) -> dict[str, Any]:
        editions = [
            CitedEdition(
                guide=key.guide, edition=key.number, digest=digest, url=f"{self.public_url}{edition_path(*key)}"
            )
            for key, digest in cited
        ]
        beginning = AssistantResult(emergency=CALL_999_FIRST, cautions=tuple(cautions), editions=tuple(editions))
        return {**beginning.model_dump(mode="json"), **to_jsonable_python(rest)}


Read = Callable[[Library, Any], dict[str, Any]]


class Tool(NamedTuple):
    """`title` and `description` are for the assistant and its user."""

    title: str
    description: str
    arguments: type[RequestModel]
    read: Read


TOOLS: dict[str, Tool] = {}


def _tool(title: str, arguments: type[RequestModel]) -> Callable[[Read], Read]:
    """Its name and docstring are those of the tool."""

    def register(read: Read) -> Read:
        TOOLS[read.__name__] = Tool(title, " ".join((read.__doc__ or "").split()), arguments, read)
        return read

    return register


class ReadWords(NamedTuple):
    """Key and digest of each edition to cite, returned beside the result of a tool.

    `rendition` is None for an edition's own text.
    """

    content: EditionContent
    rendition: RenditionFacts | None
    languages: tuple[str, ...]
    cited: tuple[tuple[EditionKey, str], ...]


def _read_words(library: Library, arguments: OfGuideInLanguage) -> ReadWords:
    """A rendition that is out of date has current cautions and contacts, cited too."""
    guide = library.guide_of(arguments)
    history, stored = get_history(library.session, guide=guide), list_renditions(library.session, guide=guide)
    current, languages = require_current(history), tuple(language_paths(current_renditions(history, stored), guide))
    read = partial(library.contents, session=library.session)
    if arguments.language is None or arguments.language.lower() in GUIDE_TAGS:
        return ReadWords(read(current.key), None, languages, ((current.key, current.digest),))
    shown = show_rendition(history, stored, chosen_rendition(history, stored, arguments.language), read)
    cited = dict.fromkeys((each.key, each.digest) for each in (shown.head, current))
    return ReadWords(shown.content, rendition_facts(history, shown.stored, shown.words), languages, tuple(cited))


@_tool("Who to call about a child", OfGuide)
def who_to_call(library: Library, arguments: OfGuide) -> dict[str, Any]:
    """Return the numbers to call, 999 first, which team answers now, and the page where a person raises a concern.

    Never tell anyone to call a team now whose `open_now` is false.
    """
    shown = find_edition(library.session, library.guide_of(arguments))
    form_url = f"{library.public_url}/raise-a-concern/{shown.head.guide}"
    who = library.reference_data.who_to_call(shown.content)
    rest = {
        "teams": library.on_duty(who),
        "contacts": who.contacts,
        "signposts": who.signposts,
        "form_url": form_url,
    }
    return library.result(shown.content.cautions, [(shown.head.key, shown.head.digest)], **rest)


@_tool("Read a guide", OfGuideInLanguage)
def read_guide(library: Library, arguments: OfGuideInLanguage) -> dict[str, Any]:
    """Return the current edition of a guide, word for word, and the names of the first 100 guides, from A to Z.

    `search_guidance` also finds further guides. With a language, return the guide in that language. Say its notices
    with it.
    """
    words = _read_words(library, arguments)
    listed = list_current(library.session, limit=MAX_GUIDES_NAMED)
    guides = [{"guide": each.guide, "title": each.title} for each in listed]
    rest = {"rendition": words.rendition, "languages": words.languages, "content": words.content, "guides": guides}
    return library.result(words.content.cautions, words.cited, **rest)


@_tool("Read a section of a guide", OfSection)
def read_section(library: Library, arguments: OfSection) -> dict[str, Any]:
    """Return one section of the current edition, word for word, or in another language."""
    words, section = _read_words(library, arguments), arguments.section
    facts, own = words.rendition, f"/{section.key}/"
    if facts is not None:  # make the pointers refer to this result: `/items/0/text`
        pointers = (each for each in facts.in_guide_language if each.startswith(("/cautions/", own)))
        placed = tuple(f"/items/{each.removeprefix(own)}" if each.startswith(own) else each for each in pointers)
        facts = facts.model_copy(update={"in_guide_language": placed})
    items = getattr(words.content, section.key)
    return library.result(words.content.cautions, words.cited, rendition=facts, section=section, items=items)


@_tool("Search the guidance", OfSearch)
def search_guidance(library: Library, arguments: OfSearch) -> dict[str, Any]:
    """Return the items, from all guides, that contain all the given words, or the nearest known ones (`nearest`).

    Say `signposts` first. The search only compares words: it cannot judge, or say whether something has happened to a
    child.
    """
    session, words = library.session, library.reference_data.words
    asked, entry_filter = words.ask(arguments.words), EntryFilter(arguments.words)
    found, nearest = search_catalogue(session, words, entry_filter, asked, limit=arguments.limit)
    cautions = {(each.key, caution.id): caution for each in found for caution in each.cautions}
    cited = {each.key: each.digest for each in found}
    results = [{"guide": each.key.guide, "section": Section.of_key(each.part), "item": each.item} for each in found]
    leads_to = [each for each in asked.leads if not each.startswith(CAUTIOUS)]
    signposts = first_signposts(library.reference_data, library.signposts, asked)
    rest = {"signposts": signposts, "leads_to": leads_to, "nearest": list(nearest.values()), "results": results}
    return library.result(cautions.values(), cited.items(), **rest)


@_tool("Compare two editions", OfChanges)
def compare_editions(library: Library, arguments: OfChanges) -> dict[str, Any]:
    """Return what an edition of a guide added, removed, reworded and moved since an earlier one."""
    after = find_edition(library.session, library.guide_of(arguments), arguments.edition)
    if arguments.since is None and after.head.number == 1:
        raise NoSuchEdition
    guide, since = after.head.guide, arguments.since or after.head.number - 1
    before = find_edition(library.session, guide, since)
    old, new = before.content, after.content
    return library.result(
        new.cautions,
        [(after.head.key, after.head.digest), (before.head.key, before.head.digest)],
        edition=after.head.number,
        since=before.head.number,
        change_note=new.change_note,
        sections=changed_sections(old, new),
        fields=changed_fields(old, new),
    )


@cache
def tool_list() -> list[dict[str, Any]]:
    """Return the tools, always in one order."""
    output = AssistantResult.model_json_schema(mode="serialization")
    del output["additionalProperties"]  # each tool adds its own fields
    return [
        {
            "name": name,
            "title": tool.title,
            "description": tool.description,
            "inputSchema": tool.arguments.model_json_schema(),
            "outputSchema": output,
            "annotations": {"title": tool.title, **READ_ONLY},
        }
        for name, tool in TOOLS.items()
    ]


def call_tool(tool: Tool, arguments: Any, library: Library) -> tuple[dict[str, Any] | None, str]:
    """Return the result, or None and a sentence for the assistant: what is invalid, or the `Problem` raised."""
    try:
        return tool.read(library, tool.arguments.model_validate(arguments)), ""
    except ValidationError as error:
        given = {str(each["loc"][0]) if each["loc"] else "" for each in error.errors(include_input=False)}
        faults = ", ".join(sorted(given & set(tool.arguments.model_fields))) or "one of them is not known"
        return None, f"The arguments cannot be used: {faults}. The tool's inputSchema says what it takes."
    except Problem as error:
        return None, IN_TOOLS.get(type(error), error.meaning)
