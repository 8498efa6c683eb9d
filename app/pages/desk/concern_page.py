"""One concern: its words as a referral where this service can open it, what was added, and what was done."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

from fastapi import Path, Query, Response

from app.errors import ConcernErased, UnsealingUnavailable
from app.models.desk.additions import AdditionEntry
from app.models.desk.concerns import InboxEntry
from app.models.desk.notes import NoteEntry
from app.pages.desk.further_pages import ADDITIONS_ON_PAGE, additions_address, notes_address
from app.pages.desk.clock_words import due_of, time_left
from app.pages.desk.desk_route import DeskRoute
from app.pages.desk.desk_work import read_desk_work
from app.pages.desk.forms import desk_forms
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.desk.page import desk_page
from app.pages.desk.referral import referral_of
from app.pages.form.form_view import AnsweredSection
from app.pages.text_format import spoken
from app.presenters.desk import entry_of, listed_addition, opened_concern, reference_of
from app.presenters.notes import note_entry, opened_notes
from app.services.desk import opening
from app.services.desk.viewing import view_concern
from app.web.context import AppContext, ContextDep, NowDep
from app.web.people import PageReaderDep, Visitor
from app.web.query_params import IN_PLAIN_DIGITS
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)

NOTES_ON_PAGE = 20
"""The last ones. Their sealed bytes together are fewer than those of a page."""
MOST_ACTS = 10**9
ConcernReferenceInPath = Annotated[str, Path(max_length=60)]


@dataclass(frozen=True)
class Shown:
    """What is shown of a concern: with its words, or without."""

    opening: opening.Opening
    entry: InboxEntry
    additions: tuple[AdditionEntry, ...]
    notes: tuple[NoteEntry, ...]
    sections: list[AnsweredSection] | None = None


@router.get("/{reference}")
def read_concern_page(
    *,
    context: ContextDep,
    visitor: PageReaderDep,
    now: NowDep,
    reference: ConcernReferenceInPath,
    seen: Annotated[int | None, Query(ge=0, le=MOST_ACTS), IN_PLAIN_DIGITS] = None,
) -> Response:
    """Return the concern. Each view is one disclosure, with the person's name.

    `seen` is the last act that the person saw before their own: what others did since is at the top of the page.
    """
    parsed = reference_of(reference)
    shown = _open(context, visitor, parsed, now) if context.unsealer.can_unseal else None
    shown = shown or _view(context, visitor, parsed, now)
    due = due_of(shown.entry)
    return desk_page(
        context,
        "desk_concern.html",
        visitor=visitor,
        concern=shown.entry,
        shown=shown,
        work=read_desk_work(context, visitor, shown.opening, seen_before=seen),
        forms=desk_forms(context, visitor, parsed, shown.opening.seen),
        left=time_left(due, now) if due is not None else None,
        aloud=spoken(parsed),
        next_additions=additions_address(parsed, shown.opening.page.next_after),
        earlier_notes=notes_address(parsed, shown.opening.notes.next_after if shown.opening.notes else None),
        printed_at=now,
    )


def _open(context: AppContext, visitor: Visitor, reference: str, now: dt.datetime) -> Shown | None:
    """Return the concern with its words, or None if they were erased, or were sealed to other identities."""
    try:
        recorded = opening.open_concern(
            context.writer,
            reference,
            actor=visitor.actor,
            at=now,
            how="opened here",
            limit=ADDITIONS_ON_PAGE,
            last_notes=NOTES_ON_PAGE,
        )
        sealed = opening.read_sealed_concern(context.engine, reference)
        additions = opening.read_page(context.engine, recorded.page)
        opened = opened_concern(recorded, sealed, additions, context.unsealer, now=now)
        noted = opening.read_page(context.engine, recorded.notes) if recorded.notes is not None else ()
        notes = opened_notes(noted, context.unsealer)
    except (ConcernErased, UnsealingUnavailable):
        return None
    return Shown(recorded, opened, opened.additions, notes, referral_of(context, opened))


def _view(context: AppContext, visitor: Visitor, reference: str, now: dt.datetime) -> Shown:
    """Return the concern without its words."""
    viewed = view_concern(
        context.writer, reference, actor=visitor.actor, at=now, limit=ADDITIONS_ON_PAGE, last_notes=NOTES_ON_PAGE
    )
    additions = tuple(listed_addition(row, now=now) for row in viewed.page.rows)
    notes = tuple(map(note_entry, viewed.notes.rows if viewed.notes is not None else ()))
    return Shown(viewed, entry_of(viewed.concern, now=now), additions, notes)
