"""The kinds of entries of a concern, and the rules for each kind."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.errors import GuidanceError, TooManyAdditions, TooManyLabels, TooManyMessages, TooManyNotes
from app.models.audit.rows import DeskAct


class EntryKind(StrEnum):
    ADDITION = "addition"
    NOTE = "note"
    LABEL = "label"
    MESSAGE = "message"


class EntryPlace(NamedTuple):
    kind: EntryKind
    number: int

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


@dataclass(frozen=True)
class EntrySpec:
    """Limits of a kind of entry: `too_many` is raised above `most` entries, or `most_bytes` of sealed text in all.

    `for_desk`: sealed to the desk's keys, otherwise to the key of the reporter's status token.
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
"""The member of the sealed document with the text."""
