"""Previews of drafts as pages: for clients of the API, for editors, and for people who have a link but no account."""

import base64
import datetime as dt
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from app.errors import NoSuchGuideDraft, NotFound, ValidationFailed
from app.extensions.editing import LINKED_PAGE
from app.extensions.editing.pages.draft_requests import ReviewingDep, draft_form
from app.extensions.editing.pages.drafts import router
from app.extensions.editing.services.draft_checks import check_draft
from app.extensions.editing.services.draft_links import LINK_DAYS, end_draft_link, find_linked_draft, make_draft_link
from app.extensions.editing.services.drafts import get_guide_draft
from app.extensions.editing.services.rendition_drafts import check_rendition_draft
from app.extensions.editing.tables import GuideDraftRow
from app.http.auth import PUBLIC, EditorDep
from app.http.context import SessionDep
from app.http.params import GuideName
from app.http.problems import RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.http.responses import Responses
from app.http.routes import GuidanceRouter
from app.models.guides.edition_keys import RenditionKey
from app.models.links import guide_path, rendition_path
from app.pages.error_pages import PageRouter
from app.pages.frame import lead_to
from app.pages.guides.guides import edition_values, rendition_values
from app.pages.languages import ENGLISH, LANGUAGES, speaking
from app.pages.page import HTML, Site, SiteDep, content_security_policy
from app.pages.posted_forms import SubmittedFormDep
from app.services.guides.editions import EditionHead, StoredRendition, get_history, list_renditions
from app.services.guides.pdf import edition_pdf, pdf_available
from app.services.guides.pictures import MEDIA_TYPE, read_picture
from app.services.guides.presenters import ShownEdition

preview_router = GuidanceRouter(tags=["Drafts"], responses=RESPONSES_OF_CLIENT_ROUTES)
link_router = PageRouter(dependencies=[PUBLIC])
PAGE_EXAMPLE = "<!doctype html><title>DRAFT: ‘One Minute Guide’ to an example</title>"
PREVIEW_EXAMPLE: Responses = {200: {"content": {"text/html": {"schema": {"type": "string"}, "example": PAGE_EXAMPLE}}}}
LINK_FIELD = "token"
NOT_STORED = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
ENDED = "This link no longer works or is incomplete. Ask the person who sent it for a new link."
UNFINISHED = "The draft cannot be shown at the moment: someone is changing it. Try again later."


@preview_router.get(
    "/v1/guides/{guide}/draft/preview",
    summary="Preview a draft",
    operation_id="preview_draft",
    response_class=HTMLResponse,
    responses=PREVIEW_EXAMPLE | problem_responses(NoSuchGuideDraft, ValidationFailed),
)
def preview_draft(session: SessionDep, site: SiteDep, _actor: EditorDep, guide: GuideName) -> Response:
    """Show the draft as the page that would be published, marked as a draft.

    If the draft has errors, return the errors instead.
    """
    return _page_of(site, session, get_guide_draft(session, guide))


@router.get("/{guide}/preview")
@router.get("/{guide}/renditions/{language}/preview")
def preview_on_page(editing: ReviewingDep) -> Response:
    """Show the preview, or lead to the errors. Raise `NoSuchGuideDraft`, or `EditionWithdrawn` if all editions are."""
    draft = get_guide_draft(editing.session, editing.guide, editing.language)
    try:
        return _page_of(editing, editing.session, draft)
    except ValidationFailed:
        return lead_to(f"{editing.path}#to-do")


@draft_form(router, "links", "#links")
def make_link_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> Response:
    """Show the link, which no other page does. Unknown days become the default. Raise `NoSuchGuideDraft`."""
    days = posted.number("days")
    days = days if days in LINK_DAYS else LINK_DAYS[1]
    token = editing.context.writer.run(make_draft_link, editing.anyhow(), days=days)
    link = f"{editing.context.settings.public_url}{LINKED_PAGE}#{quote(token)}"
    ends = editing.now + dt.timedelta(days=days)
    return editing.page("desk_edit_linked.html", guide=editing.guide, path=editing.path, link=link, ends=ends)


@draft_form(router, "links/end", "#links")
def end_link_on_page(editing: ReviewingDep, posted: SubmittedFormDep) -> None:
    """Raise as `end_draft_link`."""
    editing.context.writer.run(end_draft_link, editing.anyhow(), number=posted.number("number") or 0)


@link_router.get(LINKED_PAGE)
def read_link_page(site: SiteDep) -> Response:
    """Show a page whose JavaScript posts the token of its address. Without JavaScript, the person pastes the link."""
    return _link_page(site)


@link_router.post(LINKED_PAGE)
def read_linked_draft(site: SiteDep, session: SessionDep, posted: SubmittedFormDep) -> Response:
    """Show the page that would be published, or the poster of an edition.

    Explain an invalid link, or a draft with errors.
    """
    token = posted.one(LINK_FIELD).strip().rpartition("#")[2]
    draft = find_linked_draft(session, token, at=site.now)
    if draft is None:
        return _link_page(site, ENDED, NotFound.status)
    try:
        if posted.one("form") == "poster" and not draft.language:
            return _poster(site, _read_preview(site, session, draft))
        return _page_of(site, session, draft, token)
    except ValidationFailed as refusal:
        return _link_page(site, UNFINISHED, refusal.status, token)


def _link_page(site: Site, fault: str = "", status: int = 200, token: str | None = None) -> Response:
    page = site.page("desk_edit_link.html", status=status, faults={LINK_FIELD: fault} if fault else {}, token=token)
    page.headers.update(NOT_STORED)
    return page


def _read_preview(site: Site, session: Session, draft: GuideDraftRow) -> ShownEdition:
    """Return the edition that the draft would become. Raise `InvalidEdition` with every error."""
    checked = check_draft(session, draft, site.context.reference_data, today=site.now.date())
    (content, digest), number = checked.require_sound(), checked.published.next_number
    head = EditionHead(draft.guide, number, site.now, digest, content.title, content.change_note, None, None)
    return ShownEdition(head, content.model_dump(mode="json"))


def _page_of(site: Site, session: Session, draft: GuideDraftRow, token: str | None = None) -> Response:
    """Show the page to a reader who has `token`, or to an editor. Raise `InvalidEdition` or `InvalidRendition`."""
    if draft.language:
        return _rendition_page(site, session, draft)
    return _edition_page(site, _read_preview(site, session, draft), token)


def _edition_page(site: Site, shown: ShownEdition, token: str | None = None) -> Response:
    """`token` gets the poster."""
    return _page_of_draft(
        site,
        layout="guide.html",
        token=token,
        has_poster=token is not None and pdf_available(),
        who=site.context.reference_data.who_to_call(shown.content),
        status="",
        shows_number=True,
        api=guide_path(shown.head.guide),
        **edition_values(shown.head, shown.content, []),
    )


def _rendition_page(site: Site, session: Session, draft: GuideDraftRow) -> Response:
    """Put pictures inside; use the rendition's language if pages have it.

    Raise `InvalidRendition`, `EditionWithdrawn`.
    """
    content, digest = check_rendition_draft(session, draft).require_sound()
    stored = list_renditions(session, guide=draft.guide, language=draft.language)
    key = RenditionKey(draft.guide, draft.language, len(stored) + 1)
    rendition = StoredRendition(key, content.of.edition, site.now, digest, content.model_dump(mode="json"), None, None)

    def picture_in_page(*place: Any) -> str:
        return f"data:{MEDIA_TYPE};base64,{base64.b64encode(read_picture(session, place[-1])).decode()}"

    with speaking(next((each for each in LANGUAGES if each.tag == draft.language), ENGLISH)):
        return _page_of_draft(
            site,
            layout="rendition.html",
            token=None,
            has_poster=False,
            picture_path=picture_in_page,
            is_latest=False,
            api=rendition_path(draft.guide, draft.language),
            **rendition_values(site, session, get_history(session, guide=draft.guide), rendition),
        )


def _page_of_draft(site: Site, **values: Any) -> Response:
    """No cache may store it. `layout` is the template that would be published."""
    page = site.html("desk_edit_preview.html", tables=(), renditions=(), pdf_available=False, **values)
    headers = NOT_STORED | {"Content-Security-Policy": content_security_policy(site.context.settings)}
    return Response(page, media_type=HTML, headers=headers)


def _poster(site: Site, shown: ShownEdition) -> Response:
    """Add `DRAFT` to the title. Raise `PdfUnavailable`."""
    who = site.context.reference_data.who_to_call(shown.content)
    teams = site.context.duty_hours.published(who)
    pdf = edition_pdf(
        replace(shown, document=shown.document | {"title": f"DRAFT: {shown.content.title}"}),
        who.signposts,
        teams,
        site.context.settings,
    )
    headers = NOT_STORED | {"Content-Disposition": f'inline; filename="draft-{shown.head.guide}.pdf"'}
    return Response(pdf, media_type="application/pdf", headers=headers)
