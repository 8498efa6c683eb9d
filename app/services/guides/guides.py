"""Lists and searches of guides with a current edition: by title, subject, words and review."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sqlmodel import Session

from app.db.search import WORD, words_in
from app.models.guides.catalogue import MatchedSynonym
from app.models.guides.code_lists import SUBJECTS, Code
from app.models.guides.editions import EditionDetails
from app.models.guides.signposts import CHILDLINE, Signpost
from app.services.guides.catalogue import CatalogueEntry, EntryFilter, list_catalogue
from app.services.guides.editions import CurrentEdition, list_current
from app.services.guides.reference_data import ReferenceData

LEAD = re.compile(
    r"^\W*(?:one[- ]minute guide\W*(?:(?:to|on|about|for)\s+|(?<=\s)))?(?:(?:a|an|the)\s+)?", re.IGNORECASE
)
"""Common beginnings of titles, ignored when sorting."""
OTHER_LETTER = "0"
"""Letter for titles that do not begin with A to Z."""
ENDINGS = re.compile(r"(?:ies|ing|ed|es|s|e|y)$")
SHORTEST_STEM = 3


@dataclass(frozen=True)
class ListedGuide:
    """A guide with its subjects and its current edition's details."""

    edition: CurrentEdition
    subjects: Sequence[Code]

    @property
    def guide(self) -> str:
        return self.edition.guide

    @property
    def title(self) -> str:
        return self.edition.details.title

    @property
    def publisher(self) -> str:
        return self.edition.details.publisher.name

    def is_about(self, subject: str) -> bool:
        """`subject` is a code."""
        return subject in {each.code for each in self.subjects}

    @cached_property
    def sort_name(self) -> str:
        """The title in lower case, without `LEAD`."""
        return LEAD.sub("", self.title).casefold() or self.title.casefold()

    @property
    def letter(self) -> str:
        """Capital, or `OTHER_LETTER`."""
        first = self.sort_name[:1].upper()
        return first if "A" <= first <= "Z" else OTHER_LETTER


@dataclass(frozen=True)
class FoundInGuide:
    """Best match first."""

    guide: ListedGuide
    entries: Sequence[CatalogueEntry]


@dataclass(frozen=True)
class Found:
    """`by_title` match by title or subject, `in_guides` by items. `matched` are the synonyms in the words."""

    by_title: Sequence[ListedGuide]
    in_guides: Sequence[FoundInGuide]
    has_more: bool
    matched: Sequence[MatchedSynonym] = ()

    def led_to(self, guide: ListedGuide) -> str:
        """Return the first matched synonym of a subject of `guide`."""
        return next((each.words for each in self.matched if guide.is_about(each.subject)), "")


def list_guides(session: Session, reference_data: ReferenceData) -> list[ListedGuide]:
    """Order the guides by title without its common beginning.

    An edition that names no subject has those with an assessment factor among its related codes.
    """
    codes = subject_codes(reference_data)
    return sorted(
        (ListedGuide(each, _subjects_of(each.details, codes)) for each in list_current(session)),
        key=lambda each: (each.sort_name, each.guide),
    )


def guides_about(session: Session, reference_data: ReferenceData, subject: str) -> set[str]:
    return {each.guide for each in list_guides(session, reference_data) if each.is_about(subject)}


def subject_codes(reference_data: ReferenceData) -> Sequence[Code]:
    """Return nothing if there is no such list."""
    return reference_data.code_lists[SUBJECTS].codes if SUBJECTS in reference_data.code_lists else ()


def group_by_subject(
    listed: Sequence[ListedGuide], reference_data: ReferenceData
) -> list[tuple[Code | None, list[ListedGuide]]]:
    """Order groups as the code list, guides without a subject last. A guide with several is in several groups."""
    codes: list[Code | None] = [*subject_codes(reference_data), None]
    groups = [
        (code, [each for each in listed if (code in each.subjects if code else not each.subjects)]) for code in codes
    ]
    return [(code, guides) for code, guides in groups if guides]


def find_synonyms(reference_data: ReferenceData, words: str) -> list[MatchedSynonym]:
    """Return the longest synonym of each subject in `words`: each of its words, in any form."""
    typed = _forms(words)
    return [
        MatchedSynonym(words=max(matching, key=len), subject=code.code)
        for code in subject_codes(reference_data)
        if (matching := [each for each in code.synonyms if _forms(each) <= typed])
    ]


def is_said_in(phrase: str, words: str) -> bool:
    """Return True if each word of `phrase` is in `words`, in any form."""
    return _forms(phrase) <= _forms(words)


def first_signposts(signposts: Sequence[Signpost], words: str) -> list[Signpost]:
    """Return the signposts to show before search results: 999, Childline, then those with `words` of a crisis."""
    typed = _forms(words)
    return sorted(
        (
            each
            for each in signposts
            if each.emergency or each.id == CHILDLINE or any(_forms(said) <= typed for said in each.words)
        ),
        key=lambda each: (not each.emergency, each.id != CHILDLINE),
    )


def search_signposts(signposts: Sequence[Signpost], words: str) -> list[Signpost]:
    """Name, audience and description together have each word, in any form. No words match none."""
    if not words_in(words):
        return []
    described = ((each, " ".join((each.name, each.audience or "", each.description or ""))) for each in signposts)
    return [each for each, description in described if is_said_in(words, description)]


def entries_to_search(
    session: Session, reference_data: ReferenceData, entry_filter: EntryFilter
) -> tuple[EntryFilter, list[MatchedSynonym]]:
    """Return the filter as it is, or if nothing matches and there are synonyms, the guides about their subjects."""
    matched = find_synonyms(reference_data, entry_filter.words or "")
    if not matched or list_catalogue(session, entry_filter, limit=1):
        return entry_filter, matched
    about = {guide for each in matched for guide in guides_about(session, reference_data, each.subject)}
    return replace(
        entry_filter, words=None, guides=about if entry_filter.guides is None else about & set(entry_filter.guides)
    ), matched


def search_guides(session: Session, reference_data: ReferenceData, words: str, *, limit: int) -> Found:
    """Items that have every word, and guides whose title and subjects do, or a synonym of a subject.

    Words match in any form, and the last may be incomplete.
    """
    listed, matched = list_guides(session, reference_data), find_synonyms(reference_data, words)
    entries = list_catalogue(session, EntryFilter(words), limit=limit + 1)
    by_guide: dict[str, list[CatalogueEntry]] = {}
    for entry in entries[:limit]:
        by_guide.setdefault(entry.key.guide, []).append(entry)
    guides = {each.guide: each for each in listed}
    found = [FoundInGuide(guides[slug], of_it) for slug, of_it in by_guide.items() if slug in guides]
    subjects = {each.subject for each in matched}
    return Found(
        [each for each in listed if _is_named(each, words) or any(map(each.is_about, subjects))],
        found,
        has_more=len(entries) > limit,
        matched=matched,
    )


def split_at_words(text: str, words: str) -> list[tuple[str, bool]]:
    """Return the parts in order, True for a match: in any form, the last word perhaps incomplete."""
    typed = words_in(words)
    runs: list[tuple[str, bool]] = []
    end = 0
    for match in WORD.finditer(text):
        if any(_is_form(match[0], each, is_last=each == typed[-1]) for each in typed):
            runs += [(text[end : match.start()], False), (match[0], True)]
            end = match.end()
    return [run for run in [*runs, (text[end:], False)] if run[0]]


def _subjects_of(details: EditionDetails, codes: Sequence[Code]) -> tuple[Code, ...]:
    related = {each.code for each in details.related_codes}
    if details.subjects:
        return tuple(each for each in codes if each.code in details.subjects)
    return tuple(each for each in codes if not related.isdisjoint(each.assessment_factors))


def _is_named(guide: ListedGuide, words: str) -> bool:
    typed = words_in(words)
    names = words_in(" ".join([guide.title, *(each.label for each in guide.subjects)]))
    return bool(typed) and all(any(_is_form(name, each, is_last=each == typed[-1]) for name in names) for each in typed)


def _is_form(word: str, typed: str, *, is_last: bool) -> bool:
    """Return True if the words differ only in case and endings. If `is_last`, `typed` may be a beginning."""
    word, typed = word.casefold(), typed.casefold()
    return _stem(word) == _stem(typed) or (is_last and word.startswith(typed))


def _forms(text: str) -> set[str]:
    return {_stem(word.casefold()) for word in words_in(text)}


def _stem(word: str) -> str:
    stem = ENDINGS.sub("", word)
    return stem if len(stem) >= SHORTEST_STEM else word


def list_reviews(session: Session) -> list[CurrentEdition]:
    """Order the editions by review day, those without one first."""
    return sorted(list_current(session), key=lambda each: (each.details.review_by or dt.date.min, each.key))
