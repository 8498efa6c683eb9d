"""The result of a read of guidance: the response, and how old it is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Reading(Generic[T]):
    """The content of a response, when the service last confirmed it, and whether it is stale.

    Stale content comes from the cache on the disk, because the service could not be reached. Show its age with it.
    """

    content: T
    confirmed_at: datetime
    is_stale: bool = False

    @property
    def age(self) -> timedelta:
        """Time since the service last confirmed the content."""
        return datetime.now(UTC) - self.confirmed_at
