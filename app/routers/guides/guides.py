"""Routes of the guides, each in its current edition."""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from typing import Annotated, NamedTuple

from fastapi import Depends, Header, Query, Request, Response

from app.http.auth import PUBLIC
from app.http.context import ContextDep, ReferenceDataDep, SessionDep
from app.http.memento import memento_links, redirect_to_edition_at, requested_moment
from app.http.params import AboutSubject, GuideCursor, GuideName, Limit
from app.http.preferred_languages import MAX_HEADER_LENGTH, preferred_languages
from app.http.problems import NUMBERED_EDITION_PROBLEMS, RESPONSES_OF_READS, problem_responses
from app.http.responses import CACHE_CHECKED, Responses, add_languages, page_links, public_response
from app.http.routes import GuidanceRouter
from app.models.guides.guides import EditionResponse, GuidesResponse, GuideSubject, GuideSummary
from app.models.guides.sections import Section
from app.models.languages import GUIDE_LANGUAGE
from app.models.links import edition_path, guide_path, rendition_path
from app.services.cursors import decode_key, encode_key
from app.services.guides.editions import get_heads, get_history, list_languages, list_renditions
from app.services.guides.guides import list_guides
from app.services.guides.presenters import find_edition, present_edition, present_rendition, show_rendition
from app.services.guides.renditions import current_renditions, language_paths, preferred_rendition

router = GuidanceRouter(prefix="/v1/guides", tags=["Guides"], dependencies=[PUBLIC], responses=RESPONSES_OF_READS)
AsOf = Annotated[
    str | None,
    Query(
        max_length=40,
        description="A date (its last instant, in UTC) or a time (RFC 3339). Redirects to the edition that was "
        "current then.",
        examples=["2026-11-24"],
    ),
]
AcceptDatetime = Annotated[
    str | None,
    Header(
        max_length=80,
        description="The requested time, as an HTTP date (RFC 7089).",
        examples=["Tue, 24 Nov 2026 09:30:00 GMT"],
    ),
]
AcceptLanguage = Annotated[
    str | None,
    Header(
        max_length=MAX_HEADER_LENGTH,
        description="Preferred languages (RFC 9110). Returns a rendition if one is preferred to English: see `GET "
        "/v1/guides/{guide}/renditions/{language}`.",
        examples=["en-GB"],
    ),
]
VARY_WITH_LANGUAGE = {"Vary": "Accept, Accept-Datetime, Accept-Language"}
REDIRECTED: Responses = {
    302: {
        "description": "Redirect to the edition that was current at that time.",
        "headers": {"Location": {"description": "Path of the new resource.", "schema": {"type": "string"}}},
    }
}
SECTION_NAMES = [section.words for section in Section]
WHOLE_EDITION = f"""The complete current edition: {", ".join(SECTION_NAMES[:-1])} and {SECTION_NAMES[-1]}.

With `Accept-Language`, returns a rendition in that language if there is one.

With `as_of` or `Accept-Datetime` (Memento, RFC 7089), redirects to the edition that was current at that time."""


class RequestedVersion(NamedTuple):
    """The edition current at `moment` (None means now), and the languages in order of preference.

    If `moment` is before the first edition, that edition is requested if `or_next`, otherwise there is none.
    """

    moment: dt.datetime | None
    or_next: bool
    languages: Sequence[str]


async def get_requested_version(
    as_of: AsOf = None, accept_datetime: AcceptDatetime = None, accept_language: AcceptLanguage = None
) -> RequestedVersion:
    """`as_of` overrides `accept_datetime`. Raise `InvalidMoment` if the one that counts is not a time."""
    moment = requested_moment(as_of, accept_datetime)
    return RequestedVersion(moment, as_of is None, preferred_languages(accept_language or ""))


@router.get("", name="list_guides", summary="List the guides", response_model=GuidesResponse)
def read_guides(
    *,
    request: Request,
    session: SessionDep,
    reference_data: ReferenceDataDep,
    subject: AboutSubject = None,
    limit: Limit = 50,
    cursor: GuideCursor = None,
) -> Response:
    """Every guide with a current edition, in order of name."""
    languages, after = list_languages(session), decode_key(cursor, otherwise="")
    listed = sorted(list_guides(session, reference_data), key=attrgetter("guide"))
    found = [each for each in listed if each.guide > after and (subject is None or each.is_about(subject))]
    summaries = tuple(
        GuideSummary(
            guide=each.guide,
            title=each.title,
            edition=each.edition.number,
            published_at=each.edition.published_at,
            digest=each.edition.digest,
            subjects=tuple(
                GuideSubject(code=code.code, label=code.label, lgsl_code=code.lgsl_code) for code in each.subjects
            ),
            languages=tuple(dict.fromkeys([GUIDE_LANGUAGE, *languages.get(each.guide, ())])),
            links={"self": guide_path(each.guide), "edition": edition_path(*each.edition.key)},
        )
        for each in found[:limit]
    )
    next_cursor = encode_key(summaries[-1].guide) if len(found) > limit else None
    links = page_links(request, next_cursor)
    return public_response(request, GuidesResponse(guides=summaries, next_cursor=next_cursor, links=links))


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
    context: ContextDep,
    guide: GuideName,
    version: Annotated[RequestedVersion, Depends(get_requested_version)],
) -> Response:
    """Return the current edition or a rendition, or a redirect to the edition that was current at `version.moment`."""
    moment, public_url = version.moment, context.settings.public_url
    with context.engine.connect() as connection:
        if moment is not None:
            history = get_history(connection, guide=guide)
            return redirect_to_edition_at(history, moment, public_url, or_next=version.or_next)
        shown, stored = find_edition(connection, guide), list_renditions(connection, guide=guide)
        rendered = {each.edition for each in stored} - {shown.head.number}
        history = get_heads(connection, guide=guide, numbers=rendered) if rendered else [shown.head]
        current = current_renditions(history, stored)
        chosen, read = preferred_rendition(current, version.languages), partial(context.contents, session=connection)
        rendition = None if chosen is None else show_rendition(history, stored, chosen, read)
    if rendition is None:
        response = public_response(
            request,
            present_edition(shown),
            more_links=memento_links(public_url, guide),
            more_headers=VARY_WITH_LANGUAGE | {"Content-Language": GUIDE_LANGUAGE},
        )
    else:
        language = rendition.stored.key.language
        response = public_response(
            request,
            present_rendition(rendition),
            caching=CACHE_CHECKED,
            more_headers=VARY_WITH_LANGUAGE
            | {"Content-Language": language, "Content-Location": rendition_path(guide, language)},
        )
    add_languages(response, language_paths(current, guide))
    return response
