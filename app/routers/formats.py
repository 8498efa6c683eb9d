"""Routes of guides in other formats than JSON: Markdown, PDF to print, and each section as CSV.

Four sources have them: the current edition, a numbered one, the rendition to read in a language, and a numbered one.
Each format has a path of its own. With `Accept`, the path of the JSON serves CSV and Markdown too (see
`app.http.negotiation`).
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Request, Response
from sqlmodel import Session

from app.errors import NoSuchGuide, NoSuchRendition, NotFound, PdfUnavailable, Problem, RenditionWithdrawn
from app.http.auth import PUBLIC
from app.http.context import AppContext, ContextDep, SessionDep
from app.http.memento import VARY, memento_headers, memento_links
from app.http.negotiation import AS_CSV, AS_MARKDOWN, AS_PDF, CSV, MARKDOWN, PDF_TYPE, ByteOrderMark, csv_response
from app.http.params import (
    Asked,
    GuidanceRouter,
    SectionName,
    ask_current_edition,
    ask_current_rendition,
    ask_numbered_edition,
    ask_numbered_rendition,
)
from app.http.problems import CURRENT_EDITION_PROBLEMS, NUMBERED_EDITION_PROBLEMS, RESPONSES_OF_READS, problem_responses
from app.http.responses import (
    CACHE_CHECKED,
    CACHE_CURRENT,
    CACHE_IMMUTABLE,
    add_languages,
    conditional_response,
)
from app.models.languages import GUIDE_LANGUAGE
from app.services.csv_tables import csv_name, section_csv
from app.services.editions import Contents
from app.services.guide_documents import ShownEdition, find_edition, find_rendition
from app.services.markdown import edition_markdown
from app.services.pdf import PDF_SUFFIXES, PrintForm, edition_pdf

router = GuidanceRouter(prefix="/v1/guides/{guide}", dependencies=[PUBLIC], responses=RESPONSES_OF_READS)


def _find(session: Session, contents: Contents, asked: Asked) -> ShownEdition:
    if asked.language is None:
        return find_edition(session, contents, asked.guide, asked.number)
    return find_rendition(session, contents, asked.guide, asked.language, asked.number)


def _caching(shown: ShownEdition, *, of_table: bool = False) -> str:
    """Return how long a page or a table may be stored.

    The numbers for an emergency, which pages have, are outside editions: one that is put right must arrive.
    """
    if shown.rendition is not None:
        return CACHE_CHECKED
    return CACHE_IMMUTABLE if of_table and shown.is_numbered else CACHE_CURRENT


def _finish(response: Response, shown: ShownEdition) -> Response:
    """Add the language of a rendition's words, and links to the guide in each language."""
    if shown.rendition is not None:
        response.headers["Content-Language"] = shown.rendition.language
        add_languages(response, shown.rendition.languages)
    return response


def _markdown(request: Request, context: AppContext, shown: ShownEdition) -> Response:
    public_url, links, headers = context.settings.public_url, shown.links(MARKDOWN.suffix), {}
    page = edition_markdown(shown, context.reference_data.signposts_of(shown.content.publisher), public_url)
    if shown.rendition is None:
        links |= memento_links(public_url, shown.head.guide)
        headers = {"Content-Language": GUIDE_LANGUAGE} | (memento_headers(shown.head) if shown.is_numbered else VARY)
    media_type, caching = MARKDOWN.content_type, _caching(shown)
    return conditional_response(
        request, page, media_type=media_type, links=links, caching=caching, more_headers=headers
    )


def _pdf(form: PrintForm, request: Request, context: AppContext, shown: ShownEdition) -> Response:
    signposts, suffix = context.reference_data.signposts_of(shown.content.publisher), PDF_SUFFIXES[form]
    page = edition_pdf(shown, signposts, context.settings, form)
    links, caching = shown.links(suffix), _caching(shown)
    response = conditional_response(request, page, media_type=PDF_TYPE, links=links, caching=caching)
    name = shown.file_name + suffix.replace("/", "-")
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


@dataclass(frozen=True)
class Source:
    """What has other formats: where it is, how its path is read, and what its routes answer."""

    name: str
    """Its name in the names of routes."""
    path: str
    tag: str
    asked: Callable[..., Coroutine[Any, Any, Asked]]
    problems: tuple[type[Problem], ...]


PROBLEMS_OF_RENDITION = (NoSuchGuide, NoSuchRendition, RenditionWithdrawn)
CURRENT = Source("guide", "", "Guides", ask_current_edition, CURRENT_EDITION_PROBLEMS)
NUMBERED = Source("edition", "/editions/{number}", "Editions", ask_numbered_edition, NUMBERED_EDITION_PROBLEMS)
RENDITION = Source("rendition", "/renditions/{language}", "Renditions", ask_current_rendition, PROBLEMS_OF_RENDITION)
NUMBERED_RENDITION = Source(
    "numbered_rendition",
    "/renditions/{language}/{number}",
    "Renditions",
    ask_numbered_rendition,
    PROBLEMS_OF_RENDITION,
)


class Page(NamedTuple):
    """A format of a whole source, with the summary and the description of its route for each source that has it."""

    suffix: str
    name: str
    respond: Callable[[Request, AppContext, ShownEdition], Response]
    documented: dict[int | str, dict[str, Any]]
    problems: tuple[type[Problem], ...]
    words: dict[Source, tuple[str, str]]


PAGES = (  # large print first: else `large-print` is taken for a number
    Page(
        PDF_SUFFIXES[PrintForm.LARGE_PRINT],
        "in_large_print",
        partial(_pdf, PrintForm.LARGE_PRINT),
        AS_PDF,
        (PdfUnavailable,),
        {
            CURRENT: (
                "Read a guide's current edition in large print",
                "The same pages as those of the numbered edition.",
            ),
            NUMBERED: (
                "Read a numbered edition in large print",
                "The complete edition in 18-point type, in one column. Cached like the poster.",
            ),
            RENDITION: (
                "Read a guide in another language in large print",
                "The rendition in 18-point type, in one column.",
            ),
        },
    ),
    Page(
        MARKDOWN.suffix,
        "as_markdown",
        _markdown,
        AS_MARKDOWN,
        (),
        {
            CURRENT: (
                "Read a guide's current edition as Markdown",
                "A one-minute version: the numbers to call first, and the cautions beside factors and indicators.",
            ),
            NUMBERED: (
                "Read a numbered edition as Markdown",
                "A one-minute version of exactly that edition.\n\nUnlike other formats it may be cached for one "
                "minute only, so that corrected emergency numbers reach every reader.",
            ),
            RENDITION: (
                "Read a guide in another language as Markdown",
                "A one-minute version of the latest rendition: 999 first, then who translated it. Text not translated "
                "is marked.",
            ),
            NUMBERED_RENDITION: (
                "Read a numbered rendition as Markdown",
                "A one-minute version of exactly that rendition.",
            ),
        },
    ),
    Page(
        PDF_SUFFIXES[PrintForm.POSTER],
        "as_pdf",
        partial(_pdf, PrintForm.POSTER),
        AS_PDF,
        (PdfUnavailable,),
        {
            CURRENT: (
                "Read a guide's current edition as a PDF to print",
                "The same pages as those of the numbered edition.",
            ),
            NUMBERED: (
                "Read a numbered edition as a PDF to print",
                "A two-sided A4 poster, tagged for accessibility (PDF/UA-1), with a QR code for the current "
                "guide.\n\nThe front has the number to call in the council's colour, what to look for and what to do. "
                "The back has the rest. The same content gives the same bytes. Like the Markdown it may be cached for "
                "one minute only, so that corrected emergency numbers reach every reader.",
            ),
            RENDITION: (
                "Read a guide in another language as a PDF to print",
                "The latest rendition as a poster, tagged with its language. 999 and who to call are in the language "
                "of the guide.\n\nNot available if the font lacks the letters of the language.",
            ),
            NUMBERED_RENDITION: (
                "Read a numbered rendition as a PDF to print",
                "Exactly that rendition, as a poster.",
            ),
        },
    ),
)
SECTIONS: dict[Source, tuple[str, str, str]] = {
    CURRENT: (
        "read_section_as_csv",
        "Read a section of the current edition as CSV",
        "One item per row (RFC 4180, UTF-8, with a header row). Each row carries the edition and the "
        "cautions.\n\nCells that start with `=`, `+`, `-`, `@`, a tab or a carriage return get a leading apostrophe, "
        "so that spreadsheets do not run them.",
    ),
    NUMBERED: (
        "read_edition_section_as_csv",
        "Read a section of a numbered edition as CSV",
        "One section of exactly that edition, in the format of the current edition's CSV.",
    ),
    RENDITION: (
        "read_rendition_section_as_csv",
        "Read a section in another language as CSV",
        "One item per row, as in the CSV of an edition, plus the rendition and the cells that are not translated.",
    ),
    NUMBERED_RENDITION: (
        "read_numbered_rendition_section_as_csv",
        "Read a section of a numbered rendition as CSV",
        "One section of exactly that rendition.",
    ),
}
"""The name of the route, its summary and its description."""


def _add_page(page: Page, source: Source) -> None:
    summary, description = page.words[source]

    @router.get(
        source.path + page.suffix,
        name=f"read_{source.name}_{page.name}",
        tags=[source.tag],
        summary=summary,
        description=description,
        response_class=Response,
        responses=page.documented | problem_responses(NotFound, *source.problems, *page.problems),
    )
    def read_page(
        request: Request,
        session: SessionDep,
        context: ContextDep,
        asked: Annotated[Asked, Depends(source.asked)],
    ) -> Response:
        shown = _find(session, context.contents, asked)
        return _finish(page.respond(request, context, shown), shown)


def _add_table(source: Source) -> None:
    name, summary, description = SECTIONS[source]

    @router.get(
        f"{source.path}/{{section}}{CSV.suffix}",
        name=name,
        tags=[source.tag],
        summary=summary,
        description=description,
        response_class=Response,
        responses=AS_CSV | problem_responses(NotFound, *source.problems),
    )
    def read_table(
        *,
        request: Request,
        session: SessionDep,
        context: ContextDep,
        asked: Annotated[Asked, Depends(source.asked)],
        section: SectionName,
        bom: ByteOrderMark = "0",
    ) -> Response:
        shown = _find(session, context.contents, asked)
        sheet, file_name = section_csv(shown, section), csv_name(shown, section)
        links, caching = shown.links(f"/{section.value}{CSV.suffix}"), _caching(shown, of_table=True)
        return _finish(csv_response(request, sheet, file_name, bom=bom, caching=caching, links=links), shown)


for each_page in PAGES:
    for each_source in each_page.words:
        _add_page(each_page, each_source)
for each_source in SECTIONS:
    _add_table(each_source)
