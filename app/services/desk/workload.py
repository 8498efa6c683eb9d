"""Who has what: the numbers of open concerns of each person."""

import datetime as dt
from typing import NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session

from app.db.tables import table_of
from app.db.writer import Writer
from app.models.audit.audit_log import INBOX, DeskAct
from app.models.audit.details import SummaryDetails
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import CLOSED_RANK, ConcernRow
from app.services.audit.audit_log import Actor, record_reading
from app.services.audit.restrictions import may_open
from app.services.desk.inbox import is_overdue

_CONCERNS = table_of(ConcernRow).c


class Workload(NamedTuple):
    """The open concerns of one person: how many, how many not acknowledged or overdue, and when the oldest came.

    `person` is empty for the concerns that nobody has. The numbers are those of the filters of the inbox.
    """

    person: str
    open: int
    received: int
    overdue: int
    oldest: dt.datetime


def read_workload(writer: Writer, *, actor: Actor) -> list[Workload]:
    """Record the reading in the audit log, and return the open concerns of each person who has any, by name.

    Tests, and concerns that the actor may not open, are left out. One index has every column, so only open concerns are
    read, and none of their rows.
    """
    counted = (
        select(
            _CONCERNS.assigned_to,
            func.count(),
            func.count().filter(_CONCERNS.state == ConcernState.RECEIVED.value),
            func.count().filter(is_overdue(actor.at)),
            func.min(_CONCERNS.received_at),
        )
        .where(_CONCERNS.waiting < CLOSED_RANK, _CONCERNS.test.is_(False), may_open(actor))
        .group_by(_CONCERNS.assigned_to)
        .order_by(_CONCERNS.assigned_to)
    )
    with Session(writer.engine) as session:
        found = [Workload(*row) for row in session.execute(counted)]
    writer.run(record_reading, INBOX, DeskAct.SUMMARY_READ, actor, SummaryDetails(people=True))
    return found
