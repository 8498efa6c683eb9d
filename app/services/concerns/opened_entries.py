"""Pages of a concern's entries, and the audit log entry for each opening."""

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
from app.services.concerns.presented_entries import content_of_entry, present_entry
from app.services.concerns.rows import get_unerased
from app.services.concerns.sealing import Unsealer

GIVEN = "sealed text given"
"""What the audit log records if the client gets the texts encrypted, to decrypt them itself."""


@dataclass(frozen=True)
class EntryPage:
    """A page of a concern's entries of one kind, without their text.

    The next page begins after the entry with the number `next_after`, which is None on the last page. `seen` is the
    number of the audit log entry that records the opening of the page, or 0 if no opening is recorded. `opens` is True
    if it is known that this process can decrypt every text on the page.
    """

    kind: EntryKind
    rows: tuple[Row[Any], ...] = ()
    next_after: int | None = None
    seen: int = 0
    opens: bool = False

    @property
    def shown(self) -> ShownPage:
        """The page as the audit log describes it: the kind, and the numbers of the first and the last entry, if any."""
        numbers = {"first": self.rows[0].number, "last": self.rows[-1].number} if self.rows else {}
        return ShownPage(kind=self.kind, **numbers)


@dataclass(frozen=True)
class PagePlace:
    """The place of a page of entries: the kind of the entries, and the `reference` of their concern.

    The page begins after the entry with the number `after`.
    """

    kind: EntryKind
    reference: str
    after: int
    limit: int | None
    """Maximum number of entries. None means no maximum."""


def open_page(
    session: Session, place: PagePlace, actor: Actor, act: DeskAct, fingerprints: frozenset[str] | None = None
) -> EntryPage:
    """Record `act` in the audit log for the page of entries at `place`, and return the page.

    The rows have no text: the caller then reads the sealed texts with `read_page`. `act` is an opening of the entries,
    or a listing without text. `fingerprints` identify the keys with which this process can decrypt. If these keys
    cannot decrypt every text on the page, the audit log records that the client gets all texts encrypted. If
    `fingerprints` is None, the audit log does not record this.

    Raise `NoSuchConcern` if the reference is unknown, or `ConcernErased` if the concern was erased.
    """
    get_unerased(session, place.reference)
    page = page_of(session, place)
    opens = opens_all(page.rows, fingerprints)
    shown = ShownDetails(what="" if opens or fingerprints is None else GIVEN, pages=(page.shown,))
    seen = record_action(session, place.reference, act, actor, shown).number
    return replace(page, seen=seen, opens=opens)


def open_entry(session: Session, reference: str, place: EntryPlace, actor: Actor) -> int:
    """Record in the audit log that `actor` gets the encrypted file of the entry at `place`.

    Record this even if there is no such entry. Return the number of the concern's entries of the same kind. Raise
    `NoSuchConcern` if the reference is unknown, or `ConcernErased` if the concern was erased.
    """
    get_unerased(session, reference)
    count, _ = measure_entries(session, place.kind, reference)
    shown = ShownDetails(what="sealed file", kind=place.kind, number=place.number)
    record_action(session, reference, DeskAct.OPENED, actor, shown)
    return count


def read_page(engine: Engine, page: EntryPage) -> Iterator[tuple[Row[Any], bytes]]:
    """Yield each row of `page` with its sealed text, one at a time.

    The caller must first record the opening in the audit log. Raise `ConcernErased` if the concern has been erased
    since.
    """
    for row in page.rows:
        yield row, read_sealed(engine, row.reference, EntryPlace(page.kind, row.number))


def page_of(session: Session, place: PagePlace) -> EntryPage:
    """Return the page of entries at `place`, without text. Nothing is recorded in the audit log.

    If `place.limit` is None, the page has all entries after the number `place.after`. Otherwise it has at most
    `place.limit` entries and at most `PAGE_BYTES` of sealed text, but at least one entry if there is any.
    """
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
    """Return the first page of the concern's entries of `kind`, and the number of all these entries.

    The page has at most `limit` entries, or all if `limit` is None. A page with a limit also ends at `PAGE_BYTES` of
    sealed text. If `limit` is 0, the page is empty, and its `next_after` is None. Nothing is recorded in the audit log.
    """
    page = EntryPage(kind) if limit == 0 else page_of(session, PagePlace(kind, reference, 0, limit))
    is_whole = limit != 0 and page.next_after is None
    return page, len(page.rows) if is_whole else measure_entries(session, kind, reference)[0]


def last_page_of(session: Session, kind: EntryKind, reference: str, *, limit: int) -> EntryPage:
    """Return a page with the last `limit` entries of `kind` of the concern, in order, whatever their size.

    `next_after` is 0 if there are earlier entries, otherwise None. Nothing is recorded in the audit log.
    """
    count, _ = measure_entries(session, kind, reference)
    before = max(count - limit, 0)
    found = list_entries(session, kind, reference, after=before, limit=limit)
    return EntryPage(kind, tuple(found), 0 if before else None)


def opens_all(texts: Iterable[Any], fingerprints: frozenset[str] | None) -> bool:
    """Return True if each of `texts` is sealed to at least one key in `fingerprints`.

    A text is a row with `recipients`. If `fingerprints` is None or empty, return False.
    """
    if not fingerprints:
        return False
    return all(not fingerprints.isdisjoint(text.recipients) for text in texts)


def present_page(page: EntryPage, *, now: dt.datetime) -> tuple[Any, ...]:
    """Return the entries of `page` as responses contain them, without text. `now` decides if an addition is overdue."""
    return tuple(present_entry(row, now=now) for row in page.rows)


def open_entries(engine: Engine, page: EntryPage, unsealer: Unsealer, *, now: dt.datetime) -> tuple[Any, ...]:
    """Return the entries of `page` as responses contain them, with their decrypted text.

    `now` decides if an addition is overdue. The caller must first record the opening in the audit log. Raise
    `UnsealingUnavailable` if `unsealer` has no identity for a text. Raise `SealedTextMisplaced` if a text does not
    belong to the concern, or names another time of receipt or author than its row. Raise `ConcernErased` if the concern
    has been erased since.
    """
    return tuple(
        present_entry(row, content_of_entry(row, sealed, unsealer), now=now) for row, sealed in read_page(engine, page)
    )
