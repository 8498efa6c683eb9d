"""Erasure of concerns after the end of their retention period: unacknowledged ones never, except tests."""

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from sqlalchemy import Engine, exists, func, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.config import Settings
from app.db.writer import Writer
from app.errors import ConcernErased, NotAcknowledged, OnHold
from app.models.audit.entry_kinds import EntryKind
from app.models.concerns.entries import EntryRow
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import ConcernRow
from app.models.desk.actions import Acknowledgement, Erasure
from app.services.audit.audit_log import Actor
from app.services.audit.known_time import note_time
from app.services.audit.remnants import purge_remnants
from app.services.concerns.entries import measure_entries
from app.services.desk.actions import acknowledge, erase

RETENTION = "retention"
"""The actor of this erasure in the audit log."""
by_retention = partial(Actor, RETENTION, "this service")
ERASURE_BATCH_SIZE = 200
TEST_LIFETIME = dt.timedelta(days=1)
OPEN_SINCE = func.coalesce(col(ConcernRow.reopened_at), col(ConcernRow.acknowledged_at))
"""Time of an acknowledged concern's last reopening, or otherwise of its acknowledgement."""


@dataclass(frozen=True)
class RetentionPeriods:
    """Periods in days, None for ever. After closing only `closed_days` counts.

    Reopening, closing and additions restart a period.
    """

    acknowledged_days: int | None
    closed_days: int | None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.retention_acknowledged_days, settings.retention_closed_days)


def erase_due_concerns(
    engine: Engine, writer: Writer, periods: RetentionPeriods, *, at: dt.datetime, is_clock_checked: bool = False
) -> Iterator[str]:
    """Erase what is due, and test concerns after a day, and yield each. It erases only as the iterator is used up.

    Nothing on hold or unacknowledged is erased; test concerns are acknowledged first. Bytes are purged at the end, also
    after an error. Raise `ClockInDoubt` before the first, unless a person checked the clock, and `StoreBusy`.
    """
    writer.run(note_time, at, is_checked=is_clock_checked)
    erased = 0
    try:
        for reference in _erase_all(engine, writer, periods, at):
            erased += 1
            yield reference
    finally:
        if erased:
            purge_remnants(engine)


def _erase_all(engine: Engine, writer: Writer, periods: RetentionPeriods, at: dt.datetime) -> Iterator[str]:
    tests = col(ConcernRow.test).is_(True), col(ConcernRow.received_at) < at - TEST_LIFETIME
    reason = Erasure(reason="a test, erased after a day")
    for reference in _due(engine, select(ConcernRow.reference).where(*tests).order_by(col(ConcernRow.received_at))):
        with Session(engine) as session:
            count, _ = measure_entries(session, EntryKind.ADDITION, reference)
        with suppress(ConcernErased, NotAcknowledged, OnHold):  # the concern was changed after it was listed
            # The rules of the database hold for tests too: only an acknowledged concern can be erased.
            writer.run(acknowledge, reference, Acknowledgement(up_to_addition=count), by_retention(at))
            writer.run(erase, reference, reason, by_retention(at))
            yield reference
    for state, since, days in limited_states(periods):
        for reference in _due(engine, in_state(state, since, before=at - dt.timedelta(days=days))):
            with suppress(ConcernErased, NotAcknowledged, OnHold):
                writer.run(erase, reference, Erasure(reason=f"kept for {days} days"), by_retention(at))
                yield reference


def limited_states(periods: RetentionPeriods) -> list[tuple[ConcernState, Any, int]]:
    """Yield each state that has a period, with the period's start as SQL and its days."""
    states = (
        (ConcernState.ACKNOWLEDGED, OPEN_SINCE, periods.acknowledged_days),
        (ConcernState.CLOSED, col(ConcernRow.closed_at), periods.closed_days),
    )
    return [(state, since, days) for state, since, days in states if days is not None]


def erasable(statement: SelectOfScalar[str]) -> SelectOfScalar[str]:
    return statement.where(col(ConcernRow.held).is_(False), col(ConcernRow.erased_at).is_(None))


def in_state(state: ConcernState, since: Any, *, before: dt.datetime) -> SelectOfScalar[str]:
    """Select the concerns whose period began before a time, earliest first.

    An addition that waits or was acknowledged later leaves its concern out.
    """
    waits = exists().where(
        col(EntryRow.reference) == ConcernRow.reference,
        col(EntryRow.kind) == EntryKind.ADDITION.value,
        or_(col(EntryRow.acknowledged_at).is_(None), col(EntryRow.acknowledged_at) >= before),
    )
    return select(ConcernRow.reference).where(ConcernRow.state == state, since < before, ~waits).order_by(since)


def _due(engine: Engine, statement: SelectOfScalar[str]) -> Iterator[str]:
    """Yield in batches until none is found: the caller must erase each, or it would be found again."""
    due = erasable(statement).limit(ERASURE_BATCH_SIZE)
    while True:
        with Session(engine) as session:
            references = session.exec(due).all()
        if not references:
            return
        yield from references
