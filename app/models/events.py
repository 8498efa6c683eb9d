"""Events on the wire: what a client pulls, and what is pushed to a webhook."""

import datetime as dt
from enum import StrEnum
from typing import Any

from pydantic import Field as pydantic_Field
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import JSON, Index, Integer, Text
from sqlmodel import Field, SQLModel

from app.errors import CodeWithMeaning
from app.models.base import ResponseModel, Slug, UtcDateTime, UtcDateTimeType, without_default
from app.models.guides import DIGEST
from app.models.links import CHECKPOINT, Links, desk_concern_path, edition_path, rendition_path
from app.models.receipts import EXAMPLE_REFERENCE
from app.models.renditions import A_DIGEST, RenditionForm


class EventKind(CodeWithMeaning):
    """What happened."""

    CONCERN_RECEIVED = "concern.received", "A concern is stored."
    CONCERN_ADDED = "concern.added", "The reporter added something to a concern."
    CONCERN_ADDITION_OVERDUE = (
        "concern.addition_overdue",
        "Nobody acknowledged an addition by its `addition_acknowledge_by`.",
    )
    CONCERN_ADDITION_ACKNOWLEDGED = "concern.addition_acknowledged", "A social worker has seen an addition."
    CONCERN_MESSAGE_READ = "concern.message_read", "The reporter read a message of the desk for the first time."
    CONCERN_MESSAGE_ANSWERED = (
        "concern.message_answered",
        "The reporter added something after reading a message of the desk.",
    )
    CONCERN_DUE_SOON = "concern.due_soon", "The `acknowledge_by` of a concern that waits is near."
    CONCERN_ADDITION_DUE_SOON = (
        "concern.addition_due_soon",
        "The `addition_acknowledge_by` of an addition that waits is near.",
    )
    CONCERN_OVERDUE = "concern.overdue", "Nobody acknowledged a concern by its `acknowledge_by`."
    CONCERN_ACKNOWLEDGED = "concern.acknowledged", "A social worker has seen a concern."
    CONCERN_CLOSED = "concern.closed", "A concern has an outcome."
    EDITION_PUBLISHED = "edition.published", "A guide has a new edition."
    EDITION_WITHDRAWN = "edition.withdrawn", "An edition is withdrawn."
    RENDITION_PUBLISHED = (
        "rendition.published",
        "An edition has a new rendition: it can be read in another language or form.",
    )
    RENDITION_BEHIND = "rendition.behind", "The guide has a later edition than the one that a rendition is of."
    RENDITION_WITHDRAWN = "rendition.withdrawn", "A rendition is withdrawn."
    AUDIT_CHECKPOINT = "audit.checkpoint", "The end of the record of disclosures is signed."


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
    """Which concern it is, and its times; never a word of it."""

    reference: str = pydantic_Field(description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
    received_at: UtcDateTime = pydantic_Field(description="When it was stored.")
    acknowledge_by: UtcDateTime = pydantic_Field(
        description="When its reporter may expect an acknowledgement at the latest.", examples=["2026-11-25T09:30:00Z"]
    )
    acknowledged_at: UtcDateTime | SkipJsonSchema[None] = _if_there("When it was acknowledged.", "2026-11-24T10:00:00Z")
    closed_at: UtcDateTime | SkipJsonSchema[None] = _if_there("When it was closed.", "2026-11-27T10:00:00Z")
    added_at: UtcDateTime | SkipJsonSchema[None] = _if_there("When its reporter last added.", "2026-11-24T18:00:00Z")
    addition: int | SkipJsonSchema[None] = _if_there("The number of the addition that the event is about.", 1)
    addition_acknowledge_by: UtcDateTime | SkipJsonSchema[None] = _if_there(
        "When its reporter may expect an acknowledgement of the addition.", "2026-11-25T18:00:00Z"
    )
    message: int | SkipJsonSchema[None] = _if_there("The number of the message that the event is about.", 1)
    urls: Links | SkipJsonSchema[None] = _if_there("By push alone: the links as whole addresses.", URLS)
    links: Links = pydantic_Field(examples=[{"concern": desk_concern_path(EXAMPLE_REFERENCE)}])


class EditionEventData(ResponseModel):
    """Which edition it is."""

    guide: Slug = pydantic_Field(description="The guide.", examples=["child-sexual-exploitation"])
    edition: int = pydantic_Field(description="The edition's number.", examples=[1])
    digest: str | SkipJsonSchema[None] = _if_there("The digest of an edition that was published.", DIGEST)
    reason: str | SkipJsonSchema[None] = _if_there("Why it was withdrawn, as every read of it says.", A_REASON)
    urls: Links | SkipJsonSchema[None] = _if_there("By push alone: the links as whole addresses.", URLS)
    links: Links = pydantic_Field(examples=[{"edition": edition_path("child-sexual-exploitation", 1)}])


class RenditionEventData(ResponseModel):
    """Which rendition it is, and the edition that it is of."""

    guide: Slug = pydantic_Field(description="The guide.", examples=["child-sexual-exploitation"])
    language: str = pydantic_Field(description="The rendition's language (BCP 47).", examples=["cy"])
    number: int = pydantic_Field(description="Its number, among those of the guide in this language.", examples=[1])
    form: RenditionForm = pydantic_Field(description="Its form.", examples=["translation"])
    digest: str = pydantic_Field(description="Its digest.", examples=[A_DIGEST])
    edition: int = pydantic_Field(description="The number of the edition that it is of.", examples=[1])
    behind: bool = pydantic_Field(description="True if another edition was current at the time.", examples=[False])
    reason: str | SkipJsonSchema[None] = _if_there("Why it was withdrawn, as every read of it says.", A_REASON)
    urls: Links | SkipJsonSchema[None] = _if_there("By push alone: the links as whole addresses.", URLS)
    links: Links = pydantic_Field(examples=[{"rendition": rendition_path("child-sexual-exploitation", "cy", 1)}])


class CheckpointEventData(ResponseModel):
    """Where the record of disclosures ended. Store it elsewhere: `guidance verify --checkpoint` compares."""

    size: int = pydantic_Field(description="How many disclosures there were.", examples=[42])
    root_sha256: str = pydantic_Field(description="The root of the tree over all of them.", examples=["0" * 64])
    checkpoint: str = pydantic_Field(
        description="The signed note (C2SP `tlog-checkpoint`).",
        examples=["guidance.example/disclosures\n42\nMDEyMw==\n\n— guidance.example/disclosures c2ln\n"],
    )
    urls: Links | SkipJsonSchema[None] = _if_there("By push alone: the links as whole addresses.", URLS)
    links: Links = pydantic_Field(examples=[{"checkpoint": CHECKPOINT}])


EVENT_DATA: dict[str, type[ResponseModel]] = {
    "concern": ConcernEventData,
    "edition": EditionEventData,
    "rendition": RenditionEventData,
    "audit": CheckpointEventData,
}
"""The data of an event, by the first word of its kind."""


class EventResponse(ResponseModel):
    """One thing that happened."""

    id: str = pydantic_Field(
        description="The event's own id: the same by pull and by push, and on every repetition.",
        examples=["5f0c1e6b-6c0b-5f7e-8a39-8f6d2f2f4a55"],
    )
    type: EventKind = pydantic_Field(description="What happened.", examples=["concern.received"])
    timestamp: UtcDateTime = pydantic_Field(description="When.")
    data: dict[str, Any] = pydantic_Field(
        description="Reference, times and links; never a word of a concern. The document's `webhooks` give the members "
        "by type.",
        examples=[{"reference": EXAMPLE_REFERENCE, "links": {"concern": desk_concern_path(EXAMPLE_REFERENCE)}}],
    )


class EventsResponse(ResponseModel):
    """What happened since, in the order in which it was kept."""

    events: tuple[EventResponse, ...] = pydantic_Field(description="The events; empty where nothing new has happened.")
    next_cursor: str = pydantic_Field(
        description="Send it as `after` once these events are safe with you: that confirms them.", examples=["MQ"]
    )
