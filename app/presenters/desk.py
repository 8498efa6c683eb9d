"""Concerns as the desk sees them."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from app.errors import NoSuchConcern
from app.models.concerns.references import find_reference
from app.models.concerns.tables import ConcernRow, ConcernState
from app.models.desk.concerns import ErasedConcern, InboxEntry, OpenedAddition, OpenedConcern
from app.models.desk.remnants import Remnants
from app.models.links import desk_concern_path, disclosures_path, edition_path
from app.services.concerns.unsealing import Unsealer
from app.services.desk.actions import SealedConcern

COMPUTED_FIELDS = ("overdue", "links")


def reference_of(text: str) -> str:
    """Return the reference in its standard spelling. Raise `NoSuchConcern` if the text is not a reference."""
    reference = find_reference(text)
    if reference is None:
        raise NoSuchConcern
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


def opened_concern(taken: SealedConcern, unsealer: Unsealer, *, now: dt.datetime) -> OpenedConcern:
    """Return the concern with its words.

    Raise `UnsealingUnavailable` if this process has no identity for it, and `SealedTextMisplaced` if a text is not its.
    """
    additions = tuple(
        OpenedAddition(
            number=addition.number,
            received_at=addition.received_at,
            addition=unsealer.open(addition.sealed, reference=addition.reference, received_at=addition.received_at)[
                "addition"
            ],
        )
        for addition in taken.additions
        if addition.sealed is not None
    )
    concern = taken.concern
    opened = unsealer.open(concern.sealed or b"", reference=concern.reference, received_at=concern.received_at)
    return OpenedConcern.model_validate(
        _common_fields(dict(concern), now) | {"submission": opened["submission"], "additions": additions}
    )


def _common_fields(row: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    columns = {name: row[name] for name in InboxEntry.model_fields if name not in COMPUTED_FIELDS}
    path = desk_concern_path(row["reference"])
    return columns | {
        "overdue": row["state"] == ConcernState.RECEIVED and row["acknowledge_by"] < now,
        "links": {
            "self": path,
            "acknowledgement": f"{path}/acknowledgement",
            "outcome": f"{path}/outcome",
            "hold": f"{path}/hold",
            "erasure": f"{path}/erasure",
            "disclosures": disclosures_path(row["reference"]),
            "edition": edition_path(row["guide"], row["edition"]),
        },
    }
