"""Audit log entries in words, for the pages of the desk."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from app.models.audit.details import sentence_of
from app.models.audit.rows import AuditEntryRow, DeskAct
from app.services.audit.audit_log import REPORTER, person_of

ACT_WORDS: Mapping[str, str] = {
    DeskAct.ADDED: "Addition received",
    DeskAct.NOTED: "Note written",
    DeskAct.LABELLED: "Label changed",
    DeskAct.FILE_REQUESTED: "File of one person asked for",
    DeskAct.FILE_MADE: "File made for a request",
    DeskAct.FILE_CHECKED: "File looked at by a second person",
    DeskAct.FILE_GIVEN: "File given",
    DeskAct.FILE_REFUSED: "Request ended without a file",
    DeskAct.COPIED: "Copy sheet opened",
    DeskAct.CARDS_GIVEN: "Seen in lists, with names",
    DeskAct.LOOK_AGAIN: "Day to look again set",
    DeskAct.ERASURE_REQUESTED: "Erasure requested",
    DeskAct.UNASSIGNED: "Unassigned",
    DeskAct.DISCLOSURES_READ: "Audit log read",
    DeskAct.SUMMARY_READ: "Figures read",
    DeskAct.RESTRICTION_LIFTED: "Restriction lifted",
    DeskAct.LOOK_REFUSED: "Refused: the person may not open this concern",
    DeskAct.LEFT: "Left the desk",
    DeskAct.KEY_COPY_STORED: "Locked copy of the team’s key stored",
    DeskAct.KEY_COPY_READ: "Own locked copy of the team’s key fetched",
    DeskAct.KEY_COPY_DELETED: "Locked copy of the team’s key deleted",
    DeskAct.MESSAGE_SENT: "Message sent to the reporter",
    DeskAct.MESSAGE_READ: "Message read",
    DeskAct.HAND_OVER_CONFIRMED: "Receipt from the other organisation stored",
    DeskAct.WITHHELD: "Not carried out, because someone else had changed the concern",
}
DIGESTS_ONLY = frozenset(
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
"""Actions whose details are only for programs."""
THE_REPORTER = "the reporter"
VISIT_GAP = dt.timedelta(minutes=30)
"""Openings by one person closer together than this are shown as one line."""


@dataclass(frozen=True)
class ActLine:
    """A line of the history. It may stand for several openings: `act` is the last, and `times` their number."""

    act: AuditEntryRow
    what: str
    who: str
    detail: str
    times: int = 1
    since: dt.datetime | None = None
    """Time of the first of several openings."""


def act_lines(acts: Iterable[AuditEntryRow], codes: Mapping[str, str]) -> list[ActLine]:
    """`codes` are the labels of outcomes."""
    return [ActLine(act, what_was_done(act), who_did(act.client), _detail(act, codes)) for act in acts]


def fold_openings(lines: Iterable[ActLine]) -> list[ActLine]:
    """Return the lines, most recent first. Other actions may lie between openings: the page opens again after each."""
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


def who_did(client: str) -> str:
    """Return `the reporter`, or the name of a person or client."""
    return THE_REPORTER if client == REPORTER else person_of(client)


def what_was_done(act: AuditEntryRow) -> str:
    if act.act == DeskAct.ASSIGNED:
        return f"Assigned to {sentence_of(act)}"
    return words_of_act(act.act)


def words_of_act(code: str) -> str:
    return ACT_WORDS.get(code) or code.replace("_", " ").capitalize()


def _detail(act: AuditEntryRow, codes: Mapping[str, str]) -> str:
    if act.act in DIGESTS_ONLY or act.act == DeskAct.ASSIGNED:
        return ""
    sentence = sentence_of(act)
    if act.act == DeskAct.CLOSED:
        code, comma, rest = sentence.partition(", ")
        return f"{codes.get(code, code)}{comma}{rest}"
    return sentence.partition("; ")[2] if act.act == DeskAct.HANDED_OVER else sentence
