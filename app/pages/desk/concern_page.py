"""One concern: its words as a referral where this service can open it, what was added, and what was done."""

from typing import Annotated

from fastapi import Query, Response

from app.pages.desk.acts import desk_forms
from app.pages.desk.concern_views import show_concern
from app.pages.desk.desk_work import read_desk_work
from app.pages.desk.further_pages import additions_address, notes_address
from app.pages.desk.inbox import CONCERN_PAGES, ConcernReferenceInPath, due_of, time_left
from app.pages.desk.page import DeskRoute, desk_page
from app.pages.desk.referral import layout_of
from app.pages.text_format import spoken
from app.presenters.desk import reference_of
from app.web.context import ContextDep, NowDep
from app.web.people import PageReaderDep
from app.web.query_params import IN_PLAIN_DIGITS
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=CONCERN_PAGES, include_in_schema=False, route_class=DeskRoute)

MOST_ACTS = 10**9


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
    shown = show_concern(context, visitor, parsed, now)
    entry, recorded = shown.entry, shown.opening
    due = due_of(entry)
    return desk_page(
        context,
        "desk_concern.html",
        visitor=visitor,
        concern=entry,
        shown=shown,
        work=read_desk_work(context, visitor, recorded, seen_before=seen),
        forms=desk_forms(context, visitor, parsed, recorded.seen),
        left=time_left(due, now) if due is not None else None,
        aloud=spoken(parsed),
        layout=layout_of(context, entry.guide, entry.edition) if shown.sealed is not None else None,
        next_additions=additions_address(parsed, recorded.page.next_after),
        earlier_notes=notes_address(parsed, recorded.notes.next_after),
        printed_at=now,
    )
