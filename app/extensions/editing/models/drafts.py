"""Requests and responses about drafts of guides."""

from typing import Any

from pydantic import Field, JsonValue

from app.models.base import EXAMPLE_DIGEST, MAX_NUMBER, RequestModel, ResponseModel, Slug, UtcDateTime
from app.models.guides.comparison import FieldChange, SectionChanges
from app.models.links import Links, draft_path

DRAFT_EXAMPLE: dict[str, Any] = {
    "title": "‘One Minute Guide’ to an example",
    "publisher": {"name": "Example Council"},
    "indicators": [{"id": "first-example", "text": "Something to consider", "kind": "potential_indicator"}],
}
"""An unfinished draft, without a change note and contacts."""
DRAFTED_GUIDE = Field(description="The guide.", examples=["child-sexual-exploitation"])
DRAFT_VERSION = Field(description="Version of the draft. Increases with every change.", examples=[3])
FOLLOWS = Field(description="Number of the guide's last edition; null if it has none.", examples=[1, None])
DRAFT_LINKS = Field(examples=[{"self": draft_path("child-sexual-exploitation")}])


class DraftResponse(ResponseModel):
    """The draft of a guide. Readable only with the scope for drafts."""

    guide: Slug = DRAFTED_GUIDE
    version: int = DRAFT_VERSION
    content: dict[str, JsonValue] = Field(
        description="The content as sent: the members of an edition, from `title` to `contacts`. May be incomplete or "
        "invalid.",
        examples=[DRAFT_EXAMPLE],
    )
    begun_at: UtcDateTime = Field(description="Creation time of the draft.")
    written_at: UtcDateTime = Field(description="Time of the last change of the content.")
    written_by: str = Field(description="Person who last changed it.", examples=["example-cms/Jo Example"])
    writers: tuple[str, ...] = Field(
        description="Everyone who wrote part of the draft. They can publish it only if another person both changed it "
        "last and submitted it.",
        examples=[["example-cms/Jo Example"]],
    )
    offered_at: UtcDateTime | None = Field(
        description="When it was submitted for publication; null if it was not, or has changed since.", examples=[None]
    )
    offered_by: str | None = Field(description="Person who submitted it.", examples=[None])
    returned_at: UtcDateTime | None = Field(
        description="When it was sent back to its writers; null if it was not, or was submitted again.", examples=[None]
    )
    returned_by: str | None = Field(description="Person who sent it back.", examples=[None])
    publish_at: UtcDateTime | None = Field(
        description="When the service publishes it, if a second person has agreed to that. Any change cancels it.",
        examples=[None],
    )
    agreed_by: str | None = Field(description="Person who agreed to the planned publication.", examples=[None])
    follows: int | None = FOLLOWS
    links: Links = DRAFT_LINKS


class DraftRemark(ResponseModel):
    """An error or warning, in plain language."""

    detail: str = Field(
        description="A sentence that says what is wrong, and where.",
        examples=["The file needs a change note", "Contact 1 ..."],
    )
    pointer: str = Field(
        description="JSON Pointer (RFC 6901) into the draft's content, as a URI fragment.",
        examples=["#/indicators/2/text"],
    )


class DraftCheckResponse(ResponseModel):
    """Errors that prevent publication, and warnings about likely mistakes."""

    guide: Slug = DRAFTED_GUIDE
    version: int = DRAFT_VERSION
    faults: tuple[DraftRemark, ...] = Field(description="Errors to correct before publication. May be empty.")
    warnings: tuple[DraftRemark, ...] = Field(
        description="Likely mistakes that do not prevent publication. Some are found only once there are no errors."
    )
    digest: str | None = Field(
        description="Digest of the resulting edition; null if there are errors.", examples=[EXAMPLE_DIGEST]
    )
    follows: int | None = FOLLOWS
    links: Links = DRAFT_LINKS


class DraftChangesResponse(ResponseModel):
    """Changes of the draft since the guide's current edition."""

    guide: Slug = DRAFTED_GUIDE
    version: int = DRAFT_VERSION
    since: int = Field(description="The number of the current edition.", examples=[1])
    sections: dict[str, SectionChanges] = Field(
        description="Changed sections by key. Absent sections did not change.",
        examples=[{"indicators": {"added": [], "removed": [], "reworded": [], "moved": []}}],
    )
    fields: tuple[FieldChange, ...] = Field(description="Changed fields of the edition itself.")
    not_compared: tuple[str, ...] = Field(
        description="Invalid members of the draft, which cannot be compared.", examples=[["contacts"]]
    )
    links: Links = DRAFT_LINKS


class DraftPublication(RequestModel):
    """The edition that the draft follows."""

    follows: int | None = Field(
        ge=1,
        le=MAX_NUMBER,
        description="Number of the guide's last edition, withdrawn or not; null for a new guide.",
        examples=[1, None],
    )
