"""Routes of renditions in other formats than JSON: Markdown, PDF to print, and each section as CSV.

Their paths are those of an edition's formats, below the path of the rendition. Each is checked again before each use.
"""

from dataclasses import dataclass
from functools import partial

from fastapi import Request, Response
from sqlmodel import Session

from app.models.guidance.sections import Section
from app.models.links import Links, rendition_path
from app.presenters.csv_table import csv_name, section_csv
from app.presenters.markdown import edition_markdown
from app.presenters.pdf import PDF_SUFFIXES, PrintForm, edition_pdf
from app.presenters.rendition_forms import ShownRendition, show_rendition
from app.presenters.renditions import language_paths
from app.routers.params import GuideName, LanguageName, RenditionNumber, SectionName
from app.services.guidance.renditions import chosen_rendition
from app.store.editions import get_history
from app.store.renditions import list_renditions
from app.web import problem_types as problems
from app.web.auth import PUBLIC
from app.web.context import AppContext, ContextDep, SessionDep
from app.web.negotiation import AS_CSV, AS_MARKDOWN, AS_PDF, CSV, MARKDOWN, PDF_TYPE, ByteOrderMark, csv_response
from app.web.problem_responses import RESPONSES_OF_READS, problem_responses
from app.web.rendition_problem_types import RENDITION_NOT_FOUND, RENDITION_WITHDRAWN
from app.web.responses import CACHE_CHECKED, add_languages, conditional_response
from app.web.router import GuidanceRouter

PROBLEMS_OF_FORMAT = problem_responses(
    problems.NOT_FOUND, problems.GUIDE_NOT_FOUND, RENDITION_NOT_FOUND, RENDITION_WITHDRAWN
)
PROBLEMS_OF_PDF = problem_responses(
    problems.NOT_FOUND, problems.GUIDE_NOT_FOUND, RENDITION_NOT_FOUND, problems.PDF_UNAVAILABLE, RENDITION_WITHDRAWN
)
router = GuidanceRouter(
    prefix="/v1/guides/{guide}/renditions", tags=["Renditions"], dependencies=[PUBLIC], responses=RESPONSES_OF_READS
)


@dataclass(frozen=True)
class ChosenRendition:
    """The rendition that a request reads, on its edition."""

    rendered: ShownRendition
    path: str
    languages: Links
    """The path of the guide in each language."""

    @property
    def name(self) -> str:
        """The beginning of the names of its files."""
        guide, language, number = self.rendered.stored.key
        return f"{guide}-edition-{self.rendered.head.number}-{language}-{number}"

    def finish(self, response: Response) -> Response:
        """Add the language of the words, and links to the guide in each language."""
        response.headers["Content-Language"] = self.rendered.language
        add_languages(response, self.languages)
        return response


@router.get(
    "/{language}.md",
    summary="Read a guide in another language as Markdown",
    response_class=Response,
    responses=AS_MARKDOWN | PROBLEMS_OF_FORMAT,
)
def read_rendition_as_markdown(
    request: Request, session: SessionDep, context: ContextDep, guide: GuideName, language: LanguageName
) -> Response:
    """The newest rendition to read in a minute: 999 first, then what its words are. Missing words are marked."""
    return _markdown_response(request, context, _choose(session, context, guide, language))


@router.get(
    "/{language}/{number}.md",
    summary="Read a numbered rendition as Markdown",
    response_class=Response,
    responses=AS_MARKDOWN | PROBLEMS_OF_FORMAT,
)
def read_numbered_rendition_as_markdown(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    guide: GuideName,
    language: LanguageName,
    number: RenditionNumber,
) -> Response:
    """Exactly that rendition, to read in a minute."""
    return _markdown_response(request, context, _choose(session, context, guide, language, number))


@router.get(
    "/{language}.pdf",
    summary="Read a guide in another language as a PDF to print",
    response_class=Response,
    responses=AS_PDF | PROBLEMS_OF_PDF,
)
def read_rendition_as_pdf(
    request: Request, session: SessionDep, context: ContextDep, guide: GuideName, language: LanguageName
) -> Response:
    """The newest rendition as a poster, with the language of its words. 999 and who to call are in the guide's own.

    There is none where the font does not have the letters of the language.
    """
    return _pdf_response(request, context, _choose(session, context, guide, language), PrintForm.POSTER)


@router.get(
    "/{language}/large-print.pdf",
    summary="Read a guide in another language in large print",
    response_class=Response,
    responses=AS_PDF | PROBLEMS_OF_PDF,
)
def read_rendition_in_large_print(
    request: Request, session: SessionDep, context: ContextDep, guide: GuideName, language: LanguageName
) -> Response:
    """The same in letters of 18 points, in one column."""
    return _pdf_response(request, context, _choose(session, context, guide, language), PrintForm.LARGE_PRINT)


@router.get(
    "/{language}/{number}.pdf",
    summary="Read a numbered rendition as a PDF to print",
    response_class=Response,
    responses=AS_PDF | PROBLEMS_OF_PDF,
)
def read_numbered_rendition_as_pdf(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    guide: GuideName,
    language: LanguageName,
    number: RenditionNumber,
) -> Response:
    """Exactly that rendition, as a poster."""
    return _pdf_response(request, context, _choose(session, context, guide, language, number), PrintForm.POSTER)


@router.get(
    "/{language}/{section}.csv",
    summary="Read a section in another language as CSV",
    response_class=Response,
    responses=AS_CSV | PROBLEMS_OF_FORMAT,
)
def read_rendition_section_as_csv(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    guide: GuideName,
    language: LanguageName,
    section: SectionName,
    bom: ByteOrderMark = "0",
) -> Response:
    """One item a row, as in the CSV of an edition, with the rendition, and with the cells in the guide's own words."""
    return _csv_response(request, _choose(session, context, guide, language), section, bom=bom)


@router.get(
    "/{language}/{number}/{section}.csv",
    summary="Read a section of a numbered rendition as CSV",
    response_class=Response,
    responses=AS_CSV | PROBLEMS_OF_FORMAT,
)
def read_numbered_rendition_section_as_csv(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    guide: GuideName,
    language: LanguageName,
    number: RenditionNumber,
    section: SectionName,
    bom: ByteOrderMark = "0",
) -> Response:
    """One section of exactly that rendition."""
    return _csv_response(request, _choose(session, context, guide, language, number), section, bom=bom)


def _choose(
    session: Session, context: AppContext, guide: str, language: str, number: int | None = None
) -> ChosenRendition:
    history, stored = get_history(session, guide=guide), list_renditions(session, guide=guide)
    chosen, read = chosen_rendition(history, stored, language, number), partial(context.contents, session=session)
    return ChosenRendition(
        show_rendition(history, chosen, read, is_numbered=number is not None),
        rendition_path(guide, language, number),
        language_paths(history, stored, guide),
    )


def _markdown_response(request: Request, context: AppContext, chosen: ChosenRendition) -> Response:
    page = edition_markdown(
        chosen.rendered.head,
        chosen.rendered.content,
        context.reference_data.signposts,
        context.settings.public_url,
        chosen.rendered,
    )
    links = {"self": f"{chosen.path}{MARKDOWN.suffix}"}
    return chosen.finish(
        conditional_response(request, page, media_type=MARKDOWN.content_type, links=links, caching=CACHE_CHECKED)
    )


def _pdf_response(request: Request, context: AppContext, chosen: ChosenRendition, form: PrintForm) -> Response:
    rendered, suffix = chosen.rendered, PDF_SUFFIXES[form]
    signposts = context.reference_data.signposts
    page = edition_pdf(rendered.head, rendered.content, signposts, context.settings, form, rendered)
    links = {"self": f"{chosen.path}{suffix}"}
    response = conditional_response(request, page, media_type=PDF_TYPE, links=links, caching=CACHE_CHECKED)
    response.headers["Content-Disposition"] = f'inline; filename="{chosen.name}{suffix.replace("/", "-")}"'
    return chosen.finish(response)


def _csv_response(request: Request, chosen: ChosenRendition, section: Section, *, bom: str) -> Response:
    rendered = chosen.rendered
    sheet = section_csv(rendered.head, rendered.content, section, rendered)
    links = {"self": f"{chosen.path}/{section.value}{CSV.suffix}"}
    name = csv_name(rendered.head, section, rendered)
    return chosen.finish(csv_response(request, sheet, name, bom=bom, caching=CACHE_CHECKED, links=links))
