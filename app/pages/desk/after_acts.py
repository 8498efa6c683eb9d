"""The panel on the page of a concern after an action: what was done, what to do next, and how to undo an assignment."""

from collections.abc import Mapping
from typing import Any

from app.models.audit.details import ASSIGNING_ACTS
from app.models.audit.rows import DeskAct
from app.models.concerns.receipts import ConcernState
from app.models.desk.inbox import InboxEntry
from app.pages.audit.entry_words import ActLine
from app.pages.frame import Visit
from app.services.desk.assignment import Assigned, list_last_assignments

CLOSED = "This concern is closed, and stays closed."
STAYS_CLOSED = "The concern stays closed. If what was added needs work, reopen it."
NOBODY_HAS_IT = "Nobody has it: assign it, so that someone works on it."
THEN: Mapping[str, str] = {
    DeskAct.ACKNOWLEDGED: "Close it with an outcome when the work on it is done.",
    DeskAct.REOPENED: "The reporter sees that it has been read, and no outcome any more.",
}
"""Second sentence of the panel. The first says who has the concern."""
NEXT_STEPS: Mapping[str, str] = {
    DeskAct.LABELLED: "Only the team can read it. The inbox shows the label first in the row.",
    DeskAct.NOTED: "Only the team can read it.",
    DeskAct.MESSAGE_SENT: "The reporter reads it with their code. The inbox says if an answer comes.",
    DeskAct.CLOSED: "It is in no list of work any more. If it was a mistake, reopen it below.",
    DeskAct.HELD: "The text is not erased until the concern is released.",
    DeskAct.RELEASED: "The usual retention period applies again.",
    DeskAct.ERASURE_REQUESTED: "Nothing has been erased. A second person must erase it; the page ‘Retention’ lists it.",
    DeskAct.ERASED: "The dates, the outcome and the audit log are kept.",
    DeskAct.HAND_OVER_CONFIRMED: "Both receipts are on this page.",
}
"""Sentence for actions that always have the same."""
REMIND_OF_CLOSED = ASSIGNING_ACTS | {DeskAct.NOTED, DeskAct.MESSAGE_SENT}
"""Actions after which the panel of a closed concern says that it stays closed."""


def after_act(visit: Visit, entry: InboxEntry, line: ActLine) -> dict[str, Any]:
    """Return the line, the next steps, and how to undo an assignment (an empty name is nobody), for the template."""
    act, me, last = line.act.act, visit.visitor.name, _last_assignments(visit, entry, line)
    said = [
        _assignment_sentences(me, last) if last else _next_step(act, entry, me),
        CLOSED if entry.state == ConcernState.CLOSED and act in REMIND_OF_CLOSED else None,
    ]
    former = last[1].person if len(last) > 1 else None
    undo = {"person": former or "", "replaces": last[0].person or ""} if last else None
    return {"line": line, "next_steps": [*filter(None, said)], "undo": undo}


def _last_assignments(visit: Visit, entry: InboxEntry, line: ActLine) -> list[Assigned]:
    """Return nothing if `line` is not the last assignment."""
    if line.act.act not in ASSIGNING_ACTS:
        return []
    last = visit.read(list_last_assignments, entry.reference, limit=2)
    return last if last and last[0].version == line.act.number else []


def _assignment_sentences(me: str, last: list[Assigned]) -> str:
    now, former = last[0].person, last[1].person if len(last) > 1 else None
    others = f"It is in the list ‘Mine’ of {now}. No email is sent." if now else "Nobody has it now."
    told = f" {former} sees in ‘Mine’ for a day that you took it." if former not in (None, me, now) else ""
    return ("It is in your list ‘Mine’." if now == me else others) + told


def _next_step(act: str, entry: InboxEntry, me: str) -> str | None:
    if act == DeskAct.ACKNOWLEDGED and entry.state == ConcernState.CLOSED:
        return STAYS_CLOSED
    if act not in THEN:
        return NEXT_STEPS.get(act)
    owner = entry.assigned_to
    return f"{'You have it.' if owner == me else f'{owner} has it.' if owner else NOBODY_HAS_IT} {THEN[act]}"
