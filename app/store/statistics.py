"""Counts of concerns for statistics, by month and by what is in clear. Tests are in no count."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import extract, func
from sqlalchemy import select as select_columns
from sqlmodel import Session

from app.models.concerns.tables import ConcernRow
from app.store.tables import table_of

MEASURES = ("guide", "state", "immediate_danger", "referral_source", "outcome")


class MonthlyCount(NamedTuple):
    """How many concerns of a month have that value. The month is that of the receipt, in UTC."""

    year: int
    month: int
    measure: str
    value: str | None
    concerns: int


def count_by_month(session: Session) -> Iterator[MonthlyCount]:
    """Yield the count of every value of every measure in every month, in order."""
    columns = table_of(ConcernRow).c
    year, month = extract("year", columns.received_at), extract("month", columns.received_at)
    for measure in MEASURES:
        value = columns[measure]
        counted = select_columns(year, month, value, func.count()).where(columns.test.is_(False))
        ordered = counted.group_by(year, month, value).order_by(year, month, func.coalesce(value, ""))
        for row in session.connection().execute(ordered):
            yield MonthlyCount(int(row[0]), int(row[1]), measure, row[2], row[3])
