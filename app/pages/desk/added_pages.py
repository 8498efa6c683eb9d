"""Pages of what was added to a concern, or of the notes about it: with the words where they open here, else sealed."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Row

from app.models.desk.disclosure_tables import DeskAct
from app.models.entries import EntryKind
from app.pages.desk.sealed_text import SealedText
from app.presenters.entries import SealedEntries
from app.services import entries
from app.web.context import AppContext
from app.web.people import Visitor

ADDED_ON_PAGE = 50

EntryT = TypeVar("EntryT")


class ShownPage(NamedTuple, Generic[EntryT]):
    """A page of entries, the sealed texts of those without words, and the number after which the next page begins.

    `seen` is the number of the act that records it.
    """

    entries: tuple[EntryT, ...]
    sealed: Mapping[int, SealedText]
    next_after: int | None
    seen: int


def read_added_page(
    context: AppContext,
    visitor: Visitor,
    place: entries.PagePlace,
    now: dt.datetime,
    *,
    opened: Callable[[SealedEntries], tuple[EntryT, ...]],
    listed: Callable[[Row[Any]], EntryT],
) -> ShownPage[EntryT]:
    """Return the page: `opened` gives entries with their words, `listed` one without.

    Where the texts were sealed to other identities, they are given sealed.
    """
    keys = context.unsealer.fingerprints
    page = entries.open_page(context.writer, place, actor=visitor.actor, at=now, act=DeskAct.OPENED, fingerprints=keys)
    if page.opens:
        return ShownPage(opened(entries.read_page(context.engine, page)), {}, page.next_after, page.seen)
    return ShownPage(tuple(map(listed, page.rows)), sealed_texts_of(context, page), page.next_after, page.seen)


def sealed_texts_of(context: AppContext, page: entries.EntryPage) -> dict[int, SealedText]:
    """Return the sealed texts of a page by number, additions or notes."""
    return {
        row.number: SealedText(
            page.kind,
            row.reference,
            row.number,
            row.received_at,
            text,
            row.author if page.kind is EntryKind.NOTE else "",
        )
        for row, text in entries.read_page(context.engine, page)
    }
