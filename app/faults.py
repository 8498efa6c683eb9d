"""Faults in what was sent: each with its place, a sentence for people and a code for programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Self

Location = tuple[str | int, ...]


class FaultCode(StrEnum):
    """The kinds of faults: a closed list for this version, and each code keeps its meaning."""

    meaning: str

    REQUIRED = "required", "The member or parameter must be there."
    BLANK = "blank", "The text is empty, or has spaces alone."
    UNKNOWN_FIELD = "unknown-field", "No member of this name is known here. It may be misspelt."
    UNKNOWN_PARAMETER = "unknown-parameter", "No query parameter of this name is known here. It may be misspelt."
    REPEATED_PARAMETER = "repeated-parameter", "The query parameter is there more than once."
    WRONG_TYPE = "wrong-type", "The value is of another JSON type than is needed."
    WRONG_FORM = "wrong-form", "The value is not written in the form that is needed."
    NOT_A_DATE = "not-a-date", "The value is no date, or not the full date that is needed."
    NOT_AN_ADDRESS = "not-an-address", "The value is no http or https address."
    NOT_LISTED = "not-listed", "The value is none of the few that the document lists."
    UNKNOWN_CODE = "unknown-code", "The value is no code of its code list."
    UNKNOWN_GUIDE = "unknown-guide", "No guide has this name."
    UNKNOWN_EDITION = "unknown-edition", "The guide has no edition of this number."
    UNKNOWN_ITEM = "unknown-item", "The edition has no item of this id."
    TOO_LONG = "too-long", "The text has more characters than are allowed."
    TOO_FEW = "too-few", "The list has fewer entries than are needed."
    TOO_MANY = "too-many", "The list has more entries than are allowed."
    TOO_SMALL = "too-small", "The number is lower than is allowed."
    TOO_LARGE = "too-large", "The number is higher than is allowed."
    DUPLICATE_ID = "duplicate-id", "The same id is there twice in one list."
    OUT_OF_ORDER = "out-of-order", "The positions do not run 1, 2, 3 in the order of the list."
    NOT_REACHABLE = "not-reachable", "A contact has neither the number nor the address that its kind needs."
    INVALID = "invalid", "Something else is wrong; the detail says what."

    def __new__(cls, code: str, meaning: str) -> Self:
        """Create the member for the code, with its meaning."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


class CodedValueError(ValueError):
    """A value that a model refuses, with the code of the fault. Its message is a sentence for the caller."""

    def __init__(self, code: FaultCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


Source = Literal["body", "query", "path", "header", "cookie"]


@dataclass(frozen=True)
class FieldError:
    """One fault in what was sent: its place, a sentence that a form can show beside the field, and its code.

    `at` is the place within the body. For another part of the request, `source` says which, and `parameter` names it.
    `template` is the sentence, with a name in braces for each of `values`: so it can be translated.
    """

    at: Location
    template: str
    code: FaultCode = FaultCode.INVALID
    source: Source = "body"
    parameter: str | None = None
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def detail(self) -> str:
        """The sentence with its values."""
        return self.fill_in(self.template)

    def fill_in(self, template: str) -> str:
        """Return the template, this one's or its translation, with the values."""
        return template.format_map(self.values) if self.values else template
