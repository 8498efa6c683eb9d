"""The inbox of the desk: what waits first."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response
from fastapi.responses import RedirectResponse

from app.models.concerns.references import find_reference
from app.models.concerns.tables import ConcernState
from app.pages.desk.clock_words import due_of, time_left
from app.pages.desk.desk_route import SEE_OTHER, DeskRoute
from app.pages.desk.page import desk_page
from app.presenters.desk import inbox_entry
from app.services.access.desk_sign_in import GUIDES_PATH, PATH
from app.services.desk import actions
from app.store.inbox import InboxFilters, InboxOrder, InboxQuery, position_of
from app.web.context import ContextDep, NowDep
from app.web.cursors import decode_position, encode_position
from app.web.people import PageReaderDep, VisitorDep
from app.web.query_params import Cursor
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=PATH, include_in_schema=False, route_class=DeskRoute)

PAGE_SIZE = 50
CONCERN_PAGES = f"{PATH}/concerns"
NO_REFERENCE = "That is not a reference: check it for a mistake"


class InboxFilter(StrEnum):
    """What the inbox shows, each a press away."""

    ALL = "all"
    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    OVERDUE = "overdue"
    DANGER = "danger"
    TESTS = "tests"


FILTER_LABELS = {
    InboxFilter.ALL: "All",
    InboxFilter.RECEIVED: "Not acknowledged",
    InboxFilter.ACKNOWLEDGED: "Acknowledged",
    InboxFilter.CLOSED: "Closed",
    InboxFilter.OVERDUE: "Overdue",
    InboxFilter.DANGER: "In danger now",
    InboxFilter.TESTS: "Tests",
}
STATES = {each.value for each in ConcernState}


@router.get("")
def read_desk(
    *,
    context: ContextDep,
    visitor: VisitorDep,
    now: NowDep,
    show: Annotated[InboxFilter, Query()] = InboxFilter.ALL,
    cursor: Cursor = None,
    fault: Annotated[bool, Query()] = False,
) -> Response:
    """Return one page of the inbox, or lead a person who may read the record alone to that."""
    if not visitor.can_read:
        return _lead_to(f"{PATH}/record" if visitor.can_audit else GUIDES_PATH)
    filters = InboxFilters(
        state=ConcernState(show.value) if show.value in STATES else None,
        overdue=True if show is InboxFilter.OVERDUE else None,
        waits_in_danger=show is InboxFilter.DANGER,
    )
    query = InboxQuery(InboxOrder.URGENT, filters, test=show is InboxFilter.TESTS)
    after = decode_position(cursor, query.column_types)
    rows = actions.read_inbox(context.writer, query, actor=visitor.actor, at=now, after=after, limit=PAGE_SIZE)
    page = rows[:PAGE_SIZE]
    entries = [inbox_entry(row._asdict(), now=now) for row in page]
    dues = [due_of(entry) for entry in entries]
    more = {"show": show.value, "cursor": encode_position(position_of(page[-1], query))} if page else {}
    return desk_page(
        context,
        "desk_inbox.html",
        visitor=visitor,
        entries=[
            (entry, time_left(due, now) if due is not None else None) for entry, due in zip(entries, dues, strict=True)
        ],
        show=show,
        filters=FILTER_LABELS,
        is_first=cursor is None,
        next_page=f"{PATH}?{urlencode(more)}" if len(rows) > PAGE_SIZE else None,
        faults={"reference": NO_REFERENCE} if fault else {},
    )


@router.get("/find")
def lead_to_concern(_visitor: PageReaderDep, reference: Annotated[str, Query(max_length=60)] = "") -> Response:
    """Lead to the concern of that reference, however it was typed."""
    found = find_reference(reference)
    return _lead_to(f"{CONCERN_PAGES}/{found}" if found is not None else f"{PATH}?fault=true")


def _lead_to(path: str) -> Response:
    return RedirectResponse(path, status_code=SEE_OTHER)
