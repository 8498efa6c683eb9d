"""An edition: an example, its content, the JSON Schema of its file, and the tables of guidance."""

import datetime as dt
import json
from enum import StrEnum
from typing import Annotated, Any

import sqlalchemy
import sqlmodel
from pydantic import ConfigDict, Field, StringConstraints
from pydantic.json_schema import GenerateJsonSchema
from sqlalchemy import JSON, ForeignKeyConstraint, UniqueConstraint

from app.models.base import MAX_ITEMS, FromCodeList, FullDate, GssCode, RequestModel, Text, UtcDateTimeType
from app.models.code_lists import MAX_CODE_LENGTH, SUBJECTS
from app.models.items import RelatedCode, linked_to
from app.models.sections import EditionSections, Introductions

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


Subject = Annotated[str, FromCodeList(SUBJECTS), StringConstraints(max_length=MAX_CODE_LENGTH)]


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
    """The complete content of an edition, from `title` to `contacts`. The digest covers exactly these members."""


SCHEMA_FILE = "guide.schema.json"
SCHEMA_LINE = f"# yaml-language-server: $schema=../{SCHEMA_FILE}"
"""The first line of a file: where an editor's program finds the schema, beside the folder of the guide."""
LEFT_OUT = "position"
"""The key that a file may leave out, since items are in their order."""


def edition_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the file."""
    schema = EditionContent.model_json_schema(mode="validation")
    for each in schema["$defs"].values():
        if LEFT_OUT in each.get("required", ()):
            each["required"].remove(LEFT_OUT)
    about = {"$schema": GenerateJsonSchema.schema_dialect, "title": "The file of a guide's edition"}
    return about | {key: value for key, value in schema.items() if key != "title"}


def edition_schema_json() -> str:
    """Return the schema as the text of a file."""
    return json.dumps(edition_schema(), ensure_ascii=False, indent=2) + "\n"


OWN_WORDS = ""
"""In place of a language: the guide's own words, which are the edition itself."""


class EditionRow(sqlmodel.SQLModel, table=True):
    """One edition, the whole guide as published at one time; or a rendition of it in another language or form.

    Editions are numbered 1, 2, 3 for each guide, renditions for each guide and language. `edition` is the number of the
    edition that a rendition is of; of an edition, its own. `details` and `words` together are the content.
    """

    __tablename__ = "editions"

    guide: str = sqlmodel.Field(primary_key=True)
    language: str = sqlmodel.Field(primary_key=True)
    number: int = sqlmodel.Field(primary_key=True)
    edition: int
    published_at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    digest: str
    details: dict[str, Any] = sqlmodel.Field(sa_type=JSON)
    words: dict[str, Any] = sqlmodel.Field(sa_type=JSON)


class WithdrawalRow(sqlmodel.SQLModel, table=True):
    """The withdrawal of an edition or of a rendition, whose own row does not change."""

    __tablename__ = "withdrawals"
    __table_args__ = (
        ForeignKeyConstraint(
            ["guide", "language", "number"], ["editions.guide", "editions.language", "editions.number"]
        ),
    )

    guide: str = sqlmodel.Field(primary_key=True)
    language: str = sqlmodel.Field(primary_key=True)
    number: int = sqlmodel.Field(primary_key=True)
    withdrawn_at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    reason: str = sqlmodel.Field(sa_type=sqlalchemy.Text)


class GenerationRow(sqlmodel.SQLModel, table=True):
    """One number that the database raises whenever something is published or withdrawn."""

    __tablename__ = "generation"

    id: int = sqlmodel.Field(primary_key=True)
    number: int


class CatalogueRow(sqlmodel.SQLModel, table=True):
    """The place of an item of a guide's current edition, and the words by which it is found.

    The rows are derived from the editions. Those of a guide are rebuilt whenever it has an edition published or
    withdrawn.
    """

    __tablename__ = "catalogue"
    __table_args__ = (UniqueConstraint("part", "guide", "position"),)

    id: int | None = sqlmodel.Field(default=None, primary_key=True)
    guide: str = sqlmodel.Field(index=True)
    edition: int
    part: str
    item_id: str
    position: int
    codes: str = sqlmodel.Field(default="", sa_type=sqlalchemy.Text)
    words: str = sqlmodel.Field(sa_type=sqlalchemy.Text)


class GuideDraftAct(StrEnum):
    """What was done with the draft of a guide."""

    WRITTEN = "written"
    OFFERED = "offered"
    DISCARDED = "discarded"
    PUBLISHED = "published"


class GuideDraftRow(sqlmodel.SQLModel, table=True):
    """The draft of a guide as it was saved last. `version` is the number of the act that saved it."""

    __tablename__ = "guide_drafts"

    guide: str = sqlmodel.Field(primary_key=True)
    version: int
    content: str = sqlmodel.Field(sa_type=sqlalchemy.Text)
    begun_at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    written_at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    written_by: str
    offered_at: dt.datetime | None = sqlmodel.Field(default=None, sa_type=UtcDateTimeType)
    offered_by: str | None = None

    def read(self) -> dict[str, Any]:
        """Return the content, which may have faults."""
        content: dict[str, Any] = json.loads(self.content)
        return content


class GuideDraftActRow(sqlmodel.SQLModel, table=True):
    """One act on the draft of a guide. The numbers of a guide's acts are never used again."""

    __tablename__ = "guide_draft_acts"

    guide: str = sqlmodel.Field(primary_key=True)
    number: int = sqlmodel.Field(primary_key=True)
    act: str
    by: str
    at: dt.datetime = sqlmodel.Field(sa_type=UtcDateTimeType)
    digest: str
    """The SHA-256 of the content as it was then."""
