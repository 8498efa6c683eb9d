"""Lists and searches of guides with a current edition: by title, subject, words and review."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sqlmodel import Session

from app.db.search import WORD, words_in
from app.models.guides.catalogue import MatchedSynonym
from app.models.guides.code_lists import SUBJECTS, Code
from app.models.guides.editions import EditionDetails
from app.models.guides.sections import Section
from app.models.guides.signposts import CHILDLINE, Signpost
from app.models.guides.words import SIGNPOST, SUBJECT
from app.services.guides.catalogue import CatalogueEntry, EntryFilter, list_catalogue
from app.services.guides.editions import CurrentEdition, list_current
from app.services.guides.reference_data import ReferenceData
from app.services.guides.words import Asked, Words, stem

LEAD = re.compile(
    r"^\W*(?:one[- ]minute guide\W*(?:(?:to|on|about|for)\s+|(?<=\s)))?(?:(?:a|an|the)\s+)?", re.IGNORECASE
)
"""Common beginnings of titles, ignored when sorting."""
OTHER_LETTER = "0"
"""Letter for titles that do not begin with A to Z."""
MOST_LED_TO = 6
SECTIONS = {each.value: each for each in Section}


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
        """Return True if the guide has the subject with this code."""
        return subject in {each.code for each in self.subjects}

    @cached_property
    def sort_name(self) -> str:
        """Return the title in lower case, without `LEAD`."""
        return LEAD.sub("", self.title).casefold() or self.title.casefold()

    @property
    def letter(self) -> str:
        """Return the first letter as a capital, or `OTHER_LETTER`."""
        first = self.sort_name[:1].upper()
        return first if "A" <= first <= "Z" else OTHER_LETTER


@dataclass(frozen=True)
class FoundInGuide:
    """What was found in one guide, best match first."""

    guide: ListedGuide
    entries: Sequence[CatalogueEntry]


@dataclass(frozen=True)
class Found:
    """What a search found: guides `by_title` or subject, and items `in_guides`.

    `matched` are the synonyms in the words, `led_to` items by lead, and `nearest` the known words for unknown ones.
    """

    by_title: Sequence[ListedGuide]
    in_guides: Sequence[FoundInGuide]
    has_more: bool
    matched: Sequence[MatchedSynonym]
    nearest: Sequence[str]
    asked: Asked
    led_to: Mapping[str, Sequence[FoundInGuide]]
    guides: Sequence[ListedGuide]

    def found_by(self, guide: ListedGuide) -> str:
        """Return the first matched synonym of a subject of `guide`."""
        return next((each.words for each in self.matched if guide.is_about(each.subject)), "")


def list_guides(session: Session, reference_data: ReferenceData) -> list[ListedGuide]:
    """Order the guides by title without its common beginning.

    An edition that names no subject has those with an assessment factor among its related codes.
    """
    codes = _subject_codes(reference_data)
    return sorted(
        (ListedGuide(each, _subjects_of(each.details, codes)) for each in list_current(session)),
        key=lambda each: (each.sort_name, each.guide),
    )


def guides_about(session: Session, reference_data: ReferenceData, subject: str) -> set[str]:
    return {each.guide for each in list_guides(session, reference_data) if each.is_about(subject)}


def _subject_codes(reference_data: ReferenceData) -> Sequence[Code]:
    """Return the code list of subjects, or nothing if there is none."""
    return reference_data.code_lists[SUBJECTS].codes if SUBJECTS in reference_data.code_lists else ()


def group_by_subject(
    listed: Sequence[ListedGuide], reference_data: ReferenceData
) -> list[tuple[Code | None, list[ListedGuide]]]:
    """Group guides by subject in the order of the code list.

    Guides without a subject are last; one with several is in several groups.
    """
    codes: list[Code | None] = [*_subject_codes(reference_data), None]
    groups = [
        (code, [each for each in listed if (code in each.subjects if code else not each.subjects)]) for code in codes
    ]
    return [(code, guides) for code, guides in groups if guides]


def first_signposts(reference_data: ReferenceData, signposts: Sequence[Signpost], asked: Asked) -> list[Signpost]:
    """Return the signposts to show before search results: 999, Childline, then those to which the words lead."""
    always = [each for each in signposts if each.emergency or each.id == CHILDLINE]
    known = {SIGNPOST + each.id: each for each in (*signposts, *reference_data.neighbours) if each not in always}
    return [*always, *(known[lead] for lead in asked.leads if lead in known)]


def matched_synonyms(asked: Asked) -> list[MatchedSynonym]:
    return [
        MatchedSynonym(words=phrase, subject=lead.removeprefix(SUBJECT))
        for lead, phrase in asked.leads.items()
        if lead.startswith(SUBJECT)
    ]


def find_led_to(session: Session, entry_filter: EntryFilter, asked: Asked) -> dict[str, list[CatalogueEntry]]:
    """Return the items of guides to which the words lead, by lead."""
    parts = {lead: lead.partition("/") for lead in asked.leads}
    items = {
        lead: (SECTIONS[part].key, item) for lead, (part, _, item) in parts.items() if item and part in set(Section)
    }
    wanted = replace(entry_filter, words=None, items=set(items.values()))
    found = list_catalogue(session, wanted, limit=MOST_LED_TO) if items else []
    return {lead: [each for each in found if (each.part, each.item.id) == key] for lead, key in items.items()}


def search_catalogue(
    session: Session, words: Words, entry_filter: EntryFilter, asked: Asked, *, offset: int = 0, limit: int
) -> tuple[list[CatalogueEntry], dict[str, str]]:
    """Return the entries with every word or, if there are none, with the nearest known words.

    The second part are those nearest words, by the word typed.
    """
    nearest, found = asked.nearest, list_catalogue(session, entry_filter, offset=offset, limit=limit)
    if not found and entry_filter.words:
        nearest = words.nearest_in_guides(session, entry_filter.words) | nearest
        meant = replace(entry_filter, words=words.replaced(entry_filter.words, nearest))
        found = list_catalogue(session, meant, offset=offset, limit=limit) if nearest else []
    return found, nearest


def in_guides_about(
    session: Session, reference_data: ReferenceData, entry_filter: EntryFilter, matched: Iterable[MatchedSynonym]
) -> EntryFilter:
    """Return a filter of all items of the guides about a matched subject."""
    about = {guide for each in matched for guide in guides_about(session, reference_data, each.subject)}
    return replace(
        entry_filter, words=None, guides=about if entry_filter.guides is None else about & set(entry_filter.guides)
    )


def search_guides(session: Session, reference_data: ReferenceData, words: str, *, limit: int) -> Found:
    """Return the items and guides that match a query.

    An item has every word; a guide has them in its title and subjects, or in a synonym of a subject; others are led to
    by the list of words. Words match in any form, and the last may be incomplete.
    """
    asked, guides = reference_data.words.ask(words), list_guides(session, reference_data)
    entries, nearest = search_catalogue(session, reference_data.words, EntryFilter(words), asked, limit=limit + 1)
    led_to, matched = find_led_to(session, EntryFilter(), asked), matched_synonyms(asked)
    first, meant = [each for found in led_to.values() for each in found], reference_data.words.replaced(words, nearest)
    subjects = {each.subject for each in matched}
    return Found(
        [each for each in guides if _is_named(each, meant) or any(map(each.is_about, subjects))],
        _by_guide(guides, [each for each in entries[:limit] if each not in first]),
        has_more=len(entries) > limit,
        matched=matched,
        nearest=tuple(dict.fromkeys(nearest.values())),
        asked=asked,
        led_to={lead: _by_guide(guides, found) for lead, found in led_to.items()},
        guides=guides,
    )


def _by_guide(guides: Iterable[ListedGuide], entries: Iterable[CatalogueEntry]) -> list[FoundInGuide]:
    """In the order of the entries."""
    listed = {each.guide: each for each in guides}
    by_guide: dict[str, list[CatalogueEntry]] = {}
    for entry in entries:
        by_guide.setdefault(entry.key.guide, []).append(entry)
    return [FoundInGuide(listed[slug], of_it) for slug, of_it in by_guide.items() if slug in listed]


def split_at_searched_words(text: str, words: str) -> list[tuple[str, bool]]:
    """Return the parts of `text`, True for those in `words` in any form. The last of `words` may be incomplete."""
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
    return stem(word) == stem(typed) or (is_last and word.startswith(typed))


def list_guides_by_review(session: Session) -> list[CurrentEdition]:
    """Order the editions by review day, those without one first."""
    return sorted(list_current(session), key=lambda each: (each.details.review_by or dt.date.min, each.key))
