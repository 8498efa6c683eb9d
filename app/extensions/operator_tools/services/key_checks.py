"""Checks of `guidance doctor` for recipients (public keys), identities (private keys), other keys, and webhooks."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlmodel import Session

from app.errors import SetupError
from app.extensions.operator_tools.services.database_checks import RUN_VERIFY, check_invariant
from app.models.base import counted
from app.models.events.rows import MAILBOXES, DeliveryState, WebhookRow
from app.services.access.row_signing import open_access_keys, require_access_keys
from app.services.concerns.keys import RECEIPT_KEY, load_receipt_key
from app.services.concerns.sealing import make_sealer, read_identities
from app.services.events.address_guard import SsrfGuard
from app.services.events.deliveries import count_deliveries, oldest_waiting_deliveries
from app.services.events.webhook_keys import open_webhook_keys
from app.services.events.webhooks import REMOVED, list_webhooks
from app.services.operations.check_model import CheckContext, Verdict, fault, fine, warn
from app.services.operations.external_services import LATE, knock_at_receiver
from app.services.operations.invariants import Invariant

FEWEST_RECIPIENTS = 2
MAX_KEY_FILE_BYTES = 100_000
KEY_AGE = dt.timedelta(days=730)


def check_number_of_recipients(context: CheckContext) -> Verdict:
    """Require two, so that a lost identity loses no concern. None or an invalid one is a fault; one is a warning."""
    recipients = set(context.settings.seal_to)
    if not recipients:
        return fault(
            "GUIDANCE_SEAL_TO is not set: this is a trial, whose key is stored beside the database",
            "set it to the duty team's recipients (guidance keys new)",
        )
    try:
        make_sealer(sorted(recipients))
    except SetupError as refusal:
        return fault(str(refusal), "correct GUIDANCE_SEAL_TO (guidance keys list)")
    if len(recipients) < FEWEST_RECIPIENTS:
        return warn(
            "there is only one recipient: if its identity is lost, all concerns are lost",
            "add a second recipient to GUIDANCE_SEAL_TO, then run guidance keys reseal",
        )
    return fine(counted(len(recipients), "recipient"))


def check_identities(context: CheckContext) -> Verdict:
    """Look for identities here: a fault in data folder or backups, a warning in GUIDANCE_SEAL_IDENTITY_FILE."""
    here = [path for path in _files_here(context) if _opens_concerns(path, context.settings.seal_to)]
    configured = context.settings.seal_identity_file
    if any(path != configured for path in here):
        names = ", ".join(str(path) for path in here if path != configured)
        return fault(
            f"an identity that can decrypt concerns is in {names}",
            "move it off this computer, to the people who read concerns",
        )
    if here:
        return warn(
            f"GUIDANCE_SEAL_IDENTITY_FILE: this computer can decrypt concerns ({configured})",
            "unset it if the service only receives concerns, so that a stolen server can decrypt nothing",
        )
    return fine("the service's folders hold no identity of a recipient")


def _files_here(context: CheckContext) -> Iterator[Path]:
    settings = context.settings
    if settings.seal_identity_file is not None and settings.seal_identity_file.is_file():
        yield settings.seal_identity_file
    for folder in filter(None, (settings.data_dir, settings.backup_folder)):
        if folder.is_dir():
            yield from sorted(each for each in folder.iterdir() if each.is_file() and not each.is_symlink())


def _opens_concerns(path: Path, recipients: tuple[str, ...]) -> bool:
    try:
        if path.stat().st_size > MAX_KEY_FILE_BYTES:
            return False
        own = {str(each.to_public()) for each in read_identities(path).identities}
    except (OSError, SetupError):
        return False
    return bool(own & set(recipients))


def check_receipt_key(context: CheckContext) -> Verdict:
    """Check that the key exists, is valid, shared by all nodes, and at most `KEY_AGE` old."""
    settings = context.settings
    path = settings.receipt_key_file or settings.data_dir / RECEIPT_KEY
    if not path.is_file():
        return fault(f"there is no receipt key at {path}", "start the service once, or restore the key")
    try:
        load_receipt_key(path, settings.data_dir)
        age = context.at - dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    except (OSError, SetupError):
        return fault(f"{path} is not an Ed25519 key", "restore the key")
    if not context.is_embedded and settings.receipt_key_file is None:
        return warn("each node signs with its own key", "give all nodes the same GUIDANCE_RECEIPT_KEY_FILE")
    if age > KEY_AGE:
        return warn(
            f"the receipt key is {counted(age.days, 'day')} old",
            "create a new key, and list this one in GUIDANCE_RETIRED_RECEIPT_KEYS",
        )
    return fine(f"the receipt key is {counted(max(age.days, 0), 'day')} old")


def check_access(context: CheckContext) -> Verdict:
    """Check the access keys, and leave them set on `context.engine` for later checks."""
    open_access_keys(context.settings, context.engine)
    try:
        keys = require_access_keys(context.engine, is_used=context.settings.openid_client_id is not None)
    except SetupError as refusal:
        return fault(str(refusal), "restore the access key")
    intact = "all access rows are signed by this service" if keys.keys else "nobody has access yet"
    return check_invariant(
        Invariant.ACCESS, "access row", "{} not signed by this service, or changed: {}", RUN_VERIFY, intact, context
    )


def check_removed_recipients(context: CheckContext) -> Verdict:
    """Check removed recipients. In a trial there is nothing to check."""
    if context.settings.is_trial:
        return fine("a trial has no recipients")
    return check_invariant(
        Invariant.RECIPIENTS,
        "text",
        "{} encrypted to a removed recipient",
        "run guidance keys reseal on a computer with an identity",
        "all texts are encrypted to current recipients only",
        context,
    )


def check_webhooks(context: CheckContext) -> Iterator[Verdict]:
    """Check that webhooks are enabled and reachable, and their secrets readable.

    Given up events are a fault, late ones a warning.
    """
    with Session(context.engine) as session:
        deliveries, oldest = count_deliveries(session), oldest_waiting_deliveries(session)
        webhooks = [
            each for each in list_webhooks(session) if each.disabled_because != REMOVED and each.name not in MAILBOXES
        ]
    yield from _unreadable_secrets(context, webhooks)
    guard = SsrfGuard(frozenset(context.settings.webhook_allowed_hosts))
    for webhook in webhooks:
        name = webhook.name
        if webhook.disabled_at is not None:
            yield fault(f"{name} is disabled: {webhook.disabled_because}", f"fix the receiver, then add {name} again")
        if dead := deliveries.get((name, DeliveryState.DEAD.value)):
            yield fault(
                f"{name} did not accept {counted(dead, 'event')}, now given up", f"guidance webhooks replay {name}"
            )
        failure = knock_at_receiver(webhook.url, guard) if webhook.disabled_at is None else None
        if failure is not None:
            yield fault(f"cannot connect to the address of {name} ({failure})", "fix the receiver")
        if name in oldest and context.at - oldest[name] > LATE:
            yield warn(
                f"{name} has a pending event of {oldest[name]:%Y-%m-%d %H:%M} UTC",
                f"fix the receiver (guidance webhooks test {name}), and see that something delivers",
            )
    yield fine(f"{counted(len(webhooks), 'webhook')}, all delivering" if webhooks else "there is no webhook")


def _unreadable_secrets(context: CheckContext, webhooks: Sequence[WebhookRow]) -> Iterator[Verdict]:
    keys = open_webhook_keys(context.settings)
    secrets = [(each.name, secret) for each in webhooks for secret in each.secrets]
    try:
        keys.load()
        lost = [name for name, secret in secrets if not keys.can_decrypt(name, secret)]
    except SetupError as refusal:
        yield fault(str(refusal), "put the webhook key back from its store")
        return
    if lost:
        yield fault(
            f"the secret of {', '.join(dict.fromkeys(lost))} cannot be decrypted",
            f"restore the webhook key ({keys.path}), or guidance webhooks rotate",
        )
    if not context.is_embedded and context.settings.webhook_key_file is None and secrets:
        yield warn("each node has its own webhook key", "give all nodes the same GUIDANCE_WEBHOOK_KEY_FILE")
