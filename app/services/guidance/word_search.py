"""Search for people: the guides whose titles or subjects have the words, and the items that have them, by guide."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.services.guidance.guide_list import ListedGuide
from app.store.catalogue import CatalogueEntry, list_entries
from app.store.search import WORD, words_in

ENDINGS = re.compile(r"(?:ies|ing|ed|es|s|e|y)$")
SHORTEST_STEM = 3


@dataclass(frozen=True)
class FoundInGuide:
    """The items of one guide that have the words, the best match first."""

    guide: ListedGuide
    entries: Sequence[CatalogueEntry]


@dataclass(frozen=True)
class Found:
    """What the words find: guides by their titles and subjects, and items of guides."""

    by_title: Sequence[ListedGuide]
    in_guides: Sequence[FoundInGuide]
    has_more: bool


def search_guides(session: Session, listed: Sequence[ListedGuide], words: str, *, limit: int) -> Found:
    """Return what has every one of the words, in any form of it; as many items as `limit`."""
    entries = list_entries(session, words=words, limit=limit + 1)
    by_guide: dict[str, list[CatalogueEntry]] = {}
    for entry in entries[:limit]:
        by_guide.setdefault(entry.key.guide, []).append(entry)
    guides = {each.row.guide: each for each in listed}
    found = [FoundInGuide(guides[slug], of_it) for slug, of_it in by_guide.items() if slug in guides]
    return Found([each for each in listed if _is_named(each, words)], found, has_more=len(entries) > limit)


def split_at_words(text: str, words: str) -> list[tuple[str, bool]]:
    """Return the text in runs, each with whether it is one of the words, in any form of it."""
    typed = words_in(words)
    runs: list[tuple[str, bool]] = []
    end = 0
    for match in WORD.finditer(text):
        if any(_is_form(match[0], each, is_last=each == typed[-1]) for each in typed):
            runs += [(text[end : match.start()], False), (match[0], True)]
            end = match.end()
    return [run for run in [*runs, (text[end:], False)] if run[0]]


def _is_named(guide: ListedGuide, words: str) -> bool:
    typed = words_in(words)
    names = words_in(" ".join([guide.row.title, *(each.label for each in guide.subjects)]))
    return bool(typed) and all(any(_is_form(name, each, is_last=each == typed[-1]) for name in names) for each in typed)


def _is_form(word: str, typed: str, *, is_last: bool) -> bool:
    """Return whether both are forms of one word, by their endings. The last word typed may be a beginning."""
    word, typed = word.casefold(), typed.casefold()
    return _stem(word) == _stem(typed) or (is_last and word.startswith(typed))


def _stem(word: str) -> str:
    stem = ENDINGS.sub("", word)
    return stem if len(stem) >= SHORTEST_STEM else word
