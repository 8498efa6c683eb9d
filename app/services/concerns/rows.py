"""The rows of concerns: inserting, finding and counting."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import Connection, ScalarSelect, bindparam, func
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from app.db.statements import fixed_insert
from app.db.tables import table_of
from app.errors import ConcernErased, NoSuchConcern, ReferenceTaken
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import ClosedCountRow, ConcernRow
from app.models.desk.look_again import OFFICER, LookAgainRow
from app.services.access.restrictions import NO_SUCH_REFERENCE

WITHOUT_SEALED = defer(ConcernRow.sealed)  # type: ignore[arg-type]  # SQLModel types a column as its value
_ONE_CONCERN = select(ConcernRow).options(WITHOUT_SEALED).where(ConcernRow.reference == bindparam("reference"))
_NEW_CONCERN = fixed_insert(table_of(ConcernRow))
RECENT_TESTS = dt.timedelta(days=1)
RECENT_FLOOD = dt.timedelta(hours=1)
MANY_MARKED = 200
"""More of bursts within `RECENT_FLOOD` are a flood. A school sends fewer."""


def insert_concerns(connection: Connection, concerns: Sequence[ConcernRow]) -> None:
    try:
        _NEW_CONCERN.run(connection, *map(dict, concerns))
    except IntegrityError:
        raise ReferenceTaken from None


def find_concern(session: Session, reference: str) -> ConcernRow | None:
    """Return the concern without its sealed text, which may be large."""
    return session.scalars(_ONE_CONCERN, {"reference": reference}).one_or_none()


def count_recent_tests(session: Session, *, now: dt.datetime) -> int:
    recent = (col(ConcernRow.received_at) > now - RECENT_TESTS, col(ConcernRow.test).is_(True))
    return session.exec(select(func.count()).select_from(ConcernRow).where(*recent)).one()


def closed_count() -> ScalarSelect[int]:
    """Count without test concerns. A trigger keeps the stored number up to date."""
    return select(ClosedCountRow.number).where(ClosedCountRow.id == 1).scalar_subquery()


def is_closed_count_right(session: Session) -> bool:
    """Count the rows, and compare. It takes longer the more there are."""
    closed = select(func.count()).where(
        col(ConcernRow.state) == ConcernState.CLOSED.value, col(ConcernRow.test).is_(False)
    )
    counted, stored = session.execute(select_columns(closed.scalar_subquery(), closed_count())).one()
    return bool(counted == stored)


def has_flood(session: Session, *, now: dt.datetime) -> bool:
    """Return True if there is a burst: many concerns from one source on one day."""
    marked = (col(ConcernRow.received_at) > now - RECENT_FLOOD, col(ConcernRow.burst) != "")
    return session.exec(select(1).where(*marked).offset(MANY_MARKED).limit(1)).first() is not None


def get_concern(session: Session, reference: str) -> ConcernRow:
    """Return the concern without its sealed text. Raise `NoSuchConcern`."""
    concern = find_concern(session, reference)
    if concern is None:
        raise NoSuchConcern(NO_SUCH_REFERENCE)
    return concern


def get_unerased(session: Session, reference: str) -> ConcernRow:
    """Return the concern as `get_concern` does. Raise `ConcernErased` too."""
    concern = get_concern(session, reference)
    if concern.erased_at is not None:
        raise ConcernErased
    return concern


def expect_officer_told(session: Session, reference: str, by: dt.date | None) -> None:
    """Set the day by which to tell the designated officer, unless one is set. With None no day is set."""
    if by is not None and session.get(LookAgainRow, (reference, OFFICER)) is None:
        session.add(LookAgainRow(reference=reference, person=OFFICER, day=by))
