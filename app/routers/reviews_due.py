"""Routes of the feed of reviews that are due, for the teams that look after guides."""

from fastapi import Request, Response

from app.models.guidance.feed import JsonFeed
from app.models.links import REVIEWS_ATOM_FEED, REVIEWS_JSON_FEED
from app.presenters.feeds import ATOM_MEDIA_TYPE, JSON_MEDIA_TYPE, atom_feed, json_feed
from app.presenters.review_feed import REVIEWS, entry_of_review
from app.services.guidance.reviews import list_due
from app.web.auth import PUBLIC
from app.web.context import ContextDep, NowDep, SessionDep
from app.web.problem_responses import RESPONSES_OF_READS, Responses
from app.web.responses import conditional_response
from app.web.router import GuidanceRouter

router = GuidanceRouter(tags=["Feeds"], dependencies=[PUBLIC], responses=RESPONSES_OF_READS)

FOR_AN_HOUR = "max-age=3600"
"""Any cache may store it. Without `public`, so that no export has it: what is due depends on the day."""
REVIEWS_EXAMPLE = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:0c7e0a53-4f0a-5d7d-8f26-3f1b6d0a7e21</id>'
    "<title>One Minute Guide: reviews due</title><updated>2026-11-24T09:30:00Z</updated></feed>"
)
AS_ATOM_OF_REVIEWS: Responses = {
    200: {
        "description": "An Atom feed.",
        "content": {ATOM_MEDIA_TYPE: {"schema": {"type": "string"}, "example": REVIEWS_EXAMPLE}},
    }
}


@router.get(REVIEWS_JSON_FEED, summary="Follow the reviews that are due (JSON Feed)", response_model=JsonFeed)
def read_reviews_json_feed(request: Request, session: SessionDep, context: ContextDep, now: NowDep) -> Response:
    """Every guide whose review is due within 60 days, is overdue or has no day, as JSON Feed 1.1."""
    entries = [entry_of_review(each) for each in list_due(session, now)]
    feed = json_feed(REVIEWS, entries, context.settings.public_url)
    content, links = feed.model_dump_json(by_alias=True).encode(), {"self": REVIEWS_JSON_FEED}
    return conditional_response(request, content, media_type=JSON_MEDIA_TYPE, links=links, caching=FOR_AN_HOUR)


@router.get(
    REVIEWS_ATOM_FEED,
    summary="Follow the reviews that are due (Atom)",
    response_class=Response,
    responses=AS_ATOM_OF_REVIEWS,
)
def read_reviews_atom_feed(request: Request, session: SessionDep, context: ContextDep, now: NowDep) -> Response:
    """The same entries, with the same ids, as an Atom feed (RFC 4287)."""
    entries = [entry_of_review(each) for each in list_due(session, now)]
    feed = atom_feed(REVIEWS, entries, context.settings.public_url)
    links = {"self": REVIEWS_ATOM_FEED}
    return conditional_response(request, feed, media_type=ATOM_MEDIA_TYPE, links=links, caching=FOR_AN_HOUR)
