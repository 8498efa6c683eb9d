"""The acts on a concern in words, for the people of the desk."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.models.desk.disclosure_tables import DeskAct, DisclosureRow
from app.store.disclosures import REPORTER

ACT_WORDS = {
    DeskAct.ADDED: "Something was added",
    DeskAct.NOTED: "Note written",
    DeskAct.UNASSIGNED: "Assigned to nobody",
    DeskAct.MESSAGE_SENT: "Question sent to the reporter",
    DeskAct.MESSAGE_READ: "Question read",
    DeskAct.HAND_OVER_CONFIRMED: "Receipt of the other body stored",
    DeskAct.WITHHELD: "Not done, since others had acted",
}
DIGESTS_ALONE = frozenset(
    {
        DeskAct.RECEIVED,
        DeskAct.ADDED,
        DeskAct.RESEALED,
        DeskAct.NOTED,
        DeskAct.MESSAGE_SENT,
        DeskAct.MESSAGE_READ,
        DeskAct.HAND_OVER_CONFIRMED,
    }
)
"""The acts whose detail is for programs."""


@dataclass(frozen=True)
class ActLine:
    """One act: what was done, by what name, and more about it."""

    act: DisclosureRow
    what: str
    who: str
    detail: str


def act_lines(acts: Iterable[DisclosureRow]) -> list[ActLine]:
    """Return the acts in words, in the same order."""
    return [ActLine(act, _what(act), _who(act.client), _detail(act)) for act in acts]


def _who(client: str) -> str:
    """Return the person; without one, the reporter or the name of the client."""
    return "the reporter" if client == REPORTER.client else client.partition("/")[2] or client


def _what(act: DisclosureRow) -> str:
    if act.act == DeskAct.ASSIGNED:
        return f"Assigned to {act.detail}"
    return ACT_WORDS.get(DeskAct(act.act)) or act.act.replace("_", " ").capitalize()


def _detail(act: DisclosureRow) -> str:
    if act.act in DIGESTS_ALONE or act.act == DeskAct.ASSIGNED:
        return ""
    return act.detail.partition("; ")[2] if act.act == DeskAct.HANDED_OVER else act.detail
