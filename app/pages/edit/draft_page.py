"""A draft as a whole: its sections, what its check says, what it changes, and its publication by a second person."""

import datetime as dt

from fastapi import Response

from app.errors import DraftChanged, InvalidEdition
from app.models.guidance.guide_tables import GuideDraftRow
from app.pages.desk.page import DeskRoute, desk_page, lead_to
from app.pages.edit.comparing import compare_with, remarks_of
from app.pages.edit.guides_to_edit import title_of
from app.pages.edit.sections import EDIT_PAGES
from app.pages.form_answers import PLACE, SubmittedForm, SubmittedFormDep
from app.routers.params import GuideName
from app.services.access.sign_in import GUIDES_PATH
from app.services.guidance.draft_checking import check_draft
from app.services.guidance.guide_drafts import (
    DraftAct,
    discard_draft,
    get_guide_draft,
    is_same_hand,
    list_draft_writers,
    offer_draft,
    publish_draft,
)
from app.store.editions import current_of
from app.web.context import ContextDep, NowDep, SessionDep
from app.web.people import PageEditorDep, PagePublisherDep, Visitor
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=GUIDES_PATH, include_in_schema=False, route_class=DeskRoute)

AGREED = "yes"


@router.get("/{guide}")
def read_draft_page(
    context: ContextDep, session: SessionDep, visitor: PageEditorDep, now: NowDep, guide: GuideName
) -> Response:
    """Return the draft with what is left to do."""
    draft = get_guide_draft(session, guide)
    checked = check_draft(session, draft, context.reference_data, today=now.date())
    current, writers = checked.published.current, list_draft_writers(session, guide)
    content, faults = draft.read(), remarks_of(checked.faults)
    return desk_page(
        context,
        "desk_edit_draft.html",
        visitor=visitor,
        draft=draft,
        title=title_of(draft),
        pages=EDIT_PAGES,
        counts={page: len(found) for page, found in content.items() if isinstance(found, list)},
        to_do={page: sum(each.page == page for each in faults) for page in EDIT_PAGES},
        remarks=faults,
        warnings=remarks_of(checked.warnings),
        comparison=compare_with(draft, current) if current is not None else None,
        current=current_of(checked.published.history),
        follows=checked.follows,
        writers=writers,
        wrote_it=any(is_same_hand(visitor.actor.client, each) for each in writers),
    )


@router.post("/{guide}/offer")
def offer_on_page(
    *, context: ContextDep, visitor: PageEditorDep, now: NowDep, guide: GuideName, posted: SubmittedFormDep
) -> Response:
    """Ask for the publication of the draft as the page showed it. One with faults stays as it is."""
    try:
        offer_draft(context.writer, context.reference_data, _act(guide, posted, visitor, now))
    except InvalidEdition:
        return lead_to(f"{GUIDES_PATH}/{guide}#to-do")
    return lead_to(f"{GUIDES_PATH}/{guide}")


@router.post("/{guide}/publication")
def publish_on_page(
    *,
    context: ContextDep,
    visitor: PagePublisherDep,
    now: NowDep,
    guide: GuideName,
    posted: SubmittedFormDep,
) -> Response:
    """Publish the draft as the page showed it, after the edition that it showed."""
    if posted.one("agreed") != AGREED:
        return lead_to(f"{GUIDES_PATH}/{guide}#publish")
    follows = posted.one("follows")
    try:
        published = publish_draft(
            context.writer,
            context.reference_data,
            _act(guide, posted, visitor, now),
            follows=int(follows) if PLACE.fullmatch(follows) else None,
        )
    except InvalidEdition:
        return lead_to(f"{GUIDES_PATH}/{guide}#to-do")
    return desk_page(context, "desk_edit_published.html", visitor=visitor, key=published.key, digest=published.digest)


@router.post("/{guide}/removal")
def remove_on_page(
    *, context: ContextDep, visitor: PageEditorDep, now: NowDep, guide: GuideName, posted: SubmittedFormDep
) -> Response:
    """Remove the draft as the page showed it."""
    if posted.one("agreed") != AGREED:
        return lead_to(f"{GUIDES_PATH}/{guide}#remove")
    discard_draft(context.writer, _act(guide, posted, visitor, now))
    return lead_to(GUIDES_PATH)


def _act(guide: str, posted: SubmittedForm, visitor: Visitor, now: dt.datetime) -> DraftAct:
    """Return the act on the draft, if it is still the version that the page showed."""

    def check(draft: GuideDraftRow) -> None:
        if posted.one("version") != str(draft.version):
            raise DraftChanged

    return DraftAct(guide, visitor.actor.client, now, check)
