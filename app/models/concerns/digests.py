"""Digests of a concern, its entries and its receipts. Audit log entries contain these digests."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from app.models.audit.details import SealDetails
from app.models.audit.entry_kinds import EntryPlace
from app.models.base import canonical_json, format_utc
from app.models.concerns.entries import EntryRow
from app.models.concerns.rows import SET_BY_THE_REPORTER, StoredReceiptRow


def seal_details(
    sealed: bytes,
    recipients: Sequence[str],
    *,
    added: EntryPlace | None = None,
    row: EntryRow | None = None,
    columns: Mapping[str, Any] | None = None,
    receipt: StoredReceiptRow | None = None,
    card: bytes | None = None,
    restricted: bool = False,
    officer_by: dt.date | None = None,
) -> SealDetails:
    """Return the details. `recipients` are fingerprints, none for a message.

    `columns` are the concern's if the action sets them.
    """
    return SealDetails(
        kind=None if added is None else added.kind,
        number=None if added is None else added.number,
        sealed_sha256=hashlib.sha256(sealed).hexdigest(),
        recipients=tuple(recipients),
        columns_sha256=None if columns is None else columns_sha256(columns),
        entry_sha256=None if row is None else entry_sha256(row),
        receipt_sha256=None if receipt is None else receipt_sha256(receipt),
        card_sha256=None if card is None else hashlib.sha256(card).hexdigest(),
        restricted=restricted,
        officer_by=officer_by,
    )


def entry_sha256(row: EntryRow) -> str:
    """Return the digest of the columns that are set at first, except `recipients`, which resealing changes."""
    names = ("reference", "kind", "number", "author", "immediate_danger", "channel")
    columns = {name: getattr(row, name) for name in names}
    moments = {"at": row.received_at, "came_at": row.came_at, "due": row.acknowledge_by}
    times = {name: at and format_utc(at) for name, at in moments.items()}
    return hashlib.sha256(canonical_json(columns | times)).hexdigest()


def receipt_sha256(row: StoredReceiptRow) -> str:
    return hashlib.sha256(b"".join((row.key_sha256, row.payload_mac, row.sealed_receipt))).hexdigest()


def columns_sha256(row: Mapping[str, Any]) -> str:
    """Return the digest of the columns about a concern's receipt.

    Later only `immediate_danger` may change, to more urgent.
    """
    columns = {name: row[name] for name in ("reference", "immediate_danger", *SET_BY_THE_REPORTER)}
    for name, value in columns.items():
        if isinstance(value, dt.datetime):
            columns[name] = format_utc(value)
        elif isinstance(value, bytes):
            columns[name] = value.hex()
    return hashlib.sha256(canonical_json(columns)).hexdigest()
