"""Routes of the feeds of what happened to editions and renditions. They hold nothing about concerns."""

from operator import attrgetter

from fastapi import Request, Response
from sqlmodel import Session

from app.models.guidance.feed import JsonFeed
from app.models.links import ATOM_FEED, JSON_FEED
from app.presenters.feeds import (
    ATOM_MEDIA_TYPE,
    EDITIONS,
    JSON_MEDIA_TYPE,
    FeedEntry,
    atom_feed,
    entry_of_event,
    json_feed,
)
from app.presenters.rendition_feed import entry_of_rendition
from app.store.edition_events import list_edition_events
from app.store.rendition_events import list_rendition_events
from app.web.auth import PUBLIC
from app.web.context import ContextDep, SessionDep
from app.web.problem_responses import RESPONSES_OF_READS, Responses
from app.web.responses import conditional_response
from app.web.router import GuidanceRouter

router = GuidanceRouter(tags=["Feeds"], dependencies=[PUBLIC], responses=RESPONSES_OF_READS)

MAX_FEED_ENTRIES = 50
EXAMPLE = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:2f1c6e0a-8f0e-5f0b-9a51-6a1f6f0d7c11</id>'
    "<title>One Minute Guide: editions</title><updated>2026-11-24T09:30:00Z</updated></feed>"
)
AS_ATOM: Responses = {
    200: {
        "description": "An Atom feed.",
        "content": {ATOM_MEDIA_TYPE: {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}


@router.get(JSON_FEED, summary="Follow the editions (JSON Feed)", response_model=JsonFeed)
def read_json_feed(request: Request, session: SessionDep, context: ContextDep) -> Response:
    """The latest 50 editions and renditions published and withdrawn, the newest first, as JSON Feed 1.1."""
    entries = _latest_entries(session)
    feed = json_feed(EDITIONS, entries, context.settings.public_url)
    content, links = feed.model_dump_json(by_alias=True).encode(), {"self": JSON_FEED}
    return conditional_response(request, content, media_type=JSON_MEDIA_TYPE, links=links)


@router.get(ATOM_FEED, summary="Follow the editions (Atom)", response_class=Response, responses=AS_ATOM)
def read_atom_feed(request: Request, session: SessionDep, context: ContextDep) -> Response:
    """The same entries, with the same ids, as an Atom feed (RFC 4287)."""
    entries = _latest_entries(session)
    feed = atom_feed(EDITIONS, entries, context.settings.public_url)
    return conditional_response(request, feed, media_type=ATOM_MEDIA_TYPE, links={"self": ATOM_FEED})


def _latest_entries(session: Session) -> list[FeedEntry]:
    """Return the latest entries, the newest first. A rendition is published after its edition."""
    entries = [
        *map(entry_of_rendition, list_rendition_events(session, limit=MAX_FEED_ENTRIES)),
        *map(entry_of_event, list_edition_events(session, limit=MAX_FEED_ENTRIES)),
    ]
    return sorted(entries, key=attrgetter("at"), reverse=True)[:MAX_FEED_ENTRIES]
