"""Three tabs of oversight: the work, figures of whole months for a board, and what will be erased."""

import datetime as dt
import re
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response

from app.errors import ScopeMissing
from app.http.responses import download
from app.models.access.clients import Scope
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import people_of_limit
from app.models.desk.inbox_filters import InboxOrder
from app.pages.desk.inbox import CHANNELS
from app.pages.desk.inbox_rows import lines_of, span_in_words
from app.pages.frame import AuditVisitDep, DeskRouter, Visit, VisitDep
from app.pages.text_format import code_label
from app.services.access.people import list_workers
from app.services.access.sign_in import PATH
from app.services.csv_sheets import CSV_MEDIA
from app.services.desk.board import Months, read_board_figures
from app.services.desk.figures import read_figures
from app.services.desk.inbox import InboxQuery, read_inbox
from app.services.desk.presented_concerns import entry_of
from app.services.desk.retention import RetentionPeriods
from app.services.desk.retention_lists import MOST_LISTED, RetentionList, RetentionQuery, read_list, read_list_sheet
from app.services.desk.workload import read_workload

router = DeskRouter()
RETENTION = f"{PATH}/retention"
DAYS_READ, DAYS_SHOWN = 92, 7
MOST_RESTRICTED = 50
MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
HEADINGS = {
    "referral_source": "Received, by source",
    "channel": "Received, by how it came",
    "guide": "Received, by guide",
    "immediate_danger": "Received, by the answer about immediate danger",
    "outcome": "Closed, by outcome",
}
CODE_LISTS = {"referral_source": "referral-source", "outcome": "outcome"}
NOT_STATED = "Not stated"
WRONG_MONTH = "Enter a month such as 2026-11"
WRONG_ORDER = "This month is before the first one"
LABELS = {
    RetentionList.DUE: "To be erased",
    RetentionList.HELD: "On hold",
    RetentionList.REQUESTED: "Waiting for a second person",
    RetentionList.ERASED: "Erased",
}
RetentionQueryDep = Annotated[RetentionQuery, Query()]


@router.get("/day")
def read_work(visit: VisitDep) -> Response:
    """Show figures of days to readers, each person's open concerns to auditors and leads, restricted ones to leads."""
    context, actor = visit.context, visit.actor
    if not (visit.visitor.can_read or visit.visitor.can_audit):
        raise ScopeMissing(Scope.READ)
    figures = (
        read_figures(context.engine, context.writer, days=DAYS_READ, actor=actor) if visit.visitor.can_read else None
    )
    days = figures.days[::-1] if figures else ()
    busy = [each for each in days if each is days[0] or each.received or each.acknowledged or each.closed]
    loads = (
        {load.person: load for load in read_workload(context.writer, actor=actor)} if visit.visitor.can_audit else {}
    )
    names = sorted({*loads, *visit.read(list_workers)} - {""})
    return visit.page(
        "desk_day.html",
        restricted=figures,
        days=busy[:DAYS_SHOWN],
        loads=[(name, loads.get(name)) for name in ("", *names)],
        limited=_read_restricted(visit) if visit.visitor.can_lead else [],
    )


def _read_restricted(visit: Visit) -> list[tuple[object, list[str]]]:
    """Record which are shown. Return lines of the inbox with the names of who may open each, none for leads only."""
    query = InboxQuery(InboxOrder.URGENT, is_open=True, is_restricted=True)
    rows = read_inbox(visit.context.writer, query, actor=visit.actor, after=None, limit=MOST_RESTRICTED)[
        :MOST_RESTRICTED
    ]
    lines = lines_of(visit, [entry_of(row._mapping, now=visit.now) for row in rows])
    return [(line, people_of_limit(row.limited_to)) for line, row in zip(lines, rows, strict=True)]


@router.get("/figures")
def read_board(
    visit: AuditVisitDep,
    first: Annotated[str, Query(alias="from", max_length=20)] = "",
    last: Annotated[str, Query(alias="to", max_length=20)] = "",
) -> Response:
    """Show months such as `2026-11`, by default the three before this one. Small numbers are hidden.

    A request for an invalid period (400) is not recorded.
    """
    this_month = visit.now.date().replace(day=1)
    usual = (_months_before(this_month, 3), _months_before(this_month, 1))
    typed = {"from": first.strip() or f"{usual[0]:%Y-%m}", "to": last.strip() or f"{usual[1]:%Y-%m}"}
    faults = {name: WRONG_MONTH for name, month in typed.items() if not MONTH.fullmatch(month)}
    if not faults and typed["to"] < typed["from"]:
        faults = {"to": WRONG_ORDER}
    if faults:
        return visit.page("desk_board.html", status=400, typed=typed, faults=faults, figures=None, months=None)
    months = Months(*(dt.date.fromisoformat(f"{typed[name]}-01") for name in ("from", "to")))
    figures = read_board_figures(visit.context.writer, months, actor=visit.actor)
    return visit.page(
        "desk_board.html",
        typed=typed,
        figures=figures,
        months=months,
        is_unfinished=months.last >= this_month,
        measures=[
            (HEADINGS[name], [(_label(visit, name, each.code), each.concerns) for each in counts])
            for name, counts in figures.measures.items()
        ],
        median=span_in_words(figures.median) if figures.median is not None else None,
        nine_of_ten=span_in_words(figures.nine_of_ten) if figures.nine_of_ten is not None else None,
    )


def _months_before(month: dt.date, count: int) -> dt.date:
    for _ in range(count):
        month = (month - dt.timedelta(days=1)).replace(day=1)
    return month


def _label(visit: Visit, measure: str, code: str | None) -> str:
    if code is None:
        return NOT_STATED
    if measure in CODE_LISTS:
        return visit.context.reference_data.get_code_list(CODE_LISTS[measure]).labels.get(code, code)
    if measure == "channel":
        return dict(CHANNELS).get(code) or code_label(code)
    return code_label(code.replace("-", " "))


@router.get("/retention")
def read_retention(visit: AuditVisitDep, query: RetentionQueryDep) -> Response:
    """Show the first `MOST_LISTED`."""
    settings = visit.context.settings
    periods = RetentionPeriods.of(settings)
    found = read_list(visit.context.writer, query, periods, actor=visit.actor)
    lists = [each for each in LABELS if each is not RetentionList.REQUESTED or settings.two_people_erase]
    return visit.page(
        "desk_retention.html",
        lists=[(each, LABELS[each]) for each in lists],
        query=query,
        states=[(each, each.capitalize()) for each in ConcernState],
        found=found[:MOST_LISTED],
        is_cut=len(found) > MOST_LISTED,
        sheet=f"{RETENTION}.csv?{urlencode(query.model_dump(mode='json', by_alias=True, exclude_defaults=True))}",
        periods=periods,
        today=visit.now.date(),
    )


@router.get("/retention.csv")
def read_retention_sheet(visit: AuditVisitDep, query: RetentionQueryDep) -> Response:
    periods = RetentionPeriods.of(visit.context.settings)
    sheet = read_list_sheet(visit.context.writer, query, periods, actor=visit.actor)
    return download(sheet, f"retention-{query.chosen}.csv", CSV_MEDIA)
