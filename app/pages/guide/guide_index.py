"""Pages that find a guide: the home page, all guides by letter, and those about a subject."""

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated

from fastapi import Path, Query, Request, Response

from app.errors import NotFound
from app.pages.error_pages import PageRoute
from app.pages.page import public_page
from app.services.guidance.guides import ListedGuide, group_by_subject, list_guides
from app.web.auth import PUBLIC
from app.web.context import ContextDep, SessionDep
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

MAX_CARDS = 8
"""Guides that the home page shows as cards; more are links by subject."""
MAX_LINKS = 60
"""Guides that one page links to; more are listed a subject or a letter at a time."""

Letter = Annotated[str | None, Query(pattern="^[A-Z0]$", description="The letter to list.")]
SubjectCode = Annotated[str, Path(max_length=80)]


@router.get("/")
def read_home(request: Request, session: SessionDep, context: ContextDep) -> Response:
    """Return the home page: who to call, the form for a concern, and the guides, or the way to them."""
    guides = list_guides(session, context.reference_data)
    return public_page(
        request,
        context,
        "home.html",
        guides=guides,
        start=_start(guides),
        contacts=list(context.emergency_contacts.current()),
        groups=group_by_subject(guides, context.reference_data) if len(guides) > MAX_CARDS else [],
        links_guides=len(guides) <= MAX_LINKS,
        names_publishers=names_publishers(guides),
    )


@router.get("/guides")
def read_guides(request: Request, session: SessionDep, context: ContextDep, letter: Letter = None) -> Response:
    """Return every guide by letter; where there are very many, those of one letter."""
    guides = list_guides(session, context.reference_data)
    by_letter = {key: list(found) for key, found in groupby(guides, key=lambda each: each.letter)}
    if letter is not None and letter not in by_letter:
        raise NotFound
    shown = by_letter
    if letter is not None or len(guides) > MAX_LINKS:
        first = letter or next(iter(by_letter))
        shown = {first: by_letter[first]}
    return public_page(
        request,
        context,
        "guides.html",
        letters=list(by_letter),
        shown=shown,
        names_publishers=names_publishers(guides),
        contacts=list(context.emergency_contacts.current()),
    )


@router.get("/subjects/{subject}")
def read_subject(request: Request, session: SessionDep, context: ContextDep, subject: SubjectCode) -> Response:
    """Return the guides about a subject."""
    guides = list_guides(session, context.reference_data)
    found = {
        code.code if code else "other": (code, of_it)
        for code, of_it in group_by_subject(guides, context.reference_data)
    }
    if subject not in found:
        raise NotFound
    code, of_it = found[subject]
    return public_page(
        request,
        context,
        "subject.html",
        code=code,
        guides=of_it,
        names_publishers=names_publishers(guides),
        contacts=list(context.emergency_contacts.current()),
    )


def names_publishers(guides: Sequence[ListedGuide]) -> bool:
    """Return whether lists say who publishes each guide: where it is not one body alone."""
    return len({each.publisher for each in guides}) > 1


def _start(guides: Sequence[ListedGuide]) -> str | None:
    """Return the form to start with. Where there are several guides, nobody has to choose one first."""
    if len(guides) == 1:
        return f"/raise-a-concern/{guides[0].guide}"
    return "/raise-a-concern" if guides else None
