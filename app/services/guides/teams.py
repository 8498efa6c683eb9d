"""The duty team and the out-of-hours teams. The team that answers now comes first."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.models.guides.contacts import Contact, OpeningHours
from app.models.guides.signposts import Signpost, SignpostScope, WhoToCall
from app.services.guides.working_days import LONDON, ONE_DAY, WorkingDays
from app.services.guides.working_hours import END_OF_DAY, WEEK, are_open, hours_text, read_hours


def out_of_hours(signposts: Sequence[Signpost]) -> list[Signpost]:
    """Return the council's own out-of-hours contacts: local signposts with a number."""
    local = [each for each in signposts if each.scope is SignpostScope.LOCAL and each.phones]
    return [each for each in local if not each.emergency and not each.allegations]


@dataclass(frozen=True)
class Team:
    """A contact with a number. `hours` is text, empty if unknown. `is_open` is None if unknown."""

    contact: Contact | Signpost
    hours: str
    is_open: bool | None


@dataclass(frozen=True)
class Teams:
    """The teams behind the council's numbers: the one to call first, if there is one, and the others."""

    first: Team | None
    others: tuple[Team, ...]

    @property
    def all(self) -> tuple[Team, ...]:
        """Every team, with the one to call first at the beginning."""
        return (self.first, *self.others) if self.first else self.others


@dataclass(frozen=True)
class DutyHours:
    """The rule for which team answers, by the contacts' opening hours or the council's setting for its team."""

    working_days: WorkingDays
    words: str | None = None

    def _duty_of(self, contacts: Iterable[Contact]) -> tuple[Contact | None, str, tuple[OpeningHours, ...]]:
        """Return the duty team, which is the first contact with a number, and its hours."""
        duty = next((each for each in contacts if each.phones), None)
        return (duty, *self.hours_of(duty)) if duty is not None else (None, "", ())

    def hours_of(self, contact: Contact) -> tuple[str, tuple[OpeningHours, ...]]:
        """Return the known hours of the duty team as text and as data. A setting overrides the contact's hours."""
        if self.words is not None:
            return self.words, read_hours(self.words)
        return hours_text(contact.opening_hours), contact.opening_hours

    def teams(self, who: WhoToCall, at: dt.datetime) -> Teams:
        """Return the first contact with a number and the out-of-hours teams, ordered by who answers at that time.

        On a bank holiday the out-of-hours teams answer, unless the duty team is open all day. If no hours are known,
        the duty team comes first.
        """
        duty, words, hours = self._duty_of(who.contacts)
        is_open = self._is_open(hours, at) if hours else None
        teams = [] if duty is None else [Team(duty, words, is_open)]
        teams += [Team(each, "", self._answers(each, is_open, at)) for each in out_of_hours(who.signposts)]
        ordered = sorted(teams, key=lambda each: (each.is_open is not True, each.is_open is False))
        has_first = ordered and (duty is not None or ordered[0].is_open)
        return Teams(ordered[0], tuple(ordered[1:])) if has_first else Teams(None, tuple(ordered))

    def next_change(self, who: WhoToCall, at: dt.datetime) -> dt.datetime | None:
        """Return the time until which that order is certain: the next opening or closing time, at latest midnight.

        Return None if no hours are known as data: the order then never changes.
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
        """Return True if an out-of-hours team answers, or None if unknown."""
        if not team.opening_hours:
            return None if duty_is_open is None else not duty_is_open
        local = at.astimezone(LONDON)
        return are_open(team.opening_hours, local) or self.working_days.is_bank_holiday(local.date())
