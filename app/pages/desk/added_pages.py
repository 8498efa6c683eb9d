"""Pages of what was added to a concern, or of the notes about it: with the words where they open here, else sealed."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Row

from app.errors import UnsealingUnavailable
from app.models.desk.disclosure_tables import DeskAct
from app.pages.desk.sealed_text import GIVEN, SealedText
from app.presenters.desk import SealedAdditions
from app.services.desk import opening
from app.web.context import AppContext
from app.web.people import Visitor

ADDED_ON_PAGE = 50

EntryT = TypeVar("EntryT")


class ShownPage(NamedTuple, Generic[EntryT]):
    """A page of entries, the sealed texts of those without words, and the number after which the next page begins."""

    entries: tuple[EntryT, ...]
    sealed: Mapping[int, SealedText]
    next_after: int | None


def read_added_page(
    context: AppContext,
    visitor: Visitor,
    place: opening.PagePlace,
    now: dt.datetime,
    *,
    opened: Callable[[SealedAdditions], tuple[EntryT, ...]],
    listed: Callable[[Row[Any]], EntryT],
) -> ShownPage[EntryT]:
    """Return the page: `opened` gives entries with their words, `listed` one without.

    Where the texts were sealed to other identities, they are given sealed.
    """

    def record(how: str = "") -> opening.AddedPage:
        act, limit = DeskAct.OPENED, ADDED_ON_PAGE
        return opening.open_page(context.writer, place, actor=visitor.actor, at=now, act=act, limit=limit, how=how)

    if context.unsealer.can_unseal:
        page = record()
        try:
            return ShownPage(opened(opening.read_page(context.engine, page)), {}, page.next_after)
        except UnsealingUnavailable:
            pass
    page = record(GIVEN)
    return ShownPage(tuple(map(listed, page.rows)), sealed_texts_of(context, page), page.next_after)


def sealed_texts_of(context: AppContext, page: opening.AddedPage) -> dict[int, SealedText]:
    """Return the sealed texts of a page by number, additions or notes."""
    kind = page.texts.kind
    return {
        row.number: SealedText(kind, row.reference, row.number, row.received_at, text)
        for row, text in opening.read_page(context.engine, page)
    }
