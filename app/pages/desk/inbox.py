"""The inbox of the desk: a table of concerns without text, the filters, and the search for a concern by reference."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Path, Query, Response
from sqlmodel import Session

from app.errors import AssignmentChanged, InvalidCursor, ValidationFailed
from app.http.params import Cursor
from app.models.concerns.channels import Channel, WorkersChannel
from app.models.desk.actions import BurstAcknowledgement
from app.models.desk.inbox_filters import NO_BURST, InboxOrder
from app.models.references import BURST, find_reference
from app.pages.desk.inbox_filters import (
    MINE,
    PERSON,
    InboxSelection,
    InboxTab,
    SelectionDep,
    TypedFilters,
    choose,
    parse_list,
)
from app.pages.desk.inbox_rows import rows_of
from app.pages.frame import DeskRouter, ReaderVisitDep, Visit, VisitDep, WorkerVisitDep, lead_to
from app.pages.posted_forms import SubmittedFormDep, parse_fields
from app.services.access.people import list_workers
from app.services.access.sign_in import PATH
from app.services.audit.audit_log import Actor
from app.services.clock.working_days import LONDON
from app.services.concerns.rows import find_concern
from app.services.cursors import NOT_OURS, decode_position, encode_position
from app.services.desk.actions import acknowledge_together
from app.services.desk.assignment import assign, find_assignment
from app.services.desk.inbox import COUNT_LIMIT, count_open, find_restriction_notice, position_of, read_inbox
from app.services.desk.look_again import list_due, list_untold
from app.services.desk.presented_concerns import entry_of
from app.services.desk.saved_views import find_seen_until, store_seen_until
from app.services.desk.taken_over import list_taken_over
from app.services.guides.editions import list_current

router = DeskRouter()
CONCERN_PAGES = f"{PATH}/concerns"
ConcernReferenceInPath = Annotated[str, Path(max_length=60)]
NO_REFERENCE = "That is not a valid reference: check it for mistakes"
NOT_SEEN = "Confirm that you have read them"
PAGE_SIZE = 50
MOST_GUIDES = 200
LONGEST_QUERY = 2000
CHANNELS = (
    (Channel.FORM.value, "The form"),
    (Channel.API.value, "Another system"),
    *((each.value, each.meaning) for each in WorkersChannel),
)
IN_SIGHT = 3
"""Lists before those under 'More'."""


@dataclass(frozen=True)
class InboxPlace:
    """A page of the inbox after `cursor`, and its messages.

    Changes after `until`, when the first page was made, stay new. `taken` is the concern just assigned to the person.
    `ended`: no further concern followed.
    """

    cursor: str | None = None
    until: str | None = None
    taken: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    ended: bool = False


async def read_inbox_place(
    cursor: Cursor = None,
    until: Cursor = None,
    taken: Annotated[str, Query(max_length=60)] = "",
    fault: bool = False,
    ended: bool = False,
) -> InboxPlace:
    """`fault`: a reference was not valid."""
    return InboxPlace(cursor, until, taken, {"reference": NO_REFERENCE} if fault else {}, ended)


@router.get("")
def read_desk(
    visit: VisitDep, chosen: SelectionDep, place: Annotated[InboxPlace, Depends(read_inbox_place)]
) -> Response:
    """A person who may not read concerns is led to the audit log, or to a page of an extension."""
    if not visit.visitor.can_read:
        own = (path for path, (_, may) in visit.context.added.menu.items() if getattr(visit.visitor, may))
        return lead_to(f"{PATH}/record" if visit.visitor.can_audit else next(own, f"{PATH}/record"))
    return inbox_page(visit, chosen, place)


@router.get("/find")
def lead_to_concern(_visit: ReaderVisitDep, reference: Annotated[str, Query(max_length=60)] = "") -> Response:
    """Accept any spelling of the reference. If it is not one, return to the inbox."""
    found = find_reference(reference)
    return lead_to(f"{CONCERN_PAGES}/{found}" if found is not None else f"{PATH}?fault=true")


@router.form("/looked", lambda _: lead_to(f"{PATH}?show={InboxTab.CHANGED.value}"))
def note_look_on_page(visit: ReaderVisitDep, posted: SubmittedFormDep) -> None:
    """Store that the person has seen changes up to `until`, at most now. A later stored time stays."""
    position = decode_position(posted.one("until"), (dt.datetime,))
    if position is None:
        raise InvalidCursor(NOT_OURS)
    visit.context.writer.run(store_seen_until, visit.visitor.name, until=min(position[0], visit.now))


@router.post("/bursts/{burst}/acknowledgement")
def acknowledge_burst_on_page(
    visit: WorkerVisitDep, posted: SubmittedFormDep, burst: Annotated[str, Path(pattern=f"^{BURST}$")]
) -> Response:
    """Acknowledge the concerns and additions up to the page's time, if the person confirms having read them.

    A burst is many concerns from one source on one day.
    """
    until = decode_position(posted.one("until"), (dt.datetime,))
    if until is None:
        raise InvalidCursor(NOT_OURS)
    if posted.one("seen") != "yes":
        chosen = choose(TypedFilters(burst=burst))
        return inbox_page(visit, chosen, InboxPlace(faults={"seen": NOT_SEEN}), status=ValidationFailed.status)
    acknowledgement = parse_fields(BurstAcknowledgement, {"references": tuple(posted.many("reference"))})
    visit.context.writer.run(
        acknowledge_together, burst, acknowledgement.model_copy(update={"additions_until": until[0]}), visit.actor
    )
    return lead_to(f"{PATH}?burst={burst}")


@router.post("/assignment")
def assign_to_me_on_page(visit: WorkerVisitDep, posted: SubmittedFormDep) -> Response:
    """Lead to the concern instead if another person has it or it has changed since."""
    reference = visit.openable_reference(posted.one("reference"))
    actor = replace(visit.actor, seen=posted.number("seen"))
    is_worker, owner = visit.visitor.name in visit.read(list_workers), visit.read(find_assignment, reference)
    elsewhere = lead_to(f"{CONCERN_PAGES}/{reference}#assign")
    if not is_worker or owner.person not in (None, visit.visitor.name):
        return elsewhere
    chosen, place = parse_list(posted.one("list"))
    try:
        assign(visit.context.writer, reference, visit.visitor.name, actor, lambda version: version == owner.version)
    except AssignmentChanged:
        return elsewhere
    return lead_to(f"{PATH}?{_joined(chosen.query, place | {'taken': reference})}")


def inbox_page(visit: Visit, chosen: InboxSelection, place: InboxPlace, *, status: int = 200) -> Response:
    context, visitor, now = visit.context, visit.visitor, visit.now
    with Session(context.engine) as session:
        looked_at, people = find_seen_until(session, visitor.name), list_workers(session)
        restricted = find_restriction_notice(session, visitor.actor)
        guides = list_current(session, limit=MOST_GUIDES)
        lists = list_lists(session, chosen, visitor.actor)
        concern = find_concern(session, place.taken) if place.taken else None
        taken = place.taken if concern is not None and concern.assigned_to == visitor.name else ""
        is_own_list = chosen.view.mine and place.cursor is None
        taken_over = list_taken_over(session, visitor.actor) if is_own_list else []
        untold = list_untold(session, visitor.actor) if place.cursor is None else ()
        due = list_due(session, visitor.actor) if place.cursor is None and chosen.shows_due_concerns else []
    query = chosen.inbox_query(visitor.name, looked_at)
    after = decode_position(place.cursor, query.column_types)
    may_still_come = dt.timedelta(seconds=2 * context.settings.writer_wait_seconds)
    until = place.until or encode_position((now - may_still_come,))
    beside = [
        *(each.reference for each in untold),
        *(each.reference for each in due),
        *(each.reference for each in taken_over),
    ]
    found = read_inbox(context.writer, query, actor=visitor.actor, after=after, limit=PAGE_SIZE, beside=beside)
    page, next_place = found[:PAGE_SIZE], None
    rows = rows_of(visit, [entry_of(row._mapping, now=now) for row in page])
    if len(found) > PAGE_SIZE:
        next_place = {"cursor": encode_position(position_of(page[-1], query)), "until": until}
    own_place = {"cursor": place.cursor, "until": place.until} if place.cursor and place.until else {}
    return visit.page(
        "desk_inbox.html",
        status=status,
        rows=rows,
        chosen=chosen,
        lists=lists[:IN_SIGHT],
        more_lists=lists[IN_SIGHT:],
        orders={each.value: (replace(chosen, order=each).address, chosen.order_shown is each) for each in InboxOrder},
        people=[(f"{PERSON}{name}", name) for name in people],
        guides=[(each.guide, each.title) for each in guides],
        channels=CHANNELS,
        can_take=visitor.can_write and visitor.name in people,
        together=[] if chosen.view.burst in (None, NO_BURST) else [row.line.entry for row in rows if row.line.due],
        is_first=place.cursor is None,
        next_page=f"{PATH}?{_joined(chosen.query, next_place)}" if next_place else None,
        own_list=_joined(chosen.query, own_place),
        from_here=from_list(_joined(chosen.query, own_place)),
        taken_over=taken_over,
        restricted=restricted,
        due=due,
        untold=untold,
        today=now.astimezone(LONDON).date(),
        typed=place,
        now=now,
        until=until,
        looked_at=looked_at,
        taken=taken,
        faults=place.faults,
    )


def from_list(query: str) -> str:
    """Return the part of a concern's address that leads back to the list. Empty if longer than `LONGEST_QUERY`."""
    return f"?{urlencode({'list': query})}" if 0 < len(query) <= LONGEST_QUERY else ""


def _joined(query: str, place: Mapping[str, Any]) -> str:
    return "&".join(filter(None, (query, urlencode(place))))


def list_lists(session: Session, chosen: InboxSelection, actor: Actor) -> list[tuple[str, str, bool, str | None]]:
    """Return each list's address, label, whether it is shown, and its number of open concerns (such as `500+`) or None.

    The lists under 'More' keep the chosen filters; the others have none.
    """
    shown = replace(chosen, order=None)
    selections = [MINE, *(InboxSelection(tab) for tab in InboxTab), InboxSelection(tests=True)]
    labels = [each.label for each in selections]
    selections[IN_SIGHT:-1] = [replace(shown, show=each.show) for each in selections[IN_SIGHT:-1]]
    counted = [each for each in selections if each.show.is_counted]
    queries = [each.inbox_query(actor.person, None) for each in counted]
    counts = zip(counted, count_open(session, queries, actor=actor), strict=True)
    words = {each: str(count) if count <= COUNT_LIMIT else f"{COUNT_LIMIT}+" for each, count in counts}
    return [
        (each.address, label, each == shown, words.get(each)) for each, label in zip(selections, labels, strict=True)
    ]
