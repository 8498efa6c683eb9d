"""Pages of what was added to a concern: with its words where this service can open it, else sealed."""

import datetime as dt
from collections.abc import Mapping

from app.errors import UnsealingUnavailable
from app.models.desk.additions import AdditionEntry
from app.models.desk.disclosure_tables import DeskAct
from app.pages.desk.sealed_text import GIVEN, SealedText
from app.presenters.desk import listed_addition, opened_additions
from app.services.desk import opening
from app.web.context import AppContext
from app.web.people import Visitor

ADDITIONS_ON_PAGE = 50

PageOfAdditions = tuple[tuple[AdditionEntry, ...], Mapping[int, SealedText], int | None]
"""The entries, the sealed texts of those without words, and the number after which the next page begins."""


def open_additions(
    context: AppContext, visitor: Visitor, place: opening.PagePlace, now: dt.datetime
) -> PageOfAdditions | None:
    """Return a page of additions with their words, or None if they were sealed to other identities."""
    page = opening.open_page(
        context.writer, place, actor=visitor.actor, at=now, act=DeskAct.OPENED, limit=ADDITIONS_ON_PAGE
    )
    try:
        return opened_additions(opening.read_page(context.engine, page), context.unsealer, now=now), {}, page.next_after
    except UnsealingUnavailable:
        return None


def give_additions_sealed(
    context: AppContext, visitor: Visitor, place: opening.PagePlace, now: dt.datetime
) -> PageOfAdditions:
    """Return a page of additions with their words sealed."""
    page = opening.open_page(
        context.writer, place, actor=visitor.actor, at=now, act=DeskAct.OPENED, limit=ADDITIONS_ON_PAGE, how=GIVEN
    )
    return *sealed_additions_of(context, page, now), page.next_after


def sealed_additions_of(
    context: AppContext, page: opening.AddedPage, now: dt.datetime
) -> tuple[tuple[AdditionEntry, ...], dict[int, SealedText]]:
    """Return the entries of additions, and their sealed texts by number."""
    return tuple(listed_addition(row, now=now) for row in page.rows), sealed_texts_of(context, page)


def sealed_texts_of(context: AppContext, page: opening.AddedPage) -> dict[int, SealedText]:
    """Return the sealed texts of a page by number, additions or notes."""
    kind = page.texts.kind
    return {
        row.number: SealedText(kind, row.reference, row.number, row.received_at, text)
        for row, text in opening.read_page(context.engine, page)
    }
