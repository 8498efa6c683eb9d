"""The preview of a draft: the page of its edition, marked as a draft, and stored nowhere."""

import datetime as dt
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from app.errors import InvalidEdition, NoSuchGuideDraft, ValidationFailed
from app.models.guidance.editions import EditionContent
from app.models.guidance.sections import ON_PAGES
from app.models.links import guide_path
from app.pages.desk.page import DeskRoute, lead_to
from app.pages.page import HTML, content_security_policy, render_page
from app.routers.params import GuideName
from app.services.access.sign_in import GUIDES_PATH
from app.services.guidance.checking import check_draft
from app.services.guidance.guide_drafts import get_guide_draft
from app.store.editions import EditionHead
from app.web.auth import EditorDep
from app.web.context import AppContext, ContextDep, NowDep, SessionDep
from app.web.people import PageEditorDep
from app.web.problem_responses import RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.web.responses import Responses
from app.web.router import GuidanceRouter

page_router = GuidanceRouter(prefix=GUIDES_PATH, include_in_schema=False, route_class=DeskRoute)
router = GuidanceRouter(tags=["Drafts"], responses=RESPONSES_OF_CLIENT_ROUTES)

PAGE_EXAMPLE = "<!doctype html><title>DRAFT: ‘One Minute Guide’ to an example</title>"
PREVIEW_EXAMPLE: Responses = {200: {"content": {"text/html": {"schema": {"type": "string"}, "example": PAGE_EXAMPLE}}}}


@router.get(
    "/v1/guides/{guide}/draft/preview",
    summary="Preview a draft",
    operation_id="preview_draft",
    response_class=HTMLResponse,
    responses=PREVIEW_EXAMPLE | problem_responses(NoSuchGuideDraft, ValidationFailed),
)
def preview_draft(
    session: SessionDep, context: ContextDep, _actor: EditorDep, now: NowDep, guide: GuideName
) -> Response:
    """Show the page as it would be, marked as a draft. A draft with faults has no page: the answer lists them."""
    return _preview(context, session, guide, now)


@page_router.get("/{guide}/preview")
def preview_on_page(
    session: SessionDep, context: ContextDep, _visitor: PageEditorDep, now: NowDep, guide: GuideName
) -> Response:
    """Return the page of the draft, or lead to what keeps it from having one."""
    try:
        return _preview(context, session, guide, now)
    except InvalidEdition:
        return lead_to(f"{GUIDES_PATH}/{guide}#to-do")


def _preview(context: AppContext, session: Session, guide: str, now: dt.datetime) -> Response:
    draft = get_guide_draft(session, guide)
    checked = check_draft(session, draft, context.reference_data, today=now.date())
    if checked.content is None or checked.digest is None:
        raise InvalidEdition(checked.faults)
    head = _head_of(guide, checked.published.next_number, checked.content, checked.digest, now)
    values: dict[str, Any] = {
        "head": head,
        "content": checked.content,
        "status": "",
        "history": [],
        "previous_edition": {},
        "shows_number": True,
        "sections": ON_PAGES,
        "notes": [each for each in checked.content.indicators if each.note],
        "tables": [],
        "api": guide_path(guide),
        "pdf_available": False,
        "renditions": (),
    }
    headers = {
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
        "Content-Security-Policy": content_security_policy(context.settings),
    }
    return Response(render_page(context, "desk_edit_preview.html", values), media_type=HTML, headers=headers)


def _head_of(guide: str, number: int, content: EditionContent, digest: str, now: dt.datetime) -> EditionHead:
    return EditionHead(guide, number, now, digest, content.title, content.change_note, None, None)
