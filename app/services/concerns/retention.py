"""Retention: the words of a concern go when the council's own periods end; what nobody acknowledged never goes."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import ConcernErased, NotAcknowledged, OnHold
from app.models.concerns.tables import ConcernState
from app.services.desk.actions import erase
from app.store.concerns import due_for_erasure
from app.store.database import forget_freed_pages
from app.store.disclosures import Actor
from app.store.writer import Writer

RETENTION = Actor("retention", "this service")
PORTION = 200


@dataclass(frozen=True)
class Periods:
    """Days for which words are kept in each state; None keeps them for ever."""

    acknowledged_days: int | None
    closed_days: int | None


def erase_what_is_due(engine: Engine, writer: Writer, periods: Periods, *, at: dt.datetime) -> Iterator[str]:
    """Erase the words of each concern whose period has ended, and give its reference.

    Each is erased through the same act as on request, so a hold and a missing acknowledgement keep it, whatever the
    periods are.
    """
    for state, days in (
        (ConcernState.ACKNOWLEDGED, periods.acknowledged_days),
        (ConcernState.CLOSED, periods.closed_days),
    ):
        if days is not None:
            yield from _erase_state(engine, writer, state, days, at)
    forget_freed_pages(engine)


def _erase_state(engine: Engine, writer: Writer, state: ConcernState, days: int, at: dt.datetime) -> Iterator[str]:
    while True:
        with Session(engine) as session:
            due = due_for_erasure(session, state=state, before=at - dt.timedelta(days=days), limit=PORTION)
        if not due:
            return
        for reference in due:
            if _erase_one(writer, reference, at, f"kept for {days} days"):
                yield reference


def _erase_one(writer: Writer, reference: str, at: dt.datetime, reason: str) -> bool:
    try:
        erase(writer, reference, reason=reason, actor=RETENTION, at=at)
    except (ConcernErased, NotAcknowledged, OnHold):  # somebody acted on it since it was listed
        return False
    return True
