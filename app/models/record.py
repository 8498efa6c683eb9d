"""The record of who read or changed which concern: rows in chains, each bound to the row before it by a hash."""

import datetime as dt
from enum import StrEnum

from pydantic import Field
from sqlalchemy import JSON, Integer, Text
from sqlmodel import Field as TableField
from sqlmodel import SQLModel

from app.models.base import ResponseModel, UtcDateTime, UtcDateTimeType
from app.models.receipts import EXAMPLE_REFERENCE

INBOX = "inbox"
AUDIT = "audit"
EVENTS = "events"
PEOPLE = "people"
WEBHOOKS = "webhooks"
OUTBOX = "outbox"
"""The chain of the events themselves: its rows are in their own table, and a checkpoint names its end."""
WITHOUT_A_CONCERN = (INBOX, AUDIT, EVENTS, PEOPLE, WEBHOOKS, OUTBOX)
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
    EVENTS_CONFIRMED = "events_confirmed"
    WEBHOOK_CHANGED = "webhook_changed"
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
    CLIENT_ADDED = "client_added"
    KEY_ADDED = "key_added"
    CLIENT_REVOKED = "client_revoked"


class DisclosureRow(SQLModel, table=True):
    """One act: who, what, when, from where. `sha256` covers the row, and the hash of the row before it in its chain.

    `position` is the row's place among all acts: 1, 2, 3 without a gap. It is not hashed. The hashes in this order are
    the leaves of the Merkle tree (RFC 6962) that checkpoints sign.
    """

    __tablename__ = "disclosures"

    chain: str = TableField(primary_key=True)
    number: int = TableField(primary_key=True)
    at: dt.datetime = TableField(sa_type=UtcDateTimeType)
    client: str
    act: str
    address: str
    detail: str = TableField(sa_type=Text)
    previous_sha256: str
    sha256: str
    position: int | None = TableField(default=None, unique=True, nullable=False)


class ChainRow(SQLModel, table=True):
    """The end of one chain, which is named by a concern's reference, or by one of `WITHOUT_A_CONCERN`."""

    __tablename__ = "chains"

    name: str = TableField(primary_key=True)
    length: int
    head_sha256: str


class CheckpointRow(SQLModel, table=True):
    """A signed statement of how many disclosures there were, and of their Merkle root. It is sent elsewhere too.

    `frontier` has the roots of the complete subtrees, so that the next checkpoint reads only what came since.
    """

    __tablename__ = "checkpoints"

    number: int | None = TableField(default=None, primary_key=True, sa_type=Integer)
    at: dt.datetime = TableField(sa_type=UtcDateTimeType)
    size: int
    root_sha256: str
    frontier: list[str] = TableField(sa_type=JSON)
    note: str = TableField(sa_type=Text)


class KnownTimeRow(SQLModel, table=True):
    """The last time that the clock agreed with: one row, which the service keeps up to date while it runs."""

    __tablename__ = "known_time"

    id: int = TableField(primary_key=True)
    at: dt.datetime = TableField(sa_type=UtcDateTimeType)


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


# Responses to auditors.


class DisclosureEntry(ResponseModel):
    """One act on the record."""

    chain: str = Field(
        description="A concern's reference, or `inbox`, `audit`, `events`, `people` or `webhooks`.",
        examples=[EXAMPLE_REFERENCE],
    )
    number: int = Field(description="Its place in the chain, from 1.", examples=[1])
    at: UtcDateTime = Field(description="When.")
    client: str = Field(
        description="Who: the client and, after the first slash, the person that acted through it, if one is known. A "
        "slash in the client's own name is written %2F.",
        examples=["example-desk"],
    )
    act: DeskAct = Field(description="What.", examples=["opened"])
    address: str = Field(description="From which network address.", examples=["192.0.2.10"])
    detail: str = Field(description="More about the act; never a word of the concern.", examples=[""])
    previous_sha256: str = Field(description="The hash of the row before.", examples=["0" * 64])
    sha256: str = Field(description="The hash of this row.", examples=["0" * 64])


class DisclosuresResponse(ResponseModel):
    """The record, the oldest first."""

    disclosures: tuple[DisclosureEntry, ...] = Field(description="The rows.")
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.", examples=[None])


class StatementResponse(ResponseModel):
    """A signed statement of where a chain ends, for an auditor to keep elsewhere."""

    chain: str = Field(description="The chain.", examples=[EXAMPLE_REFERENCE])
    length: int = Field(description="How many rows it has.", examples=[3])
    head_sha256: str = Field(description="The hash of its last row.", examples=["0" * 64])
    at: UtcDateTime = Field(description="When this was signed.")
    statement: str = Field(
        description="The same, signed (JWS, EdDSA), to be checked with /.well-known/jwks.json.",
        examples=["eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI0RjdLIn0.c2lnbmF0dXJl"],
    )


class CheckpointResponse(ResponseModel):
    """A signed statement of where the record ends, over all chains, for an auditor to store elsewhere."""

    size: int = Field(description="How many disclosures there are.", examples=[3])
    root_sha256: str = Field(description="Their Merkle root (RFC 6962).", examples=["0" * 64])
    at: UtcDateTime = Field(description="When this was signed.")
    checkpoint: str = Field(
        description="The same, signed: a checkpoint of the C2SP format `tlog-checkpoint`. Store it as it is.",
        examples=["council.example/disclosures\n3\nAAAA\n\n— council.example/disclosures AAAA\n"],
    )
    verifier_key: str = Field(
        description="The public key that signed it, in the form of C2SP's `signed-note`. Compare it with the one that "
        "you have.",
        examples=["council.example/disclosures+0a1b2c3d+AQAA"],
    )
