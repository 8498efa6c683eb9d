"""The rows of messages to reporters."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, insert, update
from sqlalchemy import select as select_columns
from sqlmodel import Session

from app.models.concerns.message_tables import MessageRow
from app.store.tables import table_of

_TABLE = table_of(MessageRow)
_METADATA = (_TABLE.c.reference, _TABLE.c.number, _TABLE.c.sent_at, _TABLE.c.read_at, _TABLE.c.answered_by)


def insert_message(session: Session, reference: str, number: int, *, sealed: bytes, at: dt.datetime) -> None:
    """Insert the message, right after its disclosure."""
    columns = {"reference": reference, "number": number, "sent_at": at, "sealed": sealed}
    session.connection().execute(insert(_TABLE), columns)


def count_messages(session: Session, reference: str) -> int:
    """Return how many messages were sent to the reporter of that concern."""
    counted = select_columns(func.count()).where(_TABLE.c.reference == reference)
    return session.connection().execute(counted).scalar_one()


def list_messages(session: Session, reference: str) -> Sequence[Row[Any]]:
    """Return each message without its words, in order."""
    return _list(session, reference, *_METADATA)


def read_messages(session: Session, reference: str) -> Sequence[Row[Any]]:
    """Return each message with its sealed file, in order."""
    return _list(session, reference, *_METADATA, _TABLE.c.sealed)


def find_unread(session: Session, reference: str) -> list[int]:
    """Return the numbers of the messages that the reporter has not read."""
    unread = select_columns(_TABLE.c.number).where(_TABLE.c.reference == reference, _TABLE.c.read_at.is_(None))
    return list(session.connection().execute(unread.order_by(_TABLE.c.number)).scalars())


def mark_read(session: Session, reference: str, numbers: Sequence[int], *, at: dt.datetime) -> None:
    """Write when the reporter first read those messages, right after the disclosure of it."""
    named = (_TABLE.c.reference == reference) & _TABLE.c.number.in_(numbers)
    session.connection().execute(update(_TABLE).where(named).values(read_at=at))


def mark_answered(session: Session, reference: str, *, addition: int) -> list[int]:
    """Write that the addition answers what was read and has no answer yet, and return the numbers of those messages."""
    open_ones = (_TABLE.c.reference == reference) & _TABLE.c.read_at.is_not(None) & _TABLE.c.answered_by.is_(None)
    connection = session.connection()
    numbers = list(connection.execute(select_columns(_TABLE.c.number).where(open_ones).order_by("number")).scalars())
    if numbers:
        connection.execute(update(_TABLE).where(open_ones).values(answered_by=addition))
    return numbers


def erase_messages(session: Session, reference: str) -> None:
    """Erase the sealed files of the messages; the rows stay."""
    session.connection().execute(update(_TABLE).where(_TABLE.c.reference == reference).values(sealed=None))


def _list(session: Session, reference: str, *columns: Any) -> Sequence[Row[Any]]:
    listed = select_columns(*columns).where(_TABLE.c.reference == reference).order_by(_TABLE.c.number)
    return session.connection().execute(listed).all()
