"""Tables of events, webhooks and deliveries."""

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, Integer, Text
from sqlmodel import Field, SQLModel

from app.errors import CodeWithMeaning
from app.models.base import UtcDateTimeType

EMAIL = "email"
"""The duty team's mailbox, whose address is a setting."""
EDITORS_EMAIL = "email-editors"
MAILBOXES = frozenset({EMAIL, EDITORS_EMAIL})


class EventKind(CodeWithMeaning):
    """The type of an event."""

    CONCERN_RECEIVED = "concern.received", "A concern was stored."
    CONCERN_ADDED = "concern.added", "The reporter added to a concern, or a worker wrote down more."
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
    CONCERN_REOPENED = "concern.reopened", "A closed concern was reopened. Its outcome was taken back."
    EDITION_PUBLISHED = "edition.published", "A new edition of a guide was published."
    EDITION_WITHDRAWN = "edition.withdrawn", "An edition was withdrawn."
    RENDITION_PUBLISHED = (
        "rendition.published",
        "A rendition was published: an edition in another language or format.",
    )
    RENDITION_BEHIND = "rendition.behind", "A rendition is behind: its guide has a later edition."
    RENDITION_WITHDRAWN = "rendition.withdrawn", "A rendition was withdrawn."
    DRAFT_OFFERED = "draft.offered", "A draft was submitted for a second person to read and publish."
    DRAFT_RETURNED = "draft.returned", "A draft was sent back to those who wrote it."
    PERSON_FILE_DUE = (
        "person_file.due",
        "A request for the file of one person is due within a week or overdue. Told once a day.",
    )
    AUDIT_CHECKPOINT = "audit.checkpoint", "A checkpoint of the audit log was signed."


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """The last attempt failed, or the receiver responded with 410 (Gone)."""
    CANCELLED = "cancelled"
    """The webhook was removed, or the concern restricted, before it was delivered."""


class EventRow(SQLModel, table=True):
    """An event, written in the transaction of the change that it reports. Events are numbered without a gap.

    `webhooks` are its receivers. `sha256` covers the event and the hash of the one before it.
    """

    __tablename__ = "events"

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    kind: str
    at: dt.datetime = Field(sa_type=UtcDateTimeType)
    data: dict[str, Any] = Field(sa_type=JSON)
    webhooks: list[str] = Field(sa_type=JSON)
    sha256: str


class WebhookRow(SQLModel, table=True):
    """A webhook: a URL or one of the `MAILBOXES`. While a new secret replaces an old one, it has both, encrypted."""

    __tablename__ = "webhooks"

    name: str = Field(primary_key=True)
    url: str = Field(sa_type=Text)
    kinds: list[str] = Field(sa_type=JSON)
    secrets: list[str] = Field(sa_type=JSON)
    added_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    disabled_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    disabled_because: str | None = None


class DeliveryRow(SQLModel, table=True):
    """A delivery. `message` is the id of its message, the same on every attempt."""

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
    """The last event that a client has confirmed."""

    __tablename__ = "event_readers"

    client: str = Field(primary_key=True)
    confirmed: int
