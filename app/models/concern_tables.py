"""The tables that hold concerns. In clear stands only what routing needs; the concern itself is sealed."""

import datetime as dt
from enum import StrEnum

from sqlalchemy import JSON, ForeignKeyConstraint, LargeBinary
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTime


class ConcernState(StrEnum):
    """How far the duty team has come."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class ConcernRow(SQLModel, table=True):
    """One concern: sealed to the duty team's public keys before it comes here."""

    __tablename__ = "concerns"
    __table_args__ = (ForeignKeyConstraint(["guide", "edition"], ["editions.guide", "editions.number"]),)

    reference: str = Field(primary_key=True)
    received_at: dt.datetime = Field(sa_type=UtcDateTime, index=True)
    acknowledge_by: dt.datetime = Field(sa_type=UtcDateTime)
    state: str = Field(default=ConcernState.RECEIVED.value)
    immediate_danger: str
    guide: str
    edition: int
    referral_source: str | None = None
    form_version: int
    recipients: list[str] = Field(sa_type=JSON)
    sealed: bytes = Field(sa_type=LargeBinary)
    status_token_sha256: bytes = Field(sa_type=LargeBinary)


class KeptReceiptRow(SQLModel, table=True):
    """The receipt that a retry gets again. It can be read only by whoever holds the idempotency key."""

    __tablename__ = "kept_receipts"

    key_sha256: bytes = Field(primary_key=True, sa_type=LargeBinary)
    payload_mac: bytes = Field(sa_type=LargeBinary)
    reference: str = Field(foreign_key="concerns.reference", index=True)
    sealed_receipt: bytes = Field(sa_type=LargeBinary)
