"""The inbox of the desk: what waits first, what changed since a person looked, and the way to one concern."""

import datetime as dt
from typing import Annotated

from fastapi import Path, Query, Response

from app.errors import InvalidCursor
from app.models.concerns.references import find_reference
from app.pages.desk.desk_route import DeskRoute, lead_to
from app.pages.desk.inbox_filters import ChosenDep, InboxFilter
from app.pages.desk.inbox_view import InboxPlace, Typed, inbox_page
from app.pages.form.form_data import SubmittedFormDep
from app.services.access.desk_sign_in import GUIDES_PATH, PATH
from app.services.desk.views import note_look
from app.web.context import ContextDep, NowDep
from app.web.cursors import NOT_OURS, decode_position
from app.web.people import PageReaderDep, VisitorDep
from app.web.query_params import Cursor
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix=PATH, include_in_schema=False, route_class=DeskRoute)

CONCERN_PAGES = f"{PATH}/concerns"
ConcernReferenceInPath = Annotated[str, Path(max_length=60)]
NO_REFERENCE = "That is not a reference: check it for a mistake"


@router.get("")
def read_desk(
    *,
    context: ContextDep,
    visitor: VisitorDep,
    now: NowDep,
    chosen: ChosenDep,
    cursor: Cursor = None,
    until: Cursor = None,
    name: Annotated[str, Query(max_length=80)] = "",  # of a view that was not saved yet: the same form has the filters
    fault: Annotated[bool, Query()] = False,
) -> Response:
    """Return one page of the inbox, or lead a person who may read the record alone to that."""
    if not visitor.can_read:
        return lead_to(f"{PATH}/record" if visitor.can_audit else GUIDES_PATH)
    typed = Typed(name, faults={"reference": NO_REFERENCE} if fault else {})
    return inbox_page(context, visitor, now, chosen, InboxPlace(cursor, until), typed=typed)


@router.get("/find")
def lead_to_concern(_visitor: PageReaderDep, reference: Annotated[str, Query(max_length=60)] = "") -> Response:
    """Lead to the concern of that reference, however it was typed."""
    found = find_reference(reference)
    return lead_to(f"{CONCERN_PAGES}/{found}" if found is not None else f"{PATH}?fault=true")


@router.post("/looked")
def note_look_on_page(context: ContextDep, visitor: PageReaderDep, now: NowDep, posted: SubmittedFormDep) -> Response:
    """Write that the person has looked at what changed, up to when the page was read."""
    position = decode_position(posted.one("until"), (dt.datetime,))
    if position is None:
        raise InvalidCursor(NOT_OURS)
    note_look(context.writer, visitor.name, until=min(position[0], now))
    return lead_to(f"{PATH}?show={InboxFilter.CHANGED.value}")
