"""The policy of retries: which requests to repeat, and how long to wait before."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

WORTH_REPEATING = frozenset({408, 429, 502, 503, 504})
MOST_DOUBLINGS = 32


@dataclass(frozen=True)
class RetryPolicy:
    """The number of attempts, and the pauses between them in seconds.

    Each pause is about twice as long as the one before, from `first_pause` up to `longest_pause`.
    """

    attempts: int = 5
    first_pause: float = 0.5
    longest_pause: float = 30.0

    def pause_after(self, attempt: int, response: httpx.Response | None) -> float | None:
        """Return the seconds to wait before the next attempt, or None if there should be none.

        `attempt` is the number of the last attempt, from 1. `response` is None if the service did not respond. A
        `Retry-After` header sets the pause. If that is longer than `longest_pause`, there is no further attempt.
        """
        if attempt >= self.attempts or (response is not None and response.status_code not in WORTH_REPEATING):
            return None
        named = None if response is None else _retry_after(response.headers.get("retry-after", ""))
        if named is not None:
            return named if named <= self.longest_pause else None
        doubled = self.first_pause * 2.0 ** min(attempt - 1, MOST_DOUBLINGS)
        return min(self.longest_pause, doubled) * random.uniform(0.5, 1.0)  # noqa: S311  # spreads retries, hides nothing


def _retry_after(value: str) -> float | None:
    """Return the seconds of a `Retry-After` header, given as seconds or as a date. None if missing or unreadable."""
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp())
