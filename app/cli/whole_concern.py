"""Fetching everything about a concern, sealed, and opening it on this machine."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from app.cli.desk_client import DeskClient
from app.models.links import desk_concern_path, notes_path
from app.services.concerns.sealing import Unsealer, open_note


def open_whole(
    service: DeskClient, reference: str, unsealer: Unsealer, *, with_notes: bool = False
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return the concern, and what was added to it: `additions`, and the desk's `notes` if they are wanted."""
    path = desk_concern_path(reference)
    response = service.fetch_sealed(path)
    numbers = range(1, int(response.headers.get("Additions", "0")) + 1)
    additions = [service.fetch_sealed(f"{path}/additions/{number}").content for number in numbers]
    added = {"additions": [unsealer.open(each, reference=reference) for each in additions]}
    if with_notes:
        added["notes"] = [_open_note(service, reference, each, unsealer) for each in _list_notes(service, reference)]
    return unsealer.open(response.content, reference=reference), added


def _open_note(service: DeskClient, reference: str, entry: dict[str, Any], unsealer: Unsealer) -> dict[str, Any]:
    """Return the note with its time and author, as the record has them. Raises as `open_note` does."""
    sealed = service.fetch_sealed(entry["links"]["self"]).content
    received_at = dt.datetime.fromisoformat(entry["written_at"])
    opened = open_note(unsealer, sealed, reference=reference, received_at=received_at, author=entry["by"])
    return opened | {"received_at": entry["written_at"], "author": entry["by"]}


def _list_notes(service: DeskClient, reference: str) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        page = service.call("GET", notes_path(reference), query=cursor)
        yield from page["notes"]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
