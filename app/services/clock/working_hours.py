"""Opening hours: written as text, parsed from text, and compared with the time."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from babel import Locale

from app.models.guides.contacts import OpeningHours, Weekday
from app.models.languages import ENGLISH_TAG
from app.services.clock.working_days import LONDON

WEEK = tuple(Weekday)
WEEK_IN_ENGLISH = tuple(day.value.capitalize() for day in WEEK)
RUN = 3
"""The smallest number of consecutive days that are written as a range: `Monday to Wednesday`."""
END_OF_DAY = "24:00"
_DAY = r"(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?s?\b"
_TIME = r"([0-9]{1,2})(?:[:.]([0-9]{2}))? ?(am|pm)?"
_TO = "(?:to|until|-|–)"
_DAYS = rf"({_DAY}(?:(?: ?(?:,|&) ?| ?{_TO} ?| and |, and ){_DAY})*)"
_TIMES = rf"{_TIME} ?{_TO} ?{_TIME}"
_DAYS_FIRST = re.compile(rf"{_DAYS}[,:]? (?:from )?{_TIMES}", re.IGNORECASE)
_TIMES_FIRST = re.compile(rf"(?:from )?{_TIMES},? (?:on )?{_DAYS}", re.IGNORECASE)
_ALL_DAY, _ALL_WEEK = "00:00 to 24:00", "Monday to Sunday"
_OTHER_WORDS = {
    re.compile(r"\b24/7\b"): f"{_ALL_WEEK} {_ALL_DAY}",
    re.compile(r"(?i)\b24 hours(?: a day)?\b"): _ALL_DAY,
    re.compile(r"(?i)\b(?:every day|daily|(?:7|seven) days a week)\b"): _ALL_WEEK,
    re.compile(r"(?i)\b(?:noon|midday)\b"): "12pm",
    re.compile(r"(?i)\bmidnight\b"): "12am",
}
"""Patterns of common words for days and times, each with the equivalent range or clock time."""
_DAY_NAMED = re.compile(_DAY, re.IGNORECASE)
_TO_BEFORE = re.compile(rf"{_TO} ?$", re.IGNORECASE)
_BETWEEN = re.compile(r"[;,.]?\s*(?:and )?", re.IGNORECASE)


def hours_text(hours: Sequence[OpeningHours]) -> str:
    """Return, for example, `Monday to Friday, 08:30 to 17:00; Saturday, 09:00 to 12:00`."""
    return "; ".join(f"{days_text(each)}, {each.opens} to {each.closes}" for each in hours)


def hours_in(hours: Sequence[OpeningHours], locale: str) -> str:
    """Return the hours in the words of a language, from CLDR."""
    known = Locale.parse(locale)
    if known.language == ENGLISH_TAG:
        return hours_text(hours)
    names = [known.days["format"]["wide"][number] for number in range(len(WEEK))]
    span, pair = str(known.interval_formats[None]), str(known.list_patterns["standard"]["middle"])
    comma = pair.format("", "")
    return comma.join(f"{days_text(each, names, span, comma)} {span.format(each.opens, each.closes)}" for each in hours)


def opening_in_words(opens: dt.datetime, at: dt.datetime) -> str:
    """Return, for example, `today at 8:30am` or `on Monday at 9am`, in London."""
    local, today = opens.astimezone(LONDON), at.astimezone(LONDON).date()
    ahead = (local.date() - today).days
    day = ("today", "tomorrow")[ahead] if ahead < 2 else f"on {local:%A}"  # noqa: PLR2004  # after tomorrow
    date = f" {local.day} {local:%B}" if ahead >= len(WEEK) else ""
    return f"{day}{date} at {spoken_time(f'{local:%H:%M}')}"


def spoken_time(time: str) -> str:
    """Return `8:30am` for `08:30`."""
    hour, _, minute = time.partition(":")
    half = "am" if int(hour) % 24 < 12 else "pm"  # noqa: PLR2004  # a clock
    return f"{int(hour) % 12 or 12}{'' if minute == '00' else f':{minute}'}{half}"


def days_text(
    hours: OpeningHours, names: Sequence[str] = WEEK_IN_ENGLISH, span: str = "{} to {}", last: str = " and "
) -> str:
    """Return the first and the last day by `span`, or all `names` with `last` before the last one."""
    places = sorted({WEEK.index(day) for day in hours.days})
    named = [names[place] for place in places]
    if len(named) >= RUN and places[-1] - places[0] == len(places) - 1:
        return span.format(named[0], named[-1])
    return last.join((", ".join(named[:-1]), named[-1])) if len(named) > 1 else named[0]


@lru_cache(maxsize=8)
def read_hours(words: str) -> tuple[OpeningHours, ...]:
    """Read hours such as `Monday to Thursday 8:30am to 5pm, Friday 8:30am to 4:30pm`, or with times before days.

    Return nothing if any part cannot be parsed, or closes before it opens, because incomplete hours would be wrong.
    """
    text, place, found = _plain(words), 0, []
    while place < len(text):
        entry = _DAYS_FIRST.match(text, place) or _TIMES_FIRST.match(text, place)
        between = _BETWEEN.match(text, entry.end()) if entry else None
        if entry is None or between is None:
            return ()
        days, *clock = entry.groups() if entry.re is _DAYS_FIRST else (entry[7], *entry.groups()[:6])
        opens, closes = _clock_time(*clock[:3]), _clock_time(*clock[3:])
        closes = END_OF_DAY if closes == "00:00" else closes
        if opens is None or closes is None or opens >= closes:
            return ()
        found.append(OpeningHours(days=tuple(_named_days(days)), opens=opens, closes=closes))
        place = between.end()
    return tuple(found)


def _plain(words: str) -> str:
    text = " ".join(words.split())
    for form, plain in _OTHER_WORDS.items():
        text = form.sub(plain, text)
    return f"{_ALL_WEEK} {text}" if text == _ALL_DAY else text


def _named_days(words: str) -> Iterator[Weekday]:
    shorts, former, end = [day.value[:3] for day in WEEK], None, 0
    for found in _DAY_NAMED.finditer(words):
        place = shorts.index(found[0][:3].lower())
        is_range = former is not None and _TO_BEFORE.search(words[end : found.start()])
        first = former + 1 if former is not None and is_range else place
        yield from (WEEK[number % len(WEEK)] for number in range(first, place + (1 if first <= place else 8)))
        former, end = place, found.end()


def _clock_time(hour: str, minute: str | None, half: str | None) -> str | None:
    number, half = int(hour), (half or "").lower()
    if half:
        if not 1 <= number <= 12:  # noqa: PLR2004  # hours of half a day
            return None
        number = number % 12 + (12 if half == "pm" else 0)
    time = f"{number:02}:{minute or '00'}"
    return time if time <= END_OF_DAY and int(minute or 0) < 60 else None  # noqa: PLR2004  # a clock


def are_open(hours: Iterable[OpeningHours], local: dt.datetime) -> bool:
    """Return True from opening until just before closing. A bank holiday counts like another day."""
    time, day = f"{local:%H:%M}", WEEK[local.weekday()]
    return any(day in each.days and each.opens <= time < each.closes for each in hours)
