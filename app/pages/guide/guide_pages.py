"""Pages of guidance: each edition, and the changes between two editions; and the statements of the council."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from fastapi import Query, Request, Response

from app.about import VERSION
from app.errors import InvalidQuery
from app.faults import FaultCode, FieldError
from app.models.base import MAX_NUMBER
from app.models.guidance.comparison import changed_fields, changed_sections
from app.models.guidance.editions import EditionContent
from app.models.guidance.sections import ON_PAGES, Section
from app.models.links import edition_path, guide_path
from app.pages.error_pages import PageRoute
from app.pages.guide.changed_words import describe_field_changes, describe_section_changes
from app.pages.guide.rendition_links import rendition_links
from app.pages.page import public_page
from app.presenters.pdf import pdf_available
from app.presenters.structured_data import structured_data
from app.routers.params import EditionNumber, GuideName
from app.services.guidance.renditions import current_renditions
from app.store.editions import (
    EditionHead,
    StoredRendition,
    current_of,
    get_history,
    list_renditions,
    readable_of,
    require_current,
    status_of,
)
from app.web.auth import PUBLIC
from app.web.context import AppContext, ContextDep, SessionDep
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

OTHER_FORMS = {"": "application/json", ".md": "text/markdown", ".pdf": "application/pdf"}
"""The forms of an edition beside its page: what its path in the API ends with, and the media type."""

Since = Annotated[int, Query(ge=1, le=MAX_NUMBER, description="The edition to compare with.")]


@router.get("/covering-your-tracks")
def read_covering_your_tracks(request: Request, context: ContextDep) -> Response:
    """Return the page on what these pages leave behind on a device."""
    return public_page(request, context, "covering_your_tracks.html")


@router.get("/accessibility")
def read_accessibility_statement(request: Request, context: ContextDep) -> Response:
    """Return the statement that the accessibility regulations of 2018 demand of a council."""
    return public_page(request, context, "accessibility.html", version=VERSION)


@router.get("/privacy")
def read_privacy_notice(request: Request, context: ContextDep) -> Response:
    """Return what article 13 of the UK GDPR demands: what happens to what people send here."""
    return public_page(request, context, "privacy.html")


@router.get("/guides/{guide}")
def read_guide_page(request: Request, session: SessionDep, context: ContextDep, guide: GuideName) -> Response:
    """Return the page of the current edition."""
    history = get_history(session, guide=guide)
    head = require_current(history)
    content = context.contents(head.key, session)
    renditions = current_renditions(history, list_renditions(session, guide=guide))
    return _edition_page(request, context, history, head, content=content, api=guide_path(guide), renditions=renditions)


@router.get("/guides/{guide}/editions/{number}")
def read_edition_page(
    request: Request, session: SessionDep, context: ContextDep, guide: GuideName, number: EditionNumber
) -> Response:
    """Return the page of one edition."""
    history = get_history(session, guide=guide)
    head = readable_of(history, number)
    content = context.contents(head.key, session)
    return _edition_page(request, context, history, head, content=content, api=edition_path(*head.key))


@router.get("/guides/{guide}/editions/{number}/changes")
def read_changes_page(
    *, request: Request, session: SessionDep, context: ContextDep, guide: GuideName, number: EditionNumber, since: Since
) -> Response:
    """Return the changes between two editions: removed and added words."""
    history = get_history(session, guide=guide)
    head, other = readable_of(history, number), readable_of(history, since)
    if head.number == other.number:
        raise InvalidQuery([FieldError((), "Compare it with another edition.", FaultCode.INVALID, "query", "since")])
    before, after = context.contents(other.key, session), context.contents(head.key, session)
    return public_page(
        request,
        context,
        "changes.html",
        head=head,
        since=other,
        after=after,
        field_changes=describe_field_changes(changed_fields(before, after)),
        section_changes=describe_section_changes(changed_sections(before, after)),
        others=[each for each in _readable(history) if each.number not in (number, since)],
    )


def _edition_page(
    request: Request,
    context: AppContext,
    history: list[EditionHead],
    head: EditionHead,
    *,
    content: EditionContent,
    api: str,
    renditions: Sequence[StoredRendition] = (),
) -> Response:
    previous = {newer.number: older.number for newer, older in pairwise(_readable(history))}
    return public_page(
        request,
        context,
        "guide.html",
        head=head,
        content=content,
        status=status_of(head, history),
        current=current_of(history),
        history=history,
        previous_edition={each.number: previous.get(each.number) for each in history},
        shows_number=api != guide_path(head.guide),
        sections=ON_PAGES,
        notes=[each for each in content.indicators if each.note],
        tables=[section.value for section in Section],
        api=api,
        alternates=OTHER_FORMS,
        structured_data=structured_data(head, content, context.settings.public_url),
        pdf_available=pdf_available(),
        renditions=rendition_links(renditions),
    )


def _readable(history: list[EditionHead]) -> list[EditionHead]:
    return [each for each in history if each.withdrawn_at is None]
