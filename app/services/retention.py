"""Retention: a concern's text is erased when the council's periods end; never before it is acknowledged."""

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from app.db.writer import Writer
from app.errors import ConcernErased, NotAcknowledged, OnHold
from app.models.entries import EntryKind
from app.models.receipts import ConcernState
from app.services.acts import acknowledge, erase
from app.services.concerns import due_for_erasure, tests_due_for_erasure
from app.services.entries import measure_entries
from app.services.record import Actor, purge_remnants

RETENTION = Actor("retention", "this service")
ERASURE_BATCH_SIZE = 200
TEST_LIFETIME = dt.timedelta(days=1)


@dataclass(frozen=True)
class RetentionPeriods:
    """Days for which the text is stored in each state; None means for ever."""

    acknowledged_days: int | None
    closed_days: int | None


def erase_due_concerns(engine: Engine, writer: Writer, periods: RetentionPeriods, *, at: dt.datetime) -> Iterator[str]:
    """Erase the text of each concern whose period has ended, and of each test after a day, and yield its reference.

    It is the operation of the desk: what is on hold or not acknowledged is never erased, whatever the periods are.
    """
    erased = 0
    try:
        for reference in _erase_all(engine, writer, periods, at):
            erased += 1
            yield reference
    finally:
        if erased:
            purge_remnants(engine)


def _erase_all(engine: Engine, writer: Writer, periods: RetentionPeriods, at: dt.datetime) -> Iterator[str]:
    yield from _erase_tests(engine, writer, at)
    states = {ConcernState.ACKNOWLEDGED: periods.acknowledged_days, ConcernState.CLOSED: periods.closed_days}
    for state, days in states.items():
        if days is not None:
            yield from _erase_state(engine, writer, state, days, at)


def _erase_tests(engine: Engine, writer: Writer, at: dt.datetime) -> Iterator[str]:
    """Acknowledge and erase tests, by the operations of the desk: for a test the rules of the database are the same."""
    while True:
        with Session(engine) as session:
            due = tests_due_for_erasure(session, before=at - TEST_LIFETIME, limit=ERASURE_BATCH_SIZE)
            additions = {reference: measure_entries(session, EntryKind.ADDITION, reference)[0] for reference in due}
        if not due:
            return
        for reference, count in additions.items():
            with suppress(ConcernErased, NotAcknowledged, OnHold):  # it was changed after it was listed
                acknowledge(writer, reference, up_to_addition=count, actor=RETENTION, at=at)
                erase(writer, reference, reason="a test, erased after a day", actor=RETENTION, at=at)
                yield reference


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
