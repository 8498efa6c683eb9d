"""Requests and responses about drafts of guides."""

from typing import Any

from pydantic import Field, JsonValue

from app.models.base import MAX_NUMBER, RequestModel, ResponseModel, Slug, UtcDateTime
from app.models.comparison import FieldChange, SectionChanges
from app.models.guides import DIGEST
from app.models.links import Links, draft_path

DRAFT_EXAMPLE: dict[str, Any] = {
    "title": "‘One Minute Guide’ to an example",
    "publisher": {"name": "Example Council"},
    "indicators": [{"id": "first-example", "text": "Something to consider", "kind": "potential_indicator"}],
}
"""A draft that is not finished: it has neither a change note nor contacts."""
DRAFTED_GUIDE = Field(description="The guide.", examples=["child-sexual-exploitation"])
DRAFT_VERSION = Field(description="The version of the draft. It grows with every change of its words.", examples=[3])
FOLLOWS = Field(
    description="The number of the guide's last edition; null for a guide that has none.", examples=[1, None]
)
DRAFT_LINKS = Field(examples=[{"self": draft_path("child-sexual-exploitation")}])


class DraftResponse(ResponseModel):
    """A guide that is being written. Nobody sees it without the scope for it."""

    guide: Slug = DRAFTED_GUIDE
    version: int = DRAFT_VERSION
    content: dict[str, JsonValue] = Field(
        description="What was saved, as it was sent: the members of an edition, from `title` to `contacts`. It may be "
        "incomplete, and have faults.",
        examples=[DRAFT_EXAMPLE],
    )
    begun_at: UtcDateTime = Field(description="When it was saved first.")
    written_at: UtcDateTime = Field(description="When its words were last changed.")
    written_by: str = Field(description="Who changed them last.", examples=["example-cms/Jo Example"])
    writers: tuple[str, ...] = Field(
        description="Everybody who wrote words of it. None of them can publish it.",
        examples=[["example-cms/Jo Example"]],
    )
    offered_at: UtcDateTime | None = Field(
        description="When it was offered for publication; null if it was not, or was changed since.", examples=[None]
    )
    offered_by: str | None = Field(description="Who offered it.", examples=[None])
    follows: int | None = FOLLOWS
    links: Links = DRAFT_LINKS


class DraftRemark(ResponseModel):
    """A fault or a warning, in an editor's words."""

    detail: str = Field(
        description="A sentence that names the place.", examples=["The file needs a change note", "Contact 1 ..."]
    )
    pointer: str = Field(
        description="Where it is: a JSON Pointer (RFC 6901) into the draft's content, as a URI fragment.",
        examples=["#/indicators/2/text"],
    )


class DraftCheckResponse(ResponseModel):
    """Everything that keeps the draft from being published, and what is rarely meant."""

    guide: Slug = DRAFTED_GUIDE
    version: int = DRAFT_VERSION
    faults: tuple[DraftRemark, ...] = Field(description="What must be corrected before it is published; may be empty.")
    warnings: tuple[DraftRemark, ...] = Field(
        description="What may be published as it is, and is rarely meant. Some are found only where no fault is left."
    )
    digest: str | None = Field(
        description="The digest that the edition would have; null where there are faults.", examples=[DIGEST]
    )
    follows: int | None = FOLLOWS
    links: Links = DRAFT_LINKS


class DraftChangesResponse(ResponseModel):
    """What the draft changes against the guide's current edition."""

    guide: Slug = DRAFTED_GUIDE
    version: int = DRAFT_VERSION
    since: int = Field(description="The number of the current edition.", examples=[1])
    sections: dict[str, SectionChanges] = Field(
        description="Each section that changed, by its key; a section that is absent did not change.",
        examples=[{"indicators": {"added": [], "removed": [], "reworded": [], "moved": []}}],
    )
    fields: tuple[FieldChange, ...] = Field(description="Fields of the edition itself that changed.")
    not_compared: tuple[str, ...] = Field(
        description="Members of the draft that have faults, so that they cannot be compared.", examples=[["contacts"]]
    )
    links: Links = DRAFT_LINKS


class DraftPublication(RequestModel):
    """What the draft follows."""

    follows: int | None = Field(
        ge=1,
        le=MAX_NUMBER,
        description="The number of the guide's last edition, withdrawn or not. Null says that the guide is new.",
        examples=[1, None],
    )
