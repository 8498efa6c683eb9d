"""The kinds of entries of a concern, and the action that records each."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.errors import GuidanceError, TooManyAdditions, TooManyMessages, TooManyNotes
from app.models.audit.audit_log import DeskAct


class EntryKind(StrEnum):
    """The kind of an entry, which says who writes it and who reads it."""

    ADDITION = "addition"
    NOTE = "note"
    MESSAGE = "message"


class EntryPlace(NamedTuple):
    """The place of one entry of a concern: its kind, and its number in the order of arrival."""

    kind: EntryKind
    number: int

    def __str__(self) -> str:
        """Return the place's name, for the audit log and for an operator."""
        return f"{self.kind} {self.number}"


@dataclass(frozen=True)
class EntrySpec:
    """The rules of one kind of entry: the action that records it, its limits, and the error above them.

    `for_desk`: it is sealed to the keys of the desk, not to that of the reporter's status token. `changes_concern`: the
    action changes the concern. In the sealed document, the member with the text has the name of the kind.
    """

    act: DeskAct
    most: int
    most_bytes: int
    too_many: type[GuidanceError]
    for_desk: bool = True
    changes_concern: bool = True


ENTRY_SPECS = {
    EntryKind.ADDITION: EntrySpec(DeskAct.ADDED, 200, 20_000_000, TooManyAdditions),
    EntryKind.NOTE: EntrySpec(DeskAct.NOTED, 500, 5_000_000, TooManyNotes),
    EntryKind.MESSAGE: EntrySpec(
        DeskAct.MESSAGE_SENT, 100, 5_000_000, TooManyMessages, for_desk=False, changes_concern=False
    ),
}

FOR_THE_DESK = tuple(kind for kind, spec in ENTRY_SPECS.items() if spec.for_desk)

MEMBER_OF_KIND = {"concern": "submission"} | {kind.value: kind.value for kind in FOR_THE_DESK}
"""The member with the text, in the sealed document of each kind for the desk."""
