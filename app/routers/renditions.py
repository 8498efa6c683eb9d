"""Routes of renditions: a guide in other languages and forms."""

from functools import partial

from fastapi import Request, Response
from sqlmodel import Session

from app.errors import NoSuchGuide, NoSuchRendition, RenditionWithdrawn
from app.models.guidance.rendition_responses import RenditionResponse, RenditionsResponse
from app.models.guidance.sections import Section
from app.models.links import edition_renditions_path, renditions_path
from app.presenters.renditions import (
    content_language,
    edition_language_paths,
    language_paths,
    list_rendition,
    present_rendition,
)
from app.routers.params import EditionNumber, GuideName, LanguageName, RenditionNumber
from app.services.guidance.renditions import chosen_rendition
from app.store.editions import EditionHead, StoredRendition, get_history, list_renditions, readable_of
from app.web.auth import PUBLIC
from app.web.context import AppContext, ContextDep, SessionDep
from app.web.problem_responses import NUMBERED_EDITION_PROBLEMS, RESPONSES_OF_READS, problem_responses, response_example
from app.web.responses import CACHE_CHECKED, add_languages, public_response
from app.web.router import GuidanceRouter

router = GuidanceRouter(
    prefix="/v1/guides/{guide}", tags=["Renditions"], dependencies=[PUBLIC], responses=RESPONSES_OF_READS
)

WELSH_EXAMPLE = response_example(
    title="‘Canllaw Un Munud’ i Gamfanteisio’n Rhywiol ar Blant (CSE)",
    contacts=[{"name": "Tîm Dyletswydd ac Asesu"}],
    introductions={},
    **{section.key: [] for section in Section if section is not Section.CONTACTS},
)
PROBLEMS_OF_ONE = problem_responses(NoSuchGuide, NoSuchRendition, RenditionWithdrawn)


@router.get(
    "/renditions",
    summary="List a guide's renditions",
    response_model=RenditionsResponse,
    responses=problem_responses(NoSuchGuide),
)
def list_guide_renditions(request: Request, session: SessionDep, guide: GuideName) -> Response:
    """The guide in other languages and forms: translations, easy read, large print, films and recordings."""
    history = get_history(session, guide=guide)
    listed = tuple(list_rendition(history, each) for each in list_renditions(session, guide=guide))
    return public_response(request, RenditionsResponse(renditions=listed), caching=CACHE_CHECKED)


@router.get(
    "/editions/{number}/renditions",
    summary="List an edition's renditions",
    response_model=RenditionsResponse,
    responses=problem_responses(*NUMBERED_EDITION_PROBLEMS),
)
def list_edition_renditions(request: Request, session: SessionDep, guide: GuideName, number: EditionNumber) -> Response:
    """That edition in other languages and forms. Each is behind as soon as another edition is current."""
    history, stored = get_history(session, guide=guide), list_renditions(session, guide=guide)
    head = readable_of(history, number)
    of_edition = [each for each in stored if each.edition == head.number]
    listed = tuple(list_rendition(history, each) for each in of_edition)
    response = public_response(
        request,
        RenditionsResponse(renditions=listed),
        caching=CACHE_CHECKED,
        more_links={"self": edition_renditions_path(*head.key), "collection": renditions_path(guide)},
    )
    add_languages(response, edition_language_paths(head, history, of_edition))
    return response


@router.get(
    "/renditions/{language}",
    summary="Read a guide in another language",
    response_model=RenditionResponse,
    responses=WELSH_EXAMPLE | PROBLEMS_OF_ONE,
)
def read_rendition(
    request: Request, session: SessionDep, context: ContextDep, guide: GuideName, language: LanguageName
) -> Response:
    """The newest rendition, in the shape of an edition; `rendition` says what it is.

    Where the guide has changed since, `behind` is true, and the cautions and contacts are those of the current edition.
    """
    history = get_history(session, guide=guide)
    stored = list_renditions(session, guide=guide)
    chosen = chosen_rendition(history, stored, language, None)
    return _response(request, context, session, history, chosen, stored=stored)


@router.get(
    "/renditions/{language}/{number}",
    summary="Read a numbered rendition",
    response_model=RenditionResponse,
    responses=WELSH_EXAMPLE | PROBLEMS_OF_ONE,
)
def read_numbered_rendition(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    guide: GuideName,
    language: LanguageName,
    number: RenditionNumber,
) -> Response:
    """Exactly that rendition, on exactly its edition. Its words and its digest never change.

    Only `behind`, `status` and `notices` do, when the guide gets another edition. So no cache may give it unasked.
    """
    history = get_history(session, guide=guide)
    stored = list_renditions(session, guide=guide)
    chosen = chosen_rendition(history, stored, language, number)
    return _response(request, context, session, history, chosen, stored=stored, is_numbered=True)


def _response(
    request: Request,
    context: AppContext,
    session: Session,
    history: list[EditionHead],
    chosen: StoredRendition,
    *,
    stored: list[StoredRendition],
    is_numbered: bool = False,
) -> Response:
    read = partial(context.contents, session=session)
    response = public_response(
        request,
        present_rendition(history, chosen, read, is_numbered=is_numbered),
        caching=CACHE_CHECKED,
        more_headers={"Content-Language": content_language(chosen)},
    )
    add_languages(response, language_paths(history, stored, chosen.key.guide))
    return response
