"""Routes of numbered editions. The body of an edition never changes."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request, Response

from app.errors import InvalidQuery, NoSuchGuide, NoSuchItem, NotFound
from app.faults import FaultCode, FieldError
from app.models.base import MAX_NUMBER
from app.models.guidance.changes import ChangesResponse
from app.models.guidance.comparison import changed_fields, changed_sections
from app.models.guidance.guide_responses import (
    NUMBERED_ITEM_RESPONSES,
    SECTION_RESPONSES,
    EditionResponse,
    EditionsResponse,
    EditionStatus,
    EditionSummary,
    Withdrawal,
)
from app.models.guidance.sections import DOCUMENTED, Section
from app.models.links import Links, edition_path, guide_path
from app.presenters.guides import (
    edition_fields,
    find_item,
    item_links,
    present_edition,
    present_section,
    status_of,
)
from app.presenters.memento import memento_headers, memento_links, time_map
from app.routers.params import EditionNumber, GuideName, item_name
from app.store.catalogue import find_mentions
from app.store.editions import EditionHead, EditionKey, current_of, get_history, readable_of
from app.web.auth import PUBLIC
from app.web.context import ContextDep, SessionDep
from app.web.cursors import decode_key, encode_key
from app.web.problem_responses import NUMBERED_EDITION_PROBLEMS, RESPONSES_OF_READS, problem_responses, response_example
from app.web.query_params import IN_PLAIN_DIGITS, Cursor, Limit
from app.web.responses import CACHE_IMMUTABLE, conditional_response, public_response
from app.web.router import GuidanceRouter

router = GuidanceRouter(
    prefix="/v1/guides/{guide}/editions", tags=["Editions"], dependencies=[PUBLIC], responses=RESPONSES_OF_READS
)

NONE_BEFORE = "Edition 1 has none before it. Name one to compare with: since=2."
LINK_FORMAT = "application/link-format"
TIME_MAP_EXAMPLE = '<http://127.0.0.1:8000/v1/guides/child-sexual-exploitation>; rel="original timegate"'
AS_PUBLISHED = response_example(status=EditionStatus.PUBLISHED)


@router.get(
    ".link",  # after the prefix: `/v1/guides/{guide}/editions.link`
    summary="Read a guide's TimeMap",
    response_class=Response,
    responses=problem_responses(NoSuchGuide)
    | {200: {"content": {LINK_FORMAT: {"example": TIME_MAP_EXAMPLE}}, "description": "The TimeMap."}},
)
def read_time_map(request: Request, session: SessionDep, context: ContextDep, guide: GuideName) -> Response:
    """The guide's history as a Memento TimeMap (RFC 7089), in link-format (RFC 6690)."""
    content = time_map(get_history(session, guide=guide), context.settings.public_url)
    links = memento_links(context.settings.public_url, guide)
    return conditional_response(request, content, media_type=LINK_FORMAT, links=links)


@router.get(
    "",
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


@router.get(
    "/{number}",
    summary="Read a numbered edition",
    response_model=EditionResponse,
    responses=AS_PUBLISHED | problem_responses(*NUMBERED_EDITION_PROBLEMS),
)
def read_edition(
    request: Request, session: SessionDep, context: ContextDep, guide: GuideName, number: EditionNumber
) -> Response:
    """Exactly that edition, whole. Its bytes never change."""
    history = get_history(session, guide=guide)
    head = readable_of(history, number)
    return public_response(
        request,
        present_edition(head, context.contents(head.key, session), EditionStatus.PUBLISHED),
        caching=CACHE_IMMUTABLE,
        more_links=_successor(history, head) | memento_links(context.settings.public_url, guide),
        more_headers=memento_headers(head),
    )


@router.get(
    "/{number}/changes",
    summary="Compare two editions",
    response_model=ChangesResponse,
    responses=problem_responses(*NUMBERED_EDITION_PROBLEMS),
)
def read_changes(
    request: Request,
    session: SessionDep,
    context: ContextDep,
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
    before, after = context.contents(other.key, session), context.contents(head.key, session)
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


def _add_section(section: Section) -> None:
    """Add the routes of the section and of its items, named `read_edition_indicators` for example."""
    path, words = f"/{{number}}/{section.value}", section.words
    named = item_name(section)

    @router.get(
        path,
        name=f"read_edition_{section.key}",
        summary=f"Read the {words} of a numbered edition",
        response_model=SECTION_RESPONSES[section],
        responses=AS_PUBLISHED | problem_responses(NotFound, *NUMBERED_EDITION_PROBLEMS),
    )
    def read_section(
        request: Request, session: SessionDep, context: ContextDep, guide: GuideName, number: EditionNumber
    ) -> Response:
        """The section of exactly that edition, with the cautions that must be read with it."""
        history = get_history(session, guide=guide)
        head = readable_of(history, number)
        response = present_section(head, context.contents(head.key, session), EditionStatus.PUBLISHED, section)
        more_links = _successor(history, head, f"/{section.value}")
        return public_response(request, response, caching=CACHE_IMMUTABLE, more_links=more_links)

    @router.get(
        f"{path}/{{item_id}}",
        name=f"read_edition_{section.key}_item",
        summary=f"Read one of the {words} of a numbered edition",
        response_model=NUMBERED_ITEM_RESPONSES[section],
        responses=AS_PUBLISHED | problem_responses(NotFound, NoSuchItem, *NUMBERED_EDITION_PROBLEMS),
    )
    def read_item(
        *,
        request: Request,
        session: SessionDep,
        context: ContextDep,
        guide: GuideName,
        number: EditionNumber,
        item_id: str = named,
    ) -> Response:
        """The item of exactly that edition."""
        history = get_history(session, guide=guide)
        head = readable_of(history, number)
        content = context.contents(head.key, session)
        mentions = find_mentions(session, guide=guide, part=section.key, item_id=item_id)
        links = item_links(head.key, edition_path(*head.key), f"/{section.value}/{item_id}", mentions)
        latest = links.pop("latest_version")  # a later edition may leave the item out
        response = NUMBERED_ITEM_RESPONSES[section](
            **edition_fields(head, content, EditionStatus.PUBLISHED),
            section=section,
            item=find_item(content, section, item_id),
            links=links,
        )
        below = f"/{section.value}/{item_id}"
        more_links = _successor(history, head, below) if number + 1 in mentions else {}
        current = current_of(history)
        if current is not None and current.number in mentions:
            more_links["latest_version"] = latest
        return public_response(request, response, caching=CACHE_IMMUTABLE, more_links=more_links)


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


for each in DOCUMENTED:
    _add_section(each)
