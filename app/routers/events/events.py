"""The route from which clients pull events. A request with a cursor confirms the events up to that cursor."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import Query, Request, Security
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from app.clock import Clock
from app.errors import CursorAhead
from app.http.auth import require_actor, require_client
from app.http.context import ContextDep, DeskDep
from app.http.params import IN_PLAIN_DIGITS, Limit
from app.http.problems import RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.http.responses import page_links
from app.http.routes import GuidanceRouter
from app.models.access.clients import Scope
from app.models.audit.rows import EVENTS
from app.models.events.responses import EventResponse, EventsResponse
from app.models.events.rows import EventKind, EventRow
from app.services.access.clients import Principal
from app.services.access.sealed_cursors import Place, open_cursor, seal_cursor
from app.services.audit.audit_log import Actor
from app.services.concerns.entries import Desk
from app.services.events.outbox import confirm_events, confirmed_by, id_and_payload, place_of, read_events_after

router = GuidanceRouter(prefix="/v1/events", tags=["Events"], responses=RESPONSES_OF_CLIENT_ROUTES)
LONGEST_WAIT = 30
WAIT_UNIT_SECONDS = 1.0
POLL_SECONDS = 0.25
AN_EXAMPLE = "MQ"


@router.get("", summary="Pull events", responses=problem_responses(CursorAhead))
async def read_events(
    *,
    context: ContextDep,
    desk: DeskDep,
    request: Request,
    client: Annotated[Principal, Security(require_client, scopes=[Scope.EVENTS])],
    actor: Annotated[Actor, Security(require_actor, scopes=[Scope.EVENTS])],
    after: Annotated[
        str | None,
        Query(
            max_length=100,
            description="`next_cursor` of the previous page: confirms every event up to it. If omitted, the page "
            "starts after "
            "the last event this client confirmed.",
            examples=[AN_EXAMPLE],
        ),
    ] = None,
    wait: Annotated[
        int,
        Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for an event if there is none.", examples=[0]),
        IN_PLAIN_DIGITS,
    ] = 0,
    limit: Limit = 50,
) -> EventsResponse:
    """Events that this client has not confirmed yet. Unconfirmed events are returned again.

    The audit log records which concerns were shown.
    """
    place = await run_in_threadpool(_confirm, desk, client.name, actor, after)
    deadline = time.monotonic() + wait * WAIT_UNIT_SECONDS
    read = partial(_read, context.clock, desk, actor, after=place.number, limit=limit)
    while not (rows := await run_in_threadpool(read)) and time.monotonic() < deadline:
        await asyncio.sleep(POLL_SECONDS)
    next_cursor = seal_cursor(desk.engine, EVENTS, place_of(rows[-1]) if rows else place)
    links = page_links(request, next_cursor, parameter="after")
    return EventsResponse(events=tuple(map(_response, rows)), next_cursor=next_cursor, links=links)


def _response(event: EventRow) -> EventResponse:
    own_id, payload = id_and_payload(event.id or 0, event.kind, event.at, event.data)
    return EventResponse(id=own_id, type=EventKind(event.kind), timestamp=event.at, data=payload)


def _confirm(desk: Desk, client: str, actor: Actor, after: str | None) -> Place:
    """Record that the client has the events up to `after`, and return its place: without `after` the last confirmed."""
    place = None if after is None else open_cursor(desk.engine, EVENTS, after, parameter="after")
    if place is None:
        with Session(desk.engine) as session:
            return confirmed_by(session, client=client)
    desk.writer.run(confirm_events, place=place, actor=actor, client=client)
    return place


def _read(clock: Clock, desk: Desk, actor: Actor, *, after: int, limit: int) -> Sequence[EventRow]:
    with Session(desk.engine) as session:
        return read_events_after(session, desk.writer, after=after, limit=limit, actor=replace(actor, at=clock()))
