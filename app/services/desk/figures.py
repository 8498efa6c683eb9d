"""The team's day in figures, computed back from what waits now."""

import datetime as dt

from sqlalchemy import Engine
from sqlmodel import Session

from app.models.desk.disclosure_tables import INBOX, DeskAct
from app.models.desk.figures import FiguresOfDay
from app.services.concerns.working_days import LONDON
from app.store.disclosures import Actor, record_disclosure
from app.store.figures import (
    count_acknowledged,
    count_closed,
    count_late_until,
    count_received,
    count_still_late,
    count_waiting,
)
from app.store.writer import Writer, write_operation

EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


def read_figures(
    engine: Engine, writer: Writer, *, days: int, actor: Actor, at: dt.datetime
) -> tuple[FiguresOfDay, ...]:
    """Return the figures of that many days, up to today, after it is recorded that they are read."""
    _record(writer, f"figures of {days} days", actor=actor, at=at)
    today = at.astimezone(LONDON).date()
    back = [today - dt.timedelta(days=each) for each in range(days)]
    begins = [_begin(day) for day in back]
    ends = [at + MICROSECOND, *begins][:days]  # with what came at this very moment
    periods, moments = list(zip(begins, ends, strict=True)), [at, *ends[1:]]
    found: list[FiguresOfDay] = []
    with Session(engine) as session:
        waiting = count_waiting(session, now=at)
        still_late, *late_since = count_still_late(session, [(EARLIEST, at), *zip(begins, moments, strict=True)])
        counts = zip(
            back,
            count_received(session, periods),
            count_acknowledged(session, periods),
            count_closed(session, periods),
            count_late_until(session, list(zip(moments, ends, strict=True))),
            late_since,
            strict=True,
        )
        for day, received, acknowledged, closed, late_until, ended_that_day in counts:
            figures = FiguresOfDay(
                day=day,
                received=received,
                acknowledged=acknowledged,
                closed=closed,
                waiting=waiting,
                overdue=still_late + late_until,
            )
            found.append(figures)
            waiting += acknowledged - received
            still_late -= ended_that_day
    return tuple(reversed(found))


@write_operation
def _record(session: Session, detail: str, *, actor: Actor, at: dt.datetime) -> None:
    record_disclosure(session, chain=INBOX, act=DeskAct.SUMMARY_READ, actor=actor, at=at, detail=detail)


def _begin(day: dt.date) -> dt.datetime:
    """Return the first moment of the day in London."""
    return dt.datetime.combine(day, dt.time.min, tzinfo=LONDON).astimezone(dt.UTC)
