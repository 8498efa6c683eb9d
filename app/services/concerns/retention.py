"""Retention: a concern's text is erased when the council's periods end; never before it is acknowledged."""

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import ConcernErased, NotAcknowledged, OnHold
from app.models.concerns.tables import ConcernState
from app.services.desk.actions import erase
from app.store.concerns import due_for_erasure
from app.store.disclosures import Actor
from app.store.remnants import purge_remnants
from app.store.writer import Writer

RETENTION = Actor("retention", "this service")
ERASURE_BATCH_SIZE = 200


@dataclass(frozen=True)
class RetentionPeriods:
    """Days for which the text is stored in each state; None means for ever."""

    acknowledged_days: int | None
    closed_days: int | None


def erase_due_concerns(engine: Engine, writer: Writer, periods: RetentionPeriods, *, at: dt.datetime) -> Iterator[str]:
    """Erase the text of each concern whose period has ended, and yield its reference.

    Uses the same operation as an erasure on request. So a concern that is on hold or not acknowledged is never erased,
    whatever the periods are.
    """
    try:
        for state, days in (
            (ConcernState.ACKNOWLEDGED, periods.acknowledged_days),
            (ConcernState.CLOSED, periods.closed_days),
        ):
            if days is not None:
                yield from _erase_state(engine, writer, state, days, at)
    finally:
        purge_remnants(engine)


def _erase_state(engine: Engine, writer: Writer, state: ConcernState, days: int, at: dt.datetime) -> Iterator[str]:
    while True:
        with Session(engine) as session:
            due = due_for_erasure(session, state=state, before=at - dt.timedelta(days=days), limit=ERASURE_BATCH_SIZE)
        if not due:
            return
        for reference in due:
            with suppress(ConcernErased, NotAcknowledged, OnHold):  # it was changed after it was listed
                erase(writer, reference, reason=f"kept for {days} days", actor=RETENTION, at=at)
                yield reference
