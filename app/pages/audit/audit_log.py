"""The page of the audit log in words, for the lead of the desk and for auditors."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response

from app.http.params import Cursor
from app.http.routes import GuidanceRouter
from app.models.audit.audit_log import AuditEntryRow, DeskAct
from app.models.audit.details import sentence_of
from app.models.references import find_reference
from app.pages.frame import AuditorVisitDep, DeskRoute
from app.pages.text_format import person
from app.services.access.sign_in import PATH
from app.services.audit.audit_log import REPORTER, RecordPage, read_audit_log
from app.services.cursors import decode_key, encode_key

ACT_WORDS = {
    DeskAct.ADDED: "Addition received",
    DeskAct.NOTED: "Note written",
    DeskAct.LABELLED: "Label changed",
    DeskAct.COPIED: "Copy sheet opened",
    DeskAct.CARDS_GIVEN: "Cards given, sealed",
    DeskAct.UNASSIGNED: "Unassigned",
    DeskAct.MESSAGE_SENT: "Message sent to the reporter",
    DeskAct.MESSAGE_READ: "Question read",
    DeskAct.HAND_OVER_CONFIRMED: "Receipt from the other organisation stored",
    DeskAct.WITHHELD: "Not carried out, because someone else had changed the concern",
}
DIGESTS_ALONE = frozenset(
    {
        DeskAct.RECEIVED,
        DeskAct.ADDED,
        DeskAct.RESEALED,
        DeskAct.NOTED,
        DeskAct.LABELLED,
        DeskAct.MESSAGE_SENT,
        DeskAct.MESSAGE_READ,
        DeskAct.HAND_OVER_CONFIRMED,
    }
)
"""The actions whose detail is only of use to programs, such as digests. Pages leave the detail out."""
router = GuidanceRouter(prefix=PATH, include_in_schema=False, route_class=DeskRoute)
AUDIT_LOG_PAGE_SIZE = 50
UNLABELLED: Mapping[str, str] = MappingProxyType({})
VISIT_GAP = dt.timedelta(minutes=30)
"""Openings of a concern by one person that are at most this far apart belong to one visit."""


@dataclass(frozen=True)
class ActLine:
    """One audit log entry in words: the action, the person or client, and further detail or an empty string."""

    act: AuditEntryRow
    what: str
    who: str
    detail: str
    times: int = 1
    since: dt.datetime | None = None
    """The time of the first of `times` openings that the line stands for, or None if it stands for one entry."""


def act_lines(acts: Iterable[AuditEntryRow], codes: Mapping[str, str] = UNLABELLED) -> list[ActLine]:
    """Return each audit log entry in words, in the same order.

    `codes` has the label of each outcome. A code without a label is shown as stored.
    """
    return [ActLine(act, _what(act), _who(act.client), _detail(act, codes)) for act in acts]


def fold_openings(lines: Iterable[ActLine]) -> list[ActLine]:
    """Return `lines`, most recent first, with one line for the openings of each person during one visit.

    A visit ends after `VISIT_GAP` without an opening. The line has the place and the time of the last opening.
    """
    folded: list[ActLine] = []
    visits: dict[str, int] = {}
    for line in lines:
        place = visits.get(line.act.client)
        if line.act.act != DeskAct.OPENED:
            folded.append(line)
        elif place is not None and (folded[place].since or folded[place].act.at) - line.act.at <= VISIT_GAP:
            last = folded[place]
            folded[place] = replace(last, times=last.times + 1, since=line.act.at, detail="")
        else:
            visits[line.act.client] = len(folded)
            folded.append(line)
    return folded


def _who(client: str) -> str:
    """Return the actor in words: the reporter, the person, or the client's name if the client acts for no person."""
    return "the reporter" if client == REPORTER else person(client)


def _what(act: AuditEntryRow) -> str:
    if act.act == DeskAct.ASSIGNED:
        return f"Assigned to {sentence_of(act)}"
    return ACT_WORDS.get(DeskAct(act.act)) or act.act.replace("_", " ").capitalize()


def _detail(act: AuditEntryRow, codes: Mapping[str, str]) -> str:
    if act.act in DIGESTS_ALONE or act.act == DeskAct.ASSIGNED:
        return ""
    sentence = sentence_of(act)
    if act.act == DeskAct.CLOSED:
        code, comma, rest = sentence.partition(", ")
        return f"{codes.get(code, code)}{comma}{rest}"
    return sentence.partition("; ")[2] if act.act == DeskAct.HANDED_OVER else sentence


@router.get("/record")
def read_record(
    visit: AuditorVisitDep, chain: Annotated[str, Query(max_length=60)] = "", cursor: Cursor = None
) -> Response:
    """Record the reading in the audit log, and return a page of the audit log, oldest entries first.

    `chain` is the reference of a concern, or the name of another chain. If `chain` is empty, return entries of all
    chains.
    """
    found = find_reference(chain) or chain.strip() or None
    wanted = RecordPage(found, None, decode_key(cursor, otherwise=0), AUDIT_LOG_PAGE_SIZE)
    rows = read_audit_log(visit.context.writer, wanted, actor=visit.actor)
    page = rows[:AUDIT_LOG_PAGE_SIZE]
    next_page = None
    if len(rows) > AUDIT_LOG_PAGE_SIZE:
        position = encode_key(page[-1].position or 0)
        next_page = f"{PATH}/record?{urlencode({'chain': found or '', 'cursor': position})}"
    return visit.page(
        "desk_record.html", acts=[(act, sentence_of(act)) for act in page], chain=found or "", next_page=next_page
    )
