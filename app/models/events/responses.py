"""Models of events as they are sent to clients: on request, and to webhooks."""

import datetime as dt
from typing import Annotated, Any

from pydantic import Field as pydantic_Field
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypeAliasType

from app.models.base import (
    EXAMPLE_DIGEST,
    EXAMPLE_RENDITION_DIGEST,
    GuideName,
    ResponseModel,
    UtcDateTime,
    without_default,
)
from app.models.events.rows import EventKind
from app.models.languages import RenditionForm
from app.models.links import (
    CHECKPOINT,
    Links,
    PageLinks,
    desk_concern_path,
    draft_path,
    edition_path,
    rendition_path,
)
from app.models.references import EXAMPLE_REFERENCE

A_REASON = "A telephone number was wrong."
URLS = {"concern": f"https://guidance.example{desk_concern_path(EXAMPLE_REFERENCE)}"}


def _if_there(description: str, example: Any) -> Any:
    """Describe a field that is left out of the JSON if it has no value, and is never null."""
    return pydantic_Field(
        default=None,
        description=description,
        examples=[example],
        json_schema_extra=without_default,
    )


class ConcernEventData(ResponseModel):
    """The concern's reference and times, never its content."""

    reference: str = pydantic_Field(description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
    received_at: UtcDateTime = pydantic_Field(description="Time of storage.")
    acknowledge_by: UtcDateTime = pydantic_Field(
        description="Latest time by which the concern should be acknowledged.", examples=["2026-11-25T09:30:00Z"]
    )
    acknowledged_at: UtcDateTime | SkipJsonSchema[None] = _if_there("Time of acknowledgement.", "2026-11-24T10:00:00Z")
    closed_at: UtcDateTime | SkipJsonSchema[None] = _if_there("Time of closing.", "2026-11-27T10:00:00Z")
    reopened_at: UtcDateTime | SkipJsonSchema[None] = _if_there("Time of the last reopening.", "2026-11-27T11:00:00Z")
    added_at: UtcDateTime | SkipJsonSchema[None] = _if_there(
        "When the reporter last added to the concern.", "2026-11-24T18:00:00Z"
    )
    addition: int | SkipJsonSchema[None] = _if_there("Number of the addition.", 1)
    addition_acknowledge_by: UtcDateTime | SkipJsonSchema[None] = _if_there(
        "Latest time by which the addition should be acknowledged.", "2026-11-25T18:00:00Z"
    )
    message: int | SkipJsonSchema[None] = _if_there("Number of the message.", 1)
    urls: Links | SkipJsonSchema[None] = _if_there("Push only: the links as absolute URLs.", URLS)
    links: Links = pydantic_Field(examples=[{"concern": desk_concern_path(EXAMPLE_REFERENCE)}])


class EditionEventData(ResponseModel):
    """The edition of the event."""

    guide: GuideName
    edition: int = pydantic_Field(description="The edition's number.", examples=[1])
    digest: str | SkipJsonSchema[None] = _if_there("Digest of the published edition.", EXAMPLE_DIGEST)
    reason: str | SkipJsonSchema[None] = _if_there("Reason for the withdrawal, as returned by reads.", A_REASON)
    urls: Links | SkipJsonSchema[None] = _if_there("Push only: the links as absolute URLs.", URLS)
    links: Links = pydantic_Field(examples=[{"edition": edition_path("child-sexual-exploitation", 1)}])


class RenditionEventData(ResponseModel):
    """The rendition of the event, and its edition."""

    guide: GuideName
    language: str = pydantic_Field(description="The rendition's language (BCP 47).", examples=["cy"])
    number: int = pydantic_Field(description="Number among the guide's renditions in this language.", examples=[1])
    form: RenditionForm = pydantic_Field(description="Its form.", examples=["translation"])
    digest: str = pydantic_Field(description="Its digest.", examples=[EXAMPLE_RENDITION_DIGEST])
    edition: int = pydantic_Field(description="Number of its edition.", examples=[1])
    behind: bool = pydantic_Field(description="True if a later edition was current at the time.", examples=[False])
    reason: str | SkipJsonSchema[None] = _if_there("Reason for the withdrawal, as returned by reads.", A_REASON)
    urls: Links | SkipJsonSchema[None] = _if_there("Push only: the links as absolute URLs.", URLS)
    links: Links = pydantic_Field(examples=[{"rendition": rendition_path("child-sexual-exploitation", "cy", 1)}])


class DraftEventData(ResponseModel):
    """The guide of the draft, never its text."""

    guide: GuideName
    language: str | SkipJsonSchema[None] = _if_there("For the draft of a rendition: its language (BCP 47).", "cy")
    urls: Links | SkipJsonSchema[None] = _if_there("Push only: the links as absolute URLs.", URLS)
    links: Links = pydantic_Field(examples=[{"draft": draft_path("child-sexual-exploitation")}])


class CheckpointEventData(ResponseModel):
    """A checkpoint of the audit log. Store it elsewhere, to compare with `guidance verify --checkpoint`."""

    size: int = pydantic_Field(description="Number of audit log entries.", examples=[42])
    root_sha256: str = pydantic_Field(description="Merkle root of all entries (RFC 6962).", examples=["0" * 64])
    checkpoint: str = pydantic_Field(
        description="The signed note (C2SP `tlog-checkpoint`).",
        examples=["guidance.example/disclosures\n42\nMDEyMw==\n\n— guidance.example/disclosures c2ln\n"],
    )
    urls: Links | SkipJsonSchema[None] = _if_there("Push only: the links as absolute URLs.", URLS)
    links: Links = pydantic_Field(examples=[{"checkpoint": CHECKPOINT}])


class PersonFileEventData(ResponseModel):
    """The request for the file of one person, by its number: nothing says who asks or about whom."""

    request: int = pydantic_Field(description="The request's number at the desk.", examples=[3])
    due: dt.date = pydantic_Field(description="The day by which it is due, in London.", examples=["2026-12-24"])
    urls: Links | SkipJsonSchema[None] = _if_there("Push only: the links as absolute URLs.", URLS)
    links: Links = pydantic_Field(examples=[{"page": "/desk/person-file/3"}])


EVENT_DATA: dict[str, type[ResponseModel]] = {
    "concern": ConcernEventData,
    "edition": EditionEventData,
    "rendition": RenditionEventData,
    "draft": DraftEventData,
    "person_file": PersonFileEventData,
    "audit": CheckpointEventData,
}
"""Models by the first word of the kind of event (`concern` in `concern.received`)."""


EventId = TypeAliasType(
    "EventId",
    Annotated[
        str,
        pydantic_Field(
            description="Event id: the same by pull and push, and on every retry.",
            examples=["5f0c1e6b-6c0b-5f7e-8a39-8f6d2f2f4a55"],
        ),
    ],
)


EventTime = TypeAliasType("EventTime", Annotated[UtcDateTime, pydantic_Field(description="Time of the event.")])


class EventResponse(ResponseModel):
    """An event."""

    id: EventId
    type: EventKind = pydantic_Field(description="What happened.", examples=["concern.received"])
    timestamp: EventTime
    data: dict[str, Any] = pydantic_Field(
        description="Reference, times and links, never content of a concern. The members for each type are under "
        "`webhooks` "
        "in this document.",
        examples=[{"reference": EXAMPLE_REFERENCE, "links": {"concern": desk_concern_path(EXAMPLE_REFERENCE)}}],
    )


class EventsResponse(ResponseModel):
    """Events in the order in which they were stored."""

    events: tuple[EventResponse, ...] = pydantic_Field(description="The events; empty if there are none.")
    next_cursor: str = pydantic_Field(
        description="Send as `after` once you have stored these events, to confirm them.", examples=["MQ"]
    )
    links: PageLinks = pydantic_Field(
        description="`self`, and `next`, which confirms these events.",
        examples=[{"self": "/v1/events", "next": "/v1/events?after=MQ"}],
    )
