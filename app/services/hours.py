"""The clock in London: working days, moments that are deadlines, hours of opening, and which team answers now."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from app.models.code_lists import Signpost, SignpostScope, WhoToCall
from app.models.contacts import Contact, OpeningHours, Weekday

if TYPE_CHECKING:
    from holidays import HolidayBase

LONDON = ZoneInfo("Europe/London")
ONE_DAY = dt.timedelta(days=1)


# Working days: those of England, without weekends and bank holidays, in London's local time.


class WorkingDays:
    """England's working days. The `holidays` package computes them, offline."""

    @cached_property
    def calendar(self) -> "HolidayBase":
        """England's bank holidays and weekends."""
        calendar: HolidayBase = _read_country("united_kingdom").UnitedKingdom(subdiv="ENG")
        return calendar

    def is_bank_holiday(self, day: dt.date) -> bool:
        """Return whether the day is a bank holiday."""
        return day in self.calendar

    def one_working_day_after(self, moment: dt.datetime) -> dt.datetime:
        """Return when an acknowledgement is due: one working day after the moment, in UTC."""
        return self.after(moment, days=1)

    def after(self, moment: dt.datetime, *, days: int) -> dt.datetime:
        """Return the time so many working days after the moment, in UTC.

        That is the same time of day on the last of those days; or, if the moment is not on a working day, the end
        (midnight) of that day. 'Working Together to Safeguard Children' requires an acknowledgement within
        one working day of the receipt of a referral.
        """
        local = moment.astimezone(LONDON)
        is_working_day, following = self._look_up(local.date(), days)
        if is_working_day:
            due = dt.datetime.combine(following, local.time(), tzinfo=LONDON)
        else:
            due = dt.datetime.combine(following + ONE_DAY, dt.time.min, tzinfo=LONDON)
        return due.astimezone(dt.UTC)

    @lru_cache(maxsize=8)  # noqa: B019  # one instance for each process, and few days
    def _look_up(self, day: dt.date, days: int) -> tuple[bool, dt.date]:
        """Return whether the day is a working day, and the working day that comes so many later."""
        return self.calendar.is_working_day(day), self.calendar.get_nth_working_day(day, days)


def _read_country(name: str) -> Any:
    """Return the module of one country of `holidays`. Its package would read every country: 0.2 s and 12 MB."""
    import holidays  # noqa: PLC0415  # 4 MB, and needed by what takes concerns alone

    path = Path(holidays.__path__[0]) / "countries" / f"{name}.py"
    spec = spec_from_file_location(f"holidays_of_{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Moments that are deadlines. Midnight would be read as the night after.


def deadline_of(moment: dt.datetime) -> tuple[dt.date, dt.time | None]:
    """Return the day and the time of a deadline in London. Midnight is the end of the day before, without a time."""
    local = moment.astimezone(LONDON)
    time = local.time().replace(second=0, microsecond=0)
    return (local.date(), time) if time != dt.time.min else (local.date() - ONE_DAY, None)


@lru_cache(maxsize=64)
def deadline_in_words(minute: dt.datetime) -> str:
    """Return it in English: `Tuesday 24 November 2026 at 09:30`, or `the end of Monday 30 November 2026`."""
    day, time = deadline_of(minute)
    words = day.strftime(f"%A {day.day} %B %Y")
    return f"the end of {words}" if time is None else f"{words} at {time:%H:%M}"


# Hours of opening: in words, read from words, and by the clock.


WEEK = tuple(Weekday)
RUN = 3
"""So many days in a row are written as the first and the last of them."""
END_OF_DAY = "24:00"
_DAY = r"(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?s?"
_TIME = r"([0-9]{1,2})(?:[:.]([0-9]{2}))? ?(am|pm)?"
_TO = "(?:to|until|-|–)"
_HOURS_OF_DAYS = re.compile(
    rf"({_DAY}(?:(?: ?(?:,|&) ?| ?{_TO} ?| and |, and ){_DAY})*),? (?:from )?{_TIME} ?{_TO} ?{_TIME}", re.IGNORECASE
)
_DAY_NAMED = re.compile(_DAY, re.IGNORECASE)
_TO_BEFORE = re.compile(rf"{_TO} ?$", re.IGNORECASE)
_BETWEEN = re.compile(r"[;,.]?\s*(?:and )?", re.IGNORECASE)


def hours_text(hours: Sequence[OpeningHours]) -> str:
    """Return all hours: `Monday to Friday, 08:30 to 17:00; Saturday, 09:00 to 12:00`."""
    return "; ".join(f"{_days(each)}, {each.opens} to {each.closes}" for each in hours)


def _days(hours: OpeningHours) -> str:
    places = sorted({WEEK.index(day) for day in hours.days})
    names = [WEEK[place].value.capitalize() for place in places]
    if len(names) >= RUN and places[-1] - places[0] == len(places) - 1:
        return f"{names[0]} to {names[-1]}"
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


@lru_cache(maxsize=8)
def read_hours(words: str) -> tuple[OpeningHours, ...]:
    """Return the hours that the words say: `Monday to Thursday 8:30am to 5pm, Friday 8:30am to 4:30pm`.

    If any of the words say something else, none are returned: half of the hours would be wrong hours.
    """
    text, place, found = " ".join(words.split()), 0, []
    while place < len(text):
        entry = _HOURS_OF_DAYS.match(text, place)
        between = _BETWEEN.match(text, entry.end()) if entry else None
        if entry is None or between is None:
            return ()
        opens, closes = _clock_time(*entry.groups()[1:4]), _clock_time(*entry.groups()[4:])
        closes = END_OF_DAY if closes == "00:00" else closes
        if opens is None or closes is None or opens >= closes:
            return ()
        found.append(OpeningHours(days=tuple(_named_days(entry[1])), opens=opens, closes=closes))
        place = between.end()
    return tuple(found)


def _named_days(words: str) -> Iterator[Weekday]:
    """Yield the days that are named, and those between two that are joined by `to`."""
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
    return f"{number:02}:{minute or '00'}" if number < 24 and int(minute or 0) < 60 else None  # noqa: PLR2004  # a clock


def are_open(hours: Iterable[OpeningHours], local: dt.datetime) -> bool:
    """Return whether one of the hours is at that time of that day in London. Bank holidays are not looked at."""
    time, day = f"{local:%H:%M}", WEEK[local.weekday()]
    return any(day in each.days and each.opens <= time < each.closes for each in hours)


# Who is called: the duty team, and those who answer when it is closed. The team that answers now comes first.


def out_of_hours(signposts: Sequence[Signpost]) -> list[Signpost]:
    """Return the council's own contacts that answer when its duty team is closed: local, with a number."""
    local = [each for each in signposts if each.scope is SignpostScope.LOCAL and each.phones]
    return [each for each in local if not each.emergency and not each.allegations]


@dataclass(frozen=True)
class Team:
    """A contact with a number. `hours` are words, and empty where nobody gave any; `is_open` is None where unknown."""

    contact: Contact | Signpost
    hours: str
    is_open: bool | None


@dataclass(frozen=True)
class Teams:
    """Who answers the council's numbers: the team to call first, if there is one, and the others."""

    first: Team | None
    others: tuple[Team, ...]

    @property
    def all(self) -> tuple[Team, ...]:
        """Every team, the one to call first at the beginning."""
        return (self.first, *self.others) if self.first else self.others


@dataclass(frozen=True)
class DutyHours:
    """Knows which team answers: by the hours that contacts have as data, or those that the council set for its team."""

    working_days: WorkingDays
    words: str | None = None

    def _duty_of(self, contacts: Iterable[Contact]) -> tuple[Contact | None, str, tuple[OpeningHours, ...]]:
        """Return the duty team, which is the first contact with a number, and its hours."""
        duty = next((each for each in contacts if each.phones), None)
        return (duty, *self.hours_of(duty)) if duty is not None else (None, "", ())

    def hours_of(self, contact: Contact) -> tuple[str, tuple[OpeningHours, ...]]:
        """Return the hours of the duty team in words and as data, as far as they are known. A setting comes first."""
        if self.words is not None:
            return self.words, read_hours(self.words)
        return hours_text(contact.opening_hours), contact.opening_hours

    def teams(self, who: WhoToCall, at: dt.datetime) -> Teams:
        """Return the first contact with a number and those out of hours, whoever answers at that time first.

        On a bank holiday the duty team is closed, unless it is open at all times, and the others answer. Where
        nothing says when somebody answers, the duty team comes first.
        """
        duty, words, hours = self._duty_of(who.contacts)
        is_open = self._is_open(hours, at) if hours else None
        teams = [] if duty is None else [Team(duty, words, is_open)]
        teams += [Team(each, "", self._answers(each, is_open, at)) for each in out_of_hours(who.signposts)]
        ordered = sorted(teams, key=lambda each: (each.is_open is not True, each.is_open is False))
        has_first = ordered and (duty is not None or ordered[0].is_open)
        return Teams(ordered[0], tuple(ordered[1:])) if has_first else Teams(None, tuple(ordered))

    def next_change(self, who: WhoToCall, at: dt.datetime) -> dt.datetime | None:
        """Return until when that order holds for certain: the next time in any of the hours, at most until midnight.

        None where no hours are known as data: the order then never changes.
        """
        hours = [*self._duty_of(who.contacts)[2]]
        hours += [entry for each in out_of_hours(who.signposts) for entry in each.opening_hours]
        if not hours:
            return None
        local = at.astimezone(LONDON)
        midnight = dt.datetime.combine(local.date() + ONE_DAY, dt.time.min, tzinfo=LONDON)
        times = {time for each in hours for time in (each.opens, each.closes) if time > f"{local:%H:%M}"} - {END_OF_DAY}
        later = [dt.datetime.combine(local.date(), dt.time.fromisoformat(time), tzinfo=LONDON) for time in times]
        return min([midnight, *later]).astimezone(dt.UTC)

    def _is_open(self, hours: Sequence[OpeningHours], at: dt.datetime) -> bool:
        local = at.astimezone(LONDON)
        if not are_open(hours, local):
            return False
        today = [each for each in hours if WEEK[local.weekday()] in each.days]
        is_all_day = any(each.opens == "00:00" and each.closes == END_OF_DAY for each in today)
        return is_all_day or not self.working_days.is_bank_holiday(local.date())

    def _answers(self, team: Signpost, duty_is_open: bool | None, at: dt.datetime) -> bool | None:
        """Return whether a team answers that is there for the time when the duty team is closed."""
        if not team.opening_hours:
            return None if duty_is_open is None else not duty_is_open
        local = at.astimezone(LONDON)
        return are_open(team.opening_hours, local) or self.working_days.is_bank_holiday(local.date())
