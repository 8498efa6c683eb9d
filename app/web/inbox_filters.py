"""The filters of the inbox, as query parameters."""

import datetime as dt
import re
from typing import Annotated

from fastapi import Depends, Query, Request
from sqlmodel import Session

from app.errors import InvalidCursor, InvalidQuery
from app.faults import FaultCode, FieldError
from app.models.base import SLUG_PATTERN
from app.models.concerns.concern import ImmediateDanger
from app.models.concerns.references import find_reference_start
from app.models.concerns.tables import ConcernState
from app.models.events.tables import EventRow
from app.models.recordable_names import PersonName
from app.store.inbox import InboxFilters
from app.web.auth import ReaderDep
from app.web.context import context_of
from app.web.cursors import NOT_OURS, decode_key

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
NO_MOMENT_OF_CHANGE = "A moment is written like 2026-11-24T09:30:00Z."
NO_START = "A reference starts with four characters of its alphabet or more."
ONE_PERSON = "Give one of `assigned_to`, `mine` and `unassigned`."


def read_person(
    *,
    actor: ReaderDep,
    assigned_to: Annotated[
        PersonName | None, Query(description="Only those of this person.", examples=["Robin Example"])
    ] = None,
    mine: Annotated[bool, Query(description="Only those that are assigned to you.", examples=[True])] = False,
    unassigned: Annotated[bool, Query(description="Only those that are assigned to nobody.", examples=[True])] = False,
) -> str | None:
    """Return the person that is meant; the empty text for nobody, None for anybody. Raises `InvalidQuery`."""
    if sum([assigned_to is not None, mine, unassigned]) > 1:
        raise _fault("assigned_to", ONE_PERSON)
    return actor.person if mine else "" if unassigned else assigned_to


def read_since(
    *,
    request: Request,
    changed_since: Annotated[
        str | None,
        Query(
            max_length=40,
            description="Only what changed then or later.",
            examples=["2026-11-24T09:30:00Z"],
            json_schema_extra={"format": "date-time"},
        ),
    ] = None,
    since_event: Annotated[
        str | None,
        Query(
            max_length=100,
            description="Only what changed at the time of that event or later: a `next_cursor` of `GET /v1/events`.",
            examples=["MQ"],
        ),
    ] = None,
) -> dt.datetime | None:
    """Return the moment. Raises `InvalidQuery` or `InvalidCursor`."""
    if since_event is not None:
        return _moment_of_event(request, since_event)
    return None if changed_since is None else _moment(changed_since)


PersonFilter = Annotated[str | None, Depends(read_person)]
SinceFilter = Annotated[dt.datetime | None, Depends(read_since)]


def read_filters(
    *,
    person: PersonFilter,
    since: SinceFilter,
    state: Annotated[ConcernState | None, Query(description="Only this state.", examples=["received"])] = None,
    overdue: Annotated[
        bool | None, Query(description="Only those that are overdue, or only the others.", examples=[True])
    ] = None,
    danger: Annotated[
        ImmediateDanger | None, Query(description="Only this answer about immediate danger.", examples=["yes"])
    ] = None,
    guide: Annotated[
        str | None,
        Query(
            pattern=SLUG_PATTERN,
            max_length=80,
            description="Only those about this guide.",
            examples=["child-sexual-exploitation"],
        ),
    ] = None,
    reference: Annotated[
        str | None,
        Query(
            max_length=40,
            description="Only references that start so, in any case and grouping: four characters or more.",
            examples=["4F7K"],
        ),
    ] = None,
) -> InboxFilters:
    """Return the filters. Raises `InvalidQuery` or `InvalidCursor`."""
    start = None if reference is None else find_reference_start(reference)
    if reference is not None and start is None:
        raise _fault("reference", NO_START)
    return InboxFilters(state, overdue, danger, guide, person, since, start)


FiltersDep = Annotated[InboxFilters, Depends(read_filters)]


def _moment(text: str) -> dt.datetime:
    try:
        if not MOMENT.fullmatch(text):
            raise ValueError
        return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise _fault("changed_since", NO_MOMENT_OF_CHANGE) from None


def _moment_of_event(request: Request, cursor: str) -> dt.datetime | None:
    """Return the time of the event; None, which is no filter, for the cursor before the first."""
    number = decode_key(cursor, otherwise=0, parameter="since_event")
    if number == 0:
        return None
    with Session(context_of(request).engine) as session:
        event = session.get(EventRow, number)
    if event is None:
        raise InvalidCursor(NOT_OURS, parameter="since_event")
    return event.at


def _fault(parameter: str, detail: str) -> InvalidQuery:
    return InvalidQuery([FieldError((), detail, FaultCode.WRONG_FORM, "query", parameter)])
