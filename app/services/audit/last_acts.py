"""A query of the audit log for the last actions on concerns, and for the time when a person last opened a concern."""

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import case, func, select, tuple_
from sqlmodel import Session

from app.db.tables import table_of
from app.models.audit.details import TO_SEE_FIRST
from app.models.audit.rows import AuditEntryRow, DeskAct

_ROWS = table_of(AuditEntryRow)
_ENTRIES = _ROWS.c


class LastActs(NamedTuple):
    """The last acts on a concern. `entry` changed it or sent something, other than a label. `seen` is of any kind."""

    entry: AuditEntryRow
    opened_at: dt.datetime | None
    seen: int


def find_last_acts(session: Session, references: Collection[str], *, client: str) -> dict[str, LastActs]:
    """Return the last actions by concern, in two queries. Concerns that nobody changed are left out."""
    if not references:
        return {}
    is_act = _ENTRIES.act.in_([each.value for each in TO_SEE_FIRST])
    is_opening = (_ENTRIES.act == DeskAct.OPENED.value) & (_ENTRIES.client == client)
    measured = select(
        _ENTRIES.chain,
        func.max(case((is_act, _ENTRIES.number))).label("number"),
        func.max(case((is_opening, _ENTRIES.number))).label("opening"),
        func.max(_ENTRIES.number).label("seen"),
    )
    chains = session.execute(measured.where(_ENTRIES.chain.in_(references)).group_by(_ENTRIES.chain)).all()
    places = [(row.chain, number) for row in chains for number in (row.number, row.opening) if number is not None]
    rows = session.scalars(select(AuditEntryRow).where(tuple_(_ENTRIES.chain, _ENTRIES.number).in_(places)))
    by_place = {(row.chain, row.number): row for row in rows}
    return {
        row.chain: LastActs(
            by_place[row.chain, row.number],
            None if row.opening is None else by_place[row.chain, row.opening].at,
            row.seen,
        )
        for row in chains
        if row.number is not None
    }
