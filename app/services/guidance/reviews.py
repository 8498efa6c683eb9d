"""When guides are to be reviewed, and by which team."""

import datetime as dt
from dataclasses import dataclass

from sqlmodel import Session

from app.store.editions import CurrentEdition, EditionKey, list_current_details

NOTICE = dt.timedelta(days=60)
"""How long before its day a review is listed as due."""


@dataclass(frozen=True)
class Review:
    """The review of a guide's current edition."""

    edition: CurrentEdition

    @property
    def key(self) -> EditionKey:
        """The guide and the number of the edition."""
        return self.edition.key

    @property
    def review_by(self) -> dt.date | None:
        """The day, or None where the edition names none."""
        return self.edition.details.review_by

    @property
    def owner(self) -> str | None:
        """The team that looks after the guide."""
        return self.edition.details.owner

    @property
    def due_from(self) -> dt.datetime:
        """Since when it is listed as due; without a day, since the edition was published."""
        if self.review_by is None:
            return self.edition.published_at
        day = dt.datetime.combine(self.review_by - NOTICE, dt.time(), tzinfo=dt.UTC)
        return max(day, self.edition.published_at)

    def is_due(self, today: dt.date, *, within: dt.timedelta = dt.timedelta()) -> bool:
        """Return True if the day has come, or comes within that time, or if there is no day."""
        return self.review_by is None or self.review_by <= today + within


def list_reviews(session: Session) -> list[Review]:
    """Return the review of every guide: first those without a day, then by their days."""
    reviews = map(Review, list_current_details(session))
    return sorted(reviews, key=lambda each: (each.review_by or dt.date.min, each.key))


def list_due(session: Session, at: dt.datetime) -> list[Review]:
    """Return the reviews that are due at that time, the latest to become due first."""
    due = [each for each in list_reviews(session) if each.due_from <= at]
    return sorted(due, key=lambda each: (each.due_from, each.key), reverse=True)
