"""What the record of disclosures says about a sealed text: its digest, its recipients, and the clear columns."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.models.base import format_utc
from app.models.desk.added_texts import AddedKind, AddedText
from app.models.digest import canonical_json

SEAL_ENTRY = re.compile(
    r"(?:(?P<kind>addition|note) (?P<number>[1-9][0-9]*) )?"
    r"sha256:(?P<sealed>[0-9a-f]{64}) to (?P<recipients>[0-9a-f ]+)"
    r"(?:; columns sha256:(?P<columns>[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class SealEntry:
    """The detail of a disclosure about a sealed text: the concern's own, or one that was added to it.

    `columns_sha256` is the digest of the concern's clear columns at that time, where they are set by the act.
    """

    added: AddedText | None
    sealed_sha256: str
    recipients: tuple[str, ...]
    columns_sha256: str | None = None

    def __str__(self) -> str:
        """Return the detail, as it is in the record."""
        added = "" if self.added is None else f"{self.added} "
        columns = "" if self.columns_sha256 is None else f"; columns sha256:{self.columns_sha256}"
        return f"{added}sha256:{self.sealed_sha256} to {' '.join(self.recipients)}{columns}"


def seal_entry(
    sealed: bytes,
    recipients: Sequence[str],
    *,
    added: AddedText | None = None,
    columns: Mapping[str, Any] | None = None,
) -> SealEntry:
    """Return the entry of a sealed text; with the columns of the concern's row, if the act sets them."""
    return SealEntry(
        added,
        hashlib.sha256(sealed).hexdigest(),
        tuple(recipients),
        None if columns is None else columns_sha256(columns),
    )


def find_seal_entry(detail: str) -> SealEntry | None:
    """Return the entry that the detail of a disclosure holds, or None."""
    found = SEAL_ENTRY.fullmatch(detail)
    if found is None:
        return None
    added = None if found["kind"] is None else AddedText(AddedKind(found["kind"]), int(found["number"]))
    recipients = tuple(found["recipients"].split())
    return SealEntry(added, found["sealed"], recipients, found["columns"])


def columns_sha256(row: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON (RFC 8785) of a concern's columns that only its reporter sets."""
    columns = {
        "reference": row["reference"],
        "received_at": format_utc(row["received_at"]),
        "acknowledge_by": format_utc(row["acknowledge_by"]),
        "immediate_danger": row["immediate_danger"],
        "guide": row["guide"],
        "edition": row["edition"],
        "referral_source": row["referral_source"],
        "form_version": row["form_version"],
        "status_token_sha256": row["status_token_sha256"].hex(),
        "test": row["test"],
        "message_key": row["message_key"].hex(),
    }
    return hashlib.sha256(canonical_json(columns)).hexdigest()
