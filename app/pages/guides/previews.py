"""Previews of drafts as pages, for clients of the API and for editors."""

from fastapi import Response
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from app.errors import InvalidEdition, NoSuchGuideDraft, ValidationFailed
from app.http.auth import EditorDep
from app.http.context import SessionDep
from app.http.params import GuideName
from app.http.problems import RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.http.responses import Responses
from app.http.routes import GuidanceRouter
from app.models.links import guide_path
from app.pages.frame import lead_to
from app.pages.guides.drafts import EditingDep, router
from app.pages.guides.guides import edition_values
from app.pages.page import HTML, Site, SiteDep, content_security_policy
from app.services.guides.drafts import get_guide_draft
from app.services.guides.editions import EditionHead
from app.services.guides.validation import check_draft

preview_router = GuidanceRouter(tags=["Drafts"], responses=RESPONSES_OF_CLIENT_ROUTES)
PAGE_EXAMPLE = "<!doctype html><title>DRAFT: ‘One Minute Guide’ to an example</title>"
PREVIEW_EXAMPLE: Responses = {200: {"content": {"text/html": {"schema": {"type": "string"}, "example": PAGE_EXAMPLE}}}}


@preview_router.get(
    "/v1/guides/{guide}/draft/preview",
    summary="Preview a draft",
    operation_id="preview_draft",
    response_class=HTMLResponse,
    responses=PREVIEW_EXAMPLE | problem_responses(NoSuchGuideDraft, ValidationFailed),
)
def preview_draft(session: SessionDep, site: SiteDep, _actor: EditorDep, guide: GuideName) -> Response:
    """Show the page as it would be published, marked as a draft. An invalid draft returns its errors instead."""
    return _preview(site, session, guide)


@router.get("/{guide}/preview")
def preview_on_page(editing: EditingDep) -> Response:
    """Return the draft as the page that it would become, or redirect to the errors that prevent a preview."""
    try:
        return _preview(editing, editing.session, editing.guide)
    except InvalidEdition:
        return lead_to(f"{editing.path}#to-do")


def _preview(site: Site, session: Session, guide: str) -> Response:
    draft = get_guide_draft(session, guide)
    checked = check_draft(session, draft, site.context.reference_data, today=site.now.date())
    if checked.content is None or checked.digest is None:
        raise InvalidEdition(checked.faults)
    content, number = checked.content, checked.published.next_number
    head = EditionHead(guide, number, site.now, checked.digest, content.title, content.change_note, None, None)
    page = site.html(
        "desk_edit_preview.html",
        **edition_values(head, content, []),
        who=site.context.reference_data.who_to_call(content),
        status="",
        shows_number=True,
        tables=(),
        api=guide_path(guide),
        pdf_available=False,
        renditions=(),
    )
    headers = {
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
        "Content-Security-Policy": content_security_policy(site.context.settings),
    }
    return Response(page, media_type=HTML, headers=headers)
