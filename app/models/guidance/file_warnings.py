"""Warnings for an editor: what may be published as it is, and is rarely meant."""

import datetime as dt
import re
from collections.abc import Iterator

from app.faults import Location
from app.models.guidance.editions import EditionContent
from app.models.guidance.sections import ITEM_LISTS

CHECKED_FOR = dt.timedelta(days=365)
DEAD_FORMS = {
    r"http://": "an address that begins with http:// sends people over an open line: use https://",
    r"\.(?:gsi|gse|gsx|gcsx)\.gov\.uk": "addresses of .gsi.gov.uk and its like were closed in 2019",
    r"\.pnn\.police\.uk": "addresses of .pnn.police.uk were closed",
    r"\bdirect\.gov\.uk": "direct.gov.uk was closed in 2012: find the page on www.gov.uk",
    r"\b(?:education|dcsf|dfes|everychildmatters|teachernet)\.gov\.uk": "this address was closed: look on www.gov.uk",
    r"(?i)\blscb\b|safeguarding-children-s-board": "safeguarding children boards ended in 2019: look for its successor",
}
"""Forms of address that lead nowhere any more, or not safely, each with its sentence."""

Warning_ = tuple[Location, str]


def find_warnings(content: EditionContent, today: dt.date) -> Iterator[Warning_]:
    """Yield each warning about the words themselves, with its place."""
    yield from _about_review(content, today)
    for index, contact in enumerate(content.contacts):
        at: Location = ("contacts", index)
        if contact.verified_on is None:
            yield at, "nobody has checked it: call or look it up, and write the day in `verified_on`"
        elif today - contact.verified_on > CHECKED_FOR:
            yield (*at, "verified_on"), "it was last checked more than a year ago"
        written = " ".join(filter(None, (contact.url, contact.email, contact.name)))
        yield from ((at, reason) for form, reason in DEAD_FORMS.items() if re.search(form, written))
    for index, definition in enumerate(content.definitions):
        address = definition.source.url if definition.source else ""
        yield from (
            (("definitions", index, "source", "url"), reason)
            for form, reason in DEAD_FORMS.items()
            if re.search(form, address)
        )


def find_unchanged(content: EditionContent, current: EditionContent) -> Iterator[Warning_]:
    """Yield what was probably meant to change against the current edition, or not to change."""
    if content.change_note == current.change_note:
        yield ("change_note",), "it is that of the current edition: say what this edition changes"
    for key in ITEM_LISTS:
        ids = {_words(item): item.id for item in getattr(current, key)}
        for index, item in enumerate(getattr(content, key)):
            former = ids.get(_words(item))
            if former not in (None, item.id):
                yield (key, index, "id"), f"its words are published under the id `{former}`: use the same id"


def _about_review(content: EditionContent, today: dt.date) -> Iterator[Warning_]:
    if content.review_by is None:
        yield ("review_by",), "it is not set, so nobody is reminded to review the guide"
    elif content.review_by < today:
        yield ("review_by",), "the day of the review has passed"


def _words(item: object) -> str:
    return " ".join(str(getattr(item, name, "")) for name in ("name", "text"))
