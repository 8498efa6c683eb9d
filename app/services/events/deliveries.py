"""Deliveries, each of one event for one receiver: a webhook, or the mailbox of the duty team or of the editors."""

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from sqlalchemy import ColumnElement, Engine, exists, func, tuple_, update
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from app.db.tables import table_of
from app.models.events.rows import MAILBOXES, DeliveryRow, DeliveryState, EventRow, WebhookRow
from app.services.access.restrictions import find_restricted
from app.services.audit.audit_log import by_itself
from app.services.events.webhooks import record_webhook

SECOND, MINUTE, HOUR = 1, 60, 3600
DELAYS = (5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, *([6 * HOUR] * 7))
MAX_DELAY = 6 * HOUR
HTTP_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
"""RFC 9110, section 5.6.7."""
GONE = str(HTTPStatus.GONE.value)
UNDER_WAY = "under way"
"""`last_answer` during an attempt, and after one in which the process ended."""
TEST_NOTICE = "webhook.test"
"""The type of a test message. No event has it."""


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery that one worker may attempt until its lease ends. `attempts` counts this one.

    `secrets` are encrypted as `claim_due` returns them; the dispatcher decrypts them.
    """

    event_id: int
    webhook: str
    message: str
    attempts: int
    kind: str
    at: dt.datetime
    data: dict[str, Any]
    url: str
    secrets: tuple[str, ...]


def find_webhooks_due(engine: Engine, *, now: dt.datetime) -> list[str]:
    """Return the names of due webhooks, sorted, without mailboxes."""
    deliveries, webhooks = table_of(DeliveryRow), table_of(WebhookRow)
    is_due = exists().where(deliveries.c.webhook == webhooks.c.name, *_due_at(now))
    is_active = webhooks.c.disabled_at.is_(None) & webhooks.c.name.not_in(MAILBOXES)
    active = select_columns(webhooks.c.name).where(is_active, is_due)
    with engine.connect() as connection:
        return list(connection.execute(active.order_by(webhooks.c.name)).scalars())


def claim_due(
    session: Session, *, webhook: str, now: dt.datetime, lease: dt.timedelta, limit: int
) -> list[ClaimedDelivery]:
    """Claim up to `limit` due deliveries, the earliest first, and return them in no order.

    Each is due again at the end of `lease` if the worker ends without a result. Only one transaction writes at a time,
    so no two workers claim the same delivery. Deliveries about restricted concerns are cancelled.
    """
    target = session.get(WebhookRow, webhook)
    if target is None or target.disabled_at is not None:
        return []
    secrets = tuple(target.secrets)
    while rows := lease_deliveries(session, webhook, *_due_at(now), until=now + lease, limit=limit):
        events = {row.event_id: session.get_one(EventRow, row.event_id) for row in rows}
        cancelled = _cancel_restricted(session, webhook, events)
        claimed = [
            ClaimedDelivery(
                row.event_id, webhook, row.message, row.attempts, event.kind, event.at, event.data, target.url, secrets
            )
            for row in rows
            for event in [events[row.event_id]]
            if row.event_id not in cancelled
        ]
        if claimed:
            return claimed
    return []


def _cancel_restricted(session: Session, webhook: str, events: Mapping[int, EventRow]) -> set[int]:
    about = {number: event.data["reference"] for number, event in events.items() if "reference" in event.data}
    restricted = find_restricted(session, set(about.values()))
    found = {number for number, reference in about.items() if reference in restricted}
    for number in found:
        session.get_one(DeliveryRow, (number, webhook)).state = DeliveryState.CANCELLED.value
    return found


def lease_deliveries(
    session: Session, webhook: str, *conditions: ColumnElement[bool], until: dt.datetime, limit: int
) -> Sequence[Any]:
    """Return number of the event, message ID and attempts of each, in no order."""
    deliveries = table_of(DeliveryRow)
    chosen = (
        select_columns(deliveries.c.event_id, deliveries.c.webhook)
        .where(deliveries.c.webhook == webhook, *conditions)
        .order_by(deliveries.c.due)
        .limit(limit)
    )
    return session.exec(
        update(deliveries)
        .where(tuple_(deliveries.c.event_id, deliveries.c.webhook).in_(chosen))
        .values(due=until, attempts=deliveries.c.attempts + 1, last_answer=UNDER_WAY)
        .returning(deliveries.c.event_id, deliveries.c.message, deliveries.c.attempts)
    ).all()


def _due_at(now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    deliveries = table_of(DeliveryRow)
    return deliveries.c.state == DeliveryState.PENDING.value, deliveries.c.due <= now


def record_attempt(
    session: Session, claimed: ClaimedDelivery, state: DeliveryState, answer: str, *, due: dt.datetime, at: dt.datetime
) -> None:
    """Store the result, unless a final one is stored. 410 Gone disables the webhook, which is recorded.

    `answer` is the HTTP status, the name of the error or `interrupted`; `due` is the next attempt.
    """
    delivery = session.get_one(DeliveryRow, (claimed.event_id, claimed.webhook))
    if delivery.state == DeliveryState.PENDING:
        delivery.state, delivery.last_answer, delivery.due = state.value, answer, due
    webhook = session.get(WebhookRow, claimed.webhook)
    if answer == GONE and webhook is not None and webhook.disabled_at is None:
        webhook.disabled_at, webhook.disabled_because = at, "it answered 410 Gone"
        record_webhook(session, webhook, by_itself(at))


def count_deliveries(session: Session) -> dict[tuple[str, str], int]:
    """Pending and dead (given up), by receiver and state. A pair without deliveries has no key."""
    counted = session.exec(
        select(DeliveryRow.webhook, DeliveryRow.state, func.count())
        .where(col(DeliveryRow.state).in_((DeliveryState.PENDING.value, DeliveryState.DEAD.value)))
        .group_by(DeliveryRow.webhook, DeliveryRow.state)
    )
    return {(webhook, state): count for webhook, state, count in counted}


def next_due(attempts: int, retry_after: str | None, now: dt.datetime) -> dt.datetime:
    """Return when to try again: after the delay in `DELAYS`, changed by up to a fifth at random.

    A longer `retry_after` counts instead. The delay is never longer than six hours.
    """
    jitter = random.uniform(0.8, 1.2)  # noqa: S311  # nosec B311  # spreads load; not for security
    delay = DELAYS[min(attempts, len(DELAYS)) - 1] * jitter
    return now + dt.timedelta(seconds=min(max(delay, _seconds_of(retry_after, now)), MAX_DELAY))


def _seconds_of(retry_after: str | None, now: dt.datetime) -> float:
    if retry_after is None or not retry_after.isascii():  # `isdigit` is True for `²`, which `float` refuses
        return 0
    if retry_after.isdigit():
        return float(retry_after)  # a very long number becomes infinity: the caller limits it
    for form in HTTP_DATES:
        with suppress(ValueError):
            return (dt.datetime.strptime(retry_after, form).replace(tzinfo=dt.UTC) - now).total_seconds()
    return 0


def oldest_waiting_deliveries(session: Session) -> dict[str, dt.datetime]:
    waiting = (
        select(DeliveryRow.webhook, func.min(EventRow.at))
        .join(EventRow, col(EventRow.id) == DeliveryRow.event_id)
        .join(WebhookRow, col(WebhookRow.name) == DeliveryRow.webhook)
        .where(DeliveryRow.state == DeliveryState.PENDING.value, col(WebhookRow.disabled_at).is_(None))
        .group_by(DeliveryRow.webhook)
    )
    return dict(session.exec(waiting).all())
