"""Opening a concern, and what was added to it or noted about it, a page at a time.

The writer records what will be shown and reads metadata alone. The sealed texts, which may be large, are read after
that is committed, outside the writer, one row at a time.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, Row
from sqlmodel import Session

from app.errors import ConcernErased
from app.models.concerns.tables import ConcernRow
from app.models.desk.disclosure_tables import DeskAct
from app.store.added_texts import ADDITIONS, NOTES, AddedTexts
from app.store.concerns import get_unerased, read_concern
from app.store.disclosures import Actor, record_disclosure
from app.store.writer import Writer, write_operation

GIVEN = "sealed text given"
"""What the record says of texts that were given sealed, to be opened elsewhere."""
PAGE_BYTES = 1_000_000
"""The most sealed bytes of a page of additions. A single one that is larger has a page of its own."""


@dataclass(frozen=True)
class AddedPage:
    """The metadata of some texts of one kind, and the number after which the next page begins, if there is one.

    `seen` is the number of the act that records the page; `opens` says whether all its texts are opened here.
    """

    texts: AddedTexts
    rows: tuple[Row[Any], ...]
    next_after: int | None
    seen: int = 0
    opens: bool = False


NO_NOTES = AddedPage(NOTES, (), None)


@dataclass(frozen=True)
class PagePlace:
    """Where a page of texts begins: their kind, the concern, and the number before the first."""

    texts: AddedTexts
    reference: str
    after: int


@dataclass(frozen=True)
class Opening:
    """A concern whose opening is on the record, without its text; the first page of additions, and how many exist.

    `seen` is the number of that act in the chain. `notes` has the last notes, if they are shown too. `opens` says
    whether all the texts are opened here.
    """

    concern: ConcernRow
    page: AddedPage
    additions: int
    seen: int
    notes: AddedPage
    opens: bool = False


@write_operation
def open_concern(
    session: Session,
    reference: str,
    *,
    actor: Actor,
    at: dt.datetime,
    how: str,
    limit: int | None,
    last_notes: int = 0,
    fingerprints: frozenset[str] | None = None,
) -> Opening:
    """Record that the concern is opened, with a page of at most `limit` additions, and that many of its last notes.

    Without a limit the page has every addition. With the fingerprints of the keys that are here, the record says so
    where a text is sealed to none of them: all are then given sealed. Raises `NoSuchConcern` or `ConcernErased`.
    """
    concern = get_unerased(session, reference)
    count, _ = ADDITIONS.measure(session, reference)
    page = _page_of(ADDITIONS, session, reference, after=0, limit=limit)
    notes = last_page_of(NOTES, session, reference, limit=last_notes) if last_notes else NO_NOTES
    opens = _opens_all((concern, *page.rows, *notes.rows), fingerprints)
    how = how if opens or fingerprints is None else GIVEN
    detail = ", ".join((how, *(_describe(each) for each in (page, notes) if each.rows)))
    row = record_disclosure(session, chain=reference, act=DeskAct.OPENED, actor=actor, at=at, detail=detail)
    return Opening(concern, page, count, row.number, notes, opens)


def open_page(
    writer: Writer,
    place: PagePlace,
    *,
    actor: Actor,
    at: dt.datetime,
    act: DeskAct,
    limit: int,
    fingerprints: frozenset[str] | None = None,
) -> AddedPage:
    """Record that a page of texts is opened, or is listed without words. Works as `open_concern` does."""
    return _open_page(
        writer, place.reference, place, actor=actor, at=at, act=act, limit=limit, fingerprints=fingerprints
    )


@write_operation
def _open_page(
    session: Session,
    reference: str,
    place: PagePlace,
    *,
    actor: Actor,
    at: dt.datetime,
    act: DeskAct,
    limit: int,
    fingerprints: frozenset[str] | None,
) -> AddedPage:
    get_unerased(session, reference)
    page = _page_of(place.texts, session, reference, after=place.after, limit=limit)
    opens = _opens_all(page.rows, fingerprints)
    is_given = fingerprints is not None and not opens
    detail = f"{GIVEN}, {_describe(page)}" if is_given else _describe(page)
    row = record_disclosure(session, chain=reference, act=act, actor=actor, at=at, detail=detail)
    return replace(page, seen=row.number, opens=opens)


@write_operation
def open_text(
    session: Session, reference: str, texts: AddedTexts, number: int, *, actor: Actor, at: dt.datetime
) -> int:
    """Record that one text is fetched, and return how many there are. Raises `NoSuchConcern` or `ConcernErased`."""
    get_unerased(session, reference)
    count, _ = texts.measure(session, reference)
    detail = f"sealed file of {texts.kind} {number}"
    record_disclosure(session, chain=reference, act=DeskAct.OPENED, actor=actor, at=at, detail=detail)
    return count


def read_sealed_concern(engine: Engine, reference: str) -> bytes:
    """Return the sealed text of a concern whose opening is recorded. Raises `ConcernErased` if it went since."""
    with Session(engine) as session:
        sealed = read_concern(session, reference)
    if sealed is None:
        raise ConcernErased
    return sealed


def read_sealed_added(engine: Engine, texts: AddedTexts, reference: str, number: int) -> bytes:
    """Return one sealed text. Raises `NoSuchItem`, or `ConcernErased` if it went since the record."""
    with Session(engine) as session:
        sealed = texts.read(session, reference, number)
    if sealed is None:
        raise ConcernErased
    return sealed


def read_page(engine: Engine, page: AddedPage) -> Iterator[tuple[Row[Any], bytes]]:
    """Yield each text of the page with its sealed text, one row at a time. Raises `ConcernErased` if it went."""
    for row in page.rows:
        yield row, read_sealed_added(engine, page.texts, row.reference, row.number)


def last_page_of(texts: AddedTexts, session: Session, reference: str, *, limit: int) -> AddedPage:
    """Return the last texts, at most `limit` of them; `next_after` is set where there are earlier ones."""
    count, _ = texts.measure(session, reference)
    before = max(count - limit, 0)
    page = _page_of(texts, session, reference, after=before, limit=limit)
    return AddedPage(texts, page.rows, 0 if before else None)


def _page_of(texts: AddedTexts, session: Session, reference: str, *, after: int, limit: int | None) -> AddedPage:
    """Return the metadata of the texts after that number: a page of them or, without a limit, all."""
    if limit is None:
        return AddedPage(texts, tuple(texts.list(session, reference, after=after)), None)
    found = texts.list(session, reference, after=after, limit=limit + 1)
    rows: list[Row[Any]] = []
    size = 0
    for row in found[:limit]:
        if rows and size + row.size > PAGE_BYTES:
            break
        rows.append(row)
        size += row.size
    return AddedPage(texts, tuple(rows), rows[-1].number if rows and len(rows) < len(found) else None)


def _opens_all(texts: Iterable[Any], fingerprints: frozenset[str] | None) -> bool:
    """Return whether each text is sealed to one of these keys at least."""
    if not fingerprints:
        return False
    return all(not fingerprints.isdisjoint(text.recipients) for text in texts)


def _describe(page: AddedPage) -> str:
    kind = page.texts.kind
    return f"{kind}s {page.rows[0].number} to {page.rows[-1].number}" if page.rows else f"no {kind}s"
