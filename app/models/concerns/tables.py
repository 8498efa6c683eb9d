"""The tables that hold concerns. Only the fields for routing are in clear text; the concern itself is sealed."""

import datetime as dt
from enum import StrEnum

from sqlalchemy import JSON, Column, Computed, ForeignKeyConstraint, Index, Integer, LargeBinary
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTimeType


class ConcernState(StrEnum):
    """How far the duty team has come."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


DANGER_RANK = "CASE immediate_danger WHEN 'yes' THEN 0 WHEN 'not_sure' THEN 1 ELSE 2 END"
WAITING_RANK = "CASE state WHEN 'received' THEN 0 ELSE 1 END"


class ConcernRow(SQLModel, table=True):
    """One concern, sealed to the duty team's public keys before it is stored.

    The database computes `waiting` and `danger`, by which the inbox is ordered. `sealed` is null after erasure; the
    row remains for statistics.
    """

    __tablename__ = "concerns"
    __table_args__ = (
        ForeignKeyConstraint(["guide", "edition"], ["editions.guide", "editions.number"]),
        Index("ix_concerns_urgency", "waiting", "danger", "acknowledge_by", "reference"),
        Index("ix_concerns_state_urgency", "state", "danger", "acknowledge_by", "reference"),
        Index("ix_concerns_received", "received_at", "reference"),
    )

    reference: str = Field(primary_key=True)
    received_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    acknowledge_by: dt.datetime = Field(sa_type=UtcDateTimeType)
    state: str = Field(default=ConcernState.RECEIVED.value)
    immediate_danger: str
    guide: str
    edition: int
    referral_source: str | None = None
    form_version: int
    recipients: list[str] = Field(sa_type=JSON)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    status_token_sha256: bytes = Field(sa_type=LargeBinary)
    acknowledged_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    closed_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    outcome: str | None = None
    outcome_shared: bool = False
    added_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    overdue_told: bool = False
    held: bool = False
    erased_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTimeType)
    waiting: int | None = Field(default=None, sa_column=Column(Integer, Computed(WAITING_RANK, persisted=True)))
    danger: int | None = Field(default=None, sa_column=Column(Integer, Computed(DANGER_RANK, persisted=True)))


class AdditionRow(SQLModel, table=True):
    """An addition to a concern, sealed like the concern itself and numbered in the order of arrival."""

    __tablename__ = "additions"

    reference: str = Field(primary_key=True, foreign_key="concerns.reference")
    number: int = Field(primary_key=True)
    received_at: dt.datetime = Field(sa_type=UtcDateTimeType)
    recipients: list[str] = Field(sa_type=JSON)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)


class StoredReceiptRow(SQLModel, table=True):
    """The receipt of a request with an idempotency key, for a retry. Only the holder of the key can read it."""

    __tablename__ = "kept_receipts"

    key_sha256: bytes = Field(primary_key=True, sa_type=LargeBinary)
    payload_mac: bytes = Field(sa_type=LargeBinary)
    reference: str = Field(foreign_key="concerns.reference", index=True)
    sealed_receipt: bytes = Field(sa_type=LargeBinary)
