"""The workload of each person at the desk: the numbers of their open concerns."""

import datetime as dt
from typing import NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session

from app.db.tables import table_of
from app.db.writer import Writer
from app.models.audit.details import SummaryDetails
from app.models.audit.rows import INBOX, DeskAct
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import CLOSED_RANK, ConcernRow
from app.services.access.restrictions import may_open
from app.services.audit.audit_log import Actor, record_action
from app.services.desk.inbox import is_overdue

_CONCERNS = table_of(ConcernRow).c


class Workload(NamedTuple):
    """Open concerns of one person, or of nobody if the name is empty, as the inbox has them.

    `received` are unacknowledged.
    """

    person: str
    open: int
    received: int
    overdue: int
    oldest: dt.datetime
    oldest_reference: str


def read_workload(writer: Writer, *, actor: Actor) -> list[Workload]:
    """Return who has what, unassigned first, then by name, and record the reading.

    Only what `actor` may open counts, without test concerns. Raise `StoreBusy`.
    """
    by_age = (_CONCERNS.received_at, _CONCERNS.reference)
    first = func.first_value(_CONCERNS.reference).over(partition_by=_CONCERNS.assigned_to, order_by=by_age)
    each = (
        select(
            _CONCERNS.assigned_to,
            (_CONCERNS.state == ConcernState.RECEIVED.value).label("received"),
            is_overdue(actor.at).label("overdue"),
            _CONCERNS.received_at,
            first.label("first"),
        )
        .where(_CONCERNS.waiting < CLOSED_RANK, _CONCERNS.test.is_(False), may_open(actor))
        .subquery()
        .c
    )
    numbers = func.count(), func.count().filter(each.received), func.count().filter(each.overdue)
    counted = (
        select(each.assigned_to, *numbers, func.min(each.received_at), func.min(each.first))
        .group_by(each.assigned_to)
        .order_by(each.assigned_to)
    )
    with Session(writer.engine) as session:
        found = [Workload(*row) for row in session.execute(counted)]
    writer.run(record_action, INBOX, DeskAct.SUMMARY_READ, actor, SummaryDetails(people=True))
    return found
