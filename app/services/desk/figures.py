"""Exact daily figures for the desk, and monthly statistics for auditors, which hide small counts.

Tests are not counted. Readings raise `StoreBusy` if they could not be recorded.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, extract, func, text
from sqlalchemy import select as select_columns
from sqlmodel import Session

from app.db.tables import table_of
from app.db.writer import Writer
from app.models.audit.details import SummaryDetails
from app.models.audit.rows import AUDIT, INBOX, DeskAct
from app.models.base import UtcDateTimeType
from app.models.concerns.rows import ConcernRow
from app.models.desk.figures import FiguresOfDay, FiguresResponse
from app.services.access.restrictions import uncounted
from app.services.audit.audit_log import Actor, record_action
from app.services.clock.working_days import LONDON
from app.services.concerns.deadlines import WAITS
from app.services.desk.inbox import count_hidden

MICROSECOND = dt.timedelta(microseconds=1)
END_OF_TIME = dt.datetime.max.replace(tzinfo=dt.UTC)
COUNTS = ("received", "acknowledged", "closed", "waiting", "overdue")
SMALLEST_COUNT = 5
"""Counts from 1 to below are hidden: people could recognise the child."""
MEASURES = ("guide", "state", "immediate_danger", "referral_source", "channel", "outcome")
_CONCERNS = table_of(ConcernRow).c


def read_figures(engine: Engine, writer: Writer, *, days: int, actor: Actor) -> FiguresResponse:
    """Return the days in London, earliest first, and record the reading. `uncounted` concerns are left out."""
    writer.run(record_action, INBOX, DeskAct.SUMMARY_READ, actor, SummaryDetails(days=days))
    today = actor.at.astimezone(LONDON).date()
    dates = [today - dt.timedelta(days=back) for back in reversed(range(days))]
    begins = [*map(_begin, dates), actor.at + MICROSECOND]  # an event at exactly `at` is of today
    with Session(engine) as session:
        counts = zip(dates, _count_days(session.connection(), begins, actor), strict=True)
        figures = tuple(FiguresOfDay(day=day, **each) for day, each in counts)
        return FiguresResponse(days=figures, **count_hidden(session, actor))


def _count_days(connection: Connection, begins: Sequence[dt.datetime], actor: Actor) -> list[dict[str, int]]:
    """Count each day from one of `begins` to the next, by indexes.

    What waited at the end of a day is what waits now, without what came since, and with what was acknowledged since.
    """
    left_out = select_columns(uncounted(actor).cte("uncounted").c.reference)
    conditions = _CONCERNS.test.is_(False), _CONCERNS.reference.not_in(left_out)
    waits = *conditions, WAITS, _CONCERNS.acknowledge_by < END_OF_TIME  # which its index begins with
    moments = {f"at_{place}": each for place, each in enumerate([*begins, END_OF_TIME])}
    spans = " UNION ALL ".join(f"SELECT :at_{place} AS began, :at_{place + 1} AS ended" for place in range(len(begins)))
    bound = text(spans).bindparams(*(bindparam(name, each, UtcDateTimeType) for name, each in moments.items()))
    day = bound.columns(began=UtcDateTimeType, ended=UtcDateTimeType).cte("days")  # `values` is compiled each time
    counts = [
        select_columns(func.count()).where(moment >= day.c.began, moment < day.c.ended, *which).scalar_subquery()
        for moment, which in (
            *((_CONCERNS[f"{name}_at"], conditions) for name in COUNTS[:3]),
            (_CONCERNS.acknowledge_by, (*waits, _CONCERNS.acknowledge_by < actor.at)),
        )
    ]
    *by_day, later = connection.execute(select_columns(*counts).select_from(day).order_by(day.c.began)).all()
    open_ones = select_columns(func.count(), func.count().filter(_CONCERNS.acknowledge_by < actor.at))
    waiting, overdue = connection.execute(open_ones.where(*waits)).one()
    waiting += later[1] - later[0]  # since
    late = _late_by_day(connection, begins, conditions, actor)
    found = []
    for place, (received, acknowledged, closed, due) in reversed([*enumerate(by_day)]):
        found.append(dict(zip(COUNTS, (received, acknowledged, closed, waiting, overdue + late[place]), strict=True)))
        waiting, overdue = waiting - received + acknowledged, overdue - due
    return found[::-1]


def _late_by_day(
    connection: Connection, begins: Sequence[dt.datetime], conditions: Iterable[ColumnElement[bool]], actor: Actor
) -> list[int]:
    """Count what was overdue at the end of each day, and acknowledged later."""
    times = select_columns(_CONCERNS.acknowledge_by, _CONCERNS.acknowledged_at).where(
        _CONCERNS.acknowledged_at >= begins[1], _CONCERNS.acknowledge_by < _CONCERNS.acknowledged_at, *conditions
    )
    ends, counts = begins[1:], [0] * (len(begins) - 1)
    for acknowledge_by, acknowledged_at in connection.execute(times):
        for place in range(bisect_right([*ends[:-1], actor.at], acknowledge_by), bisect_right(ends, acknowledged_at)):
            counts[place] += 1
    return counts


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
