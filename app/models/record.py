"""The record of who read or changed which concern: rows in chains, each bound to the row before it by a hash."""

import datetime as dt
from enum import StrEnum

from sqlalchemy import JSON, Integer, Text
from sqlmodel import Field, SQLModel

from app.models.base import UtcDateTimeType

INBOX = "inbox"
AUDIT = "audit"
EVENTS = "events"
PEOPLE = "people"
WITHOUT_A_CONCERN = (INBOX, AUDIT, EVENTS, PEOPLE)
"""The chains that are not of one concern."""


class DeskAct(StrEnum):
    """What was done."""

    RECEIVED = "received"
    ADDED = "added"
    LISTED = "listed"
    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    HELD = "held"
    RELEASED = "released"
    ERASED = "erased"
    RESEALED = "resealed"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    ASSIGNMENT_REFUSED = "assignment_refused"
    """Somebody had assigned the concern to another person since this one looked; nothing changed."""
    WITHHELD = "withheld"
    """Something had happened since this person looked; what they wanted was shown to them again, and not done."""
    NOTED = "noted"
    DISCLOSURES_READ = "disclosures_read"
    STATEMENT_SIGNED = "statement_signed"
    CHECKPOINT_SIGNED = "checkpoint_signed"
    SUMMARY_READ = "summary_read"
    EVENTS_READ = "events_read"
    MESSAGE_SENT = "message_sent"
    MESSAGE_READ = "message_read"
    HANDED_OVER = "handed_over"
    HAND_OVER_CONFIRMED = "hand_over_confirmed"
    EXPORTED = "exported"
    INVITED = "invited"
    PASSKEY_ADDED = "passkey_added"
    ROLE_CHANGED = "role_changed"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    LEFT = "left"


class DisclosureRow(SQLModel, table=True):
    """One act: who, what, when, from where. `sha256` covers the row, and the hash of the row before it in its chain.

    `position` is the row's place among all acts: 1, 2, 3 without a gap. It is not hashed. The hashes in this order are
    the leaves of the Merkle tree (RFC 6962) that checkpoints sign.
    """

    __tablename__ = "disclosures"

    chain: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    at: dt.datetime = Field(sa_type=UtcDateTimeType)
    client: str
    act: str
    address: str
    detail: str = Field(sa_type=Text)
    previous_sha256: str
    sha256: str
    position: int | None = Field(default=None, unique=True, nullable=False)


class ChainRow(SQLModel, table=True):
    """The end of one chain, which is named by a concern's reference, or by one of `WITHOUT_A_CONCERN`."""

    __tablename__ = "chains"

    name: str = Field(primary_key=True)
    length: int
    head_sha256: str


class CheckpointRow(SQLModel, table=True):
    """A signed statement of how many disclosures there were, and of their Merkle root. It is sent elsewhere too.

    `frontier` has the roots of the complete subtrees, so that the next checkpoint reads only what came since.
    """

    __tablename__ = "checkpoints"

    number: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    at: dt.datetime = Field(sa_type=UtcDateTimeType)
    size: int
    root_sha256: str
    frontier: list[str] = Field(sa_type=JSON)
    note: str = Field(sa_type=Text)


# What is left of a text in the files of the database after its row has lost it.


class Remnants(StrEnum):
    """Whether the bytes of an erased or resealed text are gone from the files of the database.

    `none`: SQLite has overwritten its pages and emptied its log. `pending`: somebody reads the database and so holds
    its log; this service tries again until it is empty. `left_to_postgresql`: the space is free, and PostgreSQL
    overwrites it when it uses it again; its own log (WAL) has the text until its retention ends.
    """

    NONE = "none"
    PENDING = "pending"
    LEFT_TO_POSTGRESQL = "left_to_postgresql"
