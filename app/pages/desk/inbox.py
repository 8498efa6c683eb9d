"""The inbox of the desk, with its filters, saved views and the search for one concern."""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Path, Query, Response
from pydantic import BaseModel, ValidationError
from sqlmodel import Session

from app.errors import InvalidCursor, InvalidQuery, ValidationFailed
from app.http.params import Cursor
from app.http.routes import GuidanceRouter
from app.models.base import SLUG_PATTERN
from app.models.concerns.concern import ImmediateDanger
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import LEAST_URGENT_FIRST
from app.models.desk.actions import BurstAcknowledgement
from app.models.desk.inbox import InboxEntry
from app.models.desk.inbox_filters import NO_BURST, InboxOrder
from app.models.desk.saved_views import SavedViewRow, ViewFilters
from app.models.references import BURST, find_reference
from app.pages.frame import DeskRoute, ReaderVisitDep, Visit, VisitDep, WorkerVisitDep, lead_to
from app.pages.posted_forms import SubmittedFormDep, faults_of
from app.services.access.people import list_workers
from app.services.access.sign_in import GUIDES_PATH, PATH
from app.services.concerns.waiting_additions import WaitingAdditions, find_waiting
from app.services.cursors import NOT_OURS, decode_position, encode_position
from app.services.desk.actions import acknowledge_together
from app.services.desk.inbox import InboxQuery, position_of, read_inbox
from app.services.desk.presented_concerns import inbox_entry
from app.services.desk.saved_views import find_look, list_views, note_look, remove_view, save_view
from app.services.desk.taken_over import list_taken_over
from app.services.guides.editions import list_current

router = GuidanceRouter(prefix=PATH, include_in_schema=False, route_class=DeskRoute)
ONE_HOUR, ONE_DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
DAYS_ALONE = 3  # from this many days on, durations are shown without hours
CONCERN_PAGES = f"{PATH}/concerns"
ConcernReferenceInPath = Annotated[str, Path(max_length=60)]
NO_REFERENCE = "That is not a valid reference: check it for mistakes"
NOT_SEEN = "Confirm that you have read them"
NO_NAME = "Give the view a name with letters or digits"
PAGE_SIZE = 50
MOST_GUIDES = 200
MAX_VIEW_NAME = 80
LONGEST_QUERY = 2000
"""The maximum length of the query string of the inbox that the address of a concern carries."""
ME, NOBODY, PERSON = "me", "nobody", "person:"
TRUE_OR_FALSE = {"true": True, "false": False}


def time_left(due: dt.datetime, now: dt.datetime) -> str:
    """Return the time left until `due` in words: `2 hours 10 minutes left`, or `late by 1 day`."""
    length = span_in_words(abs(due - now))
    return f"{length} left" if now <= due else f"late by {length}"


def span_in_words(span: dt.timedelta) -> str:
    """Return a duration in words, to the minute: `2 hours 10 minutes` or `1 day 4 hours`.

    From three days on, omit the hours.
    """
    days, hours, minutes = span.days, span % ONE_DAY // ONE_HOUR, span % ONE_HOUR // dt.timedelta(minutes=1)
    if days >= DAYS_ALONE:
        hours = 0
    units = ((days, "day"), (hours, "hour")) if days else ((hours, "hour"), (minutes, "minute"))
    words = [f"{number} {unit}{'s' if number != 1 else ''}" for number, unit in units if number]
    return " ".join(words) or "less than a minute"


@dataclass(frozen=True)
class InboxLine:
    """A concern in the inbox, with the values that its line displays.

    `added` describes the additions that are not acknowledged, and is None if there are none.
    """

    entry: InboxEntry
    now: dt.datetime
    added: WaitingAdditions | None
    source: str | None = None
    """The label of the concern's referral source, or None. Other details of the reporter are encrypted."""

    @property
    def danger(self) -> str:
        """The most urgent answer about immediate danger, from the concern or from unacknowledged additions."""
        return max(self.entry.immediate_danger, self.entry.addition_danger or "no", key=LEAST_URGENT_FIRST.index)

    @property
    def time(self) -> str | None:
        """The time left in words, or None if neither the concern nor an addition must still be acknowledged.

        If a child is or may be in danger, the text is the time waited so far, followed by the delay if the concern is
        overdue.
        """
        is_own = self.entry.state is ConcernState.RECEIVED
        dues = [due for due in (is_own and self.entry.acknowledge_by, self.entry.addition_acknowledge_by) if due]
        if not dues:
            return None
        left = time_left(min(dues), self.now)
        since = self.entry.came_at if is_own or self.added is None else self.added.since
        if self.danger == ImmediateDanger.NO:
            return left
        waiting = f"waiting {span_in_words(self.now - since)}"
        return f"{waiting}, {left}" if self.entry.overdue else waiting


def lines_of(visit: Visit, entries: Sequence[InboxEntry]) -> list[InboxLine]:
    """Return a line of the inbox for each concern of `entries`, in the same order."""
    with Session(visit.context.engine) as session:
        added = find_waiting(session, [each.reference for each in entries if each.additions_waiting])
    sources = {code.code: code.label for code in visit.context.reference_data.get_code_list("referral-source").codes}
    return [
        InboxLine(each, visit.now, added.get(each.reference), sources.get(each.referral_source or ""))
        for each in entries
    ]


class InboxTab(StrEnum):
    """A tab of the inbox, with its label.

    `same_as` has filters that select the same concerns, or is None if none do.
    """

    label: str
    same_as: ViewFilters | None

    ALL = "all", "All", ViewFilters()
    RECEIVED = "received", "Not acknowledged", ViewFilters(state=ConcernState.RECEIVED)
    ACKNOWLEDGED = "acknowledged", "Acknowledged", ViewFilters(state=ConcernState.ACKNOWLEDGED)
    CLOSED = "closed", "Closed", ViewFilters(state=ConcernState.CLOSED)
    OVERDUE = "overdue", "Overdue", ViewFilters(overdue=True)
    DANGER = "danger", "In danger now"
    MINE = "mine", "Mine", ViewFilters(mine=True)
    UNASSIGNED = "unassigned", "Nobody’s", ViewFilters(unassigned=True)
    CHANGED = "changed", "New since I last looked"
    TESTS = "tests", "Tests"

    def __new__(cls, value: str, label: str, same_as: ViewFilters | None = None) -> "InboxTab":
        """Create the member with its label and filters."""
        member = str.__new__(cls, value)
        member._value_, member.label, member.same_as = value, label, same_as
        return member


@dataclass(frozen=True)
class InboxSelection:
    """The selected tab of the inbox, and all filters: those of the tab, and those that the person chose."""

    show: InboxTab
    view: ViewFilters

    @property
    def who(self) -> str:
        """The value of the form field `who`: `me`, `nobody`, or `person:` with a name.

        It is empty if the filters name no person.
        """
        of_person = f"{PERSON}{self.view.assigned_to}" if self.view.assigned_to is not None else ""
        return ME if self.view.mine else NOBODY if self.view.unassigned else of_person

    @property
    def query(self) -> str:
        """The query string of the page that shows this selection."""
        view, shown = self.view, {} if self.show.same_as else {"show": self.show.value}
        overdue = "" if view.overdue is None else str(view.overdue).lower()
        fields = {
            "state": view.state,
            "overdue": overdue,
            "danger": view.danger,
            "guide": view.guide,
            "burst": view.burst,
            "who": self.who,
        }
        return urlencode(shown | {name: value for name, value in fields.items() if value})

    @property
    def is_narrowed(self) -> bool:
        """True if the person chose filters that the tab does not have."""
        return self.view != (self.show.same_as or ViewFilters())

    def inbox_query(self, me: str, looked_at: dt.datetime | None) -> InboxQuery:
        """Return the database query for this selection.

        `me` is the name of the signed-in person. `looked_at` is the time up to which they have seen changes, or None.
        """
        is_changed, is_danger = self.show is InboxTab.CHANGED, self.show is InboxTab.DANGER
        since, is_test = looked_at if is_changed else None, self.show is InboxTab.TESTS
        order = InboxOrder.CHANGED if is_changed else InboxOrder.URGENT
        return InboxQuery.of(order, self.view, me=me, test=is_test, changed_since=since, waits_in_danger=is_danger)


def choose(show: InboxTab, fields: Mapping[str, str]) -> InboxSelection:
    """Return the selection of the tab `show` with the filters in `fields`, which replace those of the tab.

    An empty field changes no filter. Raise `InvalidQuery` if a filter is not valid.
    """
    typed: dict[str, Any] = {name: TRUE_OR_FALSE.get(value, value) for name, value in fields.items() if value}
    if "who" in typed:
        typed |= _people_of(typed.pop("who"))
    pressed = show.same_as.model_dump(exclude_unset=True) if show.same_as else {}
    try:
        return InboxSelection(show, ViewFilters.model_validate(pressed | typed))
    except ValidationError as error:
        raise InvalidQuery(faults_of(error)) from None


def _people_of(who: str) -> dict[str, object]:
    if who in (ME, NOBODY):
        return {"mine": who == ME, "unassigned": who == NOBODY}
    name = who.removeprefix(PERSON) if who.startswith(PERSON) else ""  # validation refuses an empty name
    return {"mine": False, "unassigned": False, "assigned_to": name}


class TypedFilters(BaseModel):
    """The query parameters of the inbox: the tab, and the filters as typed, which may not be valid."""

    show: InboxTab = InboxTab.ALL
    state: str = ""
    overdue: str = ""
    danger: str = ""
    guide: str = ""
    burst: str = ""
    who: str = ""


async def read_selection(typed: Annotated[TypedFilters, Query()]) -> InboxSelection:
    """Return the selection from the query parameters, as a FastAPI dependency.

    Raise `InvalidQuery` if a filter is not valid.
    """
    return choose(typed.show, typed.model_dump(exclude={"show"}))


SelectionDep = Annotated[InboxSelection, Depends(read_selection)]


@dataclass(frozen=True)
class InboxPlace:
    """The position of a page in the inbox, and the input to show again with its errors.

    The page begins at `cursor`, or with the first concern if `cursor` is None. `until` is the time of the first page:
    once the person has looked, later changes are still new. `name` is a name typed for a view. `faults` has an error by
    field. If `ended`, the person asked for the next concern after the last one.
    """

    cursor: str | None = None
    until: str | None = None
    name: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    ended: bool = False


@router.get("")
def read_desk(
    *,
    visit: VisitDep,
    chosen: SelectionDep,
    cursor: Cursor = None,
    until: Cursor = None,
    name: Annotated[str, Query(max_length=MAX_VIEW_NAME)] = "",  # a view's typed name, shown in the form again
    fault: bool = False,
    ended: bool = False,
) -> Response:
    """Record the reading in the audit log, and return one page of the inbox.

    Redirect a person who may not read concerns: to the audit log if they may read it, otherwise to the guides.
    """
    if not visit.visitor.can_read:
        return lead_to(f"{PATH}/record" if visit.visitor.can_audit else GUIDES_PATH)
    faults = {"reference": NO_REFERENCE} if fault else {}
    return inbox_page(visit, chosen, InboxPlace(cursor, until, name, faults, ended))


@router.get("/find")
def lead_to_concern(_visit: ReaderVisitDep, reference: Annotated[str, Query(max_length=60)] = "") -> Response:
    """Redirect to the concern with the reference `reference`, in any spelling.

    If the text is not a reference, redirect to the inbox, which shows an error.
    """
    found = find_reference(reference)
    return lead_to(f"{CONCERN_PAGES}/{found}" if found is not None else f"{PATH}?fault=true")


@router.post("/looked")
def note_look_on_page(visit: ReaderVisitDep, posted: SubmittedFormDep) -> Response:
    """Store that the person has seen the changes up to the time of the page, and redirect to the tab of changes.

    Raise `InvalidCursor` if the form has no valid time.
    """
    position = decode_position(posted.one("until"), (dt.datetime,))
    if position is None:
        raise InvalidCursor(NOT_OURS)
    visit.context.writer.run(note_look, visit.visitor.name, until=min(position[0], visit.now))
    return lead_to(f"{PATH}?show={InboxTab.CHANGED.value}")


@router.post("/bursts/{burst}/acknowledgement")
def acknowledge_burst_on_page(
    visit: WorkerVisitDep, posted: SubmittedFormDep, burst: Annotated[str, Path(pattern=f"^{BURST}$")]
) -> Response:
    """Acknowledge the chosen concerns of a burst (many concerns from one source on one day), and show the burst.

    Also acknowledge their additions up to the time of the page. If the person has not confirmed that they read the
    concerns, return the page with an error instead. Raise `InvalidCursor` if the form has no valid time, or
    `ValidationFailed` if no concern is chosen, or a chosen concern is not in the burst.
    """
    until = decode_position(posted.one("until"), (dt.datetime,))
    if until is None:
        raise InvalidCursor(NOT_OURS)
    if posted.one("seen") != "yes":
        chosen = choose(InboxTab.ALL, {"burst": burst})
        return inbox_page(visit, chosen, InboxPlace(faults={"seen": NOT_SEEN}), status=ValidationFailed.status)
    try:
        wanted = BurstAcknowledgement(references=tuple(posted.many("reference")))
    except ValidationError as error:
        raise ValidationFailed(faults_of(error)) from None
    visit.context.writer.run(
        acknowledge_together, burst, wanted.model_copy(update={"additions_until": until[0]}), visit.actor
    )
    return lead_to(f"{PATH}?burst={burst}")


@router.post("/views")
def save_view_on_page(visit: ReaderVisitDep, posted: SubmittedFormDep) -> Response:
    """Save the filters of the form as a view under the typed name, and redirect to the view.

    A former view with that name is replaced. If the name is empty or the view cannot be saved, return the page with an
    error.
    """
    chosen = choose(InboxTab.ALL, {each: posted.one(each) for each in TypedFilters.model_fields if each != "show"})
    name = name_of_view(posted.one("name"))
    try:
        if not name:
            raise ValidationFailed(())
        visit.context.writer.run(save_view, visit.visitor.name, name, chosen.view, at=visit.now)
    except ValidationFailed as refusal:
        fault = next((each.detail for each in refusal.faults), NO_NAME)
        look = InboxPlace(name=posted.one("name"), faults={"name": fault})
        return inbox_page(visit, chosen, look, status=ValidationFailed.status)
    return lead_to(f"{PATH}?{chosen.query}")


@router.post("/views/{name}/removal")
def remove_view_on_page(
    visit: ReaderVisitDep, name: Annotated[str, Path(pattern=SLUG_PATTERN, max_length=MAX_VIEW_NAME)]
) -> Response:
    """Remove the person's saved view `name`, and redirect to the inbox."""
    visit.context.writer.run(remove_view, visit.visitor.name, name)
    return lead_to(PATH)


def name_of_view(typed: str) -> str:
    """Return the typed name as the slug that the API uses: `Überfällig, my own` becomes `uberfallig-my-own`.

    Return an empty string if the name has no letters or digits.
    """
    plain = unicodedata.normalize("NFKD", typed).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall("[a-z0-9]+", plain))[:MAX_VIEW_NAME].strip("-")


def inbox_page(visit: Visit, chosen: InboxSelection, look: InboxPlace, *, status: int = 200) -> Response:
    """Record in the audit log which concerns are shown, and return the page of the inbox that `look` describes."""
    context, visitor, now = visit.context, visit.visitor, visit.now
    with Session(context.engine) as session:
        looked_at, views = find_look(session, visitor.name), list_views(session, visitor.name)
        people, guides = list_workers(session), list_current(session, limit=MOST_GUIDES)
        is_own_list = chosen.view.mine and look.cursor is None
        taken_over = list_taken_over(session, visitor.name, now=now) if is_own_list else []
    query = chosen.inbox_query(visitor.name, looked_at)
    after = decode_position(look.cursor, query.column_types)
    may_still_come = dt.timedelta(seconds=2 * context.settings.writer_wait_seconds)
    until = look.until or encode_position((now - may_still_come,))
    beside = [each.reference for each in taken_over]
    rows = read_inbox(context.writer, query, actor=visitor.actor, after=after, limit=PAGE_SIZE, beside=beside)
    page, next_page = rows[:PAGE_SIZE], None
    entries = [inbox_entry(row._mapping, now=now) for row in page]
    lines = lines_of(visit, entries)
    if len(rows) > PAGE_SIZE:
        place_of_next = {"cursor": encode_position(position_of(page[-1], query)), "until": until}
        next_page = f"{PATH}?{chosen.query}&{urlencode(place_of_next)}"
    return visit.page(
        "desk_inbox.html",
        status=status,
        lines=lines,
        chosen=chosen,
        choices=[
            (f"{PATH}?show={each.value}", each.label, chosen == InboxSelection(each, each.same_as or ViewFilters()))
            for each in InboxTab
        ],
        views=[(view.name.replace("-", " "), _address(view), view.name) for view in views],
        people=[(f"{PERSON}{name}", name) for name in people],
        guides=[(each.guide, each.title) for each in guides],
        together=[] if chosen.view.burst in (None, NO_BURST) else [line.entry for line in lines if line.time],
        is_first=look.cursor is None,
        from_here=from_list(visit.request.url.query),
        taken_over=taken_over,
        now=now,
        next_page=next_page,
        until=until,
        looked_at=looked_at,
        typed=look,
        faults=look.faults,
    )


def from_list(query: str) -> str:
    """Return the end of the address of a concern that is opened from the inbox's page with the query string `query`."""
    return f"?{urlencode({'list': query})}" if 0 < len(query) <= LONGEST_QUERY else ""


def _address(view: SavedViewRow) -> str:
    return f"{PATH}?{InboxSelection(InboxTab.ALL, ViewFilters.model_validate(view.filters)).query}"
