"""Exact daily figures for the desk, and monthly statistics for auditors, which hide small counts.

Tests are not counted. Readings raise `StoreBusy` if they could not be recorded.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, case, column, extract, func, text
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
EVENTS = ("received", "acknowledged", "closed")
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
        counts = _count_days(session.connection(), begins, actor)
        figures = [FiguresOfDay(day=day, **each) for day, each in zip(dates, counts, strict=True)]
        return FiguresResponse(days=tuple(figures), **count_hidden(session, actor))


def _count_days(connection: Connection, begins: Sequence[dt.datetime], actor: Actor) -> list[dict[str, int]]:
    """Count each day from one of `begins` to the next, by indexes.

    What waited at the end of a day is what waits now, without what came since, and with what was acknowledged since.
    """
    left_out = uncounted(actor).cte("uncounted")
    is_counted = _CONCERNS.reference.not_in(select_columns(left_out.c.reference))
    conditions = _CONCERNS.test.is_(False), is_counted
    waits = *conditions, WAITS, _CONCERNS.acknowledge_by < END_OF_TIME  # which its index begins with
    spans = " UNION ALL ".join(
        f"SELECT :began_{place} AS began, :ended_{place} AS ended" for place in range(len(begins))
    )
    moments = {f"began_{place}": each for place, each in enumerate(begins)}
    moments |= {f"ended_{place}": each for place, each in enumerate([*begins[1:], END_OF_TIME])}
    told = (bindparam(name, moment, UtcDateTimeType) for name, moment in moments.items())
    times = column("began", UtcDateTimeType), column("ended", UtcDateTimeType)
    day = text(spans).bindparams(*told).columns(*times).cte("days")  # `values` would be compiled each time
    counts = [
        select_columns(func.count()).where(moment >= day.c.began, moment < day.c.ended, *which).scalar_subquery()
        for moment, which in (
            *((_CONCERNS[f"{name}_at"], conditions) for name in EVENTS),
            (_CONCERNS.acknowledge_by, (*waits, _CONCERNS.acknowledge_by < actor.at)),
        )
    ]
    *by_day, later = connection.execute(select_columns(*counts).select_from(day).order_by(day.c.began)).all()
    is_overdue = case((_CONCERNS.acknowledge_by < actor.at, 1))
    waiting, overdue = connection.execute(select_columns(func.count(), func.count(is_overdue)).where(*waits)).one()
    waiting += later[1] - later[0]  # since
    late = _late_by_day(connection, begins, conditions, actor)
    found = []
    for place, (received, acknowledged, closed, due) in reversed([*enumerate(by_day)]):
        happened = {"received": received, "acknowledged": acknowledged, "closed": closed}
        found.append({**happened, "waiting": waiting, "overdue": overdue + late[place]})
        waiting, overdue = waiting - received + acknowledged, overdue - due
    return found[::-1]


def _late_by_day(
    connection: Connection, begins: Sequence[dt.datetime], conditions: Iterable[ColumnElement[bool]], actor: Actor
) -> list[int]:
    """Count what was overdue at the end of each day, and acknowledged later."""
    is_late = _CONCERNS.acknowledged_at >= begins[1], _CONCERNS.acknowledge_by < _CONCERNS.acknowledged_at
    times = select_columns(_CONCERNS.acknowledge_by, _CONCERNS.acknowledged_at).where(*is_late, *conditions)
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
