"""The words of a guide that a tool reads: its own, or those of a rendition."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from app.models.guidance.assistant_arguments import OfGuideInLanguage
from app.models.guidance.editions import EditionContent
from app.models.guidance.languages import GUIDE_LANGUAGE
from app.models.guidance.rendition_responses import RenditionFacts
from app.models.guidance.sections import Section
from app.presenters.assistants.library import Library
from app.presenters.renditions import rendered_words, rendition_facts
from app.services.guidance.renditions import GUIDE_TAGS, chosen_by_language, current_in
from app.store.editions import EditionKey, get_history, head_of, require_current
from app.store.renditions import list_renditions


@dataclass(frozen=True)
class ReadWords:
    """The words, the editions that they come from, and what they are where they are a rendition."""

    content: EditionContent
    cited: tuple[tuple[EditionKey, str], ...]
    rendition: RenditionFacts | None
    languages: tuple[str, ...]


def read_words(library: Library, arguments: OfGuideInLanguage) -> ReadWords:
    """Return the words. Raise `NoSuchGuide`, or `NoSuchRendition` where they are not there in the language.

    Where a rendition is behind, its cautions and contacts are those of the current edition, which is cited too.
    """
    guide = library.guide_of(arguments)
    history, stored = get_history(library.session, guide=guide), list_renditions(library.session, guide=guide)
    current = require_current(history)
    languages = (GUIDE_LANGUAGE, *chosen_by_language(history, stored))
    read = partial(library.contents, session=library.session)
    if arguments.language is None or arguments.language.lower() in GUIDE_TAGS:
        return ReadWords(read(current.key), ((current.key, current.digest),), None, languages)
    chosen = current_in(history, stored, arguments.language)
    words = rendered_words(history, chosen, read, is_numbered=False)
    cited = dict.fromkeys((each.key, each.digest) for each in (head_of(history, chosen.edition), current))
    return ReadWords(words.content, tuple(cited), rendition_facts(history, chosen, words), languages)


def facts_of_section(facts: RenditionFacts | None, section: Section) -> RenditionFacts | None:
    """Return the facts with pointers into the result for one section: `/items/0/text`."""
    if facts is None:
        return None
    return facts.model_copy(update={"in_guide_language": tuple(_pointers(facts.in_guide_language, section))})


def _pointers(pointers: Iterable[str], section: Section) -> Iterable[str]:
    own = f"/{section.key}/"
    for pointer in pointers:
        if pointer.startswith("/cautions/"):
            yield pointer
        elif pointer.startswith(own):
            yield f"/items/{pointer.removeprefix(own)}"
