"""Pages of a concern's entries, and the audit log entry for each opening."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Engine, Row
from sqlmodel import Session

from app.models.audit.details import ShownDetails, ShownPage
from app.models.audit.entry_kinds import EntryKind, EntryPlace
from app.models.audit.rows import DeskAct
from app.services.audit.audit_log import Actor, record_action
from app.services.concerns.entries import PAGE_BYTES, list_entries, measure_entries, read_sealed
from app.services.concerns.presented_entries import content_of_entry, present_entry
from app.services.concerns.rows import get_unerased
from app.services.concerns.sealing import Unsealer

GIVEN = "sealed text given"
"""Text recorded if the client gets the texts encrypted."""


@dataclass(frozen=True)
class EntryPage:
    """Entries without text. The next page begins after `next_after`. `opens`: this process is known to decrypt all.

    `seen` is the audit entry of the opening, 0 if none is recorded.
    """

    kind: EntryKind
    rows: tuple[Row[Any], ...] = ()
    next_after: int | None = None
    seen: int = 0
    opens: bool = False

    @property
    def shown(self) -> ShownPage:
        numbers = {"first": self.rows[0].number, "last": self.rows[-1].number} if self.rows else {}
        return ShownPage(kind=self.kind, **numbers)


def open_page(
    session: Session,
    kind: EntryKind,
    reference: str,
    actor: Actor,
    act: DeskAct,
    *,
    after: int,
    limit: int | None,
    fingerprints: frozenset[str] | None = None,
) -> EntryPage:
    """Record `act`, and return the page; read the texts with `read_page` afterwards.

    `fingerprints` are of the keys with which this process decrypts. The log says so if they do not open every text.
    Raise `NoSuchConcern` or `ConcernErased`.
    """
    get_unerased(session, reference)
    page = page_of(session, kind, reference, after=after, limit=limit)
    opens = opens_all(page.rows, fingerprints)
    shown = ShownDetails(what="" if opens or fingerprints is None else GIVEN, pages=(page.shown,))
    seen = record_action(session, reference, act, actor, shown).number
    return replace(page, seen=seen, opens=opens)


def open_entry(session: Session, reference: str, place: EntryPlace, actor: Actor) -> int:
    """Record that `actor` gets the encrypted file, even if there is none. Return the number of entries of the kind.

    Raise `NoSuchConcern` or `ConcernErased`.
    """
    get_unerased(session, reference)
    count, _ = measure_entries(session, place.kind, reference)
    shown = ShownDetails(what="sealed file", kind=place.kind, number=place.number)
    record_action(session, reference, DeskAct.OPENED, actor, shown)
    return count


def read_page(engine: Engine, page: EntryPage) -> Iterator[tuple[Row[Any], bytes]]:
    """Yield each row with its sealed text. The opening must be recorded first. Raise `ConcernErased`."""
    for row in page.rows:
        yield row, read_sealed(engine, row.reference, EntryPlace(page.kind, row.number))


def page_of(session: Session, kind: EntryKind, reference: str, *, after: int, limit: int | None) -> EntryPage:
    """Return a page within `limit` and `PAGE_BYTES`. It has at least one entry if there is any. Nothing is recorded."""
    more = None if limit is None else limit + 1
    found = list_entries(session, kind, reference, after=after, limit=more)
    if limit is None:
        return EntryPage(kind, tuple(found))
    rows: list[Row[Any]] = []
    size = 0
    for row in found[:limit]:
        size += row.size
        if rows and size > PAGE_BYTES:
            break
        rows.append(row)
    return EntryPage(kind, tuple(rows), rows[-1].number if rows and len(rows) < len(found) else None)


def first_page_of(session: Session, kind: EntryKind, reference: str, *, limit: int | None) -> tuple[EntryPage, int]:
    """Return the first page, and the number of all entries. With `limit` 0 the page is empty and the last."""
    page = EntryPage(kind) if limit == 0 else page_of(session, kind, reference, after=0, limit=limit)
    is_whole = limit != 0 and page.next_after is None
    return page, len(page.rows) if is_whole else measure_entries(session, kind, reference)[0]


def last_page_of(session: Session, kind: EntryKind, reference: str, *, limit: int) -> EntryPage:
    """Return the last `limit` entries of any size. `next_after` is 0 if there are earlier ones. Nothing is recorded."""
    count, _ = measure_entries(session, kind, reference)
    before = max(count - limit, 0)
    found = list_entries(session, kind, reference, after=before, limit=limit)
    return EntryPage(kind, tuple(found), 0 if before else None)


def opens_all(texts: Iterable[Any], fingerprints: frozenset[str] | None) -> bool:
    if not fingerprints:
        return False
    return all(not fingerprints.isdisjoint(text.recipients) for text in texts)


def present_page(page: EntryPage, *, now: dt.datetime) -> tuple[Any, ...]:
    """Return the entries without text. `now` decides whether an addition is overdue."""
    return tuple(present_entry(row, now=now) for row in page.rows)


def open_entries(engine: Engine, page: EntryPage, unsealer: Unsealer, *, now: dt.datetime) -> tuple[Any, ...]:
    """Decrypt entries whose opening is recorded.

    Raise `UnsealingUnavailable`, `SealedTextMisplaced` or `ConcernErased`.
    """
    return tuple(
        present_entry(row, content_of_entry(row, sealed, unsealer), now=now) for row, sealed in read_page(engine, page)
    )
