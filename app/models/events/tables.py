"""The outbox: events for other systems, by push and by pull. It never holds any text of a concern."""

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, Integer, Text
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTimeType


class EventKind(StrEnum):
    """What happened."""

    CONCERN_RECEIVED = "concern.received"
    CONCERN_ADDED = "concern.added"
    CONCERN_ADDITION_OVERDUE = "concern.addition_overdue"
    CONCERN_ADDITION_ACKNOWLEDGED = "concern.addition_acknowledged"
    CONCERN_MESSAGE_READ = "concern.message_read"
    CONCERN_MESSAGE_ANSWERED = "concern.message_answered"
    CONCERN_DUE_SOON = "concern.due_soon"
    CONCERN_ADDITION_DUE_SOON = "concern.addition_due_soon"
    CONCERN_OVERDUE = "concern.overdue"
    CONCERN_ACKNOWLEDGED = "concern.acknowledged"
    CONCERN_CLOSED = "concern.closed"
    EDITION_PUBLISHED = "edition.published"
    EDITION_WITHDRAWN = "edition.withdrawn"
    RENDITION_PUBLISHED = "rendition.published"
    RENDITION_BEHIND = "rendition.behind"
    RENDITION_WITHDRAWN = "rendition.withdrawn"
    AUDIT_CHECKPOINT = "audit.checkpoint"


class DeliveryState(StrEnum):
    """How far one delivery has come."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    CANCELLED = "cancelled"
    """The address was removed before the event reached it."""


class EventRow(SQLModel, table=True):
    """One event, written in the same transaction as the change that it reports."""

    __tablename__ = "events"

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    kind: str
    at: dt.datetime = Field(sa_type=UtcDateTimeType)
    data: dict[str, Any] = Field(sa_type=JSON)


class WebhookRow(SQLModel, table=True):
    """An address that events are pushed to. It has two secrets while the new one replaces the old, both encrypted."""

    __tablename__ = "webhooks"

    name: str = Field(primary_key=True)
    url: str = Field(sa_type=Text)
    kinds: list[str] = Field(sa_type=JSON)
    secrets: list[str] = Field(sa_type=JSON)
    added_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    disabled_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    disabled_because: str | None = None


class DeliveryRow(SQLModel, table=True):
    """One event on its way to one address. `message` is the same on every attempt."""

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


class EmailStateRow(SQLModel, table=True):
    """How far the duty team got emails about events: one row. `due` is when the next email may be tried."""

    __tablename__ = "email_state"

    id: int = Field(primary_key=True, sa_type=Integer)
    sent_up_to: int
    attempts: int = 0
    due: dt.datetime = Field(sa_type=UtcDateTimeType)


class EventReaderRow(SQLModel, table=True):
    """The last event that a pulling client has confirmed."""

    __tablename__ = "event_readers"

    client: str = Field(primary_key=True)
    confirmed: int
