"""The rows that would break a promise: overdue without an event, or sealed to a recipient that was removed."""

import datetime as dt
from collections.abc import Collection, Iterator

from sqlalchemy import ColumnElement, exists
from sqlmodel import Session, col, select

from app.models.concerns.tables import AdditionRow, ConcernRow, ConcernState
from app.models.events.tables import EventKind, EventRow
from app.store.sealed_texts import list_sealed
from app.store.tables import table_of

_DATA = table_of(EventRow).c.data


def overdue_without_event(session: Session, *, before: dt.datetime) -> list[str]:
    """Return what names each concern and addition that waits since that time, and of which no event says so."""
    concerns = session.exec(
        select(ConcernRow.reference)
        .where(
            ConcernRow.state == ConcernState.RECEIVED.value,
            ConcernRow.acknowledge_by < before,
            col(ConcernRow.test).is_(False),
            ~_has_event(EventKind.CONCERN_OVERDUE, ConcernRow.reference),
        )
        .order_by(ConcernRow.reference)
    )
    additions = session.exec(
        select(AdditionRow.reference, AdditionRow.number)
        .join(ConcernRow, col(ConcernRow.reference) == AdditionRow.reference)
        .where(
            col(AdditionRow.acknowledged_at).is_(None),
            col(AdditionRow.sealed).is_not(None),
            AdditionRow.acknowledge_by < before,
            col(ConcernRow.test).is_(False),
            ~_has_event(EventKind.CONCERN_ADDITION_OVERDUE, AdditionRow.reference, AdditionRow.number),
        )
    )
    return [*concerns, *(f"addition {number} to {reference}" for reference, number in additions)]


def sealed_to_others(session: Session, fingerprints: Collection[str]) -> Iterator[str]:
    """Yield what names each sealed text that a recipient outside those can open."""
    allowed = set(fingerprints)
    for text in list_sealed(session):
        if not set(text.recipients) <= allowed:
            yield str(text)


def _has_event(kind: EventKind, reference: str, number: int | None = None) -> ColumnElement[bool]:
    same = [_DATA["reference"].as_string() == reference]
    if number is not None:
        same.append(_DATA["addition"].as_integer() == number)
    return exists().where(col(EventRow.kind) == kind.value, *same)
