"""How dates, times and codes are written for people."""

import datetime as dt
import re
from enum import StrEnum

from markupsafe import Markup, escape

from app.services.concerns.working_days import LONDON

SPOKEN = {
    "F": "Foxtrot",
    "K": "Kilo",
    "M": "Mike",
    "R": "Romeo",
    "W": "Whiskey",
    "X": "X-ray",
    "Y": "Yankee",
    "Z": "Zulu",
}
"""Each letter of a reference as it is said over the telephone (ICAO)."""

OTHERWISE_CALLED = {
    "anonymous": "I would rather not say",
    "child": "I am the child or young person",
    "family": "A family member",
    "member_of_public": "A member of the public",
    "not_safe": "No, it is not safe to tell them",
    "professional": "Somebody who works or volunteers with children",
    "told_by_child": "The child told me",
    "told_by_someone_else": "Someone else told me",
    "first_hand": "I saw or heard it myself",
}
"""Answers of a closed set that need other words than their own."""


BOLD_OR_CODE = re.compile(r"\*\*(.+?)\*\*|`(.+?)`", re.DOTALL)


def marked(words: str) -> Markup:
    """The words of a docstring, with what Markdown would show as bold or as code."""
    parts = BOLD_OR_CODE.split(words)
    shown = Markup()
    for plain, bold, code in zip(parts[0::3], [*parts[1::3], None], [*parts[2::3], None], strict=True):
        shown += escape(plain)
        shown += Markup("<strong>{}</strong>").format(bold) if bold else ""
        shown += Markup("<code>{}</code>").format(code) if code else ""
    return shown


def day(moment: dt.datetime | dt.date) -> str:
    """The day, by the clock in London: 24 November 2026."""
    local = moment.astimezone(LONDON) if isinstance(moment, dt.datetime) else moment
    return f"{local.day} {local:%B %Y}"


def time_of_day(moment: dt.datetime) -> str:
    """The day and time, by the clock in London: Tuesday 24 November 2026 at 09:30."""
    local = moment.astimezone(LONDON)
    return f"{local:%A} {day(moment)} at {local:%H:%M}"


def called(value: StrEnum | str) -> str:
    """One answer of a closed set, in words for people."""
    return OTHERWISE_CALLED.get(value, str(value).replace("_", " ").capitalize())


def spoken(reference: str) -> list[str]:
    """The reference as it is read aloud, one group an entry: `4, Foxtrot, 7, Kilo`."""
    return [", ".join(SPOKEN.get(character, character) for character in group) for group in reference.split("-")]
