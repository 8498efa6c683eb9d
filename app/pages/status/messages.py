"""Messages of the duty team on the page of a status, opened in the request with the code that the person entered."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from app.errors import StoreBusy
from app.models.concerns.messages import ReceivedMessage
from app.models.concerns.receipts import ConcernStatus, MessageStatus
from app.services.concerns.messages import open_messages
from app.web.context import AppContext


def open_for_page(
    context: AppContext, concern: ConcernStatus, code: str, now: dt.datetime
) -> Sequence[ReceivedMessage | MessageStatus]:
    """Return the messages of the concern, whose code is known to be right.

    They are without words where the reading cannot be recorded just now: the rest of the page is of use without them.
    """
    if not concern.messages:
        return ()
    try:
        opened = open_messages(context.follow_ups, typed_reference=concern.reference, status_token=code, at=now)
    except (StoreBusy, DBAPIError, NoConnectionInTime):
        return concern.messages
    return opened.messages
