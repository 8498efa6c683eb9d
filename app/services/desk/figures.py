"""The team's day in figures, computed back from what waits now."""

import datetime as dt

from sqlalchemy import Engine
from sqlmodel import Session

from app.models.desk.disclosure_tables import INBOX, DeskAct
from app.models.desk.figures import FiguresOfDay
from app.services.concerns.working_days import LONDON
from app.store.concurrent import concurrent_operation
from app.store.disclosures import Actor, record_disclosure
from app.store.figures import (
    count_acknowledged,
    count_closed,
    count_late_until,
    count_received,
    count_still_late,
    count_waiting,
)
from app.store.writer import Writer

EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)


def read_figures(
    engine: Engine, writer: Writer, *, days: int, actor: Actor, at: dt.datetime
) -> tuple[FiguresOfDay, ...]:
    """Return the figures of that many days, up to today, after it is recorded that they are read."""
    _record(writer, f"figures of {days} days", actor=actor, at=at)
    today = at.astimezone(LONDON).date()
    found: list[FiguresOfDay] = []
    with Session(engine) as session:
        waiting, still_late = count_waiting(session, now=at), count_still_late(session, (EARLIEST, at))
        for back in range(days):
            day = today - dt.timedelta(days=back)
            end = min(_begin(day + dt.timedelta(days=1)), at + MICROSECOND)  # with what came at this very moment
            period, moment = (_begin(day), end), min(end, at)
            received, acknowledged = count_received(session, period), count_acknowledged(session, period)
            figures = FiguresOfDay(
                day=day,
                received=received,
                acknowledged=acknowledged,
                closed=count_closed(session, period),
                waiting=waiting,
                overdue=still_late + count_late_until(session, at=moment, until=end),
            )
            found.append(figures)
            waiting += acknowledged - received
            still_late -= count_still_late(session, (_begin(day), moment))
    return tuple(reversed(found))


@concurrent_operation(INBOX)
def _record(session: Session, detail: str, *, actor: Actor, at: dt.datetime) -> None:
    record_disclosure(session, chain=INBOX, act=DeskAct.SUMMARY_READ, actor=actor, at=at, detail=detail)


def _begin(day: dt.date) -> dt.datetime:
    """Return the first moment of the day in London."""
    return dt.datetime.combine(day, dt.time.min, tzinfo=LONDON).astimezone(dt.UTC)
