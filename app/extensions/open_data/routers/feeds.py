"""Routes of feeds: changes to editions and renditions, and due reviews. They contain nothing about concerns."""

import datetime as dt
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session

from app.config import Settings
from app.extensions.open_data import ATOM_FEED, JSON_FEED, REVIEWS_ATOM_FEED, REVIEWS_JSON_FEED
from app.extensions.open_data.models.feeds import FeedItem, JsonFeed
from app.extensions.open_data.services.feeds import (
    ATOM_MEDIA_TYPE,
    EDITIONS,
    JSON_MEDIA_TYPE,
    REVIEWS,
    FeedChannel,
    atom_feed,
    entry_of_event,
    entry_of_review,
    json_feed,
    list_edition_events,
)
from app.http.auth import PUBLIC
from app.http.context import NowDep, SessionDep, SettingsDep
from app.http.problems import RESPONSES_OF_READS
from app.http.responses import CACHE_CURRENT, Responses, conditional_response
from app.http.routes import GuidanceRouter
from app.services.guides.editions import list_current

router = GuidanceRouter(dependencies=[PUBLIC], responses=RESPONSES_OF_READS)
MAX_FEED_ENTRIES = 50
FOR_AN_HOUR = "max-age=3600"
"""Caching without `public`, so the static export leaves these feeds out: due reviews depend on the day."""


class JsonFeedResponse(JSONResponse):
    """Names the media type in the document."""

    media_type = JSON_MEDIA_TYPE


def _as_atom(channel: FeedChannel, example_id: str) -> Responses:
    """`example_id` is the UUID of the feed in the example."""
    example = (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:{example_id}</id><title>{channel.title}</title>'
        "<updated>2026-11-24T09:30:00Z</updated></feed>"
    )
    content: dict[str, Any] = {ATOM_MEDIA_TYPE: {"schema": {"type": "string"}, "example": example}}
    return {200: {"description": "An Atom feed.", "content": content}}


@router.get(
    JSON_FEED,
    tags=["Feeds"],
    summary="Follow editions (JSON Feed)",
    description="The latest 50 publications and withdrawals of editions and renditions, most recent first, as JSON "
    "Feed 1.1.",
    response_class=JsonFeedResponse,
    response_model=JsonFeed,
)
def read_json_feed(request: Request, session: SessionDep, settings: SettingsDep) -> Response:
    """Return the latest publications and withdrawals as a JSON Feed."""
    return _json_response(request, EDITIONS, _published(session, settings), settings, CACHE_CURRENT)


@router.get(
    ATOM_FEED,
    tags=["Feeds"],
    summary="Follow editions (Atom)",
    response_class=Response,
    responses=_as_atom(EDITIONS, "2f1c6e0a-8f0e-5f0b-9a51-6a1f6f0d7c11"),
)
def read_atom_feed(request: Request, session: SessionDep, settings: SettingsDep) -> Response:
    """The latest publications and withdrawals as an Atom feed (RFC 4287), with the ids of the JSON Feed."""
    return _atom_response(request, EDITIONS, _published(session, settings), settings, CACHE_CURRENT)


@router.get(
    REVIEWS_JSON_FEED,
    tags=["Publishing"],
    summary="Follow reviews due (JSON Feed)",
    response_class=JsonFeedResponse,
    response_model=JsonFeed,
)
def read_reviews_json_feed(request: Request, session: SessionDep, settings: SettingsDep, now: NowDep) -> Response:
    """Guides with a review due within 60 days, overdue or not set, as JSON Feed 1.1."""
    return _json_response(request, REVIEWS, _due(session, settings, now), settings, FOR_AN_HOUR)


@router.get(
    REVIEWS_ATOM_FEED,
    tags=["Publishing"],
    summary="Follow reviews due (Atom)",
    response_class=Response,
    responses=_as_atom(REVIEWS, "0c7e0a53-4f0a-5d7d-8f26-3f1b6d0a7e21"),
)
def read_reviews_atom_feed(request: Request, session: SessionDep, settings: SettingsDep, now: NowDep) -> Response:
    """The due reviews as an Atom feed (RFC 4287), with the ids of the JSON Feed."""
    return _atom_response(request, REVIEWS, _due(session, settings, now), settings, FOR_AN_HOUR)


def _published(session: Session, settings: Settings) -> list[FeedItem]:
    return [entry_of_event(each, settings.public_url) for each in list_edition_events(session, MAX_FEED_ENTRIES)]


def _due(session: Session, settings: Settings, now: dt.datetime) -> list[FeedItem]:
    """Most recently due first."""
    due = [each for each in list_current(session) if each.due_from <= now]
    due.sort(key=lambda each: (each.due_from, each.key), reverse=True)
    return [entry_of_review(each, settings.public_url) for each in due]


def _json_response(
    request: Request, channel: FeedChannel, entries: list[FeedItem], settings: Settings, caching: str
) -> Response:
    content = json_feed(channel, entries, settings.public_url).model_dump_json(by_alias=True).encode()
    links = {"self": channel.json_path}
    return conditional_response(request, content, media_type=JSON_MEDIA_TYPE, links=links, caching=caching)


def _atom_response(
    request: Request, channel: FeedChannel, entries: list[FeedItem], settings: Settings, caching: str
) -> Response:
    feed, links = atom_feed(channel, entries, settings.public_url), {"self": channel.atom_path}
    return conditional_response(request, feed, media_type=ATOM_MEDIA_TYPE, links=links, caching=caching)
