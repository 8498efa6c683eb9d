"""What people's words lead to by the list of words, in any form and with a letter wrong."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from sqlmodel import Session, col, select

from app.models.guides.edition_rows import CatalogueRow
from app.models.guides.words import CAUTIOUS, FAMILY, WordList, WordsLine

DOUBLED = re.compile(r"([bdgmnprt])\1(?=(?:ing|ed)$)")
ENDINGS = re.compile(r"(?:(ies|ied|ying|(?<=\w{4})y)|ing|ed|es|s|e)$")
"""Those of the group become `y`: a policy is not the police."""
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
    """Return the stem of a `word` in lower case."""
    found = ENDINGS.sub(lambda ending: "y" if ending[1] else "", DOUBLED.sub(r"\1", word))
    return found if len(found) >= SHORTEST_STEM else word


def _split(text: str) -> list[str]:
    """In any script: the marks of a letter belong to its word."""
    plain = IGNORED.sub("", unicodedata.normalize("NFKD", text)).casefold()
    return "".join(each if each.isalnum() or unicodedata.category(each)[0] == "M" else " " for each in plain).split()


def _forms(words: Iterable[str]) -> frozenset[str]:
    """The stems, and the scripts in capitals, such as `ARABIC`."""
    return frozenset(form for word in words for form in (stem(word), unicodedata.name(word[0], "").partition(" ")[0]))


def _without_a_letter(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place in range(len(word))]


def _near(words: Iterable[str]) -> dict[str, str]:
    """Each of `words`, by itself without blanks, and by that without any one letter."""
    found: dict[str, str] = {}
    for word in words:
        joined = word.replace(" ", "")
        for each in (joined, *_without_a_letter(joined)) if len(joined) >= SHORTEST_CORRECTED else ():
            found.setdefault(each, word)
    return found


def _written_apart(word: str, words: Sequence[str], near: dict[str, str]) -> Iterator[str]:
    """Known words that begin or end with the word beside `word`: `selfharm` for `self harn`."""
    pairs = (each for each in pairwise(words) if word in each and min(map(len, each)) >= SHORTEST_STEM)
    for joined, beside in (("".join(each), each[each[0] == word]) for each in pairs):
        known = (near.get(each, "") for each in (joined, *_without_a_letter(joined)))
        yield from (each for each in known if " " not in each and beside in (each[: len(beside)], each[-len(beside) :]))


@dataclass(frozen=True)
class Asked:
    """What the words of a query lead to, in order, with the phrase of the list.

    `nearest` are known words by the unknown one typed.
    """

    leads: dict[str, str]
    nearest: dict[str, str]


class Words:
    """Compares words with the list, at a cost that does not depend on the guides."""

    def __init__(self, found: WordList) -> None:
        families = {f"<{name}>": frozenset(map(stem, _split(" ".join(of)))) for name, of in found.families.items()}
        self._lines = [(line, [_slots(each, families) for each in line.unless]) for line in found.lines]
        self._phrases: dict[str, list[tuple[int, str, Slots]]] = defaultdict(list)
        for place, line in enumerate(found.lines):
            for phrase, slots in ((each, _slots(each, families)) for each in line.phrases):
                for form in min(slots, key=len, default=()):
                    self._phrases[form].append((place, phrase, slots))
        english_first = sorted(found.lines, key=lambda each: each.language != ENGLISH)
        said = [FAMILY.sub("/", each).replace("/", " / ").split() for line in english_first for each in line.phrases]
        written = _split(" ".join(chain(*found.families.values(), *said)))
        pairs = (
            f"{one} {two}" for each in said for one, two in pairwise(each) if min(len(one), len(two)) >= SHORTEST_STEM
        )
        self._known, self._near = frozenset(written), _near((*written, *pairs))
        self._of_guides: tuple[list[tuple[str, int]], dict[str, str]] = ([], {})

    def ask(self, text: str) -> Asked:
        words = _split(text)
        nearest = self._nearest(words, self._near)
        return Asked(self._leads(_forms((*words, *" ".join(nearest.values()).split()))), nearest)

    def nearest_in_guides(self, session: Session, text: str) -> dict[str, str]:
        """Return the nearest word of current editions for each unknown word. They are read after each publication."""
        editions = sorted(session.exec(select(CatalogueRow.guide, CatalogueRow.edition).distinct()))
        if self._of_guides[0] != editions:
            read = " ".join(session.exec(select(col(CatalogueRow.words)))).casefold()
            self._of_guides = (editions, _near(sorted(set(read.split()))))
        return self._nearest(_split(text), self._of_guides[1])

    @staticmethod
    def replaced(text: str, nearest: dict[str, str]) -> str:
        return " ".join(nearest.get(word, word) for word in _split(text)) if nearest else text

    def _nearest(self, words: Sequence[str], near: dict[str, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for word in (each for each in dict.fromkeys(words) if each not in self._known):
            once = [word, *_without_a_letter(word)] if len(word) >= SHORTEST_CORRECTED else []
            twice = (each for one in once[1:] for each in _without_a_letter(one)) if len(word) >= LONG else ()
            known = (near[each] for each in chain(once, twice) if near.get(each, "")[:1] == word[0])
            known_or_apart = chain(known, _written_apart(word, words, near))
            if fitting := [each for each in known_or_apart if stem(each) != stem(word) and not word.startswith(each)]:
                found[word] = fitting[0]
        return found

    def _leads(self, forms: frozenset[str]) -> dict[str, str]:
        matched = list(self._matched(forms))
        refused = CAUTIOUS if any(line.from_child for line, _ in matched) else ()
        leads: dict[str, str] = {}
        for lead, phrase in ((lead, phrase) for line, phrase in matched for lead in line.leads_to):
            if not lead.startswith(refused):
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
    """A hyphen divides words, but not within `a/b`."""
    slots: list[frozenset[str]] = []
    for part in phrase.split():
        if "/" in part or part in families:
            either = part.split("/")
            slots.append(frozenset().union(*(families.get(each) or {stem("".join(_split(each)))} for each in either)))
        else:
            slots += [frozenset([part[1:-1]])] if part[0] == "<" else [frozenset([stem(word)]) for word in _split(part)]
    return tuple(slots)


def _is_in(slots: Slots, forms: frozenset[str]) -> bool:
    return not any(map(forms.isdisjoint, slots))
