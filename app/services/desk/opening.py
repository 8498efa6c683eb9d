"""Opening a concern, and what was added to it, a page at a time.

The writer records what will be shown and reads metadata alone. The sealed texts, which may be large, are read after
that is committed, outside the writer, one row at a time.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Row
from sqlmodel import Session

from app.errors import ConcernErased
from app.models.concerns.tables import ConcernRow
from app.models.desk.disclosure_tables import DeskAct
from app.store.additions import list_additions, measure_additions, read_addition
from app.store.concerns import get_concern, read_concern
from app.store.disclosures import Actor, record_disclosure
from app.store.writer import write_operation

PAGE_BYTES = 1_000_000
"""The most sealed bytes of a page of additions. A single one that is larger has a page of its own."""


@dataclass(frozen=True)
class AdditionsPage:
    """The metadata of some additions to a concern, and the number after which the next page begins, if there is one."""

    rows: tuple[Row[Any], ...]
    next_after: int | None


@dataclass(frozen=True)
class Opening:
    """A concern whose opening is on the record, without its text; the first page of additions, and how many exist."""

    concern: ConcernRow
    page: AdditionsPage
    additions: int


@write_operation
def open_concern(session: Session, reference: str, *, actor: Actor, at: dt.datetime, how: str, limit: int) -> Opening:
    """Record that the concern is opened, with a page of at most `limit` additions.

    Raises `NoSuchConcern` or `ConcernErased`.
    """
    concern = _get_unerased(session, reference)
    count, _ = measure_additions(session, reference)
    page = _page_of(session, reference, after=0, limit=limit)
    detail = f"{how}, {_additions_of(page)}" if page.rows else how
    record_disclosure(session, chain=reference, act=DeskAct.OPENED, actor=actor, at=at, detail=detail)
    return Opening(concern, page, count)


@write_operation
def open_additions(
    session: Session, reference: str, *, actor: Actor, at: dt.datetime, act: DeskAct, after: int, limit: int
) -> AdditionsPage:
    """Record that a page of additions is opened, or is listed without words. Raises as `open_concern` does."""
    _get_unerased(session, reference)
    page = _page_of(session, reference, after=after, limit=limit)
    detail = _additions_of(page)
    record_disclosure(session, chain=reference, act=act, actor=actor, at=at, detail=detail)
    return page


@write_operation
def open_addition(session: Session, reference: str, number: int, *, actor: Actor, at: dt.datetime) -> int:
    """Record that one addition is fetched, and return how many there are. Raises `NoSuchConcern` or `ConcernErased`."""
    _get_unerased(session, reference)
    count, _ = measure_additions(session, reference)
    detail = f"sealed file of addition {number}"
    record_disclosure(session, chain=reference, act=DeskAct.OPENED, actor=actor, at=at, detail=detail)
    return count


def read_sealed_concern(engine: Engine, reference: str) -> bytes:
    """Return the sealed text of a concern whose opening is recorded. Raises `ConcernErased` if it went since."""
    with Session(engine) as session:
        sealed = read_concern(session, reference)
    if sealed is None:
        raise ConcernErased
    return sealed


def read_sealed_addition(engine: Engine, reference: str, number: int) -> bytes:
    """Return the sealed text of one addition. Raises `NoSuchItem`, or `ConcernErased` if it went since the record."""
    with Session(engine) as session:
        sealed = read_addition(session, reference, number)
    if sealed is None:
        raise ConcernErased
    return sealed


def read_page(engine: Engine, page: AdditionsPage) -> Iterator[tuple[Row[Any], bytes]]:
    """Yield each addition of the page with its sealed text, one row at a time. Raises `ConcernErased` if it went."""
    for row in page.rows:
        yield row, read_sealed_addition(engine, row.reference, row.number)


def _get_unerased(session: Session, reference: str) -> ConcernRow:
    concern = get_concern(session, reference)
    if concern.erased_at is not None:
        raise ConcernErased
    return concern


def _page_of(session: Session, reference: str, *, after: int, limit: int) -> AdditionsPage:
    found = list_additions(session, reference, after=after, limit=limit + 1)
    rows: list[Row[Any]] = []
    size = 0
    for row in found[:limit]:
        if rows and size + row.size > PAGE_BYTES:
            break
        rows.append(row)
        size += row.size
    return AdditionsPage(tuple(rows), rows[-1].number if rows and len(rows) < len(found) else None)


def _additions_of(page: AdditionsPage) -> str:
    return f"additions {page.rows[0].number} to {page.rows[-1].number}" if page.rows else "no additions"
