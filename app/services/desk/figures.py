"""Exact daily figures for the desk, and monthly statistics for auditors, which hide small counts.

Tests are not counted. Readings raise `StoreBusy` if they could not be recorded.
"""

import datetime as dt
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Engine, extract, func, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session

from app.db.tables import table_of
from app.db.writer import Writer
from app.models.audit.details import SummaryDetails
from app.models.audit.rows import AUDIT, INBOX, DeskAct
from app.models.concerns.rows import ConcernRow
from app.models.desk.figures import FiguresOfDay, FiguresResponse
from app.services.access.restrictions import uncounted
from app.services.audit.audit_log import Actor, record_action
from app.services.clock.working_days import LONDON
from app.services.desk.inbox import count_hidden

MICROSECOND = dt.timedelta(microseconds=1)
ROWS_AT_ONCE = 1000
SMALLEST_COUNT = 5
"""Counts from 1 to below are hidden: people could recognise the child."""
MEASURES = ("guide", "state", "immediate_danger", "referral_source", "channel", "outcome")
_CONCERNS = table_of(ConcernRow).c
_TIMES = select_columns(
    _CONCERNS.received_at, _CONCERNS.acknowledge_by, _CONCERNS.acknowledged_at, _CONCERNS.closed_at
).where(_CONCERNS.test.is_(False))


def read_figures(engine: Engine, writer: Writer, *, days: int, actor: Actor) -> FiguresResponse:
    """Return the days in London, earliest first, and record the reading. `uncounted` concerns are left out."""
    writer.run(record_action, INBOX, DeskAct.SUMMARY_READ, actor, SummaryDetails(days=days))
    today = actor.at.astimezone(LONDON).date()
    dates = [today - dt.timedelta(days=back) for back in reversed(range(days))]
    first = _begin(dates[0])
    # each condition has an index; the first also finds concerns with an unacknowledged addition, which change no figure
    times = _TIMES.where(or_(_CONCERNS.waiting == 0, _CONCERNS.acknowledged_at >= first, _CONCERNS.closed_at >= first))
    counts = _CountsOfDays(dates, actor.at)
    shown = times.where(_CONCERNS.reference.not_in(uncounted(actor)))
    chosen = shown.execution_options(yield_per=ROWS_AT_ONCE)
    with Session(engine) as session:
        for received_at, acknowledge_by, acknowledged_at, closed_at in session.connection().execute(chosen):
            counts.add(received_at, acknowledge_by, acknowledged_at, closed_at)
        return FiguresResponse(days=counts.figures(), **count_hidden(session, actor))


class _CountsOfDays:
    """Counts one concern at a time, because there may be very many."""

    def __init__(self, dates: Sequence[dt.date], at: dt.datetime) -> None:
        self._dates = dates
        self._first = _begin(dates[0])
        next_days = [_begin(day + dt.timedelta(days=1)) for day in dates]
        self._ends = [min(each, at + MICROSECOND) for each in next_days]  # an event at exactly `at` counts
        self._limits = [min(each, at) for each in next_days]
        self._happened: Counter[tuple[str, int]] = Counter()
        self._changes: Counter[tuple[str, int]] = Counter()

    def add(
        self,
        received_at: dt.datetime,
        acknowledge_by: dt.datetime,
        acknowledged_at: dt.datetime | None,
        closed_at: dt.datetime | None,
    ) -> None:
        for name, moment in (("received", received_at), ("acknowledged", acknowledged_at), ("closed", closed_at)):
            if moment is not None and moment >= self._first:
                self._happened[name, bisect_right(self._ends, moment)] += 1
        days = len(self._dates)
        until = days if acknowledged_at is None else bisect_right(self._ends, acknowledged_at)
        since = bisect_right(self._ends, received_at)
        for name, begin in (("waiting", since), ("overdue", max(since, bisect_right(self._limits, acknowledge_by)))):
            if begin < until:
                self._changes[name, begin] += 1
                self._changes[name, until] -= 1

    def figures(self) -> tuple[FiguresOfDay, ...]:
        waiting = overdue = 0
        found = []
        for place, day in enumerate(self._dates):
            waiting += self._changes["waiting", place]
            overdue += self._changes["overdue", place]
            happened = {name: self._happened[name, place] for name in ("received", "acknowledged", "closed")}
            found.append(FiguresOfDay(day=day, waiting=waiting, overdue=overdue, **happened))
        return tuple(found)


def _begin(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, tzinfo=LONDON).astimezone(dt.UTC)


class Figure(NamedTuple):
    """A count of a month in UTC. `value` is None for concerns without one, and `concerns` if it is hidden."""

    month: str
    measure: str
    value: str | None
    concerns: int | None


def read_statistics(engine: Engine, writer: Writer, *, actor: Actor) -> list[Figure]:
    """Return counts by measure, month and value, with small ones hidden. Record the reading."""
    writer.run(record_action, AUDIT, DeskAct.SUMMARY_READ, actor, SummaryDetails(statistics=True))
    with Session(engine) as session:
        counts = list(_count_by_month(session, actor))
    groups = groupby(counts, key=lambda each: (each.measure, each.month))
    return [figure for _, group in groups for figure in _hide_small(list(group))]


def _count_by_month(session: Session, actor: Actor) -> Iterator[Figure]:
    year, month = extract("year", _CONCERNS.received_at), extract("month", _CONCERNS.received_at)
    conditions = _CONCERNS.test.is_(False), _CONCERNS.reference.not_in(uncounted(actor))
    for measure in MEASURES:
        value = _CONCERNS[measure]
        counted = select_columns(year, month, value, func.count()).where(*conditions)
        ordered = counted.group_by(year, month, value).order_by(year, month, func.coalesce(value, ""))
        for row in session.connection().execute(ordered):
            yield Figure(f"{int(row[0])}-{int(row[1]):02}", measure, row[2], row[3])


def _hide_small(counts: Sequence[Figure]) -> list[Figure]:
    hidden = places_to_hide([each.concerns or 0 for each in counts])
    return [each._replace(concerns=None) if place in hidden else each for place, each in enumerate(counts)]


def places_to_hide(counts: Sequence[int]) -> set[int]:
    """Return indexes of counts to hide: those below `SMALLEST_COUNT`, and the next smallest.

    Every measure adds up to one total: a single hidden count would be the total minus the others. So at least two are
    hidden, with a sum of `SMALLEST_COUNT`, or all.
    """
    by_size = sorted(range(len(counts)), key=lambda place: counts[place])
    hidden = {place for place in by_size if counts[place] < SMALLEST_COUNT}
    for place in by_size:
        together = sum(counts[each] for each in hidden)
        if not hidden or (len(hidden) > 1 and together >= SMALLEST_COUNT):
            break
        hidden.add(place)
    return hidden
