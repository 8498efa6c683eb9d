"""The facts about people in the decrypted cards of one concern, in a form in which two concerns can be compared.

A card is a short encrypted summary of a concern or addition. Only commands import this module, because no server
compares concerns. `desk_script/src/card_facts.js` does the same in the browser. Both programs are tested with the same
cases (`tests/desk/matching_cases.json`).
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

GREATEST_AGE = 25
FIRST_YEAR_AGE = 4
"""The age of a child in England and Wales at the start of Year 0 (Reception). A child in Year 9 is 13 or 14."""
LEAP_DAY = (2, 29)
SHORTEST_NUMBER = 9
"""The number of digits of the shortest phone number that is compared."""
LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i"})
"""Letters that Unicode does not decompose into a plain letter and an accent, with their plain spelling."""
NUMBER = re.compile(r"\+?\(?\d[\d\s().-]{7,}\d")
POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}")
SCHOOL_YEAR = re.compile(r"\byear (\d{1,2})\b")
AGE = re.compile(r"\b(\d{1,2})\b")
WORD = re.compile(r"[a-z0-9]+")
WORDS_OF_SCHOOLS = frozenset(
    WORD.findall(
        "the of and at for school academy college nursery pre preschool primary secondary infant infants junior "
        "juniors high community free church england catholic roman rc ce cofe c e voluntary aided comprehensive "
        "grammar sixth form"
    )
)
"""Words in the names of many schools. Such words are no evidence that two names mean the same school."""
YOUNGER = frozenset(WORD.findall("nursery preschool primary infant infants junior juniors"))
OLDER = frozenset(WORD.findall("secondary high college comprehensive grammar sixth"))


@dataclass(frozen=True)
class Birth:
    """The first and the last possible day of a child's birth. If the day of birth is known, both are this day."""

    first: dt.date
    last: dt.date

    @property
    def is_day(self) -> bool:
        """True if the day of birth is known."""
        return self.first == self.last


@dataclass(frozen=True)
class ChildFacts:
    """The facts about one child in a card.

    `names` has the words of the name. `other_names` has the words of nicknames and former names. `school` has the words
    of the school's name. An empty value means that the card does not say.
    """

    names: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()
    birth: Birth | None = None
    school: tuple[str, ...] = ()
    postcode: str = ""


@dataclass(frozen=True)
class CardFacts:
    """All facts in the cards of one concern.

    `adults` has the names of parents, carers and others, each as a tuple of words. `numbers` has their phone numbers,
    and `reporter_numbers` the phone numbers of the reporter. `by_professional` is True if the reporter works with
    children, and so may report about several families.
    """

    children: tuple[ChildFacts, ...]
    adults: tuple[tuple[str, ...], ...]
    numbers: frozenset[str]
    reporter_numbers: frozenset[str]
    by_professional: bool


def facts_of(cards: Iterable[tuple[Mapping[str, Any], dt.date]]) -> CardFacts:
    """Return the facts in `cards`, the decrypted cards of one concern and its additions.

    Each card comes with the day on which the concern or addition was received. A child had the stated age on this day.
    A reporter from the family counts as one of the adults.
    """
    children: list[ChildFacts] = []
    adults: list[tuple[str, ...]] = []
    numbers: set[str] = set()
    reporter_numbers: set[str] = set()
    by_professional = False
    for card, received_on in cards:
        children += [_child_of(each, received_on) for each in card.get("children") or ()]
        for person in card.get("people") or ():
            adults.append(words_of(*(person.get("names") or ())))
            numbers |= numbers_in(*(person.get("phones") or ()))
        reporter = card.get("reporter") or {}
        reporter_numbers |= numbers_in(*(reporter.get("phones") or ()))
        if reporter.get("kind") == "professional":
            by_professional = True
        elif reporter.get("kind") == "family":
            adults.append(words_of(reporter.get("name") or ""))
    known = tuple(dict.fromkeys(filter(None, adults)))
    return CardFacts(tuple(children), known, frozenset(numbers), frozenset(reporter_numbers), by_professional)


def words_of(*texts: str) -> tuple[str, ...]:
    """Return the words of `texts`, each once, in lower case without accents and apostrophes."""
    whole = " ".join(texts).lower().translate(LETTERS)
    plain = "".join(each for each in unicodedata.normalize("NFKD", whole) if not unicodedata.combining(each))
    return tuple(dict.fromkeys(WORD.findall(re.sub(r"['‘’`´]", "", plain))))


def numbers_in(*texts: str) -> frozenset[str]:
    """Return the phone numbers in `texts` as digits, with 0 in place of +44 and 0044.

    Leave out numbers with fewer than `SHORTEST_NUMBER` digits.
    """
    found = (standard_number(each) for text in texts for each in NUMBER.findall(text))
    return frozenset(number for number in found if len(number) >= SHORTEST_NUMBER)


def standard_number(typed: str) -> str:
    """Return the digits of the phone number `typed`, with 0 in place of +44 and 0044."""
    digits = re.sub(r"\D", "", typed)
    if digits.startswith("0044") or (digits.startswith("44") and typed.strip().startswith(("+", "(+"))):
        return "0" + digits.removeprefix("00")[2:].removeprefix("0")
    return digits


def postcode_of(typed: str) -> str:
    """Return `typed` in capitals without spaces if it is a complete postcode, otherwise an empty string."""
    plain = re.sub(r"[^A-Z0-9]", "", typed.upper())
    return plain if POSTCODE.fullmatch(plain) else ""


def day_of(text: str) -> dt.date | None:
    """Return the day at the start of `text` (YYYY-MM-DD), or None if `text` does not start with a day."""
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None


def _child_of(child: Mapping[str, Any], received_on: dt.date) -> ChildFacts:
    return ChildFacts(
        names=words_of(*(child.get("names") or ())),
        other_names=words_of(*(child.get("other_names") or ())),
        birth=_birth_of(child, received_on),
        school=words_of(child.get("school") or ""),
        postcode=postcode_of(child.get("postcode") or ""),
    )


def _birth_of(child: Mapping[str, Any], received_on: dt.date) -> Birth | None:
    """Return the child's birth from the day of birth, or from the age on the day `received_on`.

    Return None if `child` has neither a day of birth nor an age.
    """
    born = day_of(child.get("born") or "")
    if born is not None:
        return Birth(born, born)
    ages = _ages_of(child)
    if ages is None:
        return None
    youngest, oldest = ages
    return Birth(_years_before(received_on, oldest + 1), _years_before(received_on, youngest))


def _ages_of(child: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the lowest and the highest possible age of the child in years, or None if the card gives no age.

    If there is no exact age, read the description: a school year such as `year 9` or, without a school year, every
    number in digits up to `GREATEST_AGE`.
    """
    if isinstance(child.get("age"), int):
        return child["age"], child["age"]
    described = (child.get("age_described") or "").lower()
    if found := SCHOOL_YEAR.search(described):
        return int(found[1]) + FIRST_YEAR_AGE, int(found[1]) + FIRST_YEAR_AGE + 1
    ages = [int(each) for each in AGE.findall(described) if int(each) <= GREATEST_AGE]
    return (min(ages), max(ages)) if ages else None


def _years_before(day: dt.date, years: int) -> dt.date:
    """Return the day that is `years` years before `day`. 29 February becomes 28 February."""
    is_leap_day = (day.month, day.day) == LEAP_DAY
    return day.replace(year=day.year - years, day=day.day - 1 if is_leap_day else day.day)
