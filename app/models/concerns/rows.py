"""Tables of concerns. Only the columns that are needed to handle a concern are unencrypted."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, Column, ColumnElement, Computed, Index, Integer, LargeBinary, func, literal
from sqlmodel import Field as TableField
from sqlmodel import SQLModel

from app.models.base import UtcDateTimeType, partial_index
from app.models.concerns.receipts import ConcernState

LEAST_URGENT_FIRST = ("no", "not_sure", "yes")
"""Answers about immediate danger, least urgent first."""
WAITING_RANK = "CASE WHEN state = 'received' OR additions_waiting > 0 THEN 0 WHEN state = 'closed' THEN 2 ELSE 1 END"
CLOSED_RANK = 2
"""The value of the column `waiting` for a closed concern without an unacknowledged addition."""
DANGER_RANK = (
    "CASE WHEN addition_danger = 'yes' THEN 0 WHEN immediate_danger = 'yes' THEN 1"
    " WHEN immediate_danger = 'not_sure' THEN 2 ELSE 3 END"
)
DUE = (
    "CASE WHEN addition_acknowledge_by IS NULL THEN acknowledge_by"
    " WHEN state = 'received' AND acknowledge_by < addition_acknowledge_by THEN acknowledge_by"
    " ELSE addition_acknowledge_by END"
)
ACKNOWLEDGED = "acknowledged_at IS NOT NULL"
CLOSED = "closed_at IS NOT NULL"
ERASED = "erased_at IS NOT NULL"
"""`ACKNOWLEDGED`, `CLOSED` and `ERASED` are the conditions of partial indexes for figures, retention and outcomes.

A new concern meets none of these conditions.
"""
BY_URGENCY = ("waiting", "danger", "due", "received_at", "reference")
"""Columns that sort the inbox, most urgent first. `danger` is from 0, the most urgent, to 3."""
FILTERED = ("state", "immediate_danger", "guide", "assigned_to", "changed_at", "test", "burst", "channel", "restricted")
"""Columns that the inbox filters by. Both indexes of the inbox have these columns, so only matching rows are read."""

LEADS = "\n"
"""The value of `limited_to` for a concern that only leads may open. `limit_to` returns this value for no names."""
SET_BY_THE_REPORTER = (
    *("received_at", "acknowledge_by", "guide", "edition", "referral_source", "form_version"),
    *("status_token_sha256", "test", "message_key", "burst", "channel", "came_at", "received_by"),
)
"""Columns that never change after the concern is stored. The audit log has their digest."""
RESTRICTED = "limited_to <> ''"
"""The condition of the partial index of restricted concerns."""


def limit_to(people: Sequence[str]) -> str:
    """Return the value of `limited_to` for the names `people`. Each name is between line breaks, which no name has."""
    return LEADS + "".join(f"{name}\n" for name in people)


def people_of_limit(limited_to: str) -> list[str]:
    """Return the names in a value of `limited_to`. Return an empty list for `LEADS`, and for an empty value."""
    return limited_to.split("\n")[1:-1]


def is_in_limit(name: ColumnElement[Any], limited_to: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the SQL condition that `limited_to` has the name `name`. `LIKE` is not used: it ignores case in SQLite."""
    return func.replace(limited_to, literal("\n").concat(name).concat("\n"), "") != limited_to


def _computed(kind: Any, expression: str) -> Column[Any]:
    """Return a column of the SQL type `kind`, whose value the database computes by `expression` at each write.

    `expression` is SQL over other columns of the row.
    """
    return Column(kind, Computed(expression, persisted=True), nullable=False)


class ConcernRow(SQLModel, table=True):
    """A concern, sealed to the duty team's public keys before it is stored.

    `sealed` is null after erasure. The rest of the row remains for statistics.

    `immediate_danger` is the most urgent answer about danger in the concern and in all its additions.
    `additions_waiting`, `addition_acknowledge_by` and `addition_danger` describe the unacknowledged additions: their
    number, their earliest deadline, and the most urgent answer about danger. The database computes `waiting`, `danger`
    and `due`, by which the inbox is sorted. `waiting` is 0 if the concern or an addition is unacknowledged. Otherwise
    it is 1 for an open concern, and `CLOSED_RANK` for a closed one. Open concerns are therefore one range of the index,
    and reading them does not depend on the number of closed concerns.

    `channel` says how the concern came, and `came_at` says when. `came_at` is earlier than `received_at` if a worker
    wrote the concern down afterwards, otherwise the same time. `received_by` is that worker, as named in the audit log.
    For a concern that the reporter sent, `received_by` is empty.

    `limited_to` says who may open the concern: empty for everyone at the desk, `LEADS` for leads only, otherwise the
    names of the people (see `limit_to`). The database computes `restricted`: 1 if there is such a limit, otherwise 0.

    `message_key` is the public key derived from the status token: messages to the reporter are sealed to this key.
    `message_key` and `status_token_sha256` are empty if the reporter has no token, which is usual after a phone call.
    If `test` is true, the concern is not about a real child: it is not counted, has no events, and is erased after a
    day. If many concerns come from one source on one day, they share the id `burst`. For most concerns, `burst` is
    empty. `assigned_to` is the name of the assigned person, or empty. `changed_at` is the time of the last action that
    changed the concern. Reading does not count.

    `closed_at` and the outcome are null while the concern is open. Reopening sets them to null, and sets `reopened_at`,
    which a later closing does not change.
    """

    __tablename__ = "concerns"
    __table_args__ = (
        Index("ix_concerns_urgency", *BY_URGENCY, *FILTERED),
        Index("ix_concerns_received", "received_at", "reference", "waiting", "danger", "due", *FILTERED),
        partial_index(
            "ix_concerns_unacknowledged",
            "acknowledge_by",
            sqlite="state = 'received' AND test IS 0",
            postgresql="state = 'received' AND test IS FALSE",
        ),
        partial_index("ix_concerns_acknowledged_at", "acknowledged_at", sqlite=ACKNOWLEDGED, postgresql=ACKNOWLEDGED),
        partial_index("ix_concerns_held", "reference", sqlite="held IS 1", postgresql="held IS TRUE"),
        partial_index("ix_concerns_restricted", "reference", sqlite=RESTRICTED, postgresql=RESTRICTED),
        partial_index("ix_concerns_erased", "erased_at", sqlite=ERASED, postgresql=ERASED),
        partial_index(
            "ix_concerns_closed", "closed_at", "erased_at", "test", "outcome", sqlite=CLOSED, postgresql=CLOSED
        ),
    )

    reference: str = TableField(primary_key=True)
    received_at: dt.datetime = TableField(sa_type=UtcDateTimeType)
    acknowledge_by: dt.datetime = TableField(sa_type=UtcDateTimeType)
    state: str = TableField(default=ConcernState.RECEIVED.value)
    immediate_danger: str
    guide: str
    edition: int
    referral_source: str | None = None
    form_version: int
    recipients: list[str] = TableField(sa_type=JSON)
    status_token_sha256: bytes = TableField(sa_type=LargeBinary)
    acknowledged_at: dt.datetime | None = TableField(default=None, sa_type=UtcDateTimeType)
    closed_at: dt.datetime | None = TableField(default=None, sa_type=UtcDateTimeType)
    reopened_at: dt.datetime | None = TableField(default=None, sa_type=UtcDateTimeType)
    outcome: str | None = None
    outcome_shared: bool = False
    added_at: dt.datetime | None = TableField(default=None, sa_type=UtcDateTimeType)
    overdue_announced: bool = False
    held: bool = False
    erased_at: dt.datetime | None = TableField(default=None, sa_type=UtcDateTimeType)
    additions_waiting: int = 0
    addition_acknowledge_by: dt.datetime | None = TableField(default=None, sa_type=UtcDateTimeType)
    addition_danger: str | None = None
    waiting: int | None = TableField(default=None, sa_column=_computed(Integer, WAITING_RANK))
    danger: int | None = TableField(default=None, sa_column=_computed(Integer, DANGER_RANK))
    due: dt.datetime | None = TableField(default=None, sa_column=_computed(UtcDateTimeType, DUE))
    test: bool = False
    assigned_to: str = ""
    changed_at: dt.datetime = TableField(sa_type=UtcDateTimeType)
    due_soon_announced: bool = False
    message_key: bytes = TableField(sa_type=LargeBinary)
    burst: str = ""
    channel: str
    came_at: dt.datetime = TableField(sa_type=UtcDateTimeType)
    received_by: str = ""
    limited_to: str = ""
    restricted: int | None = TableField(
        default=None, sa_column=_computed(Integer, f"CASE WHEN {RESTRICTED} THEN 1 ELSE 0 END")
    )
    sealed: bytes | None = TableField(default=None, sa_type=LargeBinary)


class ClosedCountRow(SQLModel, table=True):
    """The number of closed concerns, without tests. The table has one row, with the id 1.

    Database triggers change `number` in the transaction that closes or reopens a concern, because counting the closed
    concerns would take longer every year. Open concerns are few, and are counted on each read.
    """

    __tablename__ = "closed_count"

    id: int = TableField(primary_key=True)
    number: int


class StoredReceiptRow(SQLModel, table=True):
    """The encrypted receipt of a request with an idempotency key, stored so that a retry gets the same receipt.

    Only a caller with the idempotency key can decrypt the receipt.
    """

    __tablename__ = "stored_receipts"

    key_sha256: bytes = TableField(primary_key=True, sa_type=LargeBinary)
    payload_mac: bytes = TableField(sa_type=LargeBinary)
    reference: str = TableField(foreign_key="concerns.reference", index=True)
    sealed_receipt: bytes = TableField(sa_type=LargeBinary)
