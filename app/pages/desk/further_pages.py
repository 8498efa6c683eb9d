"""Further pages of what was added to a concern, and of the desk's notes about it."""

from functools import partial

from fastapi import Response

from app.models.entries import EntryKind
from app.pages.desk.acts import desk_forms
from app.pages.desk.added_pages import ADDED_ON_PAGE, read_added_page
from app.pages.desk.inbox import CONCERN_PAGES, ConcernReferenceInPath
from app.pages.desk.page import DeskRoute, desk_page
from app.presenters.desk import reference_of
from app.presenters.entries import listed_addition, listed_note, opened_additions, opened_notes
from app.services.entries import PagePlace
from app.web.context import ContextDep, NowDep
from app.web.cursors import decode_key, encode_key
from app.web.people import PageReaderDep
from app.web.query_params import Cursor
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)


@router.get("/{reference}/additions")
def read_additions_page(
    *,
    context: ContextDep,
    visitor: PageReaderDep,
    now: NowDep,
    reference: ConcernReferenceInPath,
    cursor: Cursor = None,
) -> Response:
    """Return a further page of what was added: with its words where they can be opened here, else sealed."""
    place = PagePlace(EntryKind.ADDITION, reference_of(reference), decode_key(cursor, otherwise=0), ADDED_ON_PAGE)
    page = read_added_page(
        context,
        visitor,
        place,
        now,
        opened=partial(opened_additions, unsealer=context.unsealer, now=now),
        listed=partial(listed_addition, now=now),
    )
    return desk_page(
        context,
        "desk_additions.html",
        visitor=visitor,
        reference=place.reference,
        additions=page.entries,
        forms=desk_forms(context, visitor, place.reference, page.seen),
        sealed_additions=page.sealed,
        next_additions=additions_address(place.reference, page.next_after),
    )


@router.get("/{reference}/notes")
def read_notes_page(
    *,
    context: ContextDep,
    visitor: PageReaderDep,
    now: NowDep,
    reference: ConcernReferenceInPath,
    cursor: Cursor = None,
) -> Response:
    """Return a page of the desk's notes, the oldest first: with their words where they can be opened here."""
    place = PagePlace(EntryKind.NOTE, reference_of(reference), decode_key(cursor, otherwise=0), ADDED_ON_PAGE)
    page = read_added_page(
        context,
        visitor,
        place,
        now,
        opened=partial(opened_notes, unsealer=context.unsealer),
        listed=listed_note,
    )
    return desk_page(
        context,
        "desk_notes.html",
        visitor=visitor,
        reference=place.reference,
        notes=page.entries,
        sealed_notes=page.sealed,
        next_notes=notes_address(place.reference, page.next_after),
    )


def additions_address(reference: str, after: int | None) -> str | None:
    """Return the address of the page of additions after that number; None where there is none."""
    return None if after is None else f"{CONCERN_PAGES}/{reference}/additions?cursor={encode_key(after)}"


def notes_address(reference: str, after: int | None) -> str | None:
    """Return the address of the page of notes after that number; None where there is none."""
    return None if after is None else f"{CONCERN_PAGES}/{reference}/notes?cursor={encode_key(after)}"
