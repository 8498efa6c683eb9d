"""Verifying the hand-overs in an export: each with its receipts, compared with the history."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from app.errors import ReceiptNotGenuine
from app.models.desk.disclosure_tables import DeskAct, DisclosureRow
from app.models.desk.hand_over_entries import confirmed_detail, handed_over_detail
from app.models.desk.hand_over_tables import HandOverRow
from app.services.concerns.receipt_signing import HAND_OVER, check_receipt

ACTS = (DeskAct.HANDED_OVER, DeskAct.HAND_OVER_CONFIRMED)
SIGNED_FIELDS = ("number", "body", "reason", "recipient", "package_sha256", "additions", "at")


def faults_in_exported_hand_overs(
    hand_overs: Sequence[dict[str, Any]], history: Sequence[DisclosureRow], keys: dict[str, Any]
) -> Iterator[str]:
    """Yield each fault of the hand-overs. The receipt of the other body is compared with its recorded digest."""
    recorded = {(row.act, row.at, row.detail) for row in history if row.act in ACTS}
    there = set()
    for entry in hand_overs:
        number = entry["number"]
        row = HandOverRow(reference="", **(entry | {"at": dt.datetime.fromisoformat(entry["at"])}))
        there.add((DeskAct.HANDED_OVER.value, row.at, handed_over_detail(row)))
        if entry["their_receipt"] is not None:
            confirmed_at = dt.datetime.fromisoformat(entry["confirmed_at"])
            detail = confirmed_detail(number, entry["their_receipt"])
            there.add((DeskAct.HAND_OVER_CONFIRMED.value, confirmed_at, detail))
        if not _is_ours(entry, history[0].chain, keys):
            yield f"the receipt of hand-over {number} is not the one that the service signed"
    if there != recorded:
        yield "a hand-over, or a receipt of one, is not the one that the history has"


def _is_ours(entry: dict[str, Any], reference: str, keys: dict[str, Any]) -> bool:
    try:
        claims = check_receipt(entry["receipt"], keys, kind=HAND_OVER)
    except ReceiptNotGenuine:
        return False
    return claims["jti"] == reference and all(claims[name] == entry[name] for name in SIGNED_FIELDS)
