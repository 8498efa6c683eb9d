"""The content of an edition: of a seed file, of a request to publish, and of every read.

All texts are the words of the guide, as printed where it was printed. Where this project adds a field of its own (a
kind, a note, a related code), its description says so.

The first examples of a model's fields together are one entry of the shipped guide. The examples of responses are built
from them (see `app.web.openapi`).
"""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from app.models.base import MAX_ITEMS, FromCodeList, FullDate, GssCode, RequestModel, Text
from app.models.code_lists import MAX_CODE_LENGTH, SUBJECTS
from app.models.guidance.items import RelatedCode, linked_to
from app.models.guidance.sections import EditionSections, Introductions


class PublisherKind(StrEnum):
    """What kind of body publishes the guide."""

    COUNCIL = "council"
    PARTNERSHIP = "partnership"
    SCHOOL = "school"
    OTHER = "other"


class Publisher(RequestModel):
    """The body that publishes the guide."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    name: Text = Field(description="Name as printed.", examples=["Bath & North East Somerset Council"])
    gss_code: GssCode | None = Field(default=None, description="Of a council: the code of its area.")
    kind: PublisherKind | None = Field(
        default=None, description="What kind of body it is, where the guide says so.", examples=[None, "partnership"]
    )
    urn: str | None = Field(
        default=None,
        pattern=r"^[0-9]{6}$",
        max_length=6,
        description="Of a school: its unique reference number.",
        examples=[None, "999999"],
    )


Subject = Annotated[str, FromCodeList(SUBJECTS), StringConstraints(max_length=MAX_CODE_LENGTH)]


class GuideSource(RequestModel):
    """The document that an edition was transcribed from."""

    title: Text = Field(
        description="Title as printed.", examples=["‘One Minute Guide’ to Child Sexual Exploitation (CSE)"]
    )
    publisher: Text = Field(description="Who issued it.", examples=["Bath & North East Somerset Council"])
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
        description="What this edition changes, in a sentence for readers.",
        examples=["First edition, transcribed word for word from the printed guide."],
    )
    review_by: FullDate | None = Field(
        default=None, description="The day by which it should be reviewed.", examples=[None, "2027-11-24"]
    )
    owner: Text | None = Field(
        default=None,
        description="The team or the post that looks after the guide.",
        examples=[None, "Exploitation Team, Example Council"],
    )
    applies_to: Text | None = Field(
        default=None,
        description="Where or to what the guide applies, in words.",
        examples=[None, "Schools and colleges in Example"],
    )
    source: GuideSource | None = Field(
        default=None, description="The document that it was transcribed from; null if it was never printed."
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
        description="What the guide is about: codes of the list `subject`. A guide with none has the subjects that its "
        "related codes name.",
        examples=[[], ["neglect"]],
    )
    introductions: Introductions = Introductions()


class EditionContent(EditionSections, EditionDetails):
    """The whole content of one edition, from `title` to `contacts`. Its digest is taken over exactly this."""
