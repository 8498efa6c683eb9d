"""The feed of reviews that are due: an entry for each guide whose day comes, is past, or was never set."""

from app.about import NAME
from app.models.links import REVIEWS_ATOM_FEED, REVIEWS_JSON_FEED, guide_path
from app.presenters.feeds import FeedChannel, FeedEntry
from app.services.guidance.reviews import Review

REVIEWS = FeedChannel(
    title=f"{NAME}: reviews due",
    description="Guides whose review is due within 60 days, is overdue, or has no day. The latest to become due first.",
    json_path=REVIEWS_JSON_FEED,
    atom_path=REVIEWS_ATOM_FEED,
)
NO_DAY = "The edition names no day for its review."


def entry_of_review(review: Review) -> FeedEntry:
    """Return the entry. It is the same on every day: what changes with time is whether the feed has it."""
    by = NO_DAY if review.review_by is None else f"To be reviewed by {review.review_by}."
    owner = f"Looked after by: {review.owner}" if review.owner else "No team is named as its owner"
    return FeedEntry(
        happening="review_due",
        key=review.key,
        title=f"Review due: {review.title}, edition {review.key.number}",
        words=f"{by} {owner}{'' if owner.endswith('.') else '.'}",
        publisher=review.publisher,
        digest=review.digest,
        at=review.due_from,
        page=f"/guides/{review.key.guide}",
        path=guide_path(review.key.guide),
        name_in_id=f"{review.key.guide}/{review.key.number}/{review.digest}/review_due",
    )
