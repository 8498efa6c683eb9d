"""When a failed delivery is tried again: growing delays, and what the receiver's `Retry-After` says."""

import datetime as dt
import random
from contextlib import suppress

SECOND, MINUTE, HOUR = 1, 60, 3600
DELAYS = (5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, *([6 * HOUR] * 7))
MAX_DELAY = 6 * HOUR
HTTP_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
"""The three forms of RFC 9110, section 5.6.7."""


def is_last(attempts: int) -> bool:
    """Return True if no attempt follows that one."""
    return attempts >= len(DELAYS)


def next_due(attempts: int, retry_after: str | None, now: dt.datetime) -> dt.datetime:
    """Return when to try again after that attempt: as the receiver wishes, but within six hours."""
    delay = _add_jitter(DELAYS[min(attempts, len(DELAYS)) - 1])
    return now + dt.timedelta(seconds=min(max(delay, _seconds_of(retry_after, now)), MAX_DELAY))


def _add_jitter(seconds: float) -> float:
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311  # nosec B311  # spreads load; not for security


def _seconds_of(retry_after: str | None, now: dt.datetime) -> float:
    """Return `Retry-After` in seconds (RFC 9110, section 10.2.3): 0 if there is none, or it is of neither form.

    The receiver may send anything. `isdigit` alone is true for characters that are no number to Python, such as `²`.
    """
    if retry_after is None or not retry_after.isascii():
        return 0
    if retry_after.isdigit():
        return float(retry_after)  # of any length: no number here is too large for a float
    for form in HTTP_DATES:
        with suppress(ValueError):
            return (dt.datetime.strptime(retry_after, form).replace(tzinfo=dt.UTC) - now).total_seconds()
    return 0
