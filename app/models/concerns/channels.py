"""The channels by which concerns and additions are received."""

import datetime as dt

from app.errors import CodeWithMeaning, FaultCode, FieldError

LONGEST_AGO = dt.timedelta(days=90)
"""Greatest time between an arrival and its writing down: an earlier time is usually a wrong month or year."""
CLOCK_DIFFERENCE = dt.timedelta(minutes=1)
"""How far the clock of a worker's computer may be ahead of the clock of this service."""
CHANNEL = "How it came. `form` and `api`: the reporter sent it. The others: a worker wrote it down."
CAME_AT = "When it came. The time for an acknowledgement starts then. Earlier than `received_at` if written down later."
RECEIVED_BY = "The worker who wrote it down, as named in the audit log; null if the reporter sent it."
IN_THE_FUTURE = "must not be in the future"
TOO_LONG_AGO = (
    f"must be within the last {LONGEST_AGO.days} days: if it came earlier, give the earliest day that is accepted, and "
    "say in the text when it came"
)


class Channel(CodeWithMeaning):
    """The channel by which a concern or an addition was received."""

    FORM = "form", "The form on this service's pages."
    API = "api", "Another system, over this API."
    CALL = "call", "A telephone call, written down by a worker."
    LETTER = "letter", "A letter, written down by a worker."
    EMAIL = "email", "An email, written down by a worker."
    VISIT = "visit", "A visit or a conversation, written down by a worker."
    OTHER = "other", "In another way, written down by a worker."


class WorkersChannel(CodeWithMeaning):
    """The channel of a concern or an addition that a worker writes down."""

    CALL = Channel.CALL.value, "Call"
    LETTER = Channel.LETTER.value, "Letter"
    EMAIL = Channel.EMAIL.value, "Email"
    VISIT = Channel.VISIT.value, "Visit"
    OTHER = Channel.OTHER.value, "Other"


def faults_of_time(came_at: dt.datetime, *, now: dt.datetime) -> list[FieldError]:
    """Return the faults of a time. Up to `CLOCK_DIFFERENCE` after `now` is not in the future."""
    if came_at > now + CLOCK_DIFFERENCE:
        return [FieldError(("came_at",), IN_THE_FUTURE, FaultCode.INVALID)]
    if came_at < now - LONGEST_AGO:
        return [FieldError(("came_at",), TOO_LONG_AGO, FaultCode.INVALID)]
    return []
