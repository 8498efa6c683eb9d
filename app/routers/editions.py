"""Routes of editions: their history, numbered ones, all sections and items, and publishing and withdrawing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NamedTuple

from fastapi import Body, Depends, Header, Query, Request, Response, Security
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
    ServiceUnavailable,
)
from app.http.auth import PUBLIC, require_client
from app.http.context import ContentsDep, ContextDep, NowDep, SessionDep, SettingsDep, WriterDep
from app.http.memento import memento_headers, memento_links, time_map
from app.http.params import (
    IN_PLAIN_DIGITS,
    Asked,
    Cursor,
    EditionNumber,
    GuidanceRouter,
    GuideName,
    JSONRoute,
    Limit,
    ask_numbered_rendition,
    item_name,
)
from app.http.problems import (
    BODY_PROBLEMS,
    CREDENTIAL_PROBLEMS,
    NUMBERED_EDITION_PROBLEMS,
    RESPONSES_OF_READS,
    problem_responses,
    response_example,
)
from app.http.responses import (
    CACHE_CURRENT,
    CACHE_IMMUTABLE,
    Responses,
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
    ItemResponse,
    NumberedItemResponse,
    PublishedResponse,
    Withdrawal,
    WithdrawalRequest,
    WithdrawalResponse,
)
from app.models.links import Links, edition_path, guide_path, rendition_path
from app.models.renditions import (
    RENDITION_EXAMPLE,
    PublishedRenditionResponse,
    RenditionContent,
    RenditionWithdrawalResponse,
)
from app.models.sections import DOCUMENTED, Section
from app.routers.formats import CURRENT, NUMBERED, Source
from app.services.cursors import decode_key, encode_key
from app.services.editions import (
    Contents,
    EditionHead,
    EditionKey,
    RenditionKey,
    current_of,
    get_history,
    read_content,
    read_lists,
    readable_of,
    require_current,
    status_of,
)
from app.services.guide_documents import (
    edition_fields,
    edition_links,
    find_item,
    item_history,
    links_of_act,
    path_of,
    present_edition,
    present_published,
    present_section,
)
from app.services.publishing import NewEdition, publish_edition, publish_rendition, withdraw_published

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
    """The guide's history as a Memento TimeMap (RFC 7089), in link-format (RFC 6690)."""
    content = time_map(get_history(session, guide=guide), settings.public_url)
    links = memento_links(settings.public_url, guide)
    return conditional_response(request, content, media_type=LINK_FORMAT, links=links)


@editions_router.get(
    "/editions",
    tags=["Editions"],
    summary="Read a guide's history",
    response_model=EditionsResponse,
    responses=problem_responses(NoSuchGuide),
)
def list_editions(
    request: Request, session: SessionDep, guide: GuideName, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Every edition, the newest first, withdrawn ones included."""
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
    """Exactly that edition, whole. Its bytes never change."""
    history = get_history(session, guide=guide)
    head = readable_of(history, number)
    return public_response(
        request,
        present_edition(head, contents(head.key, session), EditionStatus.PUBLISHED),
        caching=CACHE_IMMUTABLE,
        more_links=_successor(history, head) | memento_links(settings.public_url, guide),
        more_headers=memento_headers(head),
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
        Query(ge=1, le=MAX_NUMBER, description="The edition to compare with; the one before, if absent.", examples=[1]),
        IN_PLAIN_DIGITS,
    ] = None,
) -> Response:
    """What this edition added, removed, reworded and moved, section by section, since another."""
    history = get_history(session, guide=guide)
    head = readable_of(history, number)
    if since is None and number == 1:
        raise InvalidQuery([FieldError((), NONE_BEFORE, FaultCode.REQUIRED, "query", "since")])
    other = readable_of(history, since or number - 1)
    before, after = contents(other.key, session), contents(head.key, session)
    path = edition_path(*head.key)
    response = ChangesResponse(
        **edition_fields(head, after, EditionStatus.PUBLISHED),
        since=other.number,
        change_note=after.change_note,
        sections=changed_sections(before, after),
        fields=changed_fields(before, after),
        links={"self": f"{path}/changes?since={other.number}", "edition": path, "since": edition_path(*other.key)},
    )
    return public_response(request, response, caching=CACHE_IMMUTABLE)


class Sections(NamedTuple):
    """What the routes of an edition's sections and items are called, say of themselves and answer."""

    source: Source
    name: str
    """What begins the names of its routes."""
    words: str
    of_section: str
    of_item: str
    items: Mapping[Section, type[ItemResponse] | type[NumberedItemResponse]]
    responses: Responses


SECTIONS = (
    Sections(
        CURRENT,
        "read_",
        "the current edition",
        "The section, word for word, with the cautions that must be read with it.",
        "The item, with the editions in which it stands and where its words changed.",
        ITEM_RESPONSES,
        {},
    ),
    Sections(
        NUMBERED,
        "read_edition_",
        "a numbered edition",
        "The section of exactly that edition, with the cautions that must be read with it.",
        "The item of exactly that edition.",
        NUMBERED_ITEM_RESPONSES,
        AS_PUBLISHED,
    ),
)


def _add_section(sections: Sections, section: Section) -> None:
    """Add the routes of the section and of its items: `/v1/guides/{guide}/indicators`, named `read_indicators`."""
    source, below, named = sections.source, f"/{section.value}", item_name(section)

    @editions_router.get(
        source.path + below,
        name=f"{sections.name}{section.key}",
        tags=[source.tag],
        summary=f"Read the {section.words} of {sections.words}",
        description=sections.of_section,
        response_model=SECTION_RESPONSES[section],
        responses=sections.responses | problem_responses(NotFound, *source.problems),
    )
    def read_section(
        request: Request,
        session: SessionDep,
        contents: ContentsDep,
        asked: Annotated[Asked, Depends(source.asked)],
    ) -> Response:
        found = _find(session, contents, asked)
        return public_response(
            request,
            present_section(found.head, found.content, found.status, section),
            caching=found.caching,
            more_links={} if asked.number is None else _successor(found.history, found.head, below),
        )

    @editions_router.get(
        f"{source.path}{below}/{{item_id}}",
        name=f"{sections.name}{section.key}_item",
        tags=[source.tag],
        summary=f"Read one of the {section.words} of {sections.words}",
        description=sections.of_item,
        response_model=sections.items[section],
        responses=sections.responses | problem_responses(NotFound, NoSuchItem, *source.problems),
    )
    def read_item(
        *,
        request: Request,
        session: SessionDep,
        contents: ContentsDep,
        asked: Annotated[Asked, Depends(source.asked)],
        item_id: str = named,
    ) -> Response:
        found = _find(session, contents, asked)
        head, lists = found.head, read_lists(session, guide=asked.guide, part=section.key)
        having = {number for number, items in lists.items() if item_id in items}
        links = edition_links(head.key, path_of(head, found.status), f"{below}/{item_id}", having)
        fields: dict[str, Any] = edition_fields(head, found.content, found.status) | {
            "section": section,
            "item": find_item(found.content, section, item_id),
        }
        more_links: Links = {}
        if asked.number is None:
            fields["history"] = item_history(item_id, lists, found.history)
        else:  # what a later edition may change goes into the Link header: it may leave the item out
            more_links = _successor(found.history, head, f"{below}/{item_id}") if head.number + 1 in having else {}
            latest, current = links.pop("latest_version"), current_of(found.history)
            more_links |= {"latest_version": latest} if current is not None and current.number in having else {}
        response = sections.items[section](**fields, links=links)
        return public_response(request, response, caching=found.caching, more_links=more_links)


@dataclass(frozen=True)
class FoundEdition:
    """The edition that a request reads."""

    history: list[EditionHead]
    head: EditionHead
    content: EditionContent
    status: EditionStatus
    caching: str


def _find(session: Session, contents: Contents, asked: Asked) -> FoundEdition:
    history = get_history(session, guide=asked.guide)
    head = require_current(history) if asked.number is None else readable_of(history, asked.number)
    content = contents(head.key, session)
    if asked.number is None:
        return FoundEdition(history, head, content, EditionStatus.CURRENT, CACHE_CURRENT)
    return FoundEdition(history, head, content, EditionStatus.PUBLISHED, CACHE_IMMUTABLE)


def _successor(history: Sequence[EditionHead], head: EditionHead, below: str = "") -> Links:
    """Return the link to the next edition, if there is one. It goes into the Link header: the body never changes."""
    successor = EditionKey(head.guide, head.number + 1)
    return {"successor_version": edition_path(*successor) + below} if len(history) > head.number else {}


def _summary(head: EditionHead, status: EditionStatus) -> EditionSummary:
    withdrawal = None
    if head.withdrawn_at is not None and head.reason is not None:
        withdrawal = Withdrawal(withdrawn_at=head.withdrawn_at, reason=head.reason)
    return EditionSummary(
        number=head.number,
        status=status,
        published_at=head.published_at,
        change_note=head.change_note,
        digest=head.digest,
        withdrawal=withdrawal,
        links={"self": edition_path(*head.key), "guide": guide_path(head.guide)},
    )


for each_section in DOCUMENTED:
    for each in SECTIONS:
        _add_section(each, each_section)


publishing_router = GuidanceRouter(
    prefix="/v1/guides/{guide}",
    tags=["Publishing"],
    dependencies=[Security(require_client, scopes=[Scope.PUBLISH])],
    responses=problem_responses(ServiceUnavailable, *CREDENTIAL_PROBLEMS),
    route_class=JSONRoute,
)
WITHDRAWN_ALREADY = "It was already withdrawn for this reason."
IfMatch = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="The ETag of `GET /v1/guides/{guide}` that this edition follows. Needed unless the guide is new.",
        examples=['"0123456789abcdef0123456789abcdef"'],
    ),
]


@publishing_router.post(
    "/editions",
    operation_id="publish_edition",
    summary="Publish an edition",
    status_code=201,
    responses=problem_responses(NotFound, PreconditionFailed, PreconditionMissing, *BODY_PROBLEMS)
    | {200: {"model": PublishedResponse, "description": "The same words are already the current edition."}},
)
def post_edition(
    *,
    response: Response,
    context: ContextDep,
    now: NowDep,
    guide: GuideName,
    content: Annotated[EditionContent, Body(examples=[EDITION_EXAMPLE])],
    if_match: IfMatch = None,
) -> PublishedResponse:
    """Publish the words as the guide's next edition. It can never be altered: a correction is the next number.

    `If-Match` guards against two editors who both follow the same edition: the second is refused with 412. Sending
    the current edition's words again answers 200 and changes nothing, so that a retry is safe.
    """
    check, new = partial(_check_if_match, if_match), NewEdition(guide, content)
    published = publish_edition(context.writer, context.reference_data, new, at=now, precondition=check)
    response.status_code = 201 if published.is_new else 200
    response.headers["Location"] = edition_path(*published.key)
    return present_published(published)


@publishing_router.post(
    "/editions/{number}/withdrawal",
    operation_id="withdraw_edition",
    summary="Withdraw an edition",
    status_code=201,
    responses=problem_responses(NoSuchGuide, NoSuchEdition, AlreadyWithdrawn, *BODY_PROBLEMS)
    | {200: {"model": WithdrawalResponse, "description": WITHDRAWN_ALREADY}},
)
def post_withdrawal(
    response: Response,
    writer: WriterDep,
    now: NowDep,
    guide: GuideName,
    number: EditionNumber,
    request: WithdrawalRequest,
) -> WithdrawalResponse:
    """Take an edition back. Its words stay on record; every read of it answers 410 with the reason from now on."""
    key = EditionKey(guide, number)
    withdrawn = withdraw_published(writer, key, reason=request.reason, at=now)
    response.status_code = 201 if withdrawn.is_new else 200
    return WithdrawalResponse(
        guide=guide,
        edition=number,
        withdrawn_at=withdrawn.withdrawn_at,
        reason=request.reason,
        links=links_of_act(key),
    )


@publishing_router.post(
    "/renditions",
    operation_id="publish_rendition",
    summary="Publish a rendition",
    status_code=201,
    responses=problem_responses(NoSuchGuide, EditionAlreadyPublished, *BODY_PROBLEMS)
    | {200: {"model": PublishedRenditionResponse, "description": "The newest rendition already has these words."}},
)
def post_rendition(
    response: Response,
    writer: WriterDep,
    now: NowDep,
    guide: GuideName,
    content: Annotated[RenditionContent, Body(examples=[RENDITION_EXAMPLE])],
) -> PublishedRenditionResponse:
    """Publish the edition's words in another language or form. A correction is the next number.

    Its ids are those of the edition: an unknown one is refused. `of.digest` makes sure that these words were rendered.
    Sending the newest rendition again answers 200 and changes nothing, so that a retry is safe.
    """
    published = publish_rendition(writer, guide, content, at=now)
    response.status_code = 201 if published.is_new else 200
    response.headers["Location"] = rendition_path(*published.key)
    return PublishedRenditionResponse(
        **published.key._asdict(),
        digest=published.digest,
        published_at=published.published_at,
        links=links_of_act(published.key),
    )


@publishing_router.post(
    "/renditions/{language}/{number}/withdrawal",
    operation_id="withdraw_rendition",
    summary="Withdraw a rendition",
    status_code=201,
    responses=problem_responses(NoSuchGuide, NoSuchRendition, AlreadyWithdrawn, *BODY_PROBLEMS)
    | {200: {"model": RenditionWithdrawalResponse, "description": WITHDRAWN_ALREADY}},
)
def post_rendition_withdrawal(
    response: Response,
    writer: WriterDep,
    now: NowDep,
    asked: Annotated[Asked, Depends(ask_numbered_rendition)],
    request: WithdrawalRequest,
) -> RenditionWithdrawalResponse:
    """Take a rendition back. Its words stay on record; every read of it answers 410 with the reason from now on."""
    key = RenditionKey(asked.guide, asked.language or "", asked.number or 0)
    withdrawn = withdraw_published(writer, key, reason=request.reason, at=now)
    response.status_code = 201 if withdrawn.is_new else 200
    return RenditionWithdrawalResponse(
        **key._asdict(), withdrawn_at=withdrawn.withdrawn_at, reason=request.reason, links=links_of_act(key)
    )


def _check_if_match(if_match: str | None, session: Session, current: EditionHead | None) -> None:
    """Raise unless the header has the ETag of the current edition, or there is neither."""
    if current is None:
        if if_match is not None:
            raise PreconditionFailed
        return
    if if_match is None:
        raise PreconditionMissing
    etag = etag_of(json_bytes(present_edition(current, read_content(session, current.key), EditionStatus.CURRENT)))
    tags = (etag, gzip_etag(etag))  # as it was read, without gzip or with it
    if not any(matches_etag([if_match], tag) for tag in tags):
        raise PreconditionFailed
