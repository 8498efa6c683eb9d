"""Statistics for auditors, in which small counts are hidden, and cannot be computed from the others."""

import datetime as dt
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import Engine
from sqlmodel import Session

from app.models.desk.disclosure_tables import AUDIT, DeskAct
from app.store.disclosures import Actor, record_disclosure
from app.store.statistics import MonthlyCount, count_by_month
from app.store.writer import Writer, write_operation

SMALLEST_COUNT = 5
"""Smaller counts could be of a child that somebody knows."""


class Figure(NamedTuple):
    """One line of the statistics. `concerns` is None where it is hidden."""

    month: str
    measure: str
    value: str | None
    concerns: int | None


def read_statistics(engine: Engine, writer: Writer, *, actor: Actor, at: dt.datetime) -> list[Figure]:
    """Return the figures by measure and month, after it is recorded that they are read."""
    _record(writer, actor=actor, at=at)
    with Session(engine) as session:
        counts = list(count_by_month(session))
    groups = groupby(counts, key=lambda each: (each.measure, each.year, each.month))
    return [figure for _, group in groups for figure in _hide_small(list(group))]


@write_operation
def _record(session: Session, *, actor: Actor, at: dt.datetime) -> None:
    record_disclosure(session, chain=AUDIT, act=DeskAct.SUMMARY_READ, actor=actor, at=at, detail="statistics")


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
