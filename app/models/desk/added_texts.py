"""Texts that are added to a concern and sealed like it: its reporter's additions, and the notes of the desk."""

from enum import StrEnum
from typing import NamedTuple


class AddedKind(StrEnum):
    """Who adds the text: the reporter, or the desk."""

    ADDITION = "addition"
    NOTE = "note"


class AddedText(NamedTuple):
    """The place of one text: its kind, and its number in the order of arrival."""

    kind: AddedKind
    number: int

    def __str__(self) -> str:
        """Return its name on the record and for an operator."""
        return f"{self.kind} {self.number}"


MEMBER_OF_KIND = {"concern": "submission", AddedKind.ADDITION.value: "addition", AddedKind.NOTE.value: "note"}
"""The member with the words, in the document of each kind that is sealed."""
