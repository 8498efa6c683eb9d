"""When guides are to be reviewed, and by which team."""

import datetime as dt
from dataclasses import dataclass

from sqlmodel import Session

from app.store.contents import read_content
from app.store.editions import EditionKey, list_current

MAX_GUIDES = 10_000


@dataclass(frozen=True)
class Review:
    """The review of a guide's current edition. `review_by` is None where the edition names no day."""

    key: EditionKey
    title: str
    review_by: dt.date | None
    owner: str | None

    def is_due(self, today: dt.date, *, within: dt.timedelta = dt.timedelta()) -> bool:
        """Return True if the day has come, or comes within that time, or if there is no day."""
        return self.review_by is None or self.review_by <= today + within


def list_reviews(session: Session) -> list[Review]:
    """Return the review of every guide: first those without a day, then by their days."""
    reviews = []
    for head in list_current(session, limit=MAX_GUIDES):
        content = read_content(session, head.key)
        reviews.append(Review(head.key, head.title, content.review_by, content.owner))
    return sorted(reviews, key=lambda each: (each.review_by or dt.date.min, each.key))
