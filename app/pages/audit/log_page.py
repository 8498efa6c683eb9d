"""The page of the audit log: a search by person, days, action and concern, and the found entries in words.

Leads and auditors can read everyone's entries, except those about concerns that they may not open. Other people can
read only their own entries.
"""

import datetime as dt
from operator import itemgetter
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Response
from pydantic import BaseModel, Field, ValidationError
from sqlmodel import Session

from app.errors import InvalidCursor, InvalidQuery, ScopeMissing
from app.http.params import Cursor
from app.models.access.clients import Scope
from app.models.audit.log_filters import LISTS, LogFilter, LogOrder
from app.models.audit.rows import AUDIT, DeskAct
from app.pages.audit.entry_words import words_of_act
from app.pages.audit.log_lines import LIST_WORDS, lines_of_log
from app.pages.frame import DeskRouter, Visit, VisitDep
from app.pages.posted_forms import faults_of
from app.services.access.people import list_people
from app.services.access.restrictions import hidden_from
from app.services.access.sealed_cursors import open_number, seal_number
from app.services.access.sign_in import PATH
from app.services.audit.log_search import (
    LOG_SHEET_HEADERS,
    LogPage,
    list_people_of_log,
    read_log,
    read_log_sheet,
)
from app.services.clock.working_days import LONDON
from app.services.csv_sheets import CSV_MEDIA

router = DeskRouter()
RECORD = f"{PATH}/record"
SHEET = f"{RECORD}.csv"
AUDIT_LOG_PAGE_SIZE = 50
YES = "yes"
KEPT_DAYS = (7, 31)
NOTHING_FOUND = LogPage(())
ACTS = sorted(((act.value, words_of_act(act)) for act in DeskAct), key=itemgetter(1, 0))


class TypedSearch(BaseModel, extra="ignore", frozen=True):
    """A search as typed. Days are London's, inclusive. `received=yes` finds receipts of concerns too."""

    person: str = Field(default="", max_length=200)
    chain: str = Field(default="", max_length=60)
    act: str = Field(default="", max_length=40)
    first_day: str = Field(default="", max_length=20, alias="from")
    last_day: str = Field(default="", max_length=20, alias="to")
    received: str = Field(default="", max_length=10)
    days: int | None = Field(default=None, ge=1, le=366)
    """The last days, in place of `from` and `to`."""

    @property
    def fields(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.model_dump(by_alias=True).items() if str(value or "").strip()}

    def without_days(self, now: dt.datetime) -> "TypedSearch":
        first = now.astimezone(LONDON).date() - dt.timedelta(days=(self.days or 1) - 1)
        return self.model_copy(update={"first_day": str(first), "last_day": "", "days": None}) if self.days else self

    @property
    def query(self) -> str:
        return urlencode(self.fields)


@router.get("/record")
def read_record(visit: VisitDep, typed: Annotated[TypedSearch, Query()], cursor: Cursor = None) -> Response:
    """Show the log, and record the search. An invalid search (400) is not recorded."""
    try:
        found = _search(visit, typed, cursor)
    except InvalidCursor:
        raise
    except InvalidQuery as refusal:
        return _page_of(visit, typed, refusal=refusal, is_first=cursor is None)
    return _page_of(visit, typed, found, is_first=cursor is None)


def _page_of(
    visit: Visit,
    typed: TypedSearch,
    found: LogPage = NOTHING_FOUND,
    *,
    refusal: InvalidQuery | None = None,
    is_first: bool = True,
) -> Response:
    with Session(visit.context.engine) as session:
        people = list_people_of_log(session) if visit.visitor.can_audit else []
        ids = {row.name: row.subject for row in list_people(session) if row.subject != row.name}
    next_cursor = seal_number(visit.context.engine, AUDIT, found.next_position)
    return visit.page(
        "desk_record.html",
        status=refusal.status if refusal else 200,
        typed=typed.without_days(visit.now).model_dump(by_alias=True),
        asked=_person_searched(visit, typed),
        people=people,
        ids=ids,
        acts=ACTS,
        lists=[(each, LIST_WORDS[each]) for each in LISTS],
        lines=lines_of_log(found.entries, visit.context.reference_data.get_code_list("outcome").labels),
        readings=found.readings,
        faults={str(each.parameter or each.at[0]): each.detail for each in refusal.faults} if refusal else {},
        is_first=is_first,
        sheet=f"{SHEET}?{typed.query}",
        kept=[
            (each, f"{RECORD}?{urlencode(typed.fields | {'from': '', 'to': '', 'days': each})}") for each in KEPT_DAYS
        ],
        next_page=f"{RECORD}?{urlencode(typed.fields | {'cursor': next_cursor})}" if next_cursor is not None else None,
    )


@router.get("/record.csv")
def read_record_sheet(visit: VisitDep, typed: Annotated[TypedSearch, Query()]) -> Response:
    """Record the search, even if it is refused (400) because it finds too many entries."""
    try:
        hiding = hidden_from(visit.actor)
        sheet = read_log_sheet(visit.context.writer, _filter_of(visit, typed), actor=visit.actor, hiding=hiding)
    except InvalidQuery as refusal:
        return _page_of(visit, typed, refusal=refusal)
    return Response(sheet, media_type=CSV_MEDIA, headers=LOG_SHEET_HEADERS)


def _search(visit: Visit, typed: TypedSearch, cursor: str | None) -> LogPage:
    after, log_filter = open_number(visit.context.engine, AUDIT, cursor), _filter_of(visit, typed)
    return read_log(
        visit.context.writer,
        log_filter,
        actor=visit.actor,
        hiding=hidden_from(visit.actor),
        after=after,
        limit=AUDIT_LOG_PAGE_SIZE,
        with_readings=log_filter.person is not None and after is None,
    )


def _person_searched(visit: Visit, typed: TypedSearch) -> str:
    """Return the name to search for, empty for everyone. Raise `ScopeMissing` for another person's entries."""
    person = typed.person.strip()
    if visit.visitor.can_audit:
        return person
    if person not in ("", visit.visitor.name):
        raise ScopeMissing(Scope.AUDIT)
    return visit.visitor.name


def _filter_of(visit: Visit, typed: TypedSearch) -> LogFilter:
    """Receipts are included only if requested, or if one chain is searched."""
    fields: dict[str, Any] = typed.without_days(visit.now).fields | {"person": _person_searched(visit, typed) or None}
    with_receipts = typed.received == YES or bool(typed.chain.strip())  # a concern's log begins with the receipt
    try:
        return LogFilter.model_validate(fields | {"received": with_receipts, "order": LogOrder.NEWEST})
    except ValidationError as error:
        raise InvalidQuery(faults_of(error)) from None
