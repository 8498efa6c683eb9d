"""Routes of the guides' current editions."""

from functools import partial
from typing import Annotated

from fastapi import Header, Query, Request, Response
from sqlmodel import Session

from app.errors import NoSuchItem, NotFound
from app.models.guidance.guide_responses import (
    ITEM_RESPONSES,
    SECTION_RESPONSES,
    EditionResponse,
    EditionStatus,
    GuidesResponse,
    GuideSubject,
    GuideSummary,
)
from app.models.guidance.languages import GUIDE_LANGUAGE
from app.models.guidance.sections import DOCUMENTED, Section
from app.models.links import edition_path, guide_path, rendition_path
from app.presenters.guides import (
    edition_fields,
    find_item,
    item_history,
    item_links,
    present_edition,
    present_section,
)
from app.presenters.memento import memento_links, redirect_to_edition_at, requested_moment
from app.presenters.renditions import language_paths, present_rendition
from app.routers.params import AboutSubject, GuideCursor, GuideName, item_name
from app.services.guidance.renditions import languages_by_guide, preferred_rendition
from app.services.guidance.subjects import subjects_by_guide
from app.store.catalogue import find_mentions, find_orders
from app.store.current_editions import MAX_CURRENT_EDITIONS
from app.store.editions import EditionHead, get_current, get_history, list_current, require_current
from app.store.renditions import list_renditions
from app.web.auth import PUBLIC
from app.web.context import AppContext, ContextDep, SessionDep
from app.web.cursors import decode_key, encode_key
from app.web.language_preferences import MAX_HEADER_LENGTH, preferred_languages
from app.web.problem_responses import (
    CURRENT_EDITION_PROBLEMS,
    NUMBERED_EDITION_PROBLEMS,
    RESPONSES_OF_READS,
    Responses,
    problem_responses,
)
from app.web.query_params import Limit
from app.web.responses import CACHE_CHECKED, add_languages, public_response
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix="/v1/guides", tags=["Guides"], dependencies=[PUBLIC], responses=RESPONSES_OF_READS)

AsOf = Annotated[
    str | None,
    Query(
        max_length=40,
        description="A day (its last instant, in UTC) or a moment: the edition then current is redirected to.",
        examples=["2026-11-24"],
    ),
]
AcceptDatetime = Annotated[
    str | None,
    Header(
        max_length=80,
        description="The moment of interest, as HTTP writes it (RFC 7089).",
        examples=["Tue, 24 Nov 2026 09:30:00 GMT"],
    ),
]
AcceptLanguage = Annotated[
    str | None,
    Header(
        max_length=MAX_HEADER_LENGTH,
        description="The languages that are preferred (RFC 9110). Where a rendition is preferred to English, it is the "
        "answer: see `GET /v1/guides/{guide}/renditions/{language}`.",
        examples=["en-GB"],
    ),
]
VARY_WITH_LANGUAGE = {"Vary": "Accept, Accept-Datetime, Accept-Language"}
REDIRECTED: Responses = {
    302: {
        "description": "The edition that was current then.",
        "headers": {"Location": {"description": "Its path.", "schema": {"type": "string"}}},
    }
}
SECTION_NAMES = [section.words for section in Section]
WHOLE_EDITION = f"""The current edition, whole: {", ".join(SECTION_NAMES[:-1])} and {SECTION_NAMES[-1]}.

With `Accept-Language`, the same in another language where there is a rendition.

With `as_of`, or with `Accept-Datetime` (Memento, RFC 7089), a redirect to the edition that was current then."""


@router.get("", summary="List the guides", response_model=GuidesResponse)
def list_guides(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    subject: AboutSubject = None,
    limit: Limit = 50,
    cursor: GuideCursor = None,
) -> Response:
    """Every guide that has a current edition, by name."""
    subjects, languages = subjects_by_guide(session, context.reference_data), languages_by_guide(session)
    most = limit + 1 if subject is None else MAX_CURRENT_EDITIONS
    heads = [
        head
        for head in list_current(session, after=decode_key(cursor, otherwise=""), limit=most)
        if subject is None or subject in {each.code for each in subjects[head.guide]}
    ]
    page = heads[:limit]
    summaries = tuple(
        GuideSummary(
            guide=head.guide,
            title=head.title,
            edition=head.number,
            published_at=head.published_at,
            digest=head.digest,
            subjects=tuple(
                GuideSubject(code=each.code, label=each.label, lgsl_code=each.lgsl_code)
                for each in subjects[head.guide]
            ),
            languages=(GUIDE_LANGUAGE, *languages.get(head.guide, ())),
            links={"self": guide_path(head.guide), "edition": edition_path(*head.key)},
        )
        for head in page
    )
    next_cursor = encode_key(page[-1].guide) if len(heads) > limit else None
    return public_response(request, GuidesResponse(guides=summaries, next_cursor=next_cursor))


@router.get(
    "/{guide}",
    summary="Read a guide's current edition",
    description=WHOLE_EDITION,
    response_model=EditionResponse,
    responses=REDIRECTED | problem_responses(*NUMBERED_EDITION_PROBLEMS),
)
def read_guide(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    guide: GuideName,
    as_of: AsOf = None,
    accept_datetime: AcceptDatetime = None,
    accept_language: AcceptLanguage = None,
) -> Response:
    """Return the current edition, a rendition of it, or a redirect to the edition that was current then."""
    moment = requested_moment(as_of, accept_datetime)
    if moment is not None:
        history = get_history(session, guide=guide)
        return redirect_to_edition_at(history, moment, context.settings.public_url, or_next=as_of is None)
    history, stored = get_history(session, guide=guide), list_renditions(session, guide=guide)
    head = require_current(history)
    chosen = preferred_rendition(history, stored, preferred_languages(accept_language or ""))
    if chosen is None:
        response = _current_response(request, context, session, head)
    else:
        response = public_response(
            request,
            present_rendition(history, chosen, partial(context.contents, session=session)),
            caching=CACHE_CHECKED,
            more_headers=_headers_in(chosen.key.language)
            | {"Content-Location": rendition_path(guide, chosen.key.language)},
        )
    add_languages(response, language_paths(history, stored, guide))
    return response


def _current_response(request: Request, context: AppContext, session: Session, head: EditionHead) -> Response:
    return public_response(
        request,
        present_edition(head, context.contents(head.key, session), EditionStatus.CURRENT),
        more_links=memento_links(context.settings.public_url, head.guide),
        more_headers=_headers_in(GUIDE_LANGUAGE),
    )


def _headers_in(language: str) -> dict[str, str]:
    return VARY_WITH_LANGUAGE | {"Content-Language": language}


def _add_section(section: Section) -> None:
    """Add the routes of the section and of its items: `/v1/guides/{guide}/indicators`, named `read_indicators`."""
    path, words = f"/{{guide}}/{section.value}", section.words
    named = item_name(section)

    @router.get(
        path,
        name=f"read_{section.key}",
        summary=f"Read the {words} of the current edition",
        response_model=SECTION_RESPONSES[section],
        responses=problem_responses(NotFound, *CURRENT_EDITION_PROBLEMS),
    )
    def read_section(request: Request, session: SessionDep, context: ContextDep, guide: GuideName) -> Response:
        """The section, word for word, with the cautions that must be read with it."""
        head = get_current(session, guide=guide)
        content = context.contents(head.key, session)
        return public_response(request, present_section(head, content, EditionStatus.CURRENT, section))

    @router.get(
        f"{path}/{{item_id}}",
        name=f"read_{section.key}_item",
        summary=f"Read one of the {words} of the current edition",
        response_model=ITEM_RESPONSES[section],
        responses=problem_responses(NotFound, NoSuchItem, *CURRENT_EDITION_PROBLEMS),
    )
    def read_item(
        request: Request, session: SessionDep, context: ContextDep, guide: GuideName, item_id: str = named
    ) -> Response:
        """The item, with the editions in which it stands and where its words changed."""
        history = get_history(session, guide=guide)
        head = require_current(history)
        content = context.contents(head.key, session)
        mentions = find_mentions(session, guide=guide, part=section.key, item_id=item_id)
        response = ITEM_RESPONSES[section](
            **edition_fields(head, content, EditionStatus.CURRENT),
            section=section,
            item=find_item(content, section, item_id),
            history=item_history(item_id, mentions, find_orders(session, guide=guide, part=section.key), history),
            links=item_links(head.key, guide_path(guide), f"/{section.value}/{item_id}", mentions),
        )
        return public_response(request, response)


for each in DOCUMENTED:
    _add_section(each)
