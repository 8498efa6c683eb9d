"""Entries of a concern, a page at a time, and the audit entry for each opening."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, Row
from sqlmodel import Session

from app.models.audit.audit_log import DeskAct
from app.models.audit.details import ShownDetails, ShownPage
from app.models.audit.entry_kinds import EntryKind, EntryPlace
from app.services.audit.audit_log import Actor, record_action
from app.services.concerns.entries import PAGE_BYTES, list_entries, measure_entries, read_sealed
from app.services.concerns.presented_entries import present_entry, words_of_entry
from app.services.concerns.rows import get_unerased
from app.services.concerns.sealing import Unsealer

GIVEN = "sealed text given"
"""What the record says of texts that were given sealed, to be opened elsewhere."""


@dataclass(frozen=True)
class EntryPage:
    """The metadata of some entries of one kind, and the number after which the next page begins, if there is one.

    `seen` is the number of the act that records the page; `opens` says whether all its texts are opened here.
    """

    kind: EntryKind
    rows: tuple[Row[Any], ...] = ()
    next_after: int | None = None
    seen: int = 0
    opens: bool = False

    @property
    def shown(self) -> ShownPage:
        """What the audit log says of the page."""
        numbers = {"first": self.rows[0].number, "last": self.rows[-1].number} if self.rows else {}
        return ShownPage(kind=self.kind, **numbers)


@dataclass(frozen=True)
class PagePlace:
    """Where a page of entries begins: their kind, the concern, the number before, and how many it may have."""

    kind: EntryKind
    reference: str
    after: int
    limit: int | None
    """None: all."""


def open_page(
    session: Session, place: PagePlace, actor: Actor, act: DeskAct, fingerprints: frozenset[str] | None = None
) -> EntryPage:
    """Record that a page of entries is opened, or is listed without words.

    With the fingerprints of the keys that are here, the record says so where a text is sealed to none of them: all are
    then given sealed. Raises `NoSuchConcern` or `ConcernErased`.
    """
    get_unerased(session, place.reference)
    page = page_of(session, place)
    opens = opens_all(page.rows, fingerprints)
    shown = ShownDetails(what="" if opens or fingerprints is None else GIVEN, pages=(page.shown,))
    seen = record_action(session, place.reference, act, actor, shown).number
    return replace(page, seen=seen, opens=opens)


def open_entry(session: Session, reference: str, place: EntryPlace, actor: Actor) -> int:
    """Record that one entry is fetched, and return how many of its kind there are.

    Raises `NoSuchConcern` or `ConcernErased`.
    """
    get_unerased(session, reference)
    count, _ = measure_entries(session, place.kind, reference)
    shown = ShownDetails(what="sealed file", kind=place.kind, number=place.number)
    record_action(session, reference, DeskAct.OPENED, actor, shown)
    return count


def read_page(engine: Engine, page: EntryPage) -> Iterator[tuple[Row[Any], bytes]]:
    """Yield each entry of the page with its sealed text, one row at a time. Raises `ConcernErased` if it went."""
    for row in page.rows:
        yield row, read_sealed(engine, row.reference, EntryPlace(page.kind, row.number))


def page_of(session: Session, place: PagePlace) -> EntryPage:
    """Return the metadata of the entries of that page."""
    more = None if place.limit is None else place.limit + 1
    found = list_entries(session, place.kind, place.reference, after=place.after, limit=more)
    if place.limit is None:
        return EntryPage(place.kind, tuple(found))
    rows: list[Row[Any]] = []
    size = 0
    for row in found[: place.limit]:
        size += row.size
        if rows and size > PAGE_BYTES:
            break
        rows.append(row)
    return EntryPage(place.kind, tuple(rows), rows[-1].number if rows and len(rows) < len(found) else None)


def first_page_of(session: Session, kind: EntryKind, reference: str, *, limit: int | None) -> tuple[EntryPage, int]:
    """Return the first entries, at most `limit` of them, and how many there are, which a whole page says itself."""
    page = EntryPage(kind) if limit == 0 else page_of(session, PagePlace(kind, reference, 0, limit))
    is_whole = limit != 0 and page.next_after is None
    return page, len(page.rows) if is_whole else measure_entries(session, kind, reference)[0]


def last_page_of(session: Session, kind: EntryKind, reference: str, *, limit: int) -> EntryPage:
    """Return the last entries, at most `limit` of them; `next_after` is set where there are earlier ones."""
    count, _ = measure_entries(session, kind, reference)
    before = max(count - limit, 0)
    page = page_of(session, PagePlace(kind, reference, before, limit))
    return replace(page, next_after=0 if before else None)


def opens_all(texts: Iterable[Any], fingerprints: frozenset[str] | None) -> bool:
    """Return whether each text is sealed to one of these keys at least."""
    if not fingerprints:
        return False
    return all(not fingerprints.isdisjoint(text.recipients) for text in texts)


def present_page(page: EntryPage, *, now: dt.datetime) -> tuple[Any, ...]:
    """Return the entries of the page without their words."""
    return tuple(present_entry(row, now=now) for row in page.rows)


def open_entries(engine: Engine, page: EntryPage, unsealer: Unsealer, *, now: dt.datetime) -> tuple[Any, ...]:
    """Return the entries of the page with their words.

    Raise `UnsealingUnavailable` if this process has no identity for them, and `SealedTextMisplaced` if a text is that
    of another concern or, a note, names another time or author than its row.
    """
    return tuple(
        present_entry(row, words_of_entry(row, sealed, unsealer), now=now) for row, sealed in read_page(engine, page)
    )
