"""The kinds of entries of a concern, and the rules for each kind."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.errors import GuidanceError, TooManyAdditions, TooManyLabels, TooManyMessages, TooManyNotes
from app.models.audit.rows import DeskAct


class EntryKind(StrEnum):
    """Kind of an entry of a concern: the reporter's addition, the desk's note or label, or the desk's message."""

    ADDITION = "addition"
    NOTE = "note"
    LABEL = "label"
    MESSAGE = "message"


class EntryPlace(NamedTuple):
    """The place of one entry of a concern: its kind, and its number among the concern's entries of that kind."""

    kind: EntryKind
    number: int

    def __str__(self) -> str:
        """Return the name of the place, such as `note 3`, for the audit log and for operators."""
        return f"{self.kind} {self.number}"


@dataclass(frozen=True)
class EntrySpec:
    """The rules for one kind of entry.

    `act` is the action that records a new entry. A concern has at most `most` entries of the kind, with `most_bytes`
    bytes of sealed text in total. Above these limits, `too_many` is raised. If `for_desk` is true, entries are sealed
    to the keys of the desk, otherwise to the key of the reporter's status token. If `changes_concern` is true, the
    action counts as a change of the concern. In the sealed document, the text is in a member named after the kind.
    """

    act: DeskAct
    most: int
    most_bytes: int
    too_many: type[GuidanceError]
    for_desk: bool = True
    changes_concern: bool = True


ENTRY_SPECS = {
    EntryKind.ADDITION: EntrySpec(DeskAct.ADDED, 200, 20_000_000, TooManyAdditions),
    EntryKind.NOTE: EntrySpec(DeskAct.NOTED, 500, 7_000_000, TooManyNotes),
    EntryKind.LABEL: EntrySpec(DeskAct.LABELLED, 200, 1_000_000, TooManyLabels),
    EntryKind.MESSAGE: EntrySpec(
        DeskAct.MESSAGE_SENT, 100, 5_000_000, TooManyMessages, for_desk=False, changes_concern=False
    ),
}

FOR_THE_DESK = tuple(kind for kind, spec in ENTRY_SPECS.items() if spec.for_desk)

MEMBER_OF_KIND = {"concern": "submission"} | {kind.value: kind.value for kind in FOR_THE_DESK}
"""The member that contains the text, in the sealed document of each kind that the desk can open."""
