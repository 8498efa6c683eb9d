"""A comparison of two concerns by their decrypted cards, with the reasons why both may be about the same child.

A match is only a suggestion to a person, who then reads both concerns. Concerns are not merged, scored, ranked, counted
or stored. `desk_script/src/matching.js` has the same rules for the browser. Both programs are tested with the same
cases.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path

from app.cli.desk.card_facts import OLDER, WORDS_OF_SCHOOLS, YOUNGER, Birth, CardFacts, ChildFacts

NICKNAMES = Path(__file__).with_name("nicknames.json")
SHORTEST_MISSPELT = 4
"""The number of letters of the shortest word in which one letter may be wrong."""
A_YEAR = dt.timedelta(days=366)
NOBODY = ChildFacts()
ADULT_IN_PART = "adult with one name the same"
NOT_FOUND = "No match found by name, birth, school, postcode or number"


class Likeness(IntEnum):
    """The likeness of two words of names, from the least to the most alike."""

    OTHER = 0
    ONE_LETTER = 1
    SHORT_FORM = 2
    SAME = 3


WHOLE_NAME = {
    Likeness.SAME: "same name",
    Likeness.SHORT_FORM: "same name in another form",
    Likeness.ONE_LETTER: "name one letter different",
}
ONE_NAME = {
    Likeness.SAME: "one name the same",
    Likeness.SHORT_FORM: "one name the same in another form",
    Likeness.ONE_LETTER: "one name one letter different",
}
ADULT = {
    Likeness.SAME: "adult with the same name",
    Likeness.SHORT_FORM: "adult with the same name in another form",
    Likeness.ONE_LETTER: "adult with a name one letter different",
}


@dataclass(frozen=True)
class NameMatch:
    """The agreement of two names.

    `alike` is the likeness of the paired words that are least alike. `is_whole` is True if all words of the shorter
    name agree, and at least two words. `is_short` is True if one of the names has only one word. `is_reordered` is True
    if the paired words are in a different order in the two names.
    """

    alike: Likeness
    is_whole: bool
    is_short: bool
    is_reordered: bool

    @property
    def words(self) -> str:
        """The agreement in words."""
        if self.is_whole and self.is_reordered and self.alike is Likeness.SAME:
            return "same name in another order"
        return (WHOLE_NAME if self.is_whole else ONE_NAME)[self.alike]


@dataclass(frozen=True)
class SharedFacts:
    """The facts other than names that two concerns share.

    `telling` has the facts that few children share, and `common` the facts that many children share. `has_school` is
    True if the school is among the common facts. `differs` is the reason why the two children are probably not the same
    child, or empty.
    """

    telling: tuple[str, ...]
    common: tuple[str, ...]
    has_school: bool
    differs: str


def reasons_of(one: CardFacts, other: CardFacts) -> tuple[str, ...]:
    """Return the reasons, in words, why two concerns may be about the same child or household.

    `one` and `other` are the facts of the two concerns. If several pairs of children match, return the reasons of the
    pair with the most reasons. If no children match, return a shared phone number as the only reason, except a number
    that may belong to an office. Return an empty tuple if there are not enough reasons to suggest a match.
    """
    numbers = _shared_number(one, other)
    found = [
        reasons
        for mine in one.children or (NOBODY,)
        for theirs in other.children or (NOBODY,)
        if (reasons := _reasons_of_children(mine, theirs, one, other, numbers))
    ]
    if found:
        return max(found, key=len)
    return (numbers,) if numbers and not _is_only_of_professionals(one, other) else ()


@lru_cache(maxsize=1 << 20)
def likeness(one: str, other: str) -> Likeness:
    """Return the likeness of two words of names: the same, forms of one name, one letter different, or not alike."""
    if one == other:
        return Likeness.SAME
    if not nickname_groups(one).isdisjoint(nickname_groups(other)):
        return Likeness.SHORT_FORM
    return Likeness.ONE_LETTER if is_one_letter_off(one, other) else Likeness.OTHER


def is_one_letter_off(one: str, other: str) -> bool:
    """Return True if `one` and `other` differ only in one letter, or in the order of two neighbouring letters.

    The letter may be wrong, missing or extra. Return False for words shorter than `SHORTEST_MISSPELT`, and True for
    other words that are equal.
    """
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < SHORTEST_MISSPELT or len(longer) - len(shorter) > 1:
        return False
    start = next((place for place, letter in enumerate(shorter) if letter != longer[place]), len(shorter))
    rest, longer_rest = shorter[start:], longer[start:]
    if len(rest) < len(longer_rest):
        return rest == longer_rest[1:]
    return rest[1:] == longer_rest[1:] or (rest[:2] == longer_rest[1::-1] and rest[2:] == longer_rest[2:])


def nickname_groups(word: str) -> frozenset[int]:
    """Return the numbers of the groups in `NICKNAMES` that contain `word`. A group has the forms of one name.

    A word such as `alex` is in several groups.
    """
    return _groups_of_words().get(word, frozenset())


@lru_cache(maxsize=1)
def _groups_of_words() -> dict[str, frozenset[int]]:
    groups: dict[str, set[int]] = {}
    for number, forms in enumerate(json.loads(NICKNAMES.read_text(encoding="utf-8"))):
        for form in forms:
            groups.setdefault(form, set()).add(number)
    return {form: frozenset(numbers) for form, numbers in groups.items()}


def _reasons_of_children(
    mine: ChildFacts, theirs: ChildFacts, one: CardFacts, other: CardFacts, number: str
) -> tuple[str, ...]:
    """Return the reasons why `mine` and `theirs` may be the same child or children of one household.

    `one` and `other` are the facts of the children's concerns. `number` is the reason if the concerns share a phone
    number, otherwise empty. Return an empty tuple if there are not enough reasons.
    """
    name = match_names(mine.names, theirs.names, mine.other_names, theirs.other_names)
    if name is None and not number and not _share_birth_or_postcode(mine, theirs):
        return ()
    shared = _shared_by(mine, theirs, one, other, number)
    if not _is_offered(name, shared):
        return ()
    said = [*shared.telling, *shared.common, *([name.words] if name is not None else []), shared.differs]
    return tuple(filter(None, said))


def _is_offered(name: NameMatch | None, shared: SharedFacts) -> bool:
    """Return True if the agreement of the names, with the other shared facts, is enough to suggest a match.

    Without a name in common, two telling facts are needed. Otherwise one telling fact is enough. A whole name is also
    enough, except if the ages differ and no common fact is shared. If one of the names has only one word and the ages
    do not differ, the school or two common facts are also enough.
    """
    if name is None:
        return len(shared.telling) > 1
    if shared.telling:
        return True
    if name.is_whole:
        return bool(shared.common) or not shared.differs
    return name.is_short and not shared.differs and (shared.has_school or len(shared.common) > 1)


def _share_birth_or_postcode(mine: ChildFacts, theirs: ChildFacts) -> bool:
    """Return True if `mine` and `theirs` have the same day of birth or the same postcode.

    The two may be the same child, even if no name agrees.
    """
    is_same_birth = mine.birth is not None and mine.birth.is_day and mine.birth == theirs.birth
    return is_same_birth or bool(mine.postcode and mine.postcode == theirs.postcode)


def match_names(
    one: Sequence[str], other: Sequence[str], one_more: Sequence[str] = (), other_more: Sequence[str] = ()
) -> NameMatch | None:
    """Return the agreement of two people's names, or None if no word agrees.

    `one` and `other` are the words of the names. `one_more` and `other_more` are the words of the nicknames and former
    names of the same two people.
    """
    pairs = _pairs_of((*one, *one_more), (*other, *other_more))
    if not pairs:
        return None
    least = min(len(one or one_more), len(other or other_more))
    return NameMatch(
        alike=Likeness(min(alike for _, _, alike in pairs)),
        is_whole=len(pairs) >= max(least, 2),
        is_short=least == 1,
        is_reordered=_is_reordered(pairs, len(one), len(other)),
    )


def _pairs_of(mine: Sequence[str], theirs: Sequence[str]) -> list[tuple[int, int, Likeness]]:
    """Return pairs of alike words of `mine` and `theirs`, most alike first: both positions, and the likeness.

    Each word is in one pair at most.
    """
    alike = [
        (-found, place, place_of_other)
        for place, word in enumerate(mine)
        for place_of_other, word_of_other in enumerate(theirs)
        if (found := likeness(word, word_of_other))
    ]
    used: set[int] = set()
    used_of_other: set[int] = set()
    pairs: list[tuple[int, int, Likeness]] = []
    for negative, place, place_of_other in sorted(alike):
        if place not in used and place_of_other not in used_of_other:
            used.add(place)
            used_of_other.add(place_of_other)
            pairs.append((place, place_of_other, Likeness(-negative)))
    return pairs


def _is_reordered(pairs: Sequence[tuple[int, int, Likeness]], length: int, length_of_other: int) -> bool:
    """Return True if the paired words are in a different order in the two names.

    Ignore words at positions beyond the lengths of the names, which belong to nicknames and former names.
    """
    places = [other for place, other, _ in sorted(pairs) if place < length and other < length_of_other]
    return places != sorted(places)


def _shared_by(mine: ChildFacts, theirs: ChildFacts, one: CardFacts, other: CardFacts, number: str) -> SharedFacts:
    telling: list[str] = []
    common: list[str] = []
    differs = ""
    if mine.postcode and mine.postcode == theirs.postcode:
        telling.append("same postcode")
    if number:
        telling.append(number)
    if adult := _match_adults(one, other):
        (telling if adult.is_whole else common).append(ADULT[adult.alike] if adult.is_whole else ADULT_IN_PART)
    if school := _shared_school(mine.school, theirs.school):
        common.append(school)
    if mine.birth is not None and theirs.birth is not None:
        words, is_telling, is_different = _compare_births(mine.birth, theirs.birth)
        if is_different:
            differs = words
        elif words:
            (telling if is_telling else common).append(words)
    return SharedFacts(tuple(telling), tuple(common), bool(school), differs)


def _compare_births(one: Birth, other: Birth) -> tuple[str, bool, bool]:
    """Return the agreement or difference of the births `one` and `other` in words, and two booleans.

    The first boolean is True if the agreement is a telling fact, and the second if the births differ. Two days that
    differ only by a likely typing error count as an agreement.
    """
    if one.is_day and other.is_day:
        mine, theirs = one.first, other.first
        if mine == theirs:
            return "same day of birth", True, False
        if mine.year == theirs.year and (mine.day, mine.month) == (theirs.month, theirs.day):
            return "day and month of birth exchanged", True, False
        equal = (mine.day == theirs.day) + (mine.month == theirs.month) + (mine.year == theirs.year)
        if equal > 1 and abs(mine - theirs) <= A_YEAR:
            return "day of birth nearly the same", False, False
        return "day of birth differs", False, True
    gap = max(one.first, other.first) - min(one.last, other.last)
    return ("about the same age", False, False) if gap <= A_YEAR else ("age differs", False, True)


def _shared_school(one: Sequence[str], other: Sequence[str]) -> str:
    """Return the agreement of two schools in words, or an empty string if the schools do not agree.

    Schools agree if the longer name has every telling word of the shorter name. One letter of each word may differ.
    Telling words are the words that are not in `WORDS_OF_SCHOOLS`, or all words if every word is in this list. Schools
    for children of different ages never agree.
    """
    mine, theirs = _telling_words(one), _telling_words(other)
    if not mine or not theirs or _are_of_other_ages(one, other):
        return ""
    shorter, longer = sorted((mine, theirs), key=len)
    if set(shorter) <= set(longer):
        return "same school"
    is_near = all(any(word == each or is_one_letter_off(word, each) for each in longer) for word in shorter)
    return "school one letter different" if is_near else ""


def _telling_words(school: Sequence[str]) -> list[str]:
    return [word for word in school if word not in WORDS_OF_SCHOOLS] or list(school)


def _are_of_other_ages(one: Sequence[str], other: Sequence[str]) -> bool:
    mine, theirs = set(one), set(other)
    return bool((mine & YOUNGER and theirs & OLDER) or (mine & OLDER and theirs & YOUNGER))


def _match_adults(one: CardFacts, other: CardFacts) -> NameMatch | None:
    """Return the agreement of the names of one adult from each concern, or None if no names are alike enough.

    Prefer the agreement of whole names. A name of one word counts only if the word is exactly the same in both names,
    because many adults share a name of one word.
    """
    found = [match for mine in one.adults for theirs in other.adults if (match := match_names(mine, theirs))]
    whole = [match for match in found if match.is_whole]
    short = [match for match in found if match.is_short and match.alike is Likeness.SAME]
    return next(iter(whole or short), None)


def _shared_number(one: CardFacts, other: CardFacts) -> str:
    if one.numbers & other.numbers:
        return "same telephone number"
    if one.numbers & other.reporter_numbers or one.reporter_numbers & other.numbers:
        return "same telephone number"
    return "same number of the reporter" if one.reporter_numbers & other.reporter_numbers else ""


def _is_only_of_professionals(one: CardFacts, other: CardFacts) -> bool:
    """Return True if only the reporters share a number, and at least one reporter works with children.

    The number may then be the number of an office, which reports about several families.
    """
    mine, theirs = one.numbers | one.reporter_numbers, other.numbers | other.reporter_numbers
    is_of_family = bool(mine & other.numbers or one.numbers & theirs)
    return not is_of_family and (one.by_professional or other.by_professional)
