"""What the clock of a concern says, in words."""

import datetime as dt

from app.models.concerns.tables import ConcernState
from app.models.desk.concerns import InboxEntry

ONE_HOUR, ONE_DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
DAYS_ALONE = 3  # from this on, hours do not matter


def time_left(due: dt.datetime, now: dt.datetime) -> str:
    """Return how long it is until then: `2 hours 10 minutes left`, or `late by 1 day`."""
    length = span_in_words(abs(due - now))
    return f"{length} left" if now <= due else f"late by {length}"


def span_in_words(span: dt.timedelta) -> str:
    """Return a length of time in its two largest units, to the minute."""
    days, hours, minutes = span.days, span % ONE_DAY // ONE_HOUR, span % ONE_HOUR // dt.timedelta(minutes=1)
    if days >= DAYS_ALONE:
        hours = 0
    units = ((days, "day"), (hours, "hour")) if days else ((hours, "hour"), (minutes, "minute"))
    words = [f"{number} {unit}{'s' if number != 1 else ''}" for number, unit in units if number]
    return " ".join(words) or "less than a minute"


def due_of(entry: InboxEntry) -> dt.datetime | None:
    """Return the earliest time at which the concern, or something added to it, is due; None if nothing waits."""
    own = entry.acknowledge_by if entry.state is ConcernState.RECEIVED else None
    return min((due for due in (own, entry.addition_acknowledge_by) if due is not None), default=None)
