"""Figures for a safeguarding board: concerns received, times to acknowledgement, outcomes. Small counts are hidden."""

import datetime as dt
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session

from app.db.tables import table_of
from app.db.writer import Writer
from app.models.audit.details import SummaryDetails
from app.models.audit.rows import AUDIT, DeskAct
from app.models.concerns.rows import ConcernRow
from app.services.access.restrictions import uncounted
from app.services.audit.audit_log import Actor, record_action
from app.services.desk.figures import SMALLEST_COUNT, places_to_hide

_CONCERNS = table_of(ConcernRow).c
OF_RECEIVED = ("referral_source", "channel", "guide", "immediate_danger")
OUTCOME = "outcome"
NINTH_DECILE = 8


@dataclass(frozen=True)
class Months:
    """Whole months in UTC, by the first days of the first and the last."""

    first: dt.date
    last: dt.date

    @property
    def start(self) -> dt.datetime:
        return dt.datetime.combine(self.first, dt.time.min, tzinfo=dt.UTC)

    @property
    def end(self) -> dt.datetime:
        following = (self.last + dt.timedelta(days=31)).replace(day=1)
        return dt.datetime.combine(following, dt.time.min, tzinfo=dt.UTC)


@dataclass(frozen=True)
class BoardCount:
    """The number of concerns with one code of a measure, or with none. `concerns` is None if hidden."""

    code: str | None
    concerns: int | None


@dataclass(frozen=True)
class BoardFigures:
    """A count is None if it is hidden. The measure `outcome` counts closed concerns, all others received concerns.

    Half of the concerns were acknowledged within `median`, and nine in ten within `nine_of_ten`. Both are None if there
    are fewer than `SMALLEST_COUNT`.
    """

    received: int | None
    closed: int | None
    measures: dict[str, list[BoardCount]]
    median: dt.timedelta | None
    nine_of_ten: dt.timedelta | None


def read_board_figures(writer: Writer, months: Months, *, actor: Actor) -> BoardFigures:
    """Return the figures, and record the reading. Test concerns, and those `uncounted` for `actor`, are left out.

    Raise `StoreBusy`.
    """
    period = SummaryDetails(statistics=True, first_month=months.first, last_month=months.last)
    writer.run(record_action, AUDIT, DeskAct.SUMMARY_READ, actor, period)
    with Session(writer.engine) as session:
        received = _within(_CONCERNS.received_at, months, actor)
        counts = {name: _count(session, name, received) for name in OF_RECEIVED}
        counts[OUTCOME] = _count(session, OUTCOME, _within(_CONCERNS.closed_at, months, actor))
        times = _times(session, received)
    totals = {name: sum(number for _code, number in counts[name]) for name in (OF_RECEIVED[0], OUTCOME)}
    shown = [number if number == 0 or number >= SMALLEST_COUNT else None for number in totals.values()]
    return BoardFigures(shown[0], shown[1], {name: _hidden(found) for name, found in counts.items()}, *_deciles(times))


def _within(moment: ColumnElement[dt.datetime], months: Months, actor: Actor) -> list[ColumnElement[bool]]:
    is_counted = _CONCERNS.reference.not_in(uncounted(actor))
    return [moment >= months.start, moment < months.end, _CONCERNS.test.is_(False), is_counted]


def _count(session: Session, name: str, conditions: Sequence[ColumnElement[bool]]) -> list[tuple[str | None, int]]:
    value = _CONCERNS[name]
    counted = select(value, func.count()).where(*conditions).group_by(value)
    return sorted(((row[0], row[1]) for row in session.execute(counted)), key=lambda each: (-each[1], each[0] or ""))


def _times(session: Session, conditions: Sequence[ColumnElement[bool]]) -> list[float]:
    """Seconds from receipt to acknowledgement."""
    times = select(_CONCERNS.received_at, _CONCERNS.acknowledged_at).where(*conditions)
    rows = session.execute(times.where(_CONCERNS.acknowledged_at.is_not(None)))
    return [(end - start).total_seconds() for start, end in rows]


def _deciles(times: Sequence[float]) -> tuple[dt.timedelta | None, dt.timedelta | None]:
    if len(times) < SMALLEST_COUNT:
        return None, None
    deciles = statistics.quantiles(times, n=10, method="inclusive")
    return dt.timedelta(seconds=statistics.median(times)), dt.timedelta(seconds=deciles[NINTH_DECILE])


def _hidden(counts: Sequence[tuple[str | None, int]]) -> list[BoardCount]:
    hidden = places_to_hide([number for _code, number in counts])
    return [BoardCount(code, None if place in hidden else number) for place, (code, number) in enumerate(counts)]
