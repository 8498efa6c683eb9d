"""The duty team and the out-of-hours teams, in the order in which to call them at a given time."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pydantic_core import to_json

from app.models.guides.contacts import Contact, OpeningHours
from app.models.guides.signposts import CHILDLINE, Signpost, SignpostScope, TeamOnDuty, WhoToCall
from app.services.clock.working_days import LONDON, ONE_DAY, WorkingDays
from app.services.clock.working_hours import END_OF_DAY, WEEK, are_open, hours_text, read_hours

FARTHEST = dt.timedelta(days=28)
A_MONDAY = dt.datetime(2026, 11, 23, tzinfo=LONDON)
"""The beginning of a week without a bank holiday or a change of the clocks."""
UNTIL_THEN = ("police-non-emergency", CHILDLINE)
"""Ids of the signposts to call while every team is closed, besides 999."""


def out_of_hours(signposts: Sequence[Signpost]) -> list[Signpost]:
    """Return the local signposts with a phone number, without emergency services and contacts for allegations."""
    local = [each for each in signposts if each.scope is SignpostScope.LOCAL and each.phones]
    return [each for each in local if not each.emergency and not each.allegations]


@dataclass(frozen=True)
class Team:
    """A team to call: a contact with a phone number. `is_open` is None if unknown.

    Only the duty team has `hours`, as text, and `opening_hours`, the same as data if they can be parsed.
    """

    contact: Contact | Signpost
    is_open: bool | None
    hours: str = ""
    opening_hours: tuple[OpeningHours, ...] = ()


@dataclass(frozen=True)
class Teams:
    """The teams to call: `first` first, then `others` in order.

    `first` is None if the guide has no contact with a number and the hours of the other teams are unknown. If every
    team is known to be closed at the time `at`, `first` is the team that opens next, at the time `opens`, or None if
    that is not within `FARTHEST`, and `until_then` are the signposts besides 999 that answer before.
    """

    first: Team | None
    others: tuple[Team, ...]
    at: dt.datetime | None = None
    opens: dt.datetime | None = None
    until_then: tuple[Signpost, ...] = ()

    @property
    def all(self) -> tuple[Team, ...]:
        return (self.first, *self.others) if self.first else self.others

    @property
    def are_closed(self) -> bool:
        return self.first is not None and self.first.is_open is False

    @cached_property
    def on_duty(self) -> tuple[TeamOnDuty, ...]:
        return tuple(
            TeamOnDuty(
                id=each.contact.id,
                name=each.contact.name,
                phones=each.contact.phones,
                open_now=each.is_open,
                opens_at=self.opens if each is self.first else None,
            )
            for each in self.all
        )

    @cached_property
    def on_duty_json(self) -> bytes:
        return to_json(self.on_duty)


@dataclass(frozen=True)
class DutyHours:
    """Says which team answers, by opening hours. `words`, if set, override the duty team's hours in the guide.

    `says_now` is False for files to keep: nobody is known to be open or closed.
    """

    working_days: WorkingDays
    words: str | None = None
    says_now: bool = True

    def _duty_of(self, contacts: Iterable[Contact]) -> tuple[Contact | None, str, tuple[OpeningHours, ...]]:
        duty = next((each for each in contacts if each.phones), None)
        return (duty, *self.hours_of(duty)) if duty is not None else (None, "", ())

    def hours_of(self, contact: Contact) -> tuple[str, tuple[OpeningHours, ...]]:
        """Return the hours as text and as data.

        The data are empty if the setting cannot be parsed, and both if none is set.
        """
        if self.words is not None:
            return self.words, read_hours(self.words)
        return hours_text(contact.opening_hours), contact.opening_hours

    def teams(self, who: WhoToCall, at: dt.datetime) -> Teams:
        """Order the teams by whether they answer at the time `at`: open, unknown, then closed.

        The duty team is the first contact with a phone number. On a bank holiday it counts as closed, unless it is open
        all day, and out-of-hours teams with opening hours count as open. If no hours are known, the duty team comes
        first.
        """
        return self._teams_in(who, at.replace(second=0, microsecond=0))

    @lru_cache(maxsize=64)  # noqa: B019  # one instance for each process, and few guides and minutes
    def _teams_in(self, who: WhoToCall, at: dt.datetime) -> Teams:
        teams = self._ordered(who, at)
        if not teams or (teams[0].is_open is None and isinstance(teams[0].contact, Signpost)):
            return Teams(None, tuple(teams))
        if teams[0].is_open is not False:
            return Teams(teams[0], tuple(teams[1:]))
        opening = self._next_opening(who, at)
        opens, name = (None, teams[0].contact) if opening is None else opening
        teams.sort(key=lambda each: each.contact is not name)
        until_then = tuple(each for each in who.signposts if each.id in UNTIL_THEN)
        return Teams(teams[0], tuple(teams[1:]), at, opens, until_then)

    def _ordered(self, who: WhoToCall, at: dt.datetime) -> list[Team]:
        duty, words, hours = self._duty_of(who.contacts)
        is_open = self._is_open(hours, at) if hours and self.says_now else None
        teams = [] if duty is None else [Team(duty, is_open, words, hours)]
        teams += [Team(each, self._answers(each, is_open, at)) for each in out_of_hours(who.signposts)]
        return sorted(teams, key=lambda each: (each.is_open is not True, each.is_open is False))

    def _next_opening(self, who: WhoToCall, at: dt.datetime) -> tuple[dt.datetime, Contact | Signpost] | None:
        moment, end = self.next_change(who, at), at + FARTHEST
        while moment is not None and moment < end:
            if (first := self._ordered(who, moment)[0]).is_open:
                return moment, first.contact
            moment = self.next_change(who, moment)
        return None

    def published(self, who: WhoToCall) -> Teams:
        """Return the duty team as `first`, and whom to call while it is closed, for documents that are kept.

        These are the out-of-hours teams, otherwise the police; nobody if the duty team never closes.
        """
        duty, words, hours = self._duty_of(who.contacts)
        police = () if self.unanswered(who) == () else (each for each in who.signposts if each.id == UNTIL_THEN[0])
        first = None if duty is None else Team(duty, None, words, hours)
        return Teams(first, (), until_then=tuple(out_of_hours(who.signposts) or police))

    def unanswered(self, who: WhoToCall) -> tuple[OpeningHours, ...] | None:
        """Return the hours of a week at which every team is closed, or None if that is unknown."""
        at, found = A_MONDAY, {day: list[list[str]]() for day in WEEK}
        while at < A_MONDAY + 7 * ONE_DAY:
            until = self.next_change(who, at)
            if until is None:
                return None
            if self._ordered(who, at)[0].is_open is False:
                local, closes = at.astimezone(LONDON), f"{until.astimezone(LONDON):%H:%M}"
                span, spans = (
                    [f"{local:%H:%M}", END_OF_DAY if closes == "00:00" else closes],
                    found[WEEK[local.weekday()]],
                )
                if spans and spans[-1][1] == span[0]:
                    spans[-1][1] = span[1]
                else:
                    spans.append(span)
            at = until
        days = {
            (opens, closes): tuple(d for d in WEEK if [opens, closes] in found[d])
            for spans in found.values()
            for opens, closes in spans
        }
        return tuple(OpeningHours(days=names, opens=opens, closes=closes) for (opens, closes), names in days.items())

    def next_change(self, who: WhoToCall, at: dt.datetime) -> dt.datetime | None:
        """Return until when `teams` gives the same order, at most midnight in London. None means for ever."""
        hours = [*self._duty_of(who.contacts)[2]]
        hours += [entry for each in out_of_hours(who.signposts) for entry in each.opening_hours]
        if not hours or not self.says_now:
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
        """A team without known hours answers whenever the duty team is closed.

        A team with hours also answers all day on a bank holiday.
        """
        if not team.opening_hours or not self.says_now:
            return None if duty_is_open is None else not duty_is_open
        local = at.astimezone(LONDON)
        return are_open(team.opening_hours, local) or self.working_days.is_bank_holiday(local.date())
