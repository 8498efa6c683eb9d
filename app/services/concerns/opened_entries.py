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
"""The audit log's words for texts that are returned encrypted, to be decrypted elsewhere."""


@dataclass(frozen=True)
class EntryPage:
    """The metadata of a page of entries of one kind. The next page begins after `next_after`; None on the last page.

    `seen` is the number of the audit log entry that records the page. `opens` is True if this process decrypts all its
    texts.
    """

    kind: EntryKind
    rows: tuple[Row[Any], ...] = ()
    next_after: int | None = None
    seen: int = 0
    opens: bool = False

    @property
    def shown(self) -> ShownPage:
        """The page as the audit log describes it."""
        numbers = {"first": self.rows[0].number, "last": self.rows[-1].number} if self.rows else {}
        return ShownPage(kind=self.kind, **numbers)


@dataclass(frozen=True)
class PagePlace:
    """The place of a page of entries: their kind, the concern, the number before, and the maximum size."""

    kind: EntryKind
    reference: str
    after: int
    limit: int | None
    """None: all."""


def open_page(
    session: Session, place: PagePlace, actor: Actor, act: DeskAct, fingerprints: frozenset[str] | None = None
) -> EntryPage:
    """Record that a page of entries is opened, or listed without text, and return the page.

    `fingerprints` are those of the keys held here. If they cannot decrypt every text, all are returned encrypted, and
    the audit log says so. Raise `NoSuchConcern` or `ConcernErased`.
    """
    get_unerased(session, place.reference)
    page = page_of(session, place)
    opens = opens_all(page.rows, fingerprints)
    shown = ShownDetails(what="" if opens or fingerprints is None else GIVEN, pages=(page.shown,))
    seen = record_action(session, place.reference, act, actor, shown).number
    return replace(page, seen=seen, opens=opens)


def open_entry(session: Session, reference: str, place: EntryPlace, actor: Actor) -> int:
    """Record that one entry is fetched, and return the number of entries of its kind.

    Raise `NoSuchConcern` or `ConcernErased`.
    """
    get_unerased(session, reference)
    count, _ = measure_entries(session, place.kind, reference)
    shown = ShownDetails(what="sealed file", kind=place.kind, number=place.number)
    record_action(session, reference, DeskAct.OPENED, actor, shown)
    return count


def read_page(engine: Engine, page: EntryPage) -> Iterator[tuple[Row[Any], bytes]]:
    """Yield each entry of the page with its sealed text, one row at a time. Raise `ConcernErased` if it was erased."""
    for row in page.rows:
        yield row, read_sealed(engine, row.reference, EntryPlace(page.kind, row.number))


def page_of(session: Session, place: PagePlace) -> EntryPage:
    """Return the page of entries that begins at this place."""
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
    """Return the first page, of at most `limit` entries, and the number of all entries.

    A complete page needs no count in the database.
    """
    page = EntryPage(kind) if limit == 0 else page_of(session, PagePlace(kind, reference, 0, limit))
    is_whole = limit != 0 and page.next_after is None
    return page, len(page.rows) if is_whole else measure_entries(session, kind, reference)[0]


def last_page_of(session: Session, kind: EntryKind, reference: str, *, limit: int) -> EntryPage:
    """Return the last entries, at most `limit`. `next_after` is 0 if there are earlier ones, otherwise None."""
    count, _ = measure_entries(session, kind, reference)
    before = max(count - limit, 0)
    page = page_of(session, PagePlace(kind, reference, before, limit))
    return replace(page, next_after=0 if before else None)


def opens_all(texts: Iterable[Any], fingerprints: frozenset[str] | None) -> bool:
    """Return True if each text is sealed to at least one of these keys."""
    if not fingerprints:
        return False
    return all(not fingerprints.isdisjoint(text.recipients) for text in texts)


def present_page(page: EntryPage, *, now: dt.datetime) -> tuple[Any, ...]:
    """Return the entries of the page without their text."""
    return tuple(present_entry(row, now=now) for row in page.rows)


def open_entries(engine: Engine, page: EntryPage, unsealer: Unsealer, *, now: dt.datetime) -> tuple[Any, ...]:
    """Return the entries of the page with their text.

    Raise `UnsealingUnavailable` if this process holds no identity for them. Raise `SealedTextMisplaced` if a text
    belongs to another concern, or a note names a different time or author than its row.
    """
    return tuple(
        present_entry(row, words_of_entry(row, sealed, unsealer), now=now) for row, sealed in read_page(engine, page)
    )
