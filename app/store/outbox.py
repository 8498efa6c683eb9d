"""The outbox as a whole: how long the oldest events wait."""

import datetime as dt

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.models.events.tables import DeliveryRow, DeliveryState, EventRow, WebhookRow


def oldest_waiting(session: Session) -> dict[str, dt.datetime]:
    """Return the time of the oldest event that waits for each webhook that is not disabled, if one does."""
    waiting = (
        select(DeliveryRow.webhook, func.min(DeliveryRow.event_id))
        .join(WebhookRow, col(WebhookRow.name) == DeliveryRow.webhook)
        .where(DeliveryRow.state == DeliveryState.PENDING.value, col(WebhookRow.disabled_at).is_(None))
        .group_by(DeliveryRow.webhook)
    )
    return {webhook: session.get_one(EventRow, event_id).at for webhook, event_id in session.exec(waiting).all()}
