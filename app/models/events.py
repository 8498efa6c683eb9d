"""Events on the wire: what a client pulls, and what is pushed to a webhook."""

import datetime as dt
from enum import StrEnum
from typing import Any

from pydantic import Field as pydantic_Field
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import JSON, Index, Integer, Text
from sqlmodel import Field, SQLModel

from app.errors import CodeWithMeaning
from app.models.base import (
    EXAMPLE_DIGEST,
    EXAMPLE_RENDITION_DIGEST,
    ResponseModel,
    Slug,
    UtcDateTime,
    UtcDateTimeType,
    without_default,
)
from app.models.languages import RenditionForm
from app.models.links import CHECKPOINT, Links, desk_concern_path, edition_path, rendition_path
from app.models.receipts import EXAMPLE_REFERENCE


class EventKind(CodeWithMeaning):
    """What happened."""

    CONCERN_RECEIVED = "concern.received", "A concern was stored."
    CONCERN_ADDED = "concern.added", "The reporter added to a concern."
    CONCERN_ADDITION_OVERDUE = (
        "concern.addition_overdue",
        "An addition is unacknowledged after its `addition_acknowledge_by`.",
    )
    CONCERN_ADDITION_ACKNOWLEDGED = "concern.addition_acknowledged", "A social worker acknowledged an addition."
    CONCERN_MESSAGE_READ = "concern.message_read", "The reporter read a message from the desk for the first time."
    CONCERN_MESSAGE_ANSWERED = (
        "concern.message_answered",
        "The reporter added to the concern after reading a message from the desk.",
    )
    CONCERN_DUE_SOON = "concern.due_soon", "An unacknowledged concern is close to its `acknowledge_by`."
    CONCERN_ADDITION_DUE_SOON = (
        "concern.addition_due_soon",
        "An unacknowledged addition is close to its `addition_acknowledge_by`.",
    )
    CONCERN_OVERDUE = "concern.overdue", "A concern is unacknowledged after its `acknowledge_by`."
    CONCERN_ACKNOWLEDGED = "concern.acknowledged", "A social worker acknowledged a concern."
    CONCERN_CLOSED = "concern.closed", "A concern was closed with an outcome."
    EDITION_PUBLISHED = "edition.published", "A new edition of a guide was published."
    EDITION_WITHDRAWN = "edition.withdrawn", "An edition was withdrawn."
    RENDITION_PUBLISHED = (
        "rendition.published",
        "A rendition was published: an edition in another language or format.",
    )
    RENDITION_BEHIND = "rendition.behind", "A rendition is behind: its guide has a later edition."
    RENDITION_WITHDRAWN = "rendition.withdrawn", "A rendition was withdrawn."
    AUDIT_CHECKPOINT = "audit.checkpoint", "A checkpoint of the audit log was signed."


class DeliveryState(StrEnum):
    """How far one delivery has come."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    CANCELLED = "cancelled"
    """The address was removed before the event reached it."""


class EventRow(SQLModel, table=True):
    """One event, written in the same transaction as the change that it reports.

    Events are numbered without a gap. `webhooks` names the receivers that it goes to. `sha256` covers all of it,
    and the hash of the event before.
    """

    __tablename__ = "events"

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    kind: str
    at: dt.datetime = Field(sa_type=UtcDateTimeType)
    data: dict[str, Any] = Field(sa_type=JSON)
    webhooks: list[str] = Field(sa_type=JSON)
    sha256: str


EMAIL = "email"
"""The name of the duty team's mailbox among the receivers. It has no address here, since the settings name it."""


class WebhookRow(SQLModel, table=True):
    """A receiver of events: an address, or the duty team's mailbox, which is the one of the name `EMAIL`.

    An address has two secrets while the new one replaces the old, both encrypted.
    """

    __tablename__ = "webhooks"

    name: str = Field(primary_key=True)
    url: str = Field(sa_type=Text)
    kinds: list[str] = Field(sa_type=JSON)
    secrets: list[str] = Field(sa_type=JSON)
    added_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    disabled_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    disabled_because: str | None = None


class DeliveryRow(SQLModel, table=True):
    """One event on its way to one receiver. `message` is the same on every attempt."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_due", "state", "due"),
        Index("ix_deliveries_of_webhook", "webhook", "state", "due"),
    )

    event_id: int = Field(primary_key=True, foreign_key="events.id")
    webhook: str = Field(primary_key=True)
    message: str
    state: str = Field(default=DeliveryState.PENDING.value)
    attempts: int = 0
    due: dt.datetime = Field(sa_type=UtcDateTimeType)
    last_answer: str | None = None


class EventReaderRow(SQLModel, table=True):
    """The last event that a pulling client has confirmed."""

    __tablename__ = "event_readers"

    client: str = Field(primary_key=True)
    confirmed: int


# Events on the wire: what a client pulls, and what is pushed to a webhook.


A_REASON = "A telephone number was wrong."
URLS = {"concern": f"https://guidance.example{desk_concern_path(EXAMPLE_REFERENCE)}"}


def _if_there(description: str, example: Any) -> Any:
    """Declare a member that is absent, and never null, until there is something to say."""
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

    guide: Slug = pydantic_Field(description="The guide.", examples=["child-sexual-exploitation"])
    edition: int = pydantic_Field(description="The edition's number.", examples=[1])
    digest: str | SkipJsonSchema[None] = _if_there("Digest of the published edition.", EXAMPLE_DIGEST)
    reason: str | SkipJsonSchema[None] = _if_there("Reason for the withdrawal, as returned by reads.", A_REASON)
    urls: Links | SkipJsonSchema[None] = _if_there("Push only: the links as absolute URLs.", URLS)
    links: Links = pydantic_Field(examples=[{"edition": edition_path("child-sexual-exploitation", 1)}])


class RenditionEventData(ResponseModel):
    """The rendition of the event, and its edition."""

    guide: Slug = pydantic_Field(description="The guide.", examples=["child-sexual-exploitation"])
    language: str = pydantic_Field(description="The rendition's language (BCP 47).", examples=["cy"])
    number: int = pydantic_Field(description="Number among the guide's renditions in this language.", examples=[1])
    form: RenditionForm = pydantic_Field(description="Its form.", examples=["translation"])
    digest: str = pydantic_Field(description="Its digest.", examples=[EXAMPLE_RENDITION_DIGEST])
    edition: int = pydantic_Field(description="Number of its edition.", examples=[1])
    behind: bool = pydantic_Field(description="True if a later edition was current at the time.", examples=[False])
    reason: str | SkipJsonSchema[None] = _if_there("Reason for the withdrawal, as returned by reads.", A_REASON)
    urls: Links | SkipJsonSchema[None] = _if_there("Push only: the links as absolute URLs.", URLS)
    links: Links = pydantic_Field(examples=[{"rendition": rendition_path("child-sexual-exploitation", "cy", 1)}])


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


EVENT_DATA: dict[str, type[ResponseModel]] = {
    "concern": ConcernEventData,
    "edition": EditionEventData,
    "rendition": RenditionEventData,
    "audit": CheckpointEventData,
}
"""The data of an event, by the first word of its kind."""


class EventResponse(ResponseModel):
    """An event."""

    id: str = pydantic_Field(
        description="Event id: the same by pull and push, and on every retry.",
        examples=["5f0c1e6b-6c0b-5f7e-8a39-8f6d2f2f4a55"],
    )
    type: EventKind = pydantic_Field(description="What happened.", examples=["concern.received"])
    timestamp: UtcDateTime = pydantic_Field(description="When.")
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
