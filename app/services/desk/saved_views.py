"""Saved views of the inbox, and the time up to which each person has seen the changes in the inbox."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlmodel import Session, col

from app.errors import FaultCode, FieldError, NoSuchItem, ValidationFailed
from app.models.desk.look_again import LookAgainRow
from app.models.desk.saved_views import InboxLookRow, SavedViewRow, ViewFilters

MAX_VIEWS = 50
TOO_MANY_VIEWS = f"A person has {MAX_VIEWS} views at most: remove one first."


def list_views(session: Session, person: str) -> Sequence[SavedViewRow]:
    """Return the person's views by name."""
    rows = select(SavedViewRow).where(col(SavedViewRow.person) == person)
    return session.scalars(rows.order_by(col(SavedViewRow.name))).all()


def save_view(session: Session, person: str, name: str, filters: ViewFilters, *, at: dt.datetime) -> SavedViewRow:
    """Save a view in place of one with the same name. Raise `ValidationFailed` above `MAX_VIEWS`."""
    chosen = filters.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    former = session.get(SavedViewRow, (person, name))
    if former is None and len(list_views(session, person)) >= MAX_VIEWS:
        raise ValidationFailed([FieldError((), TOO_MANY_VIEWS, FaultCode.TOO_MANY)])
    return session.merge(SavedViewRow(person=person, name=name, filters=chosen, saved_at=at))


def remove_view(session: Session, person: str, name: str) -> None:
    """Remove a view. Raise `NoSuchItem`."""
    row = session.get(SavedViewRow, (person, name))
    if row is None:
        raise NoSuchItem("You have no saved view with this name.")
    session.delete(row)


def remove_views(session: Session, person: str) -> None:
    """Remove the views, days to look again, and mark in the inbox of a person who leaves."""
    session.exec(delete(SavedViewRow).where(col(SavedViewRow.person) == person))
    session.exec(delete(InboxLookRow).where(col(InboxLookRow.person) == person))
    session.exec(delete(LookAgainRow).where(col(LookAgainRow.person) == person))  # the team's days stay


def find_seen_until(session: Session, person: str) -> dt.datetime | None:
    row = session.get(InboxLookRow, person)
    return None if row is None else row.looked_at


def store_seen_until(session: Session, person: str, *, until: dt.datetime) -> None:
    """Store until when the person has seen the inbox. A later time that is stored stays."""
    row = session.get(InboxLookRow, person) or InboxLookRow(person=person, looked_at=until)
    row.looked_at = max(row.looked_at, until)
    session.add(row)
