"""Further pages of what was added to a concern, and of the desk's notes about it."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import Path, Response

from app.models.desk.additions import AdditionEntry
from app.models.desk.disclosure_tables import DeskAct
from app.models.desk.notes import NoteEntry
from app.pages.desk.desk_route import DeskRoute
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.desk.page import desk_page
from app.presenters.desk import listed_addition, opened_additions, reference_of
from app.presenters.notes import note_entry, opened_notes
from app.services.desk import opening
from app.store.added_texts import ADDITIONS, NOTES
from app.web.context import ContextDep, NowDep
from app.web.cursors import decode_key, encode_key
from app.web.people import PageReaderDep
from app.web.query_params import Cursor
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)

ADDITIONS_ON_PAGE = 50
Reference = Annotated[str, Path(max_length=60)]


@router.get("/{reference}/additions")
def read_additions_page(
    *, context: ContextDep, visitor: PageReaderDep, now: NowDep, reference: Reference, cursor: Cursor = None
) -> Response:
    """Return a further page of what was added, with its words where they can be opened here."""
    act = DeskAct.OPENED if context.unsealer.can_unseal else DeskAct.LISTED
    parsed, after, actor = reference_of(reference), decode_key(cursor, otherwise=0), visitor.actor
    place = opening.PagePlace(ADDITIONS, parsed, after)
    page = opening.open_page(context.writer, place, actor=actor, at=now, act=act, limit=ADDITIONS_ON_PAGE)
    additions: Iterable[AdditionEntry] = (listed_addition(row, now=now) for row in page.rows)
    if act is DeskAct.OPENED:
        additions = opened_additions(opening.read_page(context.engine, page), context.unsealer, now=now)
    return desk_page(
        context,
        "desk_additions.html",
        visitor=visitor,
        reference=parsed,
        additions=list(additions),
        next_additions=additions_address(parsed, page.next_after),
    )


@router.get("/{reference}/notes")
def read_notes_page(
    *, context: ContextDep, visitor: PageReaderDep, now: NowDep, reference: Reference, cursor: Cursor = None
) -> Response:
    """Return a page of the desk's notes, the oldest first, with their words where they can be opened here."""
    act = DeskAct.OPENED if context.unsealer.can_unseal else DeskAct.LISTED
    parsed, after = reference_of(reference), decode_key(cursor, otherwise=0)
    place = opening.PagePlace(NOTES, parsed, after)
    page = opening.open_page(context.writer, place, actor=visitor.actor, at=now, act=act, limit=ADDITIONS_ON_PAGE)
    notes: Iterable[NoteEntry] = map(note_entry, page.rows)
    if act is DeskAct.OPENED:
        notes = opened_notes(opening.read_page(context.engine, page), context.unsealer)
    return desk_page(
        context,
        "desk_notes.html",
        visitor=visitor,
        reference=parsed,
        notes=list(notes),
        next_notes=notes_address(parsed, page.next_after),
    )


def additions_address(reference: str, after: int | None) -> str | None:
    """Return the address of the page of additions after that number; None where there is none."""
    return None if after is None else f"{CONCERN_PAGES}/{reference}/additions?cursor={encode_key(after)}"


def notes_address(reference: str, after: int | None) -> str | None:
    """Return the address of the page of notes after that number; None where there is none."""
    return None if after is None else f"{CONCERN_PAGES}/{reference}/notes?cursor={encode_key(after)}"
