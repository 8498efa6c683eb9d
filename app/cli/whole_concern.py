"""Fetching everything about a concern, sealed, and opening it on this machine."""

from collections.abc import Iterator
from typing import Any

from app.cli.desk_client import DeskClient
from app.models.links import desk_concern_path, notes_path
from app.services.concerns.unsealing import Unsealer


def open_whole(
    service: DeskClient, reference: str, unsealer: Unsealer, *, with_notes: bool = False
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return the concern, and what was added to it: `additions`, and the desk's `notes` if they are wanted."""
    path = desk_concern_path(reference)
    response = service.fetch_sealed(path)
    numbers = range(1, int(response.headers.get("Additions", "0")) + 1)
    paths = {"additions": [f"{path}/additions/{number}" for number in numbers]}
    if with_notes:
        paths["notes"] = [each["links"]["self"] for each in _list_notes(service, reference)]
    sealed = {name: [service.fetch_sealed(each).content for each in of_kind] for name, of_kind in paths.items()}
    opened = unsealer.open(response.content, reference=reference)
    return opened, {
        name: [unsealer.open(each, reference=reference) for each in texts] for name, texts in sealed.items()
    }


def _list_notes(service: DeskClient, reference: str) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        page = service.call("GET", notes_path(reference), query=cursor)
        yield from page["notes"]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
