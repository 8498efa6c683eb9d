"""Concerns as the desk sees them."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from app.errors import NoSuchConcern
from app.models.concerns.receipts import ConcernState
from app.models.concerns.references import find_reference
from app.models.concerns.tables import ConcernRow
from app.models.desk.concerns import ErasedConcern, InboxEntry, OpenedConcern
from app.models.desk.remnants import Remnants
from app.models.links import (
    Links,
    assignment_path,
    desk_additions_path,
    desk_concern_path,
    disclosures_path,
    edition_path,
    notes_path,
)
from app.presenters.entries import SealedEntries, opened_additions
from app.services.concerns.sealing import Unsealer
from app.services.desk.opening import Opening
from app.store.concerns import NO_SUCH_REFERENCE
from app.web.cursors import encode_key

COMPUTED_FIELDS = ("overdue", "links")


def reference_of(text: str) -> str:
    """Return the reference in its standard spelling. Raise `NoSuchConcern` if the text is not a reference."""
    reference = find_reference(text)
    if reference is None:
        raise NoSuchConcern(NO_SUCH_REFERENCE)
    return reference


def inbox_entry(row: Mapping[str, Any], *, now: dt.datetime) -> InboxEntry:
    """Return the entry of one row of the inbox, without the words of the concern."""
    return InboxEntry.model_validate(_common_fields(row, now))


def entry_of(concern: ConcernRow, *, now: dt.datetime) -> InboxEntry:
    """Return the entry of one concern, without its words."""
    return inbox_entry(dict(concern), now=now)


def erased_concern(concern: ConcernRow, remnants: Remnants, *, now: dt.datetime) -> ErasedConcern:
    """Return the entry of a concern that was erased, and what is left of it in the files of the database."""
    return ErasedConcern.model_validate(_common_fields(dict(concern), now) | {"remnants": remnants})


def opened_concern(
    opening: Opening, sealed: bytes, additions: SealedEntries, unsealer: Unsealer, *, now: dt.datetime
) -> OpenedConcern:
    """Return the concern with its words, the first page of additions, and the link to the second if there is one.

    Raise `UnsealingUnavailable` if this process has no identity for them, and `SealedTextMisplaced` if a text is that
    of another concern.
    """
    concern = opening.concern
    fields = _common_fields(dict(concern), now)
    if opening.page.next_after is not None:
        cursor = encode_key(opening.page.next_after)
        fields["links"] |= {"next": desk_additions_path(concern.reference, cursor=cursor)}
    submission = unsealer.open_member(
        "submission", sealed, reference=concern.reference, received_at=concern.received_at
    )
    words = {"submission": submission, "additions": opened_additions(additions, unsealer, now=now)}
    return OpenedConcern.model_validate(fields | words)


def _common_fields(row: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    columns = {name: row[name] for name in InboxEntry.model_fields if name not in COMPUTED_FIELDS}
    columns["assigned_to"] = row["assigned_to"] or None
    return columns | {"overdue": _is_overdue(row, now), "links": _links_of(row)}


def _is_overdue(row: Mapping[str, Any], now: dt.datetime) -> bool:
    if row["test"]:
        return False
    own = row["acknowledge_by"] if row["state"] == ConcernState.RECEIVED else None
    return any(due is not None and due < now for due in (own, row["addition_acknowledge_by"]))


def _links_of(row: Mapping[str, Any]) -> Links:
    path = desk_concern_path(row["reference"])
    return {
        "self": path,
        "additions": desk_additions_path(row["reference"]),
        "acknowledgement": f"{path}/acknowledgement",
        "outcome": f"{path}/outcome",
        "assignment": assignment_path(row["reference"]),
        "notes": notes_path(row["reference"]),
        "hold": f"{path}/hold",
        "erasure": f"{path}/erasure",
        "disclosures": disclosures_path(row["reference"]),
        "edition": edition_path(row["guide"], row["edition"]),
    }
