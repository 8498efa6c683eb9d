"""The page of figures for a safeguarding board: a period of whole months, for printing."""

import datetime as dt
import re
from typing import Annotated

from fastapi import Query, Response

from app.pages.desk.inbox import CHANNELS
from app.pages.desk.inbox_rows import span_in_words
from app.pages.frame import AuditVisitDep, DeskRouter, Visit
from app.pages.text_format import code_label
from app.services.desk.board import Months, read_board_figures

router = DeskRouter()
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
