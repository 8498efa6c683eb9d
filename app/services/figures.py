"""Figures: the team's last days, exact, for the desk alone; and statistics for auditors, with small counts hidden.

Tests are in no figure.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Engine, extract, func, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session

from app.db.tables import table_of
from app.db.writer import Writer
from app.models.concerns import ConcernRow
from app.models.figures import FiguresOfDay
from app.models.record import AUDIT, INBOX, DeskAct
from app.services.hours import LONDON
from app.services.record import Actor, record_disclosure

MICROSECOND = dt.timedelta(microseconds=1)
SMALLEST_COUNT = 5
"""Smaller counts could be of a child that somebody knows."""
MEASURES = ("guide", "state", "immediate_danger", "referral_source", "outcome")
_CONCERNS = table_of(ConcernRow).c
_TIMES = select_columns(
    _CONCERNS.received_at, _CONCERNS.acknowledge_by, _CONCERNS.acknowledged_at, _CONCERNS.closed_at
).where(_CONCERNS.test.is_(False))


def read_figures(engine: Engine, writer: Writer, *, days: int, actor: Actor) -> tuple[FiguresOfDay, ...]:
    """Return the figures of that many days, up to today, after it is recorded that they are read."""
    detail = f"figures of {days} days"
    writer.run(partial(record_disclosure, chain=INBOX, act=DeskAct.SUMMARY_READ, actor=actor, detail=detail))
    today = actor.at.astimezone(LONDON).date()
    dates = [today - dt.timedelta(days=back) for back in reversed(range(days))]
    first = _begin(dates[0])
    times = _TIMES.where(
        or_(_CONCERNS.acknowledged_at.is_(None), _CONCERNS.acknowledged_at >= first, _CONCERNS.closed_at >= first)
    )
    with Session(engine) as session:
        concerns = session.connection().execute(times.where(_CONCERNS.received_at <= actor.at)).all()
    return tuple(_figures_of(day, concerns, actor.at) for day in dates)


def _figures_of(day: dt.date, concerns: Sequence[Any], at: dt.datetime) -> FiguresOfDay:
    begin, next_day = _begin(day), _begin(day + dt.timedelta(days=1))
    end = min(next_day, at + MICROSECOND)  # with what came at this very moment
    waiting = [
        each
        for each in concerns
        if each.received_at < end and (each.acknowledged_at is None or each.acknowledged_at >= end)
    ]
    return FiguresOfDay(
        day=day,
        received=sum(begin <= each.received_at < end for each in concerns),
        acknowledged=sum(each.acknowledged_at is not None and begin <= each.acknowledged_at < end for each in concerns),
        closed=sum(each.closed_at is not None and begin <= each.closed_at < end for each in concerns),
        waiting=len(waiting),
        overdue=sum(each.acknowledge_by < min(next_day, at) for each in waiting),
    )


def _begin(day: dt.date) -> dt.datetime:
    """Return the first moment of the day in London."""
    return dt.datetime.combine(day, dt.time.min, tzinfo=LONDON).astimezone(dt.UTC)


class Figure(NamedTuple):
    """One line of the statistics. `concerns` is None where it is hidden."""

    month: str
    measure: str
    value: str | None
    concerns: int | None


class MonthlyCount(NamedTuple):
    """How many concerns of a month have that value. The month is that of the receipt, in UTC."""

    year: int
    month: int
    measure: str
    value: str | None
    concerns: int


def read_statistics(engine: Engine, writer: Writer, *, actor: Actor) -> list[Figure]:
    """Return the figures by measure and month, after it is recorded that they are read."""
    detail = "statistics"
    writer.run(partial(record_disclosure, chain=AUDIT, act=DeskAct.SUMMARY_READ, actor=actor, detail=detail))
    with Session(engine) as session:
        counts = list(_count_by_month(session))
    groups = groupby(counts, key=lambda each: (each.measure, each.year, each.month))
    return [figure for _, group in groups for figure in _hide_small(list(group))]


def _count_by_month(session: Session) -> Iterator[MonthlyCount]:
    """Yield the count of every value of every measure in every month, in order."""
    year, month = extract("year", _CONCERNS.received_at), extract("month", _CONCERNS.received_at)
    for measure in MEASURES:
        value = _CONCERNS[measure]
        counted = select_columns(year, month, value, func.count()).where(_CONCERNS.test.is_(False))
        ordered = counted.group_by(year, month, value).order_by(year, month, func.coalesce(value, ""))
        for row in session.connection().execute(ordered):
            yield MonthlyCount(int(row[0]), int(row[1]), measure, row[2], row[3])


def _hide_small(counts: Sequence[MonthlyCount]) -> list[Figure]:
    """Hide the small counts of one measure in one month, and the next smallest ones until nothing can be computed.

    The sum of a month is in every measure that hides nothing. So what is hidden has at least two values, and is not
    small together.
    """
    by_size = sorted(range(len(counts)), key=lambda place: counts[place].concerns)
    hidden = {place for place in by_size if counts[place].concerns < SMALLEST_COUNT}
    for place in by_size:
        together = sum(counts[each].concerns for each in hidden)
        if not hidden or (len(hidden) > 1 and together >= SMALLEST_COUNT):
            break
        hidden.add(place)
    return [
        Figure(f"{each.year}-{each.month:02}", each.measure, each.value, None if place in hidden else each.concerns)
        for place, each in enumerate(counts)
    ]
