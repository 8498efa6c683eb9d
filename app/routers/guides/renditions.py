"""Routes of renditions: a guide in other languages and formats."""

from fastapi import Request, Response

from app.errors import NoSuchGuide
from app.http.auth import PUBLIC
from app.http.context import AppContext, ContextDep, SessionDep
from app.http.params import EditionNumber, GuideName, RenditionKeyDep, RenditionNameDep
from app.http.problems import (
    NUMBERED_EDITION_PROBLEMS,
    RENDITION_PROBLEMS,
    RESPONSES_OF_READS,
    problem_responses,
    response_example,
)
from app.http.responses import CACHE_CHECKED, add_languages, page_links, public_response
from app.http.routes import GuidanceRouter
from app.models.guides.renditions import RenditionResponse, RenditionsResponse
from app.models.guides.sections import Section
from app.models.links import renditions_path
from app.services.guides.editions import get_history, list_renditions, readable_of
from app.services.guides.presenters import find_rendition, present_rendition
from app.services.guides.renditions import edition_language_paths, list_rendition

router = GuidanceRouter(
    prefix="/v1/guides/{guide}", tags=["Renditions"], dependencies=[PUBLIC], responses=RESPONSES_OF_READS
)
WELSH_EXAMPLE = response_example(
    title="‘Canllaw Un Munud’ i Gamfanteisio’n Rhywiol ar Blant (CSE)",
    contacts=[{"name": "Tîm Dyletswydd ac Asesu"}],
    introductions={},
    digest_of=[],
    **{section.key: [] for section in Section if section is not Section.CONTACTS},
)


@router.get(
    "/renditions",
    summary="List a guide's renditions",
    response_model=RenditionsResponse,
    responses=problem_responses(NoSuchGuide),
)
def list_guide_renditions(request: Request, session: SessionDep, guide: GuideName) -> Response:
    """The guide in other languages and formats: translations, simple words, large print, films and recordings."""
    history = get_history(session, guide=guide)
    listed = tuple(list_rendition(history, each) for each in list_renditions(session, guide=guide))
    body = RenditionsResponse(renditions=listed, links=page_links(request))
    return public_response(request, body, caching=CACHE_CHECKED)


@router.get(
    "/editions/{number}/renditions",
    summary="List an edition's renditions",
    response_model=RenditionsResponse,
    responses=problem_responses(*NUMBERED_EDITION_PROBLEMS),
)
def list_edition_renditions(request: Request, session: SessionDep, guide: GuideName, number: EditionNumber) -> Response:
    """The edition in other languages and formats. `behind` is true once another edition is current."""
    history, stored = get_history(session, guide=guide), list_renditions(session, guide=guide)
    head = readable_of(history, number)
    of_edition = [each for each in stored if each.edition == head.number]
    listed = tuple(list_rendition(history, each) for each in of_edition)
    response = public_response(
        request,
        RenditionsResponse(renditions=listed, links=page_links(request)),
        caching=CACHE_CHECKED,
        more_links={"collection": renditions_path(guide)},
    )
    add_languages(response, edition_language_paths(head, history, of_edition))
    return response


@router.get(
    "/renditions/{language}",
    summary="Read a guide in another language",
    description="The latest rendition, with the schema of an edition. `rendition` describes the translation.\n\nIf the "
    "guide has changed since, `behind` is true, and cautions and contacts come from the current edition.",
    response_model=RenditionResponse,
    responses=WELSH_EXAMPLE | problem_responses(*RENDITION_PROBLEMS),
)
def read_rendition(request: Request, context: ContextDep, rendition: RenditionNameDep) -> Response:
    """Return the rendition to read in the language: the latest one with text, otherwise the latest.

    Leave out withdrawn renditions, and renditions of withdrawn editions.
    """
    return _respond(request, context, *rendition)


@router.get(
    "/renditions/{language}/{number}",
    summary="Read a numbered rendition",
    response_model=RenditionResponse,
    responses=WELSH_EXAMPLE | problem_responses(*RENDITION_PROBLEMS),
)
def read_numbered_rendition(request: Request, context: ContextDep, rendition: RenditionKeyDep) -> Response:
    """A published rendition. Its text and digest never change.

    `behind`, `status` and `notices` change when the guide gets another edition, so caches must revalidate.
    """
    return _respond(request, context, *rendition)


def _respond(request: Request, context: AppContext, guide: str, language: str, number: int | None = None) -> Response:
    with context.engine.connect() as connection:
        shown = find_rendition(connection, context.contents, guide, language, number)
    headers = {"Content-Language": shown.language}
    response = public_response(request, present_rendition(shown), caching=CACHE_CHECKED, more_headers=headers)
    add_languages(response, shown.languages)
    return response
