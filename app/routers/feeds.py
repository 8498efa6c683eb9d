"""Routes of feeds, as JSON Feed and as Atom: what happened to editions and renditions, and which reviews are due.

They hold nothing about concerns.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from fastapi import Request, Response
from sqlmodel import Session

from app.http.auth import PUBLIC
from app.http.context import NowDep, SessionDep, SettingsDep
from app.http.params import GuidanceRouter
from app.http.problems import RESPONSES_OF_READS
from app.http.responses import CACHE_CURRENT, Responses, conditional_response
from app.models.feeds import FeedItem, JsonFeed
from app.services.editions import list_edition_events
from app.services.feeds import (
    ATOM_MEDIA_TYPE,
    EDITIONS,
    JSON_MEDIA_TYPE,
    REVIEWS,
    FeedChannel,
    atom_feed,
    entry_of_event,
    entry_of_review,
    json_feed,
)
from app.services.guides import list_due

router = GuidanceRouter(dependencies=[PUBLIC], responses=RESPONSES_OF_READS)

MAX_FEED_ENTRIES = 50
FOR_AN_HOUR = "max-age=3600"
"""Any cache may store it. Without `public`, so that no export has it: what is due depends on the day."""
EXAMPLE = '<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:{}</id><title>{}</title><updated>{}</updated></feed>'


def _add_feed(
    channel: FeedChannel,
    name: str,
    list_entries: Callable[[Session, dt.datetime, str], list[FeedItem]],
    *,
    words: tuple[str, str, str],
    example_id: str,
    caching: str,
) -> None:
    """Add the two routes of a feed. `words` are its tag, the beginning of its summaries, and what it holds."""
    tag, summary, description = words
    example = EXAMPLE.format(example_id, channel.title, "2026-11-24T09:30:00Z")
    content: dict[str, Any] = {ATOM_MEDIA_TYPE: {"schema": {"type": "string"}, "example": example}}
    as_atom: Responses = {200: {"description": "An Atom feed.", "content": content}}

    @router.get(
        channel.json_path,
        tags=[tag],
        name=f"read_{name}json_feed",
        summary=f"{summary} (JSON Feed)",
        description=f"{description}, as JSON Feed 1.1.",
        response_model=JsonFeed,
    )
    def read_json_feed(request: Request, session: SessionDep, settings: SettingsDep, now: NowDep) -> Response:
        feed = json_feed(channel, list_entries(session, now, settings.public_url), settings.public_url)
        content, links = feed.model_dump_json(by_alias=True).encode(), {"self": channel.json_path}
        return conditional_response(request, content, media_type=JSON_MEDIA_TYPE, links=links, caching=caching)

    @router.get(
        channel.atom_path,
        tags=[tag],
        name=f"read_{name}atom_feed",
        summary=f"{summary} (Atom)",
        description="The same entries, with the same ids, as an Atom feed (RFC 4287).",
        response_class=Response,
        responses=as_atom,
    )
    def read_atom_feed(request: Request, session: SessionDep, settings: SettingsDep, now: NowDep) -> Response:
        feed = atom_feed(channel, list_entries(session, now, settings.public_url), settings.public_url)
        links = {"self": channel.atom_path}
        return conditional_response(request, feed, media_type=ATOM_MEDIA_TYPE, links=links, caching=caching)


_add_feed(
    EDITIONS,
    "",
    lambda session, _now, url: [entry_of_event(each, url) for each in list_edition_events(session, MAX_FEED_ENTRIES)],
    words=(
        "Feeds",
        "Follow editions",
        "The latest 50 publications and withdrawals of editions and renditions, most recent first",
    ),
    example_id="2f1c6e0a-8f0e-5f0b-9a51-6a1f6f0d7c11",
    caching=CACHE_CURRENT,
)
_add_feed(
    REVIEWS,
    "reviews_",
    lambda session, now, url: [entry_of_review(each, url) for each in list_due(session, now)],
    words=(
        "Publishing",
        "Follow reviews due",
        "Guides with a review due within 60 days, overdue or not set",
    ),
    example_id="0c7e0a53-4f0a-5d7d-8f26-3f1b6d0a7e21",
    caching=FOR_AN_HOUR,
)
