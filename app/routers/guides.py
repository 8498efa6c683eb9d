"""Routes of the guides' current editions."""

from functools import partial
from typing import Annotated

from fastapi import Header, Query, Request, Response

from app.http.auth import PUBLIC
from app.http.context import ContentsDep, ReferenceDataDep, SessionDep, SettingsDep
from app.http.memento import memento_links, redirect_to_edition_at, requested_moment
from app.http.negotiation import MAX_HEADER_LENGTH, preferred_languages
from app.http.params import AboutSubject, GuidanceRouter, GuideCursor, GuideName, Limit
from app.http.problems import NUMBERED_EDITION_PROBLEMS, RESPONSES_OF_READS, problem_responses
from app.http.responses import CACHE_CHECKED, Responses, add_languages, public_response
from app.models.guides import EditionResponse, EditionStatus, GuidesResponse, GuideSubject, GuideSummary
from app.models.languages import GUIDE_LANGUAGE
from app.models.links import edition_path, guide_path, rendition_path
from app.models.sections import Section
from app.services.cursors import decode_key, encode_key
from app.services.editions import MAX_CURRENT_EDITIONS, get_history, list_current, list_renditions, require_current
from app.services.guide_documents import present_edition
from app.services.guides import subjects_by_guide
from app.services.renditions import language_paths, languages_by_guide, preferred_rendition, present_rendition

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
    reference_data: ReferenceDataDep,
    subject: AboutSubject = None,
    limit: Limit = 50,
    cursor: GuideCursor = None,
) -> Response:
    """Every guide that has a current edition, by name."""
    subjects, languages = subjects_by_guide(session, reference_data), languages_by_guide(session)
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
    contents: ContentsDep,
    settings: SettingsDep,
    guide: GuideName,
    as_of: AsOf = None,
    accept_datetime: AcceptDatetime = None,
    accept_language: AcceptLanguage = None,
) -> Response:
    """Return the current edition, a rendition of it, or a redirect to the edition that was current then."""
    moment = requested_moment(as_of, accept_datetime)
    history = get_history(session, guide=guide)
    if moment is not None:
        return redirect_to_edition_at(history, moment, settings.public_url, or_next=as_of is None)
    stored = list_renditions(session, guide=guide)
    head = require_current(history)
    chosen = preferred_rendition(history, stored, preferred_languages(accept_language or ""))
    if chosen is None:
        response = public_response(
            request,
            present_edition(head, contents(head.key, session), EditionStatus.CURRENT),
            more_links=memento_links(settings.public_url, head.guide),
            more_headers=_headers_in(GUIDE_LANGUAGE),
        )
    else:
        response = public_response(
            request,
            present_rendition(history, chosen, partial(contents, session=session)),
            caching=CACHE_CHECKED,
            more_headers=_headers_in(chosen.key.language)
            | {"Content-Location": rendition_path(guide, chosen.key.language)},
        )
    add_languages(response, language_paths(history, stored, guide))
    return response


def _headers_in(language: str) -> dict[str, str]:
    return VARY_WITH_LANGUAGE | {"Content-Language": language}
