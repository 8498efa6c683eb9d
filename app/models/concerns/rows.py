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
WAITING_RANK = "CASE WHEN state = 'received' OR additions_waiting > 0 THEN 0 WHEN state = 'closed' THEN 2 ELSE 1 END"
CLOSED_RANK = 2
"""Value of the column `waiting` for a closed concern without an unacknowledged addition."""
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
"""These are the conditions of partial indexes. A new concern meets none of them."""
BY_URGENCY = ("waiting", "danger", "due", "received_at", "reference")
"""`danger` is from 0, the most urgent, to 3."""
FILTERED = ("state", "immediate_danger", "guide", "assigned_to", "changed_at", "test", "burst", "channel", "restricted")
"""Columns in both indexes of the inbox, so that only matching rows are read."""

LEADS = "\n"
"""Value of `limited_to` if only leads may open the concern. `limit_to` returns it for no names."""
SET_BY_THE_REPORTER = (
    *("received_at", "acknowledge_by", "guide", "edition", "referral_source", "form_version"),
    *("status_token_sha256", "test", "message_key", "burst", "channel", "came_at", "received_by"),
)
"""Columns that never change after the concern is stored. The audit log has their digest."""
RESTRICTED = "limited_to <> ''"
"""The condition of the partial index of restricted concerns."""


def limit_to(people: Sequence[str]) -> str:
    """Put each name between line breaks, which no name contains."""
    return LEADS + "".join(f"{name}\n" for name in people)


def people_of_limit(limited_to: str) -> list[str]:
    """Return nothing for `LEADS`, and nothing without a limit."""
    return limited_to.split("\n")[1:-1]


def is_in_limit(name: ColumnElement[Any], limited_to: ColumnElement[Any]) -> ColumnElement[bool]:
    """Compare without `LIKE`, which ignores case in SQLite."""
    return func.replace(limited_to, literal("\n").concat(name).concat("\n"), "") != limited_to


def _computed(kind: Any, expression: str) -> Column[Any]:
    """The database computes `expression`, SQL over the row, at each write."""
    return Column(kind, Computed(expression, persisted=True), nullable=False)


class ConcernRow(SQLModel, table=True):
    """A concern, sealed to the duty team's public keys before it is stored.

    `sealed` is null after erasure. The rest of the row remains for statistics.

    `immediate_danger` is the most urgent answer about danger in the concern and in all its additions.
    `additions_waiting`, `addition_acknowledge_by` and `addition_danger` describe the unacknowledged additions. The
    database computes `waiting`, `danger` and `due`, by which the inbox is sorted. `waiting` is 0 if the concern or an
    addition is unacknowledged, otherwise 1 for an open concern, and `CLOSED_RANK` for a closed one: open concerns are
    one range of the index, so reading them does not depend on the number of closed ones.

    `came_at` is earlier than `received_at` if a worker, `received_by`, wrote the concern down afterwards. `limited_to`
    is empty for everyone at the desk, `LEADS` for leads only, otherwise names (see `limit_to`); the database computes
    `restricted` from it.

    `message_key` is derived from the status token: messages to the reporter are sealed to it. Both are empty if the
    reporter has no token. A `test` is not counted, has no events, and is erased after a day. Many concerns from one
    source on one day share the id `burst`. `changed_at` is the time of the last action that changed the concern:
    reading does not count. Reopening sets `closed_at` and the outcome to null, and `reopened_at`, which a later closing
    does not change.
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
    """The number of closed concerns, without tests, in one row with the id 1.

    Triggers change it, because counting would take longer every year.
    """

    __tablename__ = "closed_count"

    id: int = TableField(primary_key=True)
    number: int


class StoredReceiptRow(SQLModel, table=True):
    """The receipt of a request with an idempotency key, for a retry. Only a caller with the key can decrypt it."""

    __tablename__ = "stored_receipts"

    key_sha256: bytes = TableField(primary_key=True, sa_type=LargeBinary)
    payload_mac: bytes = TableField(sa_type=LargeBinary)
    reference: str = TableField(foreign_key="concerns.reference", index=True)
    sealed_receipt: bytes = TableField(sa_type=LargeBinary)
