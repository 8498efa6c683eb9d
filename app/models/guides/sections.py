"""The registry of an edition's sections: the enum `Section`, from which all other code derives lists and paths.

To add a section, add the model of its items to `items`, a member to `Section`, and a field to `EditionSections`. If
guides print a text before the list, also add a field to `Introductions`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails

from app.errors import CodedValueError, FaultCode, Location
from app.models.base import MAX_ITEMS, RequestModel, Text
from app.models.guides import items
from app.models.guides.contacts import Contact
from app.models.guides.items import Definition

NO_CAUTIONS = "`cautions` needs an entry, since there are factors or indicators"


class Layout(StrEnum):
    """The layout of a section's items in documents and on pages."""

    LIST = "list"
    """A list with the name, if there is one, and the text of each item."""
    QUOTATIONS = "quotations"
    """Each item's text as a quotation, with its source."""
    CONTACTS = "contacts"
    """Each contact's name, with the ways to reach the contact."""


@dataclass(frozen=True, kw_only=True)
class SectionEntry:
    """The properties of a list of items: types, names and layout."""

    path: str
    item: type[RequestModel]
    title: str
    """Heading in Markdown, and name in the API documentation."""
    heading: str
    """Heading on pages, in print and in comparisons."""
    anchor: str | None = None
    """Id of the heading on pages, if it is not the section's path."""
    description: str = ""
    """The description of the items in the response that has only this section."""
    remark: str = ""
    """A further sentence for the API documentation of the response that has only this section."""
    layout: Layout = Layout.LIST
    has_cautions: bool = False
    """True if the cautions are shown wherever people read the section."""
    searched: tuple[str, ...] = ("name", "text")
    across_guides: bool = False
    """True if the API lists the items of all guides, at `/v1/` followed by the section's path."""


CAUTIONS = SectionEntry(path="cautions", item=items.Caution, title="Cautions", heading="Cautions")


class Section(StrEnum):
    """The sections of an edition, as in paths."""

    entry: SectionEntry
    key: str
    words: str
    """Name of the section in a sentence."""

    DEFINITIONS = SectionEntry(
        path="definitions",
        item=Definition,
        title="Definitions",
        heading="What it is",
        anchor="what-it-is",
        description="What the harm is.",
        layout=Layout.QUOTATIONS,
    )
    FACTORS = SectionEntry(
        path="factors",
        item=items.Factor,
        title="Vulnerability factors",
        heading="What can make a child more vulnerable",
        description="Vulnerability factors, in the printed order.",
        remark="They are not indicators.",
        has_cautions=True,
        across_guides=True,
    )
    INDICATORS = SectionEntry(
        path="indicators",
        item=items.Indicator,
        title="Indicators",
        heading="What to look for",
        description="Indicators to consider, in the printed order.",
        has_cautions=True,
        across_guides=True,
    )
    LINKED_RISKS = SectionEntry(
        path="linked-risks",
        item=items.LinkedRisk,
        title="Linked risks",
        heading="Linked risks",
        description="Harms often linked, in the printed order.",
    )
    RESPONSIBILITIES = SectionEntry(
        path="responsibilities",
        item=items.Responsibility,
        title="Responsibilities",
        heading="What to do",
        description="What everyone needs to do.",
    )
    CONTACTS = SectionEntry(
        path="contacts",
        item=Contact,
        title="Contacts",
        heading="Who to call",
        description="Who to call, in the printed order.",
        layout=Layout.CONTACTS,
        searched=("name", "when"),
        across_guides=True,
    )

    def __new__(cls, entry: SectionEntry) -> Self:
        """Create the member with the value `entry.path` and the fields of the entry."""
        member = str.__new__(cls, entry.path)
        member._value_ = entry.path
        member.entry = entry
        member.key = entry.path.replace("-", "_")
        member.words = entry.path.replace("-", " ")
        return member

    @classmethod
    def of_key(cls, key: str) -> Self:
        """Return the section with the JSON key `key`. Raise `StopIteration` if there is none."""
        return next(section for section in cls if section.key == key)

    @property
    def camel_case(self) -> str:
        """Name of the section in camel case, as part of the names of its models."""
        return self.value.title().replace("-", "")


ITEM_LISTS: dict[str, SectionEntry] = {"cautions": CAUTIONS} | {section.key: section.entry for section in Section}
"""Every list of items of an edition by key: the cautions, then each section."""

_SHOWN_FIRST = (Section.INDICATORS, Section.FACTORS)

DOCUMENTED: tuple[Section, ...] = (*_SHOWN_FIRST, *(each for each in Section if each not in _SHOWN_FIRST))
"""The sections in the order of the API documentation, which takes its examples from the first section."""

_FIRST_ON_PAGES = (Section.INDICATORS, Section.RESPONSIBILITIES, Section.CONTACTS)

_LAST_ON_PAGES = (Section.DEFINITIONS,)

ON_PAGES: tuple[Section, ...] = (
    *_FIRST_ON_PAGES,
    *(each for each in Section if each not in _FIRST_ON_PAGES + _LAST_ON_PAGES),
    *_LAST_ON_PAGES,
)
"""The sections in page order: what to look for, what to do, who to call, the others, and definitions last."""

PRINTED_FRONT: tuple[Section, ...] = (Section.INDICATORS, Section.CONTACTS)

PRINTED_BACK: tuple[Section, ...] = tuple(each for each in ON_PAGES if each not in PRINTED_FRONT)
"""The sections on the back of the printed page."""


def lacks_cautions(sections: Mapping[str, Any]) -> bool:
    """Return True if `sections` has factors or indicators, but no caution to read with them."""
    return not sections.get(CAUTIONS.path) and any(
        sections.get(section.key) for section in Section if section.entry.has_cautions
    )


class Introductions(RequestModel):
    """Text printed before each list."""

    factors: Text | None = Field(
        default=None,
        description="Printed before the vulnerability factors.",
        examples=[
            "Certain experiences can contribute to children being more susceptible to child sexual exploitation such "
            "as:"
        ],
    )
    indicators: Text | None = Field(
        default=None,
        description="Printed before the indicators.",
        examples=["When considering a child’s vulnerability and risk, indicators to consider include:"],
    )
    linked_risks: Text | None = Field(
        default=None,
        description="Printed before the linked risks.",
        examples=[
            "CSE rarely occurs in isolation of other vulnerability and risk factors. It is also often linked to other "
            "types of criminal activity such as:"
        ],
    )
    responsibilities: Text | None = Field(
        default=None, description="Printed before the responsibilities.", examples=["What do we all need to do"]
    )
    contacts: Text | None = Field(
        default=None,
        description="Printed before the contacts.",
        examples=["What to do if you are worried about a child/young person"],
    )


class EditionSections(RequestModel):
    """The cautions and the sections of an edition. If a guide does not have a section, the section is empty."""

    cautions: tuple[items.Caution, ...] = Field(
        default=(),
        max_length=MAX_ITEMS,
        description="Warnings to read with every indicator and factor. Required if the guide has any.",
    )
    definitions: tuple[Definition, ...] = Field(default=(), max_length=MAX_ITEMS, description="What the harm is.")
    factors: tuple[items.Factor, ...] = Field(default=(), max_length=MAX_ITEMS, description="Vulnerability factors.")
    indicators: tuple[items.Indicator, ...] = Field(
        default=(), max_length=MAX_ITEMS, description="Indicators to consider."
    )
    linked_risks: tuple[items.LinkedRisk, ...] = Field(
        default=(), max_length=MAX_ITEMS, description="Other harms often linked to this one."
    )
    responsibilities: tuple[items.Responsibility, ...] = Field(
        default=(), max_length=MAX_ITEMS, description="What everyone needs to do."
    )
    contacts: tuple[Contact, ...] = Field(min_length=1, max_length=MAX_ITEMS, description="Whom to call.")

    @field_validator(*ITEM_LISTS)
    @classmethod
    def _ids_are_unique(cls, entries: tuple[items.Identified, ...]) -> tuple[items.Identified, ...]:
        first: dict[str, int] = {}
        duplicates = [index for index, item in enumerate(entries) if first.setdefault(item.id, index) != index]
        _raise_at(duplicates, "id", FaultCode.DUPLICATE_ID, "every `id` in a section must be different")
        return entries

    @field_validator(*(key for key, entry in ITEM_LISTS.items() if "position" in entry.item.model_fields))
    @classmethod
    def _positions_run_from_one(cls, entries: tuple[items.Placed, ...]) -> tuple[items.Placed, ...]:
        misplaced = [index for index, item in enumerate(entries) if item.position != index + 1]
        _raise_at(
            misplaced[:1],
            "position",
            FaultCode.OUT_OF_ORDER,
            "`position` must run 1, 2, 3 ... in the order of the items",
        )
        return entries

    @model_validator(mode="after")
    def _cautions_go_with_indicators(self) -> Self:
        if lacks_cautions(dict(self)):
            raise _refusal([(CAUTIONS.path,)], FaultCode.TOO_FEW, NO_CAUTIONS)
        return self


def _raise_at(indexes: Sequence[int], field: str, code: FaultCode, reason: str) -> None:
    if indexes:
        raise _refusal([(index, field) for index in indexes], code, reason)


def _refusal(places: Sequence[Location], code: FaultCode, reason: str) -> ValidationError:
    context = {"error": CodedValueError(code, reason)}
    errors = [InitErrorDetails(type="value_error", loc=at, input=None, ctx=context) for at in places]
    return ValidationError.from_exception_data("items", errors, hide_input=True)
