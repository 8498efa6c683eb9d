"""The rows of the inbox: the facts about each concern without its text, and the deadline in words."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from app.models.audit.rows import DeskAct
from app.models.concerns.concern import ImmediateDanger
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import LEAST_URGENT_FIRST
from app.models.desk.inbox import InboxEntry
from app.pages.audit.entry_words import what_was_done, who_did
from app.pages.frame import Visit
from app.services.audit.last_acts import LastActs, find_last_acts
from app.services.concerns.waiting_additions import WaitingAdditions, find_waiting

ONE_HOUR, ONE_DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
SHORT_UNITS = {"hour": "h", "minute": "min"}
DAYS_ALONE = 3  # durations of at least this many days are shown without hours


def time_left(due: dt.datetime, now: dt.datetime, *, is_short: bool = False) -> str:
    """Return, for example, `2 hours 10 minutes left` or `late by 1 day`."""
    length = span_in_words(abs(due - now), is_short=is_short)
    return f"{length} left" if now <= due else f"late by {length}"


def span_in_words(span: dt.timedelta, *, is_short: bool = False) -> str:
    """Return, for example, `2 hours 10 minutes`; without hours from `DAYS_ALONE`. Short: `2 h 10 min`.

    While the page is open, `desk_clock.js` updates it in the same words.
    """
    days, hours, minutes = span.days, span % ONE_DAY // ONE_HOUR, span % ONE_HOUR // dt.timedelta(minutes=1)
    if days >= DAYS_ALONE:
        hours = 0
    units = ((days, "day"), (hours, "hour")) if days else ((hours, "hour"), (minutes, "minute"))
    words = [_counted(number, unit, is_short=is_short) for number, unit in units if number]
    return " ".join(words) or ("under 1 min" if is_short else "less than a minute")


def _counted(number: int, unit: str, *, is_short: bool) -> str:
    if is_short and unit in SHORT_UNITS:
        return f"{number} {SHORT_UNITS[unit]}"
    return f"{number} {unit}{'s' if number != 1 else ''}"


@dataclass(frozen=True)
class InboxLine:
    """Has the most urgent danger and deadline of concern and additions. `added` are the unacknowledged additions."""

    entry: InboxEntry
    now: dt.datetime
    added: WaitingAdditions | None
    source: str | None = None
    """Nothing else about the reporter is readable: the rest is encrypted."""

    @property
    def is_unread(self) -> bool:
        return self.entry.state is ConcernState.RECEIVED

    @cached_property
    def danger(self) -> str:
        return max(self.entry.immediate_danger, self.entry.addition_danger or "no", key=LEAST_URGENT_FIRST.index)

    @cached_property
    def due(self) -> dt.datetime | None:
        dues = (self.is_unread and self.entry.acknowledge_by, self.entry.addition_acknowledge_by)
        return min((due for due in dues if due), default=None)

    @cached_property
    def waits_since(self) -> dt.datetime | None:
        """Return the arrival of the report or addition whose deadline is shown, if a child is or may be in danger."""
        if self.due is None or self.danger == ImmediateDanger.NO:
            return None
        is_first = self.is_unread and self.due == self.entry.acknowledge_by
        return self.entry.came_at if is_first or self.added is None else self.added.since

    @property
    def time(self) -> str | None:
        """Return the time left. In danger, return the time waited so far, and the delay."""
        if self.due is None:
            return None
        left = time_left(self.due, self.now)
        if self.waits_since is None:
            return left
        waiting = f"waiting {span_in_words(self.now - self.waits_since)}"
        return f"{waiting}, {left}" if self.entry.overdue else waiting

    @property
    def short_time(self) -> str:
        """Return the time left or the delay. In danger, return the time waited so far, until it is late."""
        if self.waits_since is None or self.entry.overdue:
            return time_left(self.due or self.now, self.now, is_short=True)
        return f"waiting {span_in_words(self.now - self.waits_since, is_short=True)}"

    @property
    def due_because(self) -> str:
        """Return, for example, `addition 1 says immediate danger`.

        It is `the concern` if an addition may be the reason.
        """
        answer = self.entry.immediate_danger
        what = "the first report" if self.entry.addition_danger in {None, ImmediateDanger.NO} else "the concern"
        if self.added is not None and self.due == self.entry.addition_acknowledge_by:
            what, answer = f"addition {self.added.number_due}", self.added.danger_due or "no"
        if answer == ImmediateDanger.YES:
            return f"{what} says immediate danger"
        if answer == ImmediateDanger.NOT_SURE:
            return f"{what} is not sure about danger"
        return f"{what} has not been acknowledged"


def lines_of(visit: Visit, entries: Sequence[InboxEntry]) -> list[InboxLine]:
    added = visit.read(find_waiting, [each.reference for each in entries if each.additions_waiting])
    sources = visit.context.reference_data.get_code_list("referral-source").labels
    return [
        InboxLine(each, visit.now, added.get(each.reference), sources.get(each.referral_source or ""))
        for each in entries
    ]


@dataclass(frozen=True)
class InboxRow:
    line: InboxLine
    acts: LastActs

    @property
    def last_words(self) -> str:
        """Return the latest action as text. The person assigned is in another column."""
        return "Assigned" if self.acts.entry.act == DeskAct.ASSIGNED else what_was_done(self.acts.entry)

    @property
    def last_who(self) -> str:
        return who_did(self.acts.entry.client)


def rows_of(visit: Visit, entries: Sequence[InboxEntry]) -> list[InboxRow]:
    acts = visit.read(find_last_acts, [each.reference for each in entries], client=visit.actor.client)
    return [InboxRow(line, acts[line.entry.reference]) for line in lines_of(visit, entries)]
