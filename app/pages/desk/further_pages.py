"""Further pages of what was added to a concern, and of the desk's notes about it."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated

from fastapi import Path, Response

from app.errors import UnsealingUnavailable
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.notes import NoteEntry
from app.pages.desk.added_pages import ADDITIONS_ON_PAGE, give_additions_sealed, open_additions, sealed_texts_of
from app.pages.desk.desk_route import DeskRoute
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.desk.page import desk_page
from app.pages.desk.sealed_text import GIVEN, SealedText
from app.presenters.desk import reference_of
from app.presenters.notes import note_entry, opened_notes
from app.services.desk import opening
from app.store.added_texts import ADDITIONS, NOTES
from app.web.context import AppContext, ContextDep, NowDep
from app.web.cursors import decode_key, encode_key
from app.web.people import PageReaderDep, Visitor
from app.web.query_params import Cursor
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)

PageOfNotes = tuple[tuple[NoteEntry, ...], Mapping[int, SealedText], int | None]
"""The entries, the sealed texts of those without words, and the number after which the next page begins."""


@router.get("/{reference}/additions")
def read_additions_page(
    *,
    context: ContextDep,
    visitor: PageReaderDep,
    now: NowDep,
    reference: Annotated[str, Path(max_length=60)],
    cursor: Cursor = None,
) -> Response:
    """Return a further page of what was added: with its words where they can be opened here, else sealed."""
    place = opening.PagePlace(ADDITIONS, reference_of(reference), decode_key(cursor, otherwise=0))
    shown = open_additions(context, visitor, place, now) if context.unsealer.can_unseal else None
    additions, sealed, next_after = shown or give_additions_sealed(context, visitor, place, now)
    return desk_page(
        context,
        "desk_additions.html",
        visitor=visitor,
        reference=place.reference,
        additions=additions,
        sealed_additions=sealed,
        next_additions=additions_address(place.reference, next_after),
    )


@router.get("/{reference}/notes")
def read_notes_page(
    *,
    context: ContextDep,
    visitor: PageReaderDep,
    now: NowDep,
    reference: Annotated[str, Path(max_length=60)],
    cursor: Cursor = None,
) -> Response:
    """Return a page of the desk's notes, the oldest first: with their words where they can be opened here."""
    place = opening.PagePlace(NOTES, reference_of(reference), decode_key(cursor, otherwise=0))
    shown = _open_notes(context, visitor, place, now) if context.unsealer.can_unseal else None
    notes, sealed, next_after = shown or _give_notes_sealed(context, visitor, place, now)
    return desk_page(
        context,
        "desk_notes.html",
        visitor=visitor,
        reference=place.reference,
        notes=notes,
        sealed_notes=sealed,
        next_notes=notes_address(place.reference, next_after),
    )


def additions_address(reference: str, after: int | None) -> str | None:
    """Return the address of the page of additions after that number; None where there is none."""
    return None if after is None else f"{CONCERN_PAGES}/{reference}/additions?cursor={encode_key(after)}"


def notes_address(reference: str, after: int | None) -> str | None:
    """Return the address of the page of notes after that number; None where there is none."""
    return None if after is None else f"{CONCERN_PAGES}/{reference}/notes?cursor={encode_key(after)}"


def _open_notes(
    context: AppContext, visitor: Visitor, place: opening.PagePlace, now: dt.datetime
) -> PageOfNotes | None:
    """Return a page of notes with their words, or None if they were sealed to other identities."""
    act, limit = DeskAct.OPENED, ADDITIONS_ON_PAGE
    page = opening.open_page(context.writer, place, actor=visitor.actor, at=now, act=act, limit=limit)
    try:
        return opened_notes(opening.read_page(context.engine, page), context.unsealer), {}, page.next_after
    except UnsealingUnavailable:
        return None


def _give_notes_sealed(
    context: AppContext, visitor: Visitor, place: opening.PagePlace, now: dt.datetime
) -> PageOfNotes:
    """Return a page of notes with their words sealed."""
    act, limit = DeskAct.OPENED, ADDITIONS_ON_PAGE
    page = opening.open_page(context.writer, place, actor=visitor.actor, at=now, act=act, limit=limit, how=GIVEN)
    return tuple(map(note_entry, page.rows)), sealed_texts_of(context, page), page.next_after
