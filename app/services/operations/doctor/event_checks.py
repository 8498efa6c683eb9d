"""The check of webhooks: none is disabled, waits long or was given up, and their secrets can be read."""

import datetime as dt
from collections.abc import Iterator

from sqlmodel import Session

from app.errors import SetupError
from app.models.events.tables import DeliveryState
from app.services.events.webhook_keys import is_plain, open_webhook_keys
from app.services.operations.doctor.finding import Check, Verdict, fault, warn, worst
from app.services.operations.doctor.patient import Patient
from app.store.events import count_deliveries
from app.store.outbox import oldest_waiting
from app.store.webhooks import REMOVED, list_webhooks

STUCK_AFTER = dt.timedelta(hours=1)


def check_webhooks(patient: Patient) -> Verdict:
    """Check each address that events are pushed to."""
    with Session(patient.engine) as session:
        names = [each.name for each in list_webhooks(session) if each.disabled_because != REMOVED]
        return worst(_faults(patient, session), otherwise=f"{len(names)} webhooks, none of which is stuck")


def _faults(patient: Patient, session: Session) -> Iterator[Verdict]:
    yield from _unreadable(patient, session)
    counted, oldest = count_deliveries(session), oldest_waiting(session)
    for webhook in list_webhooks(session):
        name = webhook.name
        if webhook.disabled_because == REMOVED:
            continue
        if webhook.disabled_at is not None:
            yield fault(
                f"{name} is disabled: {webhook.disabled_because}", f"correct the receiver, then add {name} anew"
            )
        if dead := counted.get((name, DeliveryState.DEAD.value)):
            yield fault(f"{name} did not take {dead} events, which were given up", f"guidance webhooks replay {name}")
        if name in oldest and patient.at - oldest[name] > STUCK_AFTER:
            yield warn(
                f"{name} waits for an event of {oldest[name]:%Y-%m-%d %H:%M} UTC",
                f"correct the receiver (guidance webhooks test {name}), and see that something delivers",
            )


def _unreadable(patient: Patient, session: Session) -> Iterator[Verdict]:
    keys = open_webhook_keys(patient.settings)
    secrets = [(each.name, secret) for each in list_webhooks(session) for secret in each.secrets]
    try:
        keys.load()
        lost = [name for name, secret in secrets if not is_plain(secret) and not keys.can_decrypt(name, secret)]
    except SetupError as refusal:
        yield fault(str(refusal), "put the webhook key back from its store")
        return
    if lost:
        yield fault(
            f"the secret of {', '.join(dict.fromkeys(lost))} cannot be decrypted",
            f"put the webhook key back ({keys.path}), or guidance webhooks rotate",
        )
    if not patient.is_embedded and patient.settings.webhook_key_file is None and secrets:
        yield warn("each node has a webhook key of its own", "give all nodes the same GUIDANCE_WEBHOOK_KEY_FILE")


EVENT_CHECKS = (Check("webhooks", check_webhooks, "docs/how-to/receive-events.md#by-push", needs_database=True),)
