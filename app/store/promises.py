"""The rows that would break a promise: overdue without an event, or sealed to a recipient that was removed."""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.models.concerns.tables import AdditionRow, ConcernRow, ConcernState
from app.models.events.tables import EventKind, EventRow
from app.store.sealed_texts import list_sealed
from app.store.tables import table_of

_DATA = table_of(EventRow).c.data
_REFERENCE = _DATA["reference"].as_string()
_ADDITION = _DATA["addition"].as_integer()


def overdue_without_event(session: Session, *, before: dt.datetime) -> list[str]:
    """Return what names each concern and addition that waits since that time, and of which no event says so.

    The events are read once, and not once for each that waits.
    """
    concerns = session.exec(
        select(ConcernRow.reference)
        .where(
            ConcernRow.state == ConcernState.RECEIVED.value,
            ConcernRow.acknowledge_by < before,
            col(ConcernRow.test).is_(False),
            col(ConcernRow.reference).not_in(_named_in_events(EventKind.CONCERN_OVERDUE, _REFERENCE)),
        )
        .order_by(ConcernRow.reference)
    )
    addition = tuple_(col(AdditionRow.reference), col(AdditionRow.number))
    additions = session.exec(
        select(AdditionRow.reference, AdditionRow.number)
        .join(ConcernRow, col(ConcernRow.reference) == AdditionRow.reference)
        .where(
            col(AdditionRow.acknowledged_at).is_(None),
            col(AdditionRow.sealed).is_not(None),
            AdditionRow.acknowledge_by < before,
            col(ConcernRow.test).is_(False),
            addition.not_in(_named_in_events(EventKind.CONCERN_ADDITION_OVERDUE, _REFERENCE, _ADDITION)),
        )
    )
    return [*concerns, *(f"addition {number} to {reference}" for reference, number in additions)]


def sealed_to_others(session: Session, fingerprints: Collection[str]) -> Iterator[str]:
    """Yield what names each sealed text that a recipient outside those can open."""
    allowed = set(fingerprints)
    for text in list_sealed(session):
        if not set(text.recipients) <= allowed:
            yield str(text)


def _named_in_events(kind: EventKind, *members: ColumnElement[Any]) -> Select[Any]:
    """Select these members of all events of the kind. An event without one would hide all others, and is left out."""
    events = table_of(EventRow)
    return select_columns(*members).where(events.c.kind == kind.value, *(each.is_not(None) for each in members))
