"""Routes of editions: their history, numbered ones, all sections and items, and publishing and withdrawing."""

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import Body, Header, Query, Request, Response, Security
from sqlmodel import Session

from app.errors import (
    AlreadyWithdrawn,
    EditionAlreadyPublished,
    FaultCode,
    FieldError,
    InvalidQuery,
    NoSuchEdition,
    NoSuchGuide,
    NoSuchItem,
    NoSuchRendition,
    NotFound,
    PreconditionFailed,
    PreconditionMissing,
    SecondPersonNeeded,
    ServiceUnavailable,
)
from app.http.auth import PUBLIC, require_client
from app.http.context import ContentsDep, ContextDep, NowDep, SessionDep, SettingsDep, WriterDep
from app.http.memento import memento_headers, memento_links, time_map
from app.http.params import (
    IN_PLAIN_DIGITS,
    Cursor,
    EditionKeyDep,
    EditionNumber,
    GuidanceRouter,
    GuideName,
    JSONRoute,
    Limit,
    RenditionKeyDep,
    item_name,
)
from app.http.problems import (
    BODY_PROBLEMS,
    CREDENTIAL_PROBLEMS,
    CURRENT_EDITION_PROBLEMS,
    NUMBERED_EDITION_PROBLEMS,
    RESPONSES_OF_READS,
    problem_responses,
    response_example,
)
from app.http.responses import (
    CACHE_IMMUTABLE,
    conditional_response,
    etag_of,
    gzip_etag,
    json_bytes,
    matches_etag,
    public_response,
)
from app.models.base import MAX_NUMBER
from app.models.clients import Scope
from app.models.comparison import ChangesResponse, changed_fields, changed_sections
from app.models.editions import EDITION_EXAMPLE, EditionContent
from app.models.guides import (
    ITEM_RESPONSES,
    NUMBERED_ITEM_RESPONSES,
    SECTION_RESPONSES,
    EditionResponse,
    EditionsResponse,
    EditionStatus,
    EditionSummary,
    PublishedResponse,
    WithdrawalRequest,
    WithdrawalResponse,
)
from app.models.links import Links, edition_path, guide_path
from app.models.renditions import (
    RENDITION_EXAMPLE,
    PublishedRenditionResponse,
    RenditionContent,
    RenditionWithdrawalResponse,
)
from app.models.sections import DOCUMENTED, Section
from app.services.cursors import decode_key, encode_key
from app.services.editions import (
    EditionHead,
    EditionKey,
    RenditionKey,
    current_of,
    get_history,
    read_content,
    read_lists,
    readable_of,
    status_of,
    withdrawal_of,
)
from app.services.guide_documents import (
    ShownEdition,
    edition_fields,
    find_edition,
    find_item,
    item_history,
    present_edition,
    present_published,
    present_section,
    present_withdrawn,
)
from app.services.publishing import NewEdition, Publication, publish_edition, publish_rendition, withdraw_published

editions_router = GuidanceRouter(prefix="/v1/guides/{guide}", dependencies=[PUBLIC], responses=RESPONSES_OF_READS)

NONE_BEFORE = "Edition 1 has none before it. Name one to compare with: since=2."
LINK_FORMAT = "application/link-format"
TIME_MAP_EXAMPLE = '<http://127.0.0.1:8000/v1/guides/child-sexual-exploitation>; rel="original timegate"'
AS_PUBLISHED = response_example(status=EditionStatus.PUBLISHED)


@editions_router.get(
    "/editions.link",
    tags=["Editions"],
    summary="Read a guide's TimeMap",
    response_class=Response,
    responses=problem_responses(NoSuchGuide)
    | {200: {"content": {LINK_FORMAT: {"example": TIME_MAP_EXAMPLE}}, "description": "The TimeMap."}},
)
def read_time_map(request: Request, session: SessionDep, settings: SettingsDep, guide: GuideName) -> Response:
    """The version history of the guide as a Memento TimeMap (RFC 7089) in link format (RFC 6690)."""
    content = time_map(get_history(session, guide=guide), settings.public_url)
    links = memento_links(settings.public_url, guide)
    return conditional_response(request, content, media_type=LINK_FORMAT, links=links)


@editions_router.get(
    "/editions",
    tags=["Editions"],
    summary="List a guide's editions",
    response_model=EditionsResponse,
    responses=problem_responses(NoSuchGuide),
)
def list_editions(
    request: Request, session: SessionDep, guide: GuideName, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Every edition, including withdrawn ones, most recent first."""
    history = get_history(session, guide=guide)
    before = decode_key(cursor, otherwise=MAX_NUMBER + 1)
    heads = [head for head in history if head.number < before]
    page = tuple(_summary(head, status_of(head, history)) for head in heads[:limit])
    next_cursor = encode_key(page[-1].number) if len(heads) > limit else None
    return public_response(request, EditionsResponse(editions=page, next_cursor=next_cursor))


@editions_router.get(
    "/editions/{number}",
    tags=["Editions"],
    summary="Read a numbered edition",
    response_model=EditionResponse,
    responses=AS_PUBLISHED | problem_responses(*NUMBERED_EDITION_PROBLEMS),
)
def read_edition(
    request: Request,
    session: SessionDep,
    contents: ContentsDep,
    settings: SettingsDep,
    guide: GuideName,
    number: EditionNumber,
) -> Response:
    """The complete edition. Its bytes never change."""
    shown = find_edition(session, contents, guide, number)
    return public_response(
        request,
        present_edition(shown),
        caching=CACHE_IMMUTABLE,
        more_links=_successor(shown) | memento_links(settings.public_url, guide),
        more_headers=memento_headers(shown.head),
    )


@editions_router.get(
    "/editions/{number}/changes",
    tags=["Editions"],
    summary="Compare two editions",
    response_model=ChangesResponse,
    responses=problem_responses(*NUMBERED_EDITION_PROBLEMS),
)
def read_changes(
    request: Request,
    session: SessionDep,
    contents: ContentsDep,
    guide: GuideName,
    number: EditionNumber,
    since: Annotated[
        int | None,
        Query(
            ge=1, le=MAX_NUMBER, description="Edition to compare with. Defaults to the previous edition.", examples=[1]
        ),
        IN_PLAIN_DIGITS,
    ] = None,
) -> Response:
    """Items that this edition added, removed, reworded and moved since an earlier edition, by section."""
    shown = find_edition(session, contents, guide, number)
    if since is None and number == 1:
        raise InvalidQuery([FieldError((), NONE_BEFORE, FaultCode.REQUIRED, "query", "since")])
    other = readable_of(shown.history, since or number - 1)
    before, after, path = contents(other.key, session), shown.content, shown.path
    response = ChangesResponse(
        **edition_fields(shown),
        since=other.number,
        change_note=after.change_note,
        sections=changed_sections(before, after),
        fields=changed_fields(before, after),
        links={"self": f"{path}/changes?since={other.number}", "edition": path, "since": edition_path(*other.key)},
    )
    return public_response(request, response, caching=CACHE_IMMUTABLE)


def _add_section(section: Section) -> None:
    """Add the routes of the section and of its items, such as `read_indicators` at `/v1/guides/{guide}/indicators`."""
    of_guide, of_edition = "/" + section.value, "/editions/{number}/" + section.value
    named = item_name(section)

    @editions_router.get(
        of_guide,
        name=f"read_{section.key}",
        tags=["Guides"],
        summary=f"Read the {section.words} of the current edition",
        response_model=SECTION_RESPONSES[section],
        responses=problem_responses(NotFound, *CURRENT_EDITION_PROBLEMS),
    )
    def read_section(request: Request, session: SessionDep, contents: ContentsDep, guide: GuideName) -> Response:
        """The section word for word, with the cautions that must be read with it."""
        return public_response(request, present_section(find_edition(session, contents, guide), section))

    @editions_router.get(
        of_guide + "/{item_id}",
        name=f"read_{section.key}_item",
        tags=["Guides"],
        summary=f"Read one of the {section.words} of the current edition",
        response_model=ITEM_RESPONSES[section],
        responses=problem_responses(NotFound, NoSuchItem, *CURRENT_EDITION_PROBLEMS),
    )
    def read_item(
        *, request: Request, session: SessionDep, contents: ContentsDep, item_id: str = named, guide: GuideName
    ) -> Response:
        """The item, the editions that contain it and those that changed its text."""
        shown = find_edition(session, contents, guide)
        lists = read_lists(session, guide=guide, part=section.key)
        fields = _item_fields(shown, section, item_id)
        links = shown.links(f"{of_guide}/{item_id}", _having(lists, item_id))
        history = item_history(section, item_id, lists, shown.history)
        return public_response(request, ITEM_RESPONSES[section](**fields, history=history, links=links))

    @editions_router.get(
        of_edition,
        name=f"read_edition_{section.key}",
        tags=["Editions"],
        summary=f"Read the {section.words} of a numbered edition",
        response_model=SECTION_RESPONSES[section],
        responses=AS_PUBLISHED | problem_responses(NotFound, *NUMBERED_EDITION_PROBLEMS),
    )
    def read_edition_section(
        request: Request, session: SessionDep, contents: ContentsDep, guide: GuideName, number: EditionNumber
    ) -> Response:
        """The section of that edition, with the cautions that must be read with it."""
        shown = find_edition(session, contents, guide, number)
        response, successor = present_section(shown, section), _successor(shown, of_guide)
        return public_response(request, response, caching=CACHE_IMMUTABLE, more_links=successor)

    @editions_router.get(
        of_edition + "/{item_id}",
        name=f"read_edition_{section.key}_item",
        tags=["Editions"],
        summary=f"Read one of the {section.words} of a numbered edition",
        response_model=NUMBERED_ITEM_RESPONSES[section],
        responses=AS_PUBLISHED | problem_responses(NotFound, NoSuchItem, *NUMBERED_EDITION_PROBLEMS),
    )
    def read_edition_item(
        *,
        request: Request,
        session: SessionDep,
        contents: ContentsDep,
        item_id: str = named,
        guide: GuideName,
        number: EditionNumber,
    ) -> Response:
        """The item in that edition."""
        shown = find_edition(session, contents, guide, number)
        having = _having(read_lists(session, guide=guide, part=section.key), item_id)
        fields, below = _item_fields(shown, section, item_id), f"{of_guide}/{item_id}"
        links, current = shown.links(below, having), current_of(shown.history)
        latest = links.pop("latest_version")
        # A later edition may change these links, or leave the item out: so they are in the Link header.
        more_links = _successor(shown, below) if number + 1 in having else {}
        more_links |= {"latest_version": latest} if current is not None and current.number in having else {}
        response = NUMBERED_ITEM_RESPONSES[section](**fields, links=links)
        return public_response(request, response, caching=CACHE_IMMUTABLE, more_links=more_links)


def _item_fields(shown: ShownEdition, section: Section, item_id: str) -> dict[str, Any]:
    return edition_fields(shown) | {"section": section, "item": find_item(shown.content, section, item_id)}


def _having(lists: Mapping[int, Mapping[str, Any]], item_id: str) -> set[int]:
    """Return the numbers of the editions that have the item."""
    return {number for number, items in lists.items() if item_id in items}


def _successor(shown: ShownEdition, below: str = "") -> Links:
    """Return the link to the next edition, if there is one. It goes into the Link header: the body never changes."""
    guide, number = shown.head.key
    return {"successor_version": edition_path(guide, number + 1) + below} if len(shown.history) > number else {}


def _summary(head: EditionHead, status: EditionStatus) -> EditionSummary:
    return EditionSummary(
        number=head.number,
        status=status,
        published_at=head.published_at,
        change_note=head.change_note,
        digest=head.digest,
        withdrawal=withdrawal_of(head),
        links={"self": edition_path(*head.key), "guide": guide_path(head.guide)},
    )


for each_section in DOCUMENTED:
    _add_section(each_section)


publishing_router = GuidanceRouter(
    prefix="/v1/guides/{guide}",
    tags=["Publishing"],
    dependencies=[Security(require_client, scopes=[Scope.PUBLISH])],
    responses=problem_responses(ServiceUnavailable, *CREDENTIAL_PROBLEMS),
    route_class=JSONRoute,
)
WITHDRAWN_ALREADY = "Already withdrawn for this reason."
IfMatch = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="ETag of the current edition from `GET /v1/guides/{guide}`. Required unless the guide is new.",
        examples=['"0123456789abcdef0123456789abcdef"'],
    ),
]


@publishing_router.post(
    "/editions",
    operation_id="publish_edition",
    response_model=PublishedResponse,
    summary="Publish an edition",
    status_code=201,
    responses=problem_responses(
        NotFound, PreconditionFailed, PreconditionMissing, SecondPersonNeeded, *CREDENTIAL_PROBLEMS, *BODY_PROBLEMS
    )
    | {200: {"model": PublishedResponse, "description": "The current edition already has this content."}},
)
def post_edition(
    *,
    response: Response,
    context: ContextDep,
    now: NowDep,
    guide: GuideName,
    content: Annotated[EditionContent, Body(examples=[EDITION_EXAMPLE])],
    if_match: IfMatch = None,
) -> Any:
    """Publish the next edition of a guide. Published editions never change: publish a correction as a new edition.

    `If-Match` prevents two editors from following the same edition: the second gets 412. Retries are safe: sending
    the content of the current edition again returns 200 and changes nothing.

    If the council requires two people to publish, this returns 403 `second-person-needed`: save a draft instead.
    """
    check, new = partial(_check_if_match, if_match), NewEdition(guide, content)
    two_people = context.settings.two_people_publish
    published = context.writer.run(
        publish_edition, context.reference_data, new, at=now, two_people=two_people, precondition=check
    )
    return _respond(response, published)


@publishing_router.post(
    "/renditions",
    operation_id="publish_rendition",
    response_model=PublishedRenditionResponse,
    summary="Publish a rendition",
    status_code=201,
    responses=problem_responses(
        NoSuchGuide, EditionAlreadyPublished, SecondPersonNeeded, *CREDENTIAL_PROBLEMS, *BODY_PROBLEMS
    )
    | {200: {"model": PublishedRenditionResponse, "description": "The latest rendition already has this content."}},
)
def post_rendition(
    response: Response,
    writer: WriterDep,
    settings: SettingsDep,
    now: NowDep,
    guide: GuideName,
    content: Annotated[RenditionContent, Body(examples=[RENDITION_EXAMPLE])],
) -> Any:
    """Publish an edition in another language or format. Publish a correction as the next number.

    Ids must exist in the edition. `of.digest` must be the digest of that edition. Retries are safe: sending the
    latest rendition again returns 200 and changes nothing.

    If the council requires two people to publish, this returns 403 `second-person-needed`.
    """
    two_people = settings.two_people_publish
    return _respond(response, writer.run(publish_rendition, guide, content, at=now, two_people=two_people))


@publishing_router.post(
    "/editions/{number}/withdrawal",
    summary="Withdraw an edition",
    status_code=201,
    response_model=WithdrawalResponse,
    responses=problem_responses(NoSuchGuide, NoSuchEdition, AlreadyWithdrawn, *BODY_PROBLEMS)
    | {200: {"model": WithdrawalResponse, "description": WITHDRAWN_ALREADY}},
)
def withdraw_edition(
    response: Response, writer: WriterDep, now: NowDep, edition: EditionKeyDep, request: WithdrawalRequest
) -> WithdrawalResponse | RenditionWithdrawalResponse:
    """Withdraw an edition. Its content is kept, and reads return 410 with the reason."""
    return _withdraw(writer, edition, request, now, response)


@publishing_router.post(
    "/renditions/{language}/{number}/withdrawal",
    summary="Withdraw a rendition",
    status_code=201,
    response_model=RenditionWithdrawalResponse,
    responses=problem_responses(NoSuchGuide, NoSuchRendition, AlreadyWithdrawn, *BODY_PROBLEMS)
    | {200: {"model": RenditionWithdrawalResponse, "description": WITHDRAWN_ALREADY}},
)
def withdraw_rendition(
    response: Response, writer: WriterDep, now: NowDep, rendition: RenditionKeyDep, request: WithdrawalRequest
) -> WithdrawalResponse | RenditionWithdrawalResponse:
    """Withdraw a rendition. Its content is kept, and reads return 410 with the reason."""
    return _withdraw(writer, rendition, request, now, response)


def _withdraw(
    writer: WriterDep, key: EditionKey | RenditionKey, request: WithdrawalRequest, now: dt.datetime, response: Response
) -> WithdrawalResponse | RenditionWithdrawalResponse:
    withdrawn = writer.run(withdraw_published, key, reason=request.reason, at=now)
    response.status_code = 201 if withdrawn.is_new else 200
    return present_withdrawn(key, withdrawn.withdrawn_at, request.reason)


def _respond(response: Response, published: Publication[Any]) -> Any:
    response.status_code = 201 if published.is_new else 200
    presented = present_published(published)
    response.headers["Location"] = presented.links["self"]
    return presented


def _check_if_match(if_match: str | None, session: Session, current: EditionHead | None) -> None:
    """Raise unless the header has the ETag of the current edition, or there is neither."""
    if current is None:
        if if_match is not None:
            raise PreconditionFailed
        return
    if if_match is None:
        raise PreconditionMissing
    etag = etag_of(json_bytes(present_edition(ShownEdition(current, read_content(session, current.key)))))
    tags = (etag, gzip_etag(etag))  # as it was read, without gzip or with it
    if not any(matches_etag([if_match], tag) for tag in tags):
        raise PreconditionFailed
