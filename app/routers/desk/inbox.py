"""Routes of the duty team's inbox, without the text of any concern, and of the views of the inbox that people save."""

import datetime as dt
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Path, Query, Request
from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import InvalidCursor, NoSuchItem, NotFound
from app.http.auth import ReaderDep, WorkerDep
from app.http.context import ContextDep, SessionDep, WriterDep
from app.http.params import Cursor, Limit
from app.http.problems import BODY_PROBLEMS, problem_responses
from app.http.responses import page_links
from app.models.audit.rows import EVENTS
from app.models.base import SLUG_PATTERN
from app.models.desk.actions import BurstAcknowledged, BurstAcknowledgement
from app.models.desk.inbox import InboxResponse, SummaryResponse
from app.models.desk.inbox_filters import InboxOrder, InboxParameters
from app.models.desk.saved_views import SavedView, SavedViewRow, SavedViewsResponse, ViewFilters
from app.models.links import DESK_BURSTS, DESK_CONCERNS, DESK_VIEWS
from app.models.references import BURST, EXAMPLE_BURST, EXAMPLE_REFERENCE
from app.routers.desk.actions import desk_router
from app.services.access.sealed_cursors import open_cursor
from app.services.cursors import A_MOMENT, NOT_OURS, decode_position, encode_position
from app.services.desk import actions, inbox, presented_concerns, saved_views
from app.services.desk.inbox import InboxQuery, position_of
from app.services.desk.presented_concerns import entry_of
from app.services.events.outbox import find_event

router = desk_router()
ViewName = Annotated[
    str, Path(pattern=SLUG_PATTERN, max_length=80, description="Name of the view.", examples=["urgent"])
]
BurstName = Annotated[
    str, Path(pattern=f"^{BURST}$", max_length=40, description="Id of the burst.", examples=[EXAMPLE_BURST])
]


@router.get(DESK_CONCERNS, summary="List concerns")
def read_inbox(
    request: Request,
    context: ContextDep,
    actor: ReaderDep,
    parameters: Annotated[InboxParameters, Query()],
    limit: Limit = 50,
    cursor: Annotated[Cursor, Query(examples=[encode_position((0, 1, A_MOMENT, A_MOMENT, EXAMPLE_REFERENCE))])] = None,
) -> InboxResponse:
    """The inbox: concerns without their content. The order `urgent` puts unacknowledged concerns first.

    An unacknowledged addition counts like a concern. Unacknowledged concerns are ordered by: immediate danger (as a
    reporter said, in the concern or an addition), possible danger, earliest deadline, oldest. Indicators play no part.

    Filters are combined with AND. To fetch later changes, send `next_changed_since` as `changed_since`: nothing is
    missed, but a concern may be returned twice.
    """
    since = (
        parameters.changed_since
        if parameters.since_event is None
        else _moment_of_event(context.engine, parameters.since_event)
    )
    order = parameters.order or (InboxOrder.URGENT if since is None else InboxOrder.CHANGED)
    others = {"changed_since": since, "reference": parameters.reference, "test": parameters.test}
    query = InboxQuery.of(order, parameters, me=actor.person, **others)
    after = decode_position(cursor, query.column_types)
    rows = inbox.read_inbox(context.writer, query, actor=actor, after=after, limit=limit)
    page = rows[:limit]
    next_cursor = encode_position(position_of(page[-1], query)) if len(rows) > limit else None
    return InboxResponse(
        concerns=tuple(entry_of(row._mapping, now=actor.at) for row in page),
        next_changed_since=actor.at - dt.timedelta(seconds=2 * context.settings.writer_wait_seconds),
        next_cursor=next_cursor,
        links=page_links(request, next_cursor),
    )


@router.post(
    DESK_BURSTS + "/{burst}/acknowledgement",
    summary="Acknowledge the concerns of a burst",
    responses=problem_responses(NotFound, *BODY_PROBLEMS),
)
def acknowledge_burst(
    writer: WriterDep, actor: WorkerDep, burst: BurstName, seen: BurstAcknowledgement
) -> BurstAcknowledged:
    """Record that a social worker has looked at these concerns of one burst.

    Each acknowledgement has its own audit log entry. List every concern seen (`GET /v1/desk/concerns?burst=`). If a
    reference is not part of the burst, none is acknowledged. Idempotent.
    """
    concerns = writer.run(actions.acknowledge_together, burst, seen, actor)
    entries = tuple(presented_concerns.entry_of(concern, now=actor.at) for concern in concerns)
    return BurstAcknowledged(burst=burst, concerns=entries)


def _moment_of_event(engine: Engine, cursor: str) -> dt.datetime | None:
    """Return None, which sets no limit, for the cursor before the first event or of an earlier version."""
    place = open_cursor(engine, EVENTS, cursor, parameter="since_event")
    if place is None or place.number == 0:
        return None
    with Session(engine) as session:  # it ends before the next session, or two requests could block each other
        event = find_event(session, place)
    if event is None:
        raise InvalidCursor(NOT_OURS, parameter="since_event")
    return event.at


@router.get("/v1/desk/summary", summary="Count the work")
def read_summary(writer: WriterDep, actor: ReaderDep) -> SummaryResponse:
    """Numbers of waiting, acknowledged, closed and overdue concerns, and of waiting and overdue additions."""
    return SummaryResponse(**inbox.read_summary(writer, actor=actor))


@router.get(DESK_VIEWS, summary="List your views")
def read_views(session: SessionDep, actor: ReaderDep) -> SavedViewsResponse:
    """Your saved views, by name. `links.concerns` of each is the inbox with its filters."""
    return SavedViewsResponse(views=tuple(map(_saved_view, saved_views.list_views(session, actor.person))))


@router.put(
    DESK_VIEWS + "/{name}",
    summary="Save a view",
    responses=problem_responses(NotFound, *BODY_PROBLEMS),
)
def save_view(writer: WriterDep, actor: ReaderDep, name: ViewName, filters: ViewFilters) -> SavedView:
    """Save filters of the inbox under a name, replacing any view with that name. Only you can see your views."""
    return _saved_view(writer.run(saved_views.save_view, actor.person, name, filters, at=actor.at))


@router.delete(DESK_VIEWS + "/{name}", summary="Delete a view", responses=problem_responses(NoSuchItem))
def remove_view(writer: WriterDep, session: SessionDep, actor: ReaderDep, name: ViewName) -> SavedViewsResponse:
    """Delete one of your views and return the others."""
    writer.run(saved_views.remove_view, actor.person, name)
    return read_views(session, actor)


def _saved_view(row: SavedViewRow) -> SavedView:
    query = urlencode(
        {name: str(value).lower() if value in (True, False) else value for name, value in row.filters.items()}
    )
    links = {"self": f"{DESK_VIEWS}/{row.name}", "concerns": f"{DESK_CONCERNS}?{query}" if query else DESK_CONCERNS}
    return SavedView(name=row.name, filters=row.filters, saved_at=row.saved_at, links=links)
