"""Concerns as inbox entries (`InboxEntry`), which the inbox and responses show, without their text."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping

from app.errors import NoSuchConcern
from app.models.concerns.receipts import ConcernState
from app.models.concerns.rows import ConcernRow
from app.models.desk.inbox import InboxEntry
from app.models.links import DISCLOSURES, desk_concern_path, edition_path
from app.models.references import find_reference
from app.services.access.restrictions import NO_SUCH_REFERENCE

Columns = Mapping[str, Any] | RowMapping
COMPUTED = ("assigned_to", "burst", "received_by", "reporter_has_code", "restricted", "overdue", "links")
COPIED = tuple(name for name in InboxEntry.model_fields if name not in COMPUTED)
LINKED_STEPS = ("additions", "acknowledgement", "outcome", "reopening", "assignment", "notes", "hold", "erasure")


def reference_of(text: str) -> str:
    """Return the standard spelling. Raise `NoSuchConcern` if `text` is not a reference."""
    reference = find_reference(text)
    if reference is None:
        raise NoSuchConcern(NO_SUCH_REFERENCE)
    return reference


def entry_of(row: Columns | ConcernRow, *, now: dt.datetime) -> InboxEntry:
    return InboxEntry.model_validate(concern_fields(dict(row), now))


def concern_fields(row: Columns, now: dt.datetime) -> dict[str, Any]:
    named: dict[str, Any] = {name: row[name] or None for name in ("assigned_to", "burst", "received_by")}
    named |= {"reporter_has_code": bool(row["message_key"]), "restricted": row["limited_to"] != ""}
    own = desk_concern_path(row["reference"])
    links = {
        "self": own,
        **{step: f"{own}/{step}" for step in LINKED_STEPS},
        "disclosures": f"{DISCLOSURES}?chain={row['reference']}",
        "edition": edition_path(row["guide"], row["edition"]),
    }
    return {name: row[name] for name in COPIED} | named | {"overdue": _is_late(row, now), "links": links}


def _is_late(row: Columns, now: dt.datetime) -> bool:
    if row["test"]:
        return False
    own = row["acknowledge_by"] if row["state"] == ConcernState.RECEIVED else None
    return any(due is not None and due < now for due in (own, row["addition_acknowledge_by"]))
