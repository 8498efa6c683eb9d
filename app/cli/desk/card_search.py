"""A search of decrypted cards and labels: by names, schools, postcodes, numbers, days of birth and labels.

`desk_script/src/card_search.js` does the same in the browser. Both programs are tested with the same cases
(`tests/desk/search_cases.json`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.cli.desk.card_facts import day_of, numbers_in, postcode_of, standard_number, words_of
from app.cli.desk.matching import is_one_letter_off, likeness

SHORTEST_PART = 2
"""The number of letters of the shortest typed word that also finds longer words with the same beginning."""
SHORTEST_DIGITS = 3
TYPED_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


@dataclass(frozen=True)
class SearchText:
    """The words of the cards and the label of one concern.

    `names` has the words of people's names and of the label. A search with another form of a name also finds these
    words. `words` has all other words, and the words of the label again. `digits` has phone numbers, and days of birth
    as YYYYMMDD.
    """

    names: frozenset[str]
    words: frozenset[str]
    digits: frozenset[str]


def search_text_of(cards: Iterable[Mapping[str, Any]], label: str = "") -> SearchText:
    """Return the words that a search can find in the decrypted cards of one concern, and in its label."""
    names, words = set(words_of(label)), set(words_of(label))
    digits: set[str] = set()
    for card in cards:
        reporter = card.get("reporter") or {}
        people = [*(card.get("children") or ()), *(card.get("people") or ())]
        for person in people:
            names |= {*words_of(*(person.get("names") or ()), *(person.get("other_names") or ()))}
            digits |= numbers_in(*(person.get("phones") or ()))
            postcode = person.get("postcode") or ""
            words |= {*words_of(person.get("school") or "", postcode), postcode_of(postcode).lower()}
            if born := day_of(person.get("born") or ""):
                digits.add(f"{born:%Y%m%d}")
        names |= {*words_of(reporter.get("name") or "")}
        digits |= numbers_in(*(reporter.get("phones") or ()))
        words |= {*words_of(card.get("words") or "")}
    return SearchText(frozenset(names), frozenset(words - {""}), frozenset(digits))


def parts_of(typed: str) -> tuple[str, ...]:
    """Return the search terms in `typed`: words, phone numbers in standard form, and days as YYYYMMDD."""
    dated = TYPED_DAY.sub(lambda found: f" {found[3]}{found[2]:0>2}{found[1]:0>2} ", typed)
    whole_days = re.sub(r"\b(\d{4})-(\d{2})-(\d{2})\b", r" \1\2\3 ", dated)
    joined = re.sub(r"(?<=\d) (?=\d)", "", re.sub(r"\s+", " ", whole_days.replace("(0)", "")))
    international = re.sub(r"\+44\d+|\b0044\d+", lambda found: standard_number(found[0]), joined)
    return words_of(international)


def is_found(text: SearchText, parts: Iterable[str]) -> bool:
    """Return True if every term of `parts` is found in `text`. Return False if there are no terms."""
    wanted = tuple(parts)
    return bool(wanted) and all(_is_part_found(text, part) for part in wanted)


def _is_part_found(text: SearchText, part: str) -> bool:
    if part.isdigit():
        is_number = len(part) >= SHORTEST_DIGITS and any(part in number for number in text.digits)
        return is_number or part in text.words or part in text.names
    if any(likeness(part, word) for word in text.names):
        return True
    is_start = len(part) >= SHORTEST_PART
    return any(
        word == part or (is_start and word.startswith(part)) or is_one_letter_off(part, word)
        for word in text.words | text.names
    )
