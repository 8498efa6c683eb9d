"""The payloads of events: references, times and links; never any text of a concern."""

import datetime as dt
import json
import uuid
from typing import Any

from app.models.base import format_utc
from app.models.concerns.tables import ConcernRow, NewConcern
from app.models.desk.disclosure_tables import CheckpointRow
from app.models.guidance.renditions import RenditionContent
from app.models.links import (
    CHECKPOINT,
    desk_addition_path,
    desk_concern_path,
    desk_messages_path,
    edition_path,
    rendition_path,
)
from app.store.editions import EditionKey, RenditionKey

EVENT_NAMESPACE = uuid.UUID("8c1f7d7e-3c52-4a53-9a0b-7d1f2f0c6b11")
TIMES = ("received_at", "acknowledge_by", "acknowledged_at", "closed_at", "added_at")


def event_id(number: int, kind: str, at: dt.datetime, data: dict[str, Any]) -> str:
    """Return the event's id, made of all that it is: a number alone would come again after a restored backup."""
    return str(uuid.uuid5(EVENT_NAMESPACE, json.dumps([number, kind, format_utc(at), data], sort_keys=True)))


def concern_payload(concern: ConcernRow | NewConcern) -> dict[str, Any]:
    """Return the payload of an event about a concern."""
    times = {name: format_utc(moment) for name in TIMES if (moment := getattr(concern, name, None)) is not None}
    return {"reference": concern.reference, **times, "links": {"concern": desk_concern_path(concern.reference)}}


def addition_payload(concern: ConcernRow, *, number: int, acknowledge_by: dt.datetime) -> dict[str, Any]:
    """Return the payload of an event about an addition: that of its concern, with its number and its own time."""
    payload = concern_payload(concern)
    links = payload["links"] | {"addition": desk_addition_path(concern.reference, number)}
    return payload | {"addition": number, "addition_acknowledge_by": format_utc(acknowledge_by), "links": links}


def message_payload(concern: ConcernRow, *, number: int, addition: int | None = None) -> dict[str, Any]:
    """Return the payload of an event about a message: that of its concern, with its number, and that of its answer."""
    payload = concern_payload(concern)
    links = payload["links"] | {"messages": desk_messages_path(concern.reference)}
    if addition is None:
        return payload | {"message": number, "links": links}
    links |= {"addition": desk_addition_path(concern.reference, addition)}
    return payload | {"message": number, "addition": addition, "links": links}


def checkpoint_payload(row: CheckpointRow) -> dict[str, Any]:
    """Return the payload of an event about a checkpoint: the signed note."""
    links = {"checkpoint": CHECKPOINT}
    return {"size": row.size, "root_sha256": row.root_sha256, "checkpoint": row.note, "links": links}


def edition_payload(key: EditionKey, *, digest: str | None = None) -> dict[str, Any]:
    """Return the payload of an event about an edition."""
    payload = {"guide": key.guide, "edition": key.number} | ({"digest": digest} if digest else {})
    return payload | {"links": {"edition": edition_path(*key)}}


def rendition_payload(key: RenditionKey, content: RenditionContent, *, digest: str, behind: bool) -> dict[str, Any]:
    """Return the payload of an event about a rendition: which it is, of which edition, and no word of it."""
    edition = content.of.edition
    return {
        "guide": key.guide,
        "language": key.language,
        "number": key.number,
        "form": content.form.value,
        "digest": digest,
        "edition": edition,
        "behind": behind,
        "links": {"rendition": rendition_path(*key), "edition": edition_path(key.guide, edition)},
    }


def notice_data(data: dict[str, Any], public_url: str) -> dict[str, Any]:
    """Return the payload for a receiver: beside `links`, which are paths, `urls` has the same as whole addresses."""
    links: dict[str, str] = data.get("links", {})
    return data | {"urls": {relation: f"{public_url}{path}" for relation, path in links.items()}}
