"""What people's words lead to by the list of words, in any form and with a letter wrong."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise

from sqlmodel import Session, col, select

from app.models.guides.edition_rows import CatalogueRow
from app.models.guides.words import CAUTIOUS, FAMILY, WordList, WordsLine

DOUBLED = re.compile(r"([bdgmnprt])\1(?=(?:ing|ed)$)")
ENDINGS = re.compile(r"(?:ies|ied|ying|ing|ed|es|s|e|(?<=\w{4})y)$")
SHORTEST_STEM = 3
SHORTEST_CORRECTED = 5
ENGLISH = "en-GB"
LONG = 8
"""From so many letters, two of a typed word may be wrong."""
IGNORED = re.compile("['’‘`´\u0300-\u036f\u064b-\u0655]")
"""Apostrophes and accents, which many people leave out."""

Slots = tuple[frozenset[str], ...]
"""A query must have a form of each slot."""


def stem(word: str) -> str:
    """`word` in lower case."""
    found = ENDINGS.sub("", DOUBLED.sub(r"\1", word))
    return found if len(found) >= SHORTEST_STEM else word


def _split(text: str) -> list[str]:
    """In any script: the marks of a letter belong to its word."""
    plain = IGNORED.sub("", unicodedata.normalize("NFKD", text)).casefold()
    return "".join(each if each.isalnum() or unicodedata.category(each)[0] == "M" else " " for each in plain).split()


def _forms(words: Iterable[str]) -> frozenset[str]:
    """The stems, and the scripts in capitals, such as `ARABIC`."""
    return frozenset(form for word in words for form in (stem(word), unicodedata.name(word[0], "").partition(" ")[0]))


def _stems(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(stem, words))


def forms_in(text: str) -> frozenset[str]:
    return _forms(_split(text))


def _shorter(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place in range(len(word))]


def _near(words: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What each of `words` means, by the word itself and by the word without any one letter."""
    found: dict[str, str] = {}
    for word, meant in words:
        for each in (word, *_shorter(word)) if len(word) >= SHORTEST_CORRECTED else ():
            found.setdefault(each, meant)
    return found


@dataclass(frozen=True)
class Asked:
    """What the words of a query lead to, in order, each with the phrase of the list. `nearest` led to some of it."""

    leads: dict[str, str]
    nearest: dict[str, str]


class Words:
    """Compares words with the list, at a cost that does not depend on the guides."""

    def __init__(self, found: WordList) -> None:
        families = {f"<{name}>": _stems(_split(" ".join(of))) for name, of in found.families.items()}
        self._lines = [(line, [_slots(each, families) for each in line.unless]) for line in found.lines]
        self._phrases: dict[str, list[tuple[int, str, Slots]]] = defaultdict(list)
        said = [(place, each) for place, line in enumerate(found.lines) for each in line.phrases]
        for place, phrase in said:
            slots = _slots(phrase, families)
            for form in min(slots, key=len, default=()):
                self._phrases[form].append((place, phrase, slots))
        written = [
            (FAMILY.sub(" ", phrase).replace("/", " / ").split(), found.lines[place].language) for place, phrase in said
        ]
        english = [word for each, language in written if language == ENGLISH for word in _split(" ".join(each))]
        english += _split(" ".join(chain(*found.families.values())))
        others = [word for each, language in written if language != ENGLISH for word in _split(" ".join(each))]
        pairs = [(one, two) for each, _ in written for one, two in pairwise(each) if min(len(one), len(two)) > 2]
        self._known, self._stems = frozenset((*english, *others)), _stems(english)
        joined = [(one + two, f"{one} {two}") for one, two in pairs]
        self._near = _near([*zip(english, english, strict=True), *joined, *zip(others, others, strict=True)])
        self._of_guides: tuple[list[tuple[str, int]], dict[str, str]] = ([], {})

    def ask(self, text: str) -> Asked:
        words = _split(text)
        typed = self._leads(_forms(words))
        nearest = {word: near for word in words if (near := self._nearest(word, self._near))}
        led = self._leads(_forms((*words, *" ".join(nearest.values()).split()))) if nearest else typed
        return Asked(led, nearest if led.keys() != typed.keys() else {})

    def nearest(self, session: Session, text: str) -> dict[str, str]:
        """Return the nearest word of the list or of current editions for each unknown word of `text`, if there is one.

        The words of the editions are read again after a publication.
        """
        editions = sorted(session.exec(select(CatalogueRow.guide, CatalogueRow.edition).distinct()))
        if self._of_guides[0] != editions:
            read = sorted(set(" ".join(session.exec(select(col(CatalogueRow.words)))).casefold().split()))
            self._of_guides = (editions, _near(zip(read, read, strict=True)))
        of_guides = self._of_guides[1]
        found = {word: self._nearest(word, self._near) or self._nearest(word, of_guides) for word in _split(text)}
        return {word: near for word, near in found.items() if near not in ("", word)}

    @staticmethod
    def replaced(text: str, nearest: dict[str, str]) -> str:
        return " ".join(nearest.get(word, word) for word in _split(text)) if nearest else text

    def _nearest(self, word: str, near: dict[str, str]) -> str:
        """Empty for a known word, and if there is none."""
        if len(word) < SHORTEST_CORRECTED or word in self._known or stem(word) in self._stems:
            return ""
        once = [word, *_shorter(word)]
        twice = (each for one in once[1:] for each in _shorter(one)) if len(word) >= LONG else ()
        found = (near[each] for each in chain(once, twice) if each in near)
        return next((each for each in found if not word.startswith(each)), "")

    def _leads(self, forms: frozenset[str]) -> dict[str, str]:
        matched = list(self._matched(forms))
        judges = not any(line.from_child for line, _ in matched)
        leads: dict[str, str] = {}
        for line, phrase in matched:
            for lead in line.leads_to:
                if judges or not lead.startswith(CAUTIOUS):
                    leads[lead] = max(leads.get(lead, ""), phrase, key=len)
        return leads

    def _matched(self, forms: frozenset[str]) -> Iterator[tuple[WordsLine, str]]:
        """In the order of the list, each with its longest phrase."""
        found: dict[int, str] = {}
        for place, phrase, slots in chain.from_iterable(self._phrases.get(each, ()) for each in forms):
            if _is_in(slots, forms):
                found[place] = max(found.get(place, ""), phrase, key=len)
        for place in sorted(found):
            line, unless = self._lines[place]
            if not any(_is_in(slots, forms) for slots in unless):
                yield line, found[place]


def _slots(phrase: str, families: dict[str, frozenset[str]]) -> Slots:
    slots: list[frozenset[str]] = []
    for part in phrase.split():
        either = part.split("/")
        if len(either) > 1 or part in families:
            slots.append(frozenset().union(*(families.get(each) or _stems(_split(each)) for each in either)))
        else:
            slots += [frozenset([part[1:-1]])] if part[0] == "<" else [frozenset([stem(word)]) for word in _split(part)]
    return tuple(slots)


def _is_in(slots: Slots, forms: frozenset[str]) -> bool:
    return not any(map(forms.isdisjoint, slots))
