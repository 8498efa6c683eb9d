"""The record of who read or changed which concern: rows in chains, each bound to the row before it by a hash."""

import datetime as dt
from enum import StrEnum

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTimeType

INBOX = "inbox"
AUDIT = "audit"
EVENTS = "events"


class DeskAct(StrEnum):
    """What was done."""

    LISTED = "listed"
    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    HELD = "held"
    RELEASED = "released"
    ERASED = "erased"
    RESEALED = "resealed"
    DISCLOSURES_READ = "disclosures_read"
    STATEMENT_SIGNED = "statement_signed"
    SUMMARY_READ = "summary_read"
    EVENTS_READ = "events_read"


class DisclosureRow(SQLModel, table=True):
    """One act: who, what, when, from where. `sha256` covers the row and the hash of the row before it."""

    __tablename__ = "disclosures"
    __table_args__ = (Index("ix_disclosures_time", "at", "chain", "number"),)

    chain: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    at: dt.datetime = Field(sa_type=UtcDateTimeType)
    client: str
    act: str
    address: str
    detail: str = Field(sa_type=Text)
    previous_sha256: str
    sha256: str


class ChainRow(SQLModel, table=True):
    """The end of one chain, which is named by a concern's reference, or `inbox`, `audit` or `events` for other acts."""

    __tablename__ = "chains"

    name: str = Field(primary_key=True)
    length: int
    head_sha256: str
