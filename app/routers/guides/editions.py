"""Routes of a guide's editions: the history, numbered editions, and each section and item of an edition."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request, Response

from app.errors import FaultCode, FieldError, InvalidQuery, NoSuchGuide, NoSuchItem, NotFound
from app.http.auth import PUBLIC
from app.http.context import ContextDep, SessionDep, SettingsDep
from app.http.memento import memento_headers, memento_links, time_map
from app.http.params import IN_PLAIN_DIGITS, Cursor, EditionNumber, GuideName, Limit, item_name
from app.http.problems import (
    CURRENT_EDITION_PROBLEMS,
    NUMBERED_EDITION_PROBLEMS,
    RESPONSES_OF_READS,
    problem_responses,
    response_example,
)
from app.http.responses import CACHE_IMMUTABLE, conditional_response, page_links, public_response
from app.http.routes import GuidanceRouter
from app.models.base import MAX_NUMBER
from app.models.guides.comparison import ChangesResponse, changed_fields, changed_sections
from app.models.guides.guides import (
    ITEM_RESPONSES,
    NUMBERED_ITEM_RESPONSES,
    SECTION_RESPONSES,
    EditionResponse,
    EditionsResponse,
    EditionStatus,
    EditionSummary,
)
from app.models.guides.sections import DOCUMENTED, Section
from app.models.links import Links, edition_path, guide_path
from app.services.cursors import decode_key, encode_key
from app.services.guides.editions import (
    get_current,
    get_history,
    read_lists,
    status_of,
    withdrawal_of,
)
from app.services.guides.presenters import (
    ShownEdition,
    edition_fields,
    find_edition,
    find_item,
    item_history,
    present_edition,
    present_section,
)

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
    page = tuple(
        EditionSummary(
            number=head.number,
            status=status_of(head, history),
            published_at=head.published_at,
            change_note=head.change_note,
            digest=head.digest,
            withdrawal=withdrawal_of(head),
            links={"self": edition_path(*head.key), "guide": guide_path(head.guide)},
        )
        for head in heads[:limit]
    )
    next_cursor = encode_key(page[-1].number) if len(heads) > limit else None
    links = page_links(request, next_cursor)
    return public_response(request, EditionsResponse(editions=page, next_cursor=next_cursor, links=links))


@editions_router.get(
    "/editions/{number}",
    tags=["Editions"],
    summary="Read a numbered edition",
    response_model=EditionResponse,
    responses=AS_PUBLISHED | problem_responses(*NUMBERED_EDITION_PROBLEMS),
)
def read_edition(request: Request, context: ContextDep, guide: GuideName, number: EditionNumber) -> Response:
    """The complete edition. Its bytes never change."""
    with context.engine.connect() as connection:
        shown = find_edition(connection, guide, number)
    return public_response(
        request,
        present_edition(shown),
        caching=CACHE_IMMUTABLE,
        more_links=_successor(shown) | memento_links(context.settings.public_url, guide),
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
    shown = find_edition(session, guide, number)
    if since is None and number == 1:
        raise InvalidQuery([FieldError((), NONE_BEFORE, FaultCode.REQUIRED, "query", "since")])
    other = find_edition(session, guide, since or number - 1)
    before, after, path = other.content, shown.content, shown.path
    response = ChangesResponse(
        **edition_fields(shown),
        since=other.head.number,
        change_note=after.change_note,
        sections=changed_sections(before, after),
        fields=changed_fields(before, after),
        links={"self": f"{path}/changes?since={other.head.number}", "edition": path, "since": other.path},
    )
    return public_response(request, response, caching=CACHE_IMMUTABLE)


def _add_section(section: Section) -> None:
    """Add the routes of `section` and of its items, such as `read_indicators` at `/v1/guides/{guide}/indicators`.

    Each route exists twice: for the current edition, and for numbered editions.
    """
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
    def read_section(request: Request, context: ContextDep, guide: GuideName) -> Response:
        """The section word for word, with the cautions that must be read with it."""
        with context.engine.connect() as connection:
            shown = find_edition(connection, guide)
        return public_response(request, present_section(shown, section))

    @editions_router.get(
        of_guide + "/{item_id}",
        name=f"read_{section.key}_item",
        tags=["Guides"],
        summary=f"Read one of the {section.words} of the current edition",
        response_model=ITEM_RESPONSES[section],
        responses=problem_responses(NotFound, NoSuchItem, *CURRENT_EDITION_PROBLEMS),
    )
    def read_item(*, request: Request, session: SessionDep, item_id: str = named, guide: GuideName) -> Response:
        """The item, the editions that contain it and those that changed its text."""
        shown = find_edition(session, guide)
        lists = read_lists(session, guide=guide, part=section.key)
        fields = _item_fields(shown, section, item_id)
        links = shown.links(f"{of_guide}/{item_id}", _having(lists, item_id))
        history = item_history(section, item_id, lists, get_history(session, guide=guide))
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
        request: Request, context: ContextDep, guide: GuideName, number: EditionNumber
    ) -> Response:
        """The section of that edition, with the cautions that must be read with it."""
        with context.engine.connect() as connection:
            shown = find_edition(connection, guide, number)
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
        item_id: str = named,
        guide: GuideName,
        number: EditionNumber,
    ) -> Response:
        """The item in that edition."""
        shown = find_edition(session, guide, number)
        having = _having(read_lists(session, guide=guide, part=section.key), item_id)
        fields, below = _item_fields(shown, section, item_id), f"{of_guide}/{item_id}"
        links, current = shown.links(below, having), get_current(session, guide=guide)
        latest = links.pop("latest_version")
        # These links depend on later editions, so they are in the Link header: the body never changes.
        more_links = _successor(shown, below) if number + 1 in having else {}
        more_links |= {"latest_version": latest} if current.number in having else {}
        response = NUMBERED_ITEM_RESPONSES[section](**fields, links=links)
        return public_response(request, response, caching=CACHE_IMMUTABLE, more_links=more_links)


def _item_fields(shown: ShownEdition, section: Section, item_id: str) -> dict[str, Any]:
    return edition_fields(shown) | {"section": section, "item": find_item(shown, section, item_id)}


def _having(lists: Mapping[int, Mapping[str, Any]], item_id: str) -> set[int]:
    """`lists` maps the number of each edition to its items by id."""
    return {number for number, items in lists.items() if item_id in items}


def _successor(shown: ShownEdition, below: str = "") -> Links:
    """Return a link for the Link header: the body of a numbered edition never changes. `below` follows its path."""
    guide, number = shown.head.key
    return {"successor_version": edition_path(guide, number + 1) + below} if shown.newest > number else {}


for each_section in DOCUMENTED:
    _add_section(each_section)
