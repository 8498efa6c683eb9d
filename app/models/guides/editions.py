"""The content of an edition, an example, and the JSON Schema of its file."""

import json
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.json_schema import GenerateJsonSchema

from app.models.base import MAX_ITEMS, FromCodeList, FullDate, GssCode, RequestModel, Text
from app.models.guides.code_lists import MAX_CODE_LENGTH, SUBJECTS
from app.models.guides.items import RelatedCode, linked_to
from app.models.guides.sections import EditionSections, Introductions

EDITION_EXAMPLE: dict[str, Any] = {
    "title": "‘One Minute Guide’ to an example",
    "publisher": {"name": "Example Council", "gss_code": "E06000000"},
    "change_note": "First edition.",
    "review_by": "2027-11-24",
    "source": {
        "title": "‘One Minute Guide’ to an example",
        "publisher": "Example Council",
        "document": "example.txt",
        "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    },
    "cautions": [{"id": "absence-of-indicators", "text": "Absence of an indicator does not mean absence of harm."}],
    "definitions": [{"id": "local-definition", "kind": "local", "text": "An example is something that shows a rule."}],
    "factors": [
        {"id": "example-factor", "position": 1, "text": "An experience that can make a child more susceptible"}
    ],
    "indicators": [
        {"id": "first-example", "position": 1, "text": "Something to consider", "kind": "potential_indicator"},
        {"id": "second-example", "position": 2, "text": "Something else to consider", "kind": "potential_indicator"},
    ],
    "linked_risks": [{"id": "example-risk", "position": 1, "text": "Another harm"}],
    "responsibilities": [{"id": "identification", "position": 1, "name": "Identification", "text": "Identify it."}],
    "contacts": [
        {
            "id": "example-team",
            "position": 1,
            "name": "Example Team",
            "kind": "telephone",
            "phones": [{"number": "+441632960001", "display": "01632 960001", "option": "1"}],
        }
    ],
}
Subject = Annotated[str, FromCodeList(SUBJECTS), StringConstraints(max_length=MAX_CODE_LENGTH)]
SCHEMA_FILE = "guide.schema.json"
SCHEMA_LINE = f"# yaml-language-server: $schema=../{SCHEMA_FILE}"
"""First line of the file of an edition. The line tells text editors where the JSON Schema is.

The JSON Schema is in the folder above the guide's folder.
"""
LEFT_OUT = "position"
"""The field that items in a file may leave out, because the items are listed in order."""


class PublisherKind(StrEnum):
    """Kind of publisher."""

    COUNCIL = "council"
    PARTNERSHIP = "partnership"
    SCHOOL = "school"
    OTHER = "other"


class Publisher(RequestModel):
    """The organisation that publishes the guide."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    name: Text = Field(description="Name as printed.", examples=["Bath & North East Somerset Council"])
    gss_code: GssCode | None = Field(default=None, description="For a council: GSS code of its area; otherwise null.")
    kind: PublisherKind | None = Field(
        default=None, description="Kind of organisation, if the guide says so.", examples=[None, "partnership"]
    )
    urn: str | None = Field(
        default=None,
        pattern=r"^[0-9]{6}$",
        max_length=6,
        description="For a school: its unique reference number; otherwise null.",
        examples=[None, "999999"],
    )


class GuideSource(RequestModel):
    """The document that an edition was transcribed from."""

    title: Text = Field(
        description="Title as printed.", examples=["‘One Minute Guide’ to Child Sexual Exploitation (CSE)"]
    )
    publisher: Text = Field(description="Publisher of the document.", examples=["Bath & North East Somerset Council"])
    document: Text = Field(
        description="File name of the document as received.",
        examples=["child-sexual-exploitation-one-minute-guide.txt"],
    )
    sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        max_length=64,
        description="SHA-256 of that file, in hexadecimal.",
        examples=["b0bdcbd7745cba02d8ff1c8450d77175ab706bc10197954b02f572a99ba8d685"],
    )


class EditionDetails(RequestModel):
    """The details of an edition, without its sections."""

    title: Text = Field(
        description="Title as printed.", examples=["‘One Minute Guide’ to Child Sexual Exploitation (CSE)"]
    )
    publisher: Publisher
    change_note: Text = Field(
        description="Changes in this edition, in a sentence for readers.",
        examples=["First edition, transcribed word for word from the printed guide."],
    )
    review_by: FullDate | None = Field(default=None, description="Review date.", examples=[None, "2027-11-24"])
    owner: Text | None = Field(
        default=None,
        description="The team or post responsible for the guide.",
        examples=[None, "Exploitation Team, Example Council"],
    )
    applies_to: Text | None = Field(
        default=None,
        description="The area or situation that the guide applies to, as text.",
        examples=[None, "Schools and colleges in Example"],
    )
    source: GuideSource | None = Field(
        default=None, description="The document it was transcribed from; null if never printed."
    )
    related_codes: tuple[RelatedCode, ...] = Field(
        default=(),
        max_length=MAX_ITEMS,
        description="Links from the guide's subject to published code lists.",
        examples=linked_to("11A"),
    )
    subjects: tuple[Subject, ...] = Field(
        default=(),
        max_length=20,
        description="Subjects of the guide: codes of the list `subject`. If empty, they follow from its related codes.",
        examples=[[], ["neglect"]],
    )
    introductions: Introductions = Introductions()


class EditionContent(EditionSections, EditionDetails):
    """The complete content of an edition. The digest covers exactly these members."""


def edition_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the file of an edition. In such a file, items need no `position`."""
    schema = EditionContent.model_json_schema(mode="validation")
    for each in schema["$defs"].values():
        if LEFT_OUT in each.get("required", ()):
            each["required"].remove(LEFT_OUT)
    about = {"$schema": GenerateJsonSchema.schema_dialect, "title": "The file of a guide's edition"}
    return about | {key: value for key, value in schema.items() if key != "title"}


def edition_schema_json() -> str:
    """Return the JSON Schema of the file of an edition, as text."""
    return json.dumps(edition_schema(), ensure_ascii=False, indent=2) + "\n"
