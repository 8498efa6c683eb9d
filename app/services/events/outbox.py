"""Events about concerns have references, numbers, times and links only. Each has a delivery to each receiver."""

import datetime as dt
import json
import secrets
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.db.statements import fixed_insert
from app.db.tables import table_of
from app.db.writer import Writer
from app.errors import CursorAhead
from app.models.audit.details import EventsConfirmedDetails, ShownDetails
from app.models.audit.rows import EVENTS, OUTBOX, DeskAct
from app.models.base import format_utc
from app.models.concerns.rows import ConcernRow
from app.models.events.rows import DeliveryRow, DeliveryState, EventKind, EventReaderRow, EventRow, WebhookRow
from app.models.guides.edition_keys import EditionKey, RenditionKey
from app.models.guides.renditions import RenditionContent
from app.models.links import desk_concern_path, edition_path, rendition_path
from app.services.access.restrictions import hidden_from
from app.services.access.sealed_cursors import HALF, Place
from app.services.audit.audit_log import Actor, record_action
from app.services.audit.chains import find_end, write_end

_NEW_EVENT = fixed_insert(table_of(EventRow))
_NEW_DELIVERY = fixed_insert(table_of(DeliveryRow))
_ACTIVE_WEBHOOKS = select_columns(table_of(WebhookRow).c.name, table_of(WebhookRow).c.kinds).where(
    table_of(WebhookRow).c.disabled_at.is_(None)
)
Event = tuple[EventKind, dt.datetime, dict[str, Any]]
EVENT_NAMESPACE = uuid.UUID("8c1f7d7e-3c52-4a53-9a0b-7d1f2f0c6b11")
OWN_ID = "id"
"""The key of an event's random ID in the stored payload. The payload that clients see lacks it."""
TIMES = ("received_at", "acknowledge_by", "acknowledged_at", "closed_at", "reopened_at", "added_at")


def new_message_id() -> str:
    """Return an ID that stays the same at every attempt to deliver."""
    return f"msg_{secrets.token_hex(16)}"


def append_event(session: Session, kind: EventKind, *, at: dt.datetime, data: dict[str, Any]) -> None:
    """Append an event in the caller's transaction, with a delivery to each active receiver that subscribes to it."""
    append_events(session.connection(), [(kind, at, data)])


def append_events(connection: Connection, events: Sequence[Event]) -> None:
    if not events:
        return
    active = sorted((name, kinds) for name, kinds in connection.execute(_ACTIVE_WEBHOOKS))
    former = find_end(connection, OUTBOX)
    end = former
    rows: list[dict[str, Any]] = []
    for kind, at, data in events:
        webhooks = [name for name, kinds in active if kind in kinds]
        named = data | {OWN_ID: str(uuid.uuid4())}
        row = {"id": end.number + 1, "kind": kind.value, "at": at, "data": named, "webhooks": webhooks}
        end = end.after(row)
        rows.append(row | {"sha256": end.sha256})
    _NEW_EVENT.run(connection, *rows)
    write_end(connection, OUTBOX, end, former)
    deliveries = [
        {
            "event_id": row["id"],
            "webhook": name,
            "message": new_message_id(),
            "state": DeliveryState.PENDING.value,
            "attempts": 0,
            "due": row["at"],
            "last_answer": None,
        }
        for row in rows
        for name in row["webhooks"]
    ]
    if deliveries:
        _NEW_DELIVERY.run(connection, *deliveries)


def id_and_payload(number: int, kind: str, at: dt.datetime, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the ID that clients see, which is random, and the payload. An earlier version's event keeps its own."""
    if OWN_ID in data:
        return data[OWN_ID], {name: value for name, value in data.items() if name != OWN_ID}
    return str(uuid.uuid5(EVENT_NAMESPACE, json.dumps([number, kind, format_utc(at), data], sort_keys=True))), data


def concern_payload(concern: ConcernRow) -> dict[str, Any]:
    times = {name: format_utc(moment) for name in TIMES if (moment := getattr(concern, name)) is not None}
    return {"reference": concern.reference, **times, "links": {"concern": desk_concern_path(concern.reference)}}


def announce(session: Session, kind: EventKind, concern: ConcernRow, *, at: dt.datetime) -> None:
    """Append an event, unless the concern is a test."""
    append_events(session.connection(), events_about(kind, concern, at=at))


def events_about(
    kind: EventKind,
    concern: ConcernRow,
    *,
    at: dt.datetime,
    message: int | None = None,
    addition: tuple[int, dt.datetime | None] | None = None,
) -> list[Event]:
    """Return one event, or none for a test.

    `addition` has the addition's number, and its deadline if the event is about that.
    """
    if concern.test:
        return []
    payload = concern_payload(concern)
    if message is not None:
        payload["message"] = message
        payload["links"]["messages"] = desk_concern_path(concern.reference, "messages")
    if addition is not None:
        payload["addition"], due = addition
        payload |= {} if due is None else {"addition_acknowledge_by": format_utc(due)}
        payload["links"]["addition"] = desk_concern_path(concern.reference, "additions", addition[0])
    return [(kind, at, payload)]


def edition_payload(key: EditionKey, *, digest: str | None = None, reason: str | None = None) -> dict[str, Any]:
    own = {"digest": digest, "reason": reason}
    payload = {"guide": key.guide, "edition": key.number} | {name: said for name, said in own.items() if said}
    return payload | {"links": {"edition": edition_path(*key)}}


def rendition_payload(
    key: RenditionKey, content: RenditionContent, *, digest: str, behind: bool, reason: str | None = None
) -> dict[str, Any]:
    """Return the payload, without text. `behind` says that its edition is not the current one.

    `reason` is of a withdrawal.
    """
    edition = content.of.edition
    why = {} if reason is None else {"reason": reason}
    return why | {
        "guide": key.guide,
        "language": key.language,
        "number": key.number,
        "form": content.form.value,
        "digest": digest,
        "edition": edition,
        "behind": behind,
        "links": {"rendition": rendition_path(*key), "edition": edition_path(key.guide, edition)},
    }


def read_events_after(session: Session, writer: Writer, *, after: int, limit: int, actor: Actor) -> Sequence[EventRow]:
    """Record which concerns the events show, and return them, without those hidden from `actor`. Closes `session`."""
    rows = events_after(session, after=after, limit=limit, actor=actor)
    session.close()  # frees the connection: requests that each hold one and wait for a second could block each other
    references = tuple(dict.fromkeys(row.data["reference"] for row in rows if row.kind.startswith("concern.")))
    if references:
        writer.run(record_action, EVENTS, DeskAct.EVENTS_READ, actor, ShownDetails(references=references))
    return rows


def events_after(session: Session, *, after: int, limit: int, actor: Actor | None = None) -> Sequence[EventRow]:
    """Return the events that `actor` may open. Only one transaction writes at a time: no lower number comes later."""
    statement = select(EventRow).where(col(EventRow.id) > after)
    if actor is not None:
        reference = func.coalesce(table_of(EventRow).c.data["reference"].as_string(), "")
        statement = statement.where(reference.not_in(hidden_from(actor)))
    return session.exec(statement.order_by(col(EventRow.id)).limit(limit)).all()


def place_of(event: EventRow) -> Place:
    return Place(event.id or 0, bytes.fromhex(event.sha256)[:HALF])


def find_event(session: Session, place: Place) -> EventRow | None:
    """Return the event at `place`, or None: a restored backup can lack the event, or use its number again."""
    event = session.get(EventRow, place.number)
    return event if event is not None and place_of(event) == place else None


def confirmed_by(session: Session, *, client: str) -> Place:
    """Return the place that a client confirmed. If a restored backup lacks that event, it is the beginning."""
    reader = session.get(EventReaderRow, client)
    event = None if reader is None else session.get(EventRow, reader.confirmed)
    return Place(0) if event is None else place_of(event)


def confirm_events(session: Session, *, place: Place, actor: Actor, client: str) -> None:
    """Record that `client` has every event up to `place`, unless it confirmed that before. Raise `CursorAhead`.

    An earlier confirmation of an event that no longer exists is ignored: a backup was restored.
    """
    event_id, last = place.number, session.exec(select(func.max(EventRow.id))).one() or 0
    if event_id and find_event(session, place) is None:
        raise CursorAhead
    reader = session.get(EventReaderRow, client)
    if event_id <= (0 if reader is None else reader.confirmed) <= last:
        return
    details = EventsConfirmedDetails(client=client, event=event_id)
    record_action(session, EVENTS, DeskAct.EVENTS_CONFIRMED, actor, details)
    session.merge(EventReaderRow(client=client, confirmed=event_id))
