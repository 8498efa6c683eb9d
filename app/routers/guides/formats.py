"""Routes of guides in formats other than JSON: large print, Markdown, a PDF to print, and each section as CSV.

Each format has its own path below the path of a guide, of an edition, and of a rendition. The path that serves JSON
also serves CSV and Markdown, if the `Accept` header asks for them (see `app.http.negotiation`).
"""

from functools import partial

from fastapi import Request, Response

from app.errors import NotFound, PdfUnavailable
from app.http.auth import PUBLIC
from app.http.context import AppContext, ContextDep, SessionDep
from app.http.memento import VARY, memento_headers, memento_links
from app.http.negotiation import AS_CSV, AS_MARKDOWN, AS_PDF, CSV, MARKDOWN, PDF_TYPE, ByteOrderMark, csv_response
from app.http.params import EditionKeyDep, GuideName, RenditionKeyDep, RenditionNameDep, SectionName
from app.http.problems import (
    CURRENT_EDITION_PROBLEMS,
    NUMBERED_EDITION_PROBLEMS,
    RENDITION_PROBLEMS,
    RESPONSES_OF_READS,
    problem_responses,
)
from app.http.responses import CACHE_CHECKED, CACHE_CURRENT, CACHE_IMMUTABLE, add_languages, conditional_response
from app.http.routes import GuidanceRouter
from app.models.guides.sections import Section
from app.models.languages import GUIDE_LANGUAGE
from app.services.guides.csv_tables import csv_name, section_csv
from app.services.guides.markdown import edition_markdown
from app.services.guides.pdf import NO_PICTURES, PDF_SUFFIXES, Pictures, PrintForm, edition_pdf
from app.services.guides.pictures import read_picture
from app.services.guides.presenters import ShownEdition, find_edition, find_rendition

router = GuidanceRouter(dependencies=[PUBLIC], responses=RESPONSES_OF_READS)


def _markdown(request: Request, context: AppContext, shown: ShownEdition) -> Response:
    public_url, links, headers = context.settings.public_url, shown.links(MARKDOWN.suffix), {}
    who = context.reference_data.who_to_call(shown.content)
    page = edition_markdown(shown, who.signposts, context.duty_hours.published(who), public_url)
    if shown.rendition is None:
        links |= memento_links(public_url, shown.head.guide)
        headers = {"Content-Language": GUIDE_LANGUAGE} | (memento_headers(shown.head) if shown.is_numbered else VARY)
    media_type, caching = MARKDOWN.content_type, _caching(shown)
    response = conditional_response(
        request, page, media_type=media_type, links=links, caching=caching, more_headers=headers
    )
    return _with_languages(response, shown)


def _pdf(
    request: Request, context: AppContext, shown: ShownEdition, form: PrintForm, pictures: Pictures = NO_PICTURES
) -> Response:
    who, suffix = context.reference_data.who_to_call(shown.content), PDF_SUFFIXES[form]
    page = edition_pdf(shown, who.signposts, context.duty_hours.published(who), context.settings, form, pictures)
    response = conditional_response(
        request, page, media_type=PDF_TYPE, links=shown.links(suffix), caching=_caching(shown)
    )
    response.headers["Content-Disposition"] = f'inline; filename="{shown.file_name}{suffix.replace("/", "-")}"'
    return _with_languages(response, shown)


def _table(request: Request, shown: ShownEdition, section: Section, bom: ByteOrderMark) -> Response:
    sheet, file_name = section_csv(shown, section), csv_name(shown, section)
    links, caching = shown.links(f"/{section.value}{CSV.suffix}"), _caching(shown, of_table=True)
    response = csv_response(request, sheet, file_name, bom=bom, caching=caching, links=links)
    return _with_languages(response, shown)


def _caching(shown: ShownEdition, *, of_table: bool = False) -> str:
    """Only tables of numbered editions are immutable: documents also show emergency numbers, which may be corrected."""
    if shown.rendition is not None:
        return CACHE_CHECKED
    return CACHE_IMMUTABLE if of_table and shown.is_numbered else CACHE_CURRENT


def _with_languages(response: Response, shown: ShownEdition) -> Response:
    """Return `response`, unchanged unless `shown` is a rendition.

    For a rendition, first add headers with the language of the rendition, and with links to the guide in each language.
    """
    if shown.rendition is not None:
        response.headers["Content-Language"] = shown.rendition.language
        add_languages(response, shown.rendition.languages)
    return response


@router.get(
    "/v1/guides/{guide}/large-print.pdf",
    tags=["Guides"],
    summary="Read a guide's current edition in large print",
    response_class=Response,
    responses=AS_PDF | problem_responses(NotFound, *CURRENT_EDITION_PROBLEMS, PdfUnavailable),
)
def read_guide_in_large_print(request: Request, session: SessionDep, context: ContextDep, guide: GuideName) -> Response:
    """The current edition in large print: the same pages as those of the numbered edition."""
    return _pdf(request, context, find_edition(session, guide), PrintForm.LARGE_PRINT)


@router.get(
    "/v1/guides/{guide}/editions/{number}/large-print.pdf",
    tags=["Editions"],
    summary="Read a numbered edition in large print",
    response_class=Response,
    responses=AS_PDF | problem_responses(NotFound, *NUMBERED_EDITION_PROBLEMS, PdfUnavailable),
)
def read_edition_in_large_print(
    request: Request, session: SessionDep, context: ContextDep, edition: EditionKeyDep
) -> Response:
    """The complete edition in 18-point type, in one column. Cached like the poster."""
    return _pdf(request, context, find_edition(session, *edition), PrintForm.LARGE_PRINT)


@router.get(
    "/v1/guides/{guide}/renditions/{language}/large-print.pdf",
    tags=["Renditions"],
    summary="Read a guide in another language in large print",
    response_class=Response,
    responses=AS_PDF | problem_responses(NotFound, *RENDITION_PROBLEMS, PdfUnavailable),
)
def read_rendition_in_large_print(
    request: Request, session: SessionDep, context: ContextDep, rendition: RenditionNameDep
) -> Response:
    """The rendition in 18-point type, in one column, with its pictures if it is in simple words."""
    shown = find_rendition(session, context.contents, *rendition)
    digests = tuple(sorted({each.digest for each in shown.words.pictures.values()}))
    return _pdf(request, context, shown, PrintForm.LARGE_PRINT, Pictures(digests, partial(read_picture, session)))


@router.get(
    "/v1/guides/{guide}.md",
    tags=["Guides"],
    summary="Read a guide's current edition as Markdown",
    response_class=Response,
    responses=AS_MARKDOWN | problem_responses(NotFound, *CURRENT_EDITION_PROBLEMS),
)
def read_guide_as_markdown(request: Request, session: SessionDep, context: ContextDep, guide: GuideName) -> Response:
    """A one-minute version: the numbers to call first, and the cautions beside factors and indicators."""
    return _markdown(request, context, find_edition(session, guide))


@router.get(
    "/v1/guides/{guide}/editions/{number}.md",
    tags=["Editions"],
    summary="Read a numbered edition as Markdown",
    response_class=Response,
    responses=AS_MARKDOWN | problem_responses(NotFound, *NUMBERED_EDITION_PROBLEMS),
)
def read_edition_as_markdown(
    request: Request, session: SessionDep, context: ContextDep, edition: EditionKeyDep
) -> Response:
    """A one-minute version of exactly this edition.

    It may be cached for one minute only, so that corrected emergency numbers reach every reader.
    """
    return _markdown(request, context, find_edition(session, *edition))


@router.get(
    "/v1/guides/{guide}/renditions/{language}.md",
    tags=["Renditions"],
    summary="Read a guide in another language as Markdown",
    description="A one-minute version of the latest rendition: 999 first, then who translated it. Text not translated "
    "is marked.",
    response_class=Response,
    responses=AS_MARKDOWN | problem_responses(NotFound, *RENDITION_PROBLEMS),
)
def read_rendition_as_markdown(
    request: Request, session: SessionDep, context: ContextDep, rendition: RenditionNameDep
) -> Response:
    """Return the latest rendition in the language, as Markdown."""
    return _markdown(request, context, find_rendition(session, context.contents, *rendition))


@router.get(
    "/v1/guides/{guide}/renditions/{language}/{number}.md",
    tags=["Renditions"],
    summary="Read a numbered rendition as Markdown",
    response_class=Response,
    responses=AS_MARKDOWN | problem_responses(NotFound, *RENDITION_PROBLEMS),
)
def read_numbered_rendition_as_markdown(
    request: Request, session: SessionDep, context: ContextDep, rendition: RenditionKeyDep
) -> Response:
    """A one-minute version of exactly this rendition."""
    return _markdown(request, context, find_rendition(session, context.contents, *rendition))


@router.get(
    "/v1/guides/{guide}.pdf",
    tags=["Guides"],
    summary="Read a guide's current edition as a PDF to print",
    response_class=Response,
    responses=AS_PDF | problem_responses(NotFound, *CURRENT_EDITION_PROBLEMS, PdfUnavailable),
)
def read_guide_as_pdf(request: Request, session: SessionDep, context: ContextDep, guide: GuideName) -> Response:
    """The current edition as a poster: the same pages as those of the numbered edition."""
    return _pdf(request, context, find_edition(session, guide), PrintForm.POSTER)


@router.get(
    "/v1/guides/{guide}/editions/{number}.pdf",
    tags=["Editions"],
    summary="Read a numbered edition as a PDF to print",
    description="An A4 poster, tagged for accessibility (PDF/UA-1), with a QR code for the current guide.\n\n"
    "The front has what to look for, the cautions and whom to call. The back has the rest. A second sheet, for a "
    "corridor, says whom a child can call. "
    "The same content gives the same bytes. Like the Markdown it may be cached for one minute only, so that corrected "
    "emergency numbers reach every reader.",
    response_class=Response,
    responses=AS_PDF | problem_responses(NotFound, *NUMBERED_EDITION_PROBLEMS, PdfUnavailable),
)
def read_edition_as_pdf(request: Request, session: SessionDep, context: ContextDep, edition: EditionKeyDep) -> Response:
    """Return the poster of exactly that edition."""
    return _pdf(request, context, find_edition(session, *edition), PrintForm.POSTER)


@router.get(
    "/v1/guides/{guide}/renditions/{language}.pdf",
    tags=["Renditions"],
    summary="Read a guide in another language as a PDF to print",
    response_class=Response,
    responses=AS_PDF | problem_responses(NotFound, *RENDITION_PROBLEMS, PdfUnavailable),
)
def read_rendition_as_pdf(
    request: Request, session: SessionDep, context: ContextDep, rendition: RenditionNameDep
) -> Response:
    """The latest rendition as a poster, tagged with its language. 999 and who to call are in the language of the guide.

    Not available if the font lacks the letters of the language.
    """
    return _pdf(request, context, find_rendition(session, context.contents, *rendition), PrintForm.POSTER)


@router.get(
    "/v1/guides/{guide}/renditions/{language}/{number}.pdf",
    tags=["Renditions"],
    summary="Read a numbered rendition as a PDF to print",
    response_class=Response,
    responses=AS_PDF | problem_responses(NotFound, *RENDITION_PROBLEMS, PdfUnavailable),
)
def read_numbered_rendition_as_pdf(
    request: Request, session: SessionDep, context: ContextDep, rendition: RenditionKeyDep
) -> Response:
    """Exactly that rendition, as a poster."""
    return _pdf(request, context, find_rendition(session, context.contents, *rendition), PrintForm.POSTER)


@router.get(
    "/v1/guides/{guide}/{section}.csv",
    tags=["Guides"],
    summary="Read a section of the current edition as CSV",
    description="One item per row (RFC 4180, UTF-8, with a header row). Each row carries the edition and the cautions."
    "\n\nCells that start with `=`, `+`, `-`, `@`, a tab or a carriage return get a leading apostrophe, so that "
    "spreadsheets do not run them.",
    response_class=Response,
    responses=AS_CSV | problem_responses(NotFound, *CURRENT_EDITION_PROBLEMS),
)
def read_section_as_csv(
    *,
    request: Request,
    session: SessionDep,
    section: SectionName,
    guide: GuideName,
    bom: ByteOrderMark = "0",
) -> Response:
    """Return one section of the current edition as CSV."""
    return _table(request, find_edition(session, guide), section, bom)


@router.get(
    "/v1/guides/{guide}/editions/{number}/{section}.csv",
    tags=["Editions"],
    summary="Read a section of a numbered edition as CSV",
    response_class=Response,
    responses=AS_CSV | problem_responses(NotFound, *NUMBERED_EDITION_PROBLEMS),
)
def read_edition_section_as_csv(
    *,
    request: Request,
    session: SessionDep,
    section: SectionName,
    edition: EditionKeyDep,
    bom: ByteOrderMark = "0",
) -> Response:
    """One section of exactly that edition, in the format of the current edition's CSV."""
    return _table(request, find_edition(session, *edition), section, bom)


@router.get(
    "/v1/guides/{guide}/renditions/{language}/{section}.csv",
    tags=["Renditions"],
    summary="Read a section in another language as CSV",
    response_class=Response,
    responses=AS_CSV | problem_responses(NotFound, *RENDITION_PROBLEMS),
)
def read_rendition_section_as_csv(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    section: SectionName,
    rendition: RenditionNameDep,
    bom: ByteOrderMark = "0",
) -> Response:
    """One item per row, as in the CSV of an edition, plus the rendition and the cells that are not translated."""
    return _table(request, find_rendition(session, context.contents, *rendition), section, bom)


@router.get(
    "/v1/guides/{guide}/renditions/{language}/{number}/{section}.csv",
    tags=["Renditions"],
    summary="Read a section of a numbered rendition as CSV",
    response_class=Response,
    responses=AS_CSV | problem_responses(NotFound, *RENDITION_PROBLEMS),
)
def read_numbered_rendition_section_as_csv(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    section: SectionName,
    rendition: RenditionKeyDep,
    bom: ByteOrderMark = "0",
) -> Response:
    """One section of exactly that rendition."""
    return _table(request, find_rendition(session, context.contents, *rendition), section, bom)
