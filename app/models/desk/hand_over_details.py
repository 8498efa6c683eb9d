"""Audit log details of hand-overs."""

import datetime as dt
import hashlib
from collections.abc import Iterable

from app.models.audit.details import HandedOverDetails, HandOverConfirmedDetails
from app.models.audit.rows import AuditEntryRow, DeskAct
from app.models.desk.hand_overs import HandOverRow


def handed_over_details(row: HandOverRow) -> HandedOverDetails:
    return HandedOverDetails(**{name: getattr(row, name) for name in HandedOverDetails.model_fields})


def confirmed_details(number: int, receipt: str) -> HandOverConfirmedDetails:
    return HandOverConfirmedDetails(number=number, receipt_sha256=hashlib.sha256(receipt.encode()).hexdigest())


def acts_of_hand_overs(rows: Iterable[HandOverRow]) -> set[tuple[str, dt.datetime | None, str]]:
    """Return action, time and stored details that the audit log should have: of each hand-over, and of each receipt."""
    found: set[tuple[str, dt.datetime | None, str]] = set()
    for row in rows:
        found.add((DeskAct.HANDED_OVER.value, row.at, handed_over_details(row).stored))
        if row.their_receipt is not None or row.confirmed_at is not None:
            details = confirmed_details(row.number, row.their_receipt or "")
            found.add((DeskAct.HAND_OVER_CONFIRMED.value, row.confirmed_at, details.stored))
    return found


def recorded_hand_overs(chain: Iterable[AuditEntryRow]) -> set[tuple[str, dt.datetime | None, str]]:
    """Return the recorded hand-overs in the form of `acts_of_hand_overs`."""
    acts = (DeskAct.HANDED_OVER, DeskAct.HAND_OVER_CONFIRMED)
    return {(row.act, row.at, row.detail) for row in chain if row.act in acts}
