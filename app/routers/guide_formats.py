"""Routes of the guide in other formats than JSON: each section as CSV, each edition as Markdown and as a PDF.

Each format has a path of its own. With `Accept`, the path of the JSON serves CSV and Markdown too (see
`app.web.negotiation`).
"""

from fastapi import Request, Response
from sqlmodel import Session

from app.models.guidance.editions import EditionContent
from app.models.guidance.languages import GUIDE_LANGUAGE
from app.models.guidance.sections import Section
from app.models.links import edition_path, guide_path
from app.presenters.csv_table import csv_name, section_csv
from app.presenters.guides import edition_links
from app.presenters.markdown import edition_markdown
from app.presenters.memento import VARY, memento_headers, memento_links
from app.presenters.pdf import PDF_SUFFIXES, PrintForm, edition_pdf
from app.routers.params import EditionNumber, GuideName, SectionName
from app.store.editions import EditionHead, get_current, get_history, readable_of
from app.web import problem_types as problems
from app.web.auth import PUBLIC
from app.web.context import AppContext, ContextDep, SessionDep
from app.web.negotiation import AS_CSV, AS_MARKDOWN, AS_PDF, CSV, MARKDOWN, PDF_TYPE, ByteOrderMark, csv_response
from app.web.problem_responses import RESPONSES_OF_READS, problem_responses
from app.web.responses import CACHE_CURRENT, CACHE_IMMUTABLE, Headers, conditional_response
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix="/v1/guides", dependencies=[PUBLIC], responses=RESPONSES_OF_READS)


@router.get(
    "/{guide}.md",
    tags=["Guides"],
    summary="Read a guide's current edition as Markdown",
    response_class=Response,
    responses=AS_MARKDOWN | problem_responses(problems.NOT_FOUND, *problems.CURRENT_EDITION_PROBLEMS),
)
def read_guide_as_markdown(request: Request, session: SessionDep, context: ContextDep, guide: GuideName) -> Response:
    """The guide to read in a minute: the numbers to call first, and the cautions beside factors and indicators."""
    head = get_current(session, guide=guide)
    return _markdown_response(request, session, context, head, guide_path(guide), VARY)


@router.get(
    "/{guide}/editions/{number}.md",
    tags=["Editions"],
    summary="Read a numbered edition as Markdown",
    response_class=Response,
    responses=AS_MARKDOWN | problem_responses(problems.NOT_FOUND, *problems.NUMBERED_EDITION_PROBLEMS),
)
def read_edition_as_markdown(
    request: Request, session: SessionDep, context: ContextDep, guide: GuideName, number: EditionNumber
) -> Response:
    """Exactly that edition, to read in a minute.

    Unlike its other forms it may be stored for a minute only: the numbers for an emergency are outside editions, and
    one that is put right must reach every reader.
    """
    head = readable_of(get_history(session, guide=guide), number)
    return _markdown_response(request, session, context, head, edition_path(*head.key), memento_headers(head))


@router.get(
    "/{guide}.pdf",
    tags=["Guides"],
    summary="Read a guide's current edition as a PDF to print",
    response_class=Response,
    responses=AS_PDF
    | problem_responses(problems.NOT_FOUND, *problems.CURRENT_EDITION_PROBLEMS, problems.PDF_UNAVAILABLE),
)
def read_guide_as_pdf(request: Request, session: SessionDep, context: ContextDep, guide: GuideName) -> Response:
    """The same pages as those of the numbered edition."""
    head = get_current(session, guide=guide)
    return _pdf_response(request, session, context, head, guide_path(guide))


@router.get(
    "/{guide}/large-print.pdf",
    tags=["Guides"],
    summary="Read a guide's current edition in large print",
    response_class=Response,
    responses=AS_PDF
    | problem_responses(problems.NOT_FOUND, *problems.CURRENT_EDITION_PROBLEMS, problems.PDF_UNAVAILABLE),
)
def read_guide_in_large_print(request: Request, session: SessionDep, context: ContextDep, guide: GuideName) -> Response:
    """The same pages as those of the numbered edition."""
    head = get_current(session, guide=guide)
    return _pdf_response(request, session, context, head, guide_path(guide), PrintForm.LARGE_PRINT)


@router.get(
    "/{guide}/editions/{number}.pdf",
    tags=["Editions"],
    summary="Read a numbered edition as a PDF to print",
    response_class=Response,
    responses=AS_PDF
    | problem_responses(problems.NOT_FOUND, *problems.NUMBERED_EDITION_PROBLEMS, problems.PDF_UNAVAILABLE),
)
def read_edition_as_pdf(
    request: Request, session: SessionDep, context: ContextDep, guide: GuideName, number: EditionNumber
) -> Response:
    """A poster for a wall: two sides of A4, tagged (PDF/UA-1), with a QR code that leads to the live guide.

    On the front is the number to call in the council's colour, what to look for and what to do. The rest is on the
    back. The same words make the same bytes. Like the Markdown it may be stored for a minute only, since the
    numbers for an emergency are outside editions.
    """
    head = readable_of(get_history(session, guide=guide), number)
    return _pdf_response(request, session, context, head, edition_path(*head.key))


@router.get(
    "/{guide}/editions/{number}/large-print.pdf",
    tags=["Editions"],
    summary="Read a numbered edition in large print",
    response_class=Response,
    responses=AS_PDF
    | problem_responses(problems.NOT_FOUND, *problems.NUMBERED_EDITION_PROBLEMS, problems.PDF_UNAVAILABLE),
)
def read_edition_in_large_print(
    request: Request, session: SessionDep, context: ContextDep, guide: GuideName, number: EditionNumber
) -> Response:
    """The whole edition in letters of 18 points, in one column. It is cached like the poster."""
    head = readable_of(get_history(session, guide=guide), number)
    return _pdf_response(request, session, context, head, edition_path(*head.key), PrintForm.LARGE_PRINT)


@router.get(
    "/{guide}/{section}.csv",
    tags=["Guides"],
    summary="Read a section of the current edition as CSV",
    response_class=Response,
    responses=AS_CSV | problem_responses(problems.NOT_FOUND, *problems.CURRENT_EDITION_PROBLEMS),
)
def read_section_as_csv(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    guide: GuideName,
    section: SectionName,
    bom: ByteOrderMark = "0",
) -> Response:
    """One item a row (RFC 4180, UTF-8, with a header row), and in every row its edition and the cautions.

    A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return has an apostrophe before it, so that no
    spreadsheet runs it.
    """
    head = get_current(session, guide=guide)
    return _csv_response(
        request,
        context.contents(head.key, session),
        head,
        section,
        path=guide_path(guide),
        caching=CACHE_CURRENT,
        bom=bom,
    )


@router.get(
    "/{guide}/editions/{number}/{section}.csv",
    tags=["Editions"],
    summary="Read a section of a numbered edition as CSV",
    response_class=Response,
    responses=AS_CSV | problem_responses(problems.NOT_FOUND, *problems.NUMBERED_EDITION_PROBLEMS),
)
def read_edition_section_as_csv(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    guide: GuideName,
    number: EditionNumber,
    section: SectionName,
    bom: ByteOrderMark = "0",
) -> Response:
    """One section of exactly that edition, laid out as that of the current one."""
    head = readable_of(get_history(session, guide=guide), number)
    path = edition_path(*head.key)
    return _csv_response(
        request, context.contents(head.key, session), head, section, path=path, caching=CACHE_IMMUTABLE, bom=bom
    )


def _markdown_response(
    request: Request, session: Session, context: AppContext, head: EditionHead, path: str, headers: Headers
) -> Response:
    content = context.contents(head.key, session)
    page = edition_markdown(head, content, context.reference_data.signposts, context.settings.public_url)
    links = edition_links(head.key, path, MARKDOWN.suffix) | memento_links(context.settings.public_url, head.guide)
    more = {"Content-Language": GUIDE_LANGUAGE, **headers}
    return conditional_response(request, page, media_type=MARKDOWN.content_type, links=links, more_headers=more)


def _pdf_response(
    request: Request,
    session: Session,
    context: AppContext,
    head: EditionHead,
    path: str,
    form: PrintForm = PrintForm.POSTER,
) -> Response:
    content, signposts = context.contents(head.key, session), context.reference_data.signposts
    page = edition_pdf(head, content, signposts, context.settings, form)
    suffix = PDF_SUFFIXES[form]
    response = conditional_response(request, page, media_type=PDF_TYPE, links=edition_links(head.key, path, suffix))
    name = f"{head.guide}-edition-{head.number}{suffix.replace('/', '-')}"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _csv_response(
    request: Request, content: EditionContent, head: EditionHead, section: Section, *, path: str, caching: str, bom: str
) -> Response:
    links = edition_links(head.key, path, f"/{section.value}{CSV.suffix}")
    sheet = section_csv(head, content, section)
    return csv_response(request, sheet, csv_name(head, section), bom=bom, caching=caching, links=links)
