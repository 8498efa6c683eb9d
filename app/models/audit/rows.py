"""Tables of the audit log. The entries form hash chains: each entry has the hash of the previous entry of its chain."""

import datetime as dt
from enum import IntEnum, StrEnum

from sqlalchemy import JSON, Index, Integer, Text
from sqlmodel import Field as TableField
from sqlmodel import SQLModel

from app.models.base import UtcDateTimeType

INBOX = "inbox"
AUDIT = "audit"
EVENTS = "events"
PEOPLE = "people"
WEBHOOKS = "webhooks"
CARDS = "cards"
"""Each entry names the concerns whose cards were returned."""
PERSON_FILES = "person-files"
"""Requests for the file of one person."""
OUTBOX = "outbox"
"""The chain of events, which are in the table `events`; each checkpoint records the last one."""
WITHOUT_A_CONCERN = (INBOX, AUDIT, EVENTS, PEOPLE, WEBHOOKS, CARDS, PERSON_FILES, OUTBOX)


class DeskAct(StrEnum):
    """Action in the audit log."""

    RECEIVED = "received"
    ADDED = "added"
    LISTED = "listed"
    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    REOPENED = "reopened"
    HELD = "held"
    RELEASED = "released"
    ERASED = "erased"
    ERASURE_REQUESTED = "erasure_requested"
    """A second person must carry it out."""
    RESTRICTED = "restricted"
    """To leads, or to named people."""
    RESTRICTION_LIFTED = "restriction_lifted"
    LOOK_REFUSED = "look_refused"
    """A person asked for a restricted concern that they may not open, and was told that there is none."""
    RESEALED = "resealed"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    ASSIGNMENT_REFUSED = "assignment_refused"
    """The assignment had changed since the person last saw it, so nothing was changed."""
    WITHHELD = "withheld"
    """The concern had changed since the person last saw it: nothing was done, and they saw their form again."""
    NOTED = "noted"
    LABELLED = "labelled"
    LOOK_AGAIN = "look_again"
    DISCLOSURES_READ = "disclosures_read"
    STATEMENT_SIGNED = "statement_signed"
    CHECKPOINT_SIGNED = "checkpoint_signed"
    ENTRIES_LOST = "entries_lost"
    """The database had lost entries, or a backup was restored."""
    SUMMARY_READ = "summary_read"
    EVENTS_READ = "events_read"
    CARDS_GIVEN = "cards_given"
    EVENTS_CONFIRMED = "events_confirmed"
    WEBHOOK_CHANGED = "webhook_changed"
    MESSAGE_SENT = "message_sent"
    MESSAGE_READ = "message_read"
    HANDED_OVER = "handed_over"
    HAND_OVER_CONFIRMED = "hand_over_confirmed"
    EXPORTED = "exported"
    FILE_REQUESTED = "file_requested"
    """Somebody asked for the file of one person. The entry names nobody."""
    FILE_MADE = "file_made"
    FILE_CHECKED = "file_checked"
    """A second person looked at the file."""
    FILE_GIVEN = "file_given"
    FILE_REFUSED = "file_refused"
    """The request ended without a file."""
    COPIED = "copied"
    """The person opened the text on a sheet for copying into another system."""
    INVITED = "invited"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    KEY_COPY_STORED = "key_copy_stored"
    """A copy of the team's identity was stored, locked by a person's passkey. The copy may replace an earlier copy."""
    KEY_COPY_READ = "key_copy_read"
    KEY_COPY_DELETED = "key_copy_deleted"
    ROLE_CHANGED = "role_changed"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    LEFT = "left"
    CLIENT_ADDED = "client_added"
    KEY_ADDED = "key_added"
    CLIENT_REVOKED = "client_revoked"


class AuditEntryRow(SQLModel, table=True):
    """An entry of the audit log.

    `sha256` covers the row and the hash of the row before it in its chain, but not `position`. `detail` is canonical
    JSON (RFC 8785), hashed as text. `position` is 1, 2, 3 without a gap among all entries: their hashes in this order
    are the leaves of the Merkle tree (RFC 6962) that checkpoints sign.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_at", "at", "position", "act"),
        Index("ix_audit_entries_client", "client", "at", "position", "act"),
    )

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
    """The end of one chain. `name` is a concern's reference, or one of `WITHOUT_A_CONCERN`."""

    __tablename__ = "chains"

    name: str = TableField(primary_key=True)
    length: int
    head_sha256: str


class CheckpointRow(SQLModel, table=True):
    """A signed checkpoint. `frontier` has the roots of complete subtrees, so that the next reads only newer entries."""

    __tablename__ = "checkpoints"

    number: int | None = TableField(default=None, primary_key=True, sa_type=Integer)
    at: dt.datetime = TableField(sa_type=UtcDateTimeType)
    size: int
    root_sha256: str
    frontier: list[str] = TableField(sa_type=JSON)
    note: str = TableField(sa_type=Text)


class NotedTime(IntEnum):
    CLOCK = 1
    """Stored regularly, and compared with the clock before an erasure."""
    EMAIL_ROUND = 2
    WEBHOOK_ROUND = 3
    FILE_REQUESTS = 4
    """The day on which events last told of requests that are due."""


class KnownTimeRow(SQLModel, table=True):
    __tablename__ = "known_time"

    id: int = TableField(primary_key=True)
    at: dt.datetime = TableField(sa_type=UtcDateTimeType)


class Remnants(StrEnum):
    """State of erased or resealed bytes in the database files.

    `none`: SQLite has overwritten its pages and truncated its log. `pending`: a reader is using the log; the
    service retries until the log is empty. `left_to_postgresql`: PostgreSQL overwrites the space when it is used
    again. The write-ahead log keeps the text until its retention ends.
    """

    NONE = "none"
    PENDING = "pending"
    LEFT_TO_POSTGRESQL = "left_to_postgresql"
