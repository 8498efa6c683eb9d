"""Delivery of events by push (Standard Webhooks 1.0): at least once, with the same message id on every attempt."""

import asyncio
import base64
import datetime as dt
import hashlib
import ipaddress
import json
import random
import re
import secrets
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, Engine, Update, delete, exists, func, tuple_, update
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import Session, col, select
from standardwebhooks import Webhook

from app.config import Settings, is_loopback
from app.db.tables import table_of
from app.db.writer import Writer
from app.errors import (
    AddressNotAllowed,
    GuidanceError,
    NoSuchWebhook,
    SetupError,
    WebhookExists,
    WebhookSecretUnreadable,
)
from app.logs import Log
from app.models.base import SLUG_PATTERN, canonical_json, format_utc
from app.models.events import EMAIL, DeliveryRow, DeliveryState, EventKind, EventRow, WebhookRow
from app.models.links import GUIDES
from app.models.record import WEBHOOKS, DeskAct, NotedTime
from app.models.record_details import WebhookDetails
from app.services.access_record import by_operator
from app.services.events import event_id, new_message_id, notice_data
from app.services.keys import FileKey, KeyFile
from app.services.record import Actor, by_itself, record_disclosure
from app.services.rounds import RoundNotes
from app.services.workers import Job, JobsWorker, backoff_seconds, start_call

HTTPS = "https"
WEBHOOK_KEY = "webhook-key.txt"
FORMAT_VERSION = "v1"
NONCE_BYTES = 12
SECRET_BYTES = 32
MAX_SECRETS = 2
REMOVED = "removed"
UNDELIVERED = (DeliveryState.PENDING.value, DeliveryState.DEAD.value)


def insert_webhook(session: Session, webhook: WebhookRow) -> None:
    """Insert the webhook, in place of one of its name that was removed. Raises `WebhookExists` if the name is in use.

    Deliveries to the former address stay as a record. None of them goes to the new one.
    """
    was_removed = col(WebhookRow.name) == webhook.name, col(WebhookRow.disabled_because) == REMOVED
    if session.exec(delete(WebhookRow).where(*was_removed)).rowcount:
        cancel_deliveries(session, webhook.name)
    session.add(webhook)
    try:
        session.flush()
    except IntegrityError:
        raise WebhookExists from None
    _record(session, webhook, by_operator(webhook.added_at))


def get_webhook(session: Session, name: str) -> WebhookRow:
    """Return the receiver of that name, unless it was removed. Raises `NoSuchWebhook`."""
    webhook = session.get(WebhookRow, name)
    if webhook is None or webhook.disabled_because == REMOVED:
        raise NoSuchWebhook
    return webhook


def refuse_mailbox(name: str) -> None:
    """Raise `SetupError` for the name of the duty team's mailbox, where an address is meant."""
    if name == EMAIL:
        raise SetupError(f"{EMAIL} is the duty team's mailbox, which the settings name (GUIDANCE_SMTP_HOST)")


def list_webhooks(session: Session) -> list[WebhookRow]:
    """Return every receiver by name, with those that are disabled or removed."""
    return list(session.exec(select(WebhookRow).order_by(WebhookRow.name)))


def list_receivers(session: Session) -> list[WebhookRow]:
    """Return every receiver that events go to, by name: the duty team's mailbox too."""
    return [each for each in list_webhooks(session) if each.disabled_at is None]


def _record(session: Session, webhook: WebhookRow, actor: Actor) -> None:
    """Record how the webhook is from now on: where it leads, and what goes there."""
    record_disclosure(session, WEBHOOKS, DeskAct.WEBHOOK_CHANGED, actor, webhook_details(webhook))


def webhook_details(webhook: WebhookRow) -> WebhookDetails:
    """Return what the audit log says of the webhook. The digest of the secrets is that of their encrypted form."""
    columns = {name: getattr(webhook, name) for name in ("name", "url", "kinds", "disabled_because")}
    times = {name: at and format_utc(at) for name, at in (("added", webhook.added_at), ("off", webhook.disabled_at))}
    return WebhookDetails(
        name=webhook.name,
        on=webhook.disabled_at is None,
        sha256=hashlib.sha256(canonical_json(columns | times)).hexdigest(),
        secrets_sha256=hashlib.sha256(canonical_json([*webhook.secrets])).hexdigest(),
    )


def find_changed_webhooks(session: Session, recorded: Mapping[str, WebhookDetails]) -> Iterator[tuple[str, str]]:
    """Yield the name of each webhook that is not as it was last recorded, and the fault."""
    there = {webhook.name: webhook for webhook in list_webhooks(session)}
    for name, webhook in there.items():
        if name == EMAIL:  # the settings name the mailbox
            continue
        if name not in recorded:
            yield name, "nobody added it"
        elif webhook_details(webhook) != recorded[name]:
            yield name, "it is not as it was recorded"
    yield from ((name, "it is gone") for name in recorded if name not in there)


def cancel_deliveries(session: Session, name: str) -> int:
    """Send nothing any more of what waits for that receiver, or was given up. Return how many there were."""
    return session.exec(
        update(DeliveryRow)
        .where(col(DeliveryRow.webhook) == name, col(DeliveryRow.state).in_(UNDELIVERED))
        .values(state=DeliveryState.CANCELLED.value)
    ).rowcount


@dataclass(frozen=True)
class SsrfGuard:
    """Checks URLs. `allowed_hosts` may resolve to private addresses; this machine itself is allowed over http."""

    allowed_hosts: frozenset[str] = frozenset()

    def resolve(self, url: str) -> tuple[httpx.URL, str]:
        """Return the URL with the host's IP address, and the host's name for TLS. Raises `AddressNotAllowed`."""
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            raise AddressNotAllowed("it is not an address") from None
        if parsed.scheme not in (HTTPS, "http") or not parsed.host or parsed.userinfo or parsed.fragment:
            raise AddressNotAllowed("it must be an https address, without a name or password in it")
        addresses = _resolve_host(parsed.host, parsed.port or (443 if parsed.scheme == HTTPS else 80))
        for address in addresses:
            self._check_address(address, parsed)
        return parsed.copy_with(host=str(addresses[0])), parsed.host

    def _check_address(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address, parsed: httpx.URL) -> None:
        if address.is_loopback and is_loopback(parsed.host):
            return
        if parsed.scheme != HTTPS:
            raise AddressNotAllowed("it must be https, unless it is on this machine")
        if not is_public(address) and parsed.host not in self.allowed_hosts:
            raise AddressNotAllowed(
                "it leads into a private network; allow its name in GUIDANCE_WEBHOOK_ALLOWED_HOSTS if it should"
            )


NOT_PUBLIC = tuple(
    ipaddress.ip_network(each)
    for each in (
        "::/96",  # an IPv4 address in an IPv6 one: compatible
        "::ffff:0:0:0/96",  # translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "fec0::/10",  # once site-local
        "168.63.129.16/32",  # Azure's own services, seen from each of its machines
    )
)
"""What counts as global, and may lead into a private network all the same."""


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether the address is one host on the open internet, and holds no other address."""
    return address.is_global and not address.is_multicast and not any(address in each for each in NOT_PUBLIC)


def _resolve_host(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressNotAllowed("its name cannot be resolved") from None
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    return [getattr(address, "ipv4_mapped", None) or address for address in addresses]


class WebhookKeys(KeyFile):
    """The keys under which secrets are encrypted (AES-256-GCM). The name of the webhook is authenticated.

    A file that is not configured is made when the first secret is encrypted.
    """

    purpose = "the secrets of webhooks are encrypted under"
    command = "guidance keys rotate-webhooks"

    def encrypt(self, webhook: str, secret: str) -> str:
        """Encrypt a secret of that webhook under the newest key."""
        key = self._newest()
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + AESGCM(key.value).encrypt(nonce, secret.encode(), webhook.encode())
        return ".".join((FORMAT_VERSION, key.id, base64.urlsafe_b64encode(sealed).decode()))

    def decrypt_all(self, webhook: str, stored: Iterable[str]) -> tuple[str, ...]:
        """Decrypt the secrets of that webhook. Raises `WebhookSecretUnreadable`."""
        return tuple(self._decrypt(webhook, each) for each in stored)

    def can_decrypt(self, webhook: str, stored: str) -> bool:
        """Return True if `decrypt_all` would return the secret."""
        with suppress(WebhookSecretUnreadable):
            self._decrypt(webhook, stored)
            return True
        return False

    def is_newest(self, stored: str) -> bool:
        """Return True if the secret is encrypted under the newest key."""
        return stored.startswith(f"{FORMAT_VERSION}.{self._newest().id}.")

    def renew(self, webhook: str, stored: str) -> str:
        """Return the secret encrypted under the newest key; as it is, if it is so already or cannot be decrypted."""
        if self.is_newest(stored) or not self.can_decrypt(webhook, stored):
            return stored
        return self.encrypt(webhook, self._decrypt(webhook, stored))

    def _decrypt(self, webhook: str, stored: str) -> str:
        try:
            version, key_id, sealed = stored.split(".")
            found = base64.urlsafe_b64decode(sealed)
            value = self._find(key_id)
            if version != FORMAT_VERSION or value is None:
                raise WebhookSecretUnreadable
            return AESGCM(value).decrypt(found[:NONCE_BYTES], found[NONCE_BYTES:], webhook.encode()).decode()
        except (ValueError, InvalidTag):
            raise WebhookSecretUnreadable from None

    def _find(self, key_id: str) -> bytes | None:
        """Return the key of that id. A new one may have been written to the file since it was read."""
        if key_id not in dict(self.keys):
            self.read()
        return dict(self.keys).get(key_id)

    def _newest(self) -> FileKey:
        if not self.keys:
            self.read()
        if not self.keys and not self.is_configured:
            self.make()
        if not self.keys:
            self.load()
        return self.keys[0]


def open_webhook_keys(settings: Settings) -> WebhookKeys:
    """Return the keys that the settings name: the configured file, else one in the data folder."""
    configured = settings.webhook_key_file
    return WebhookKeys(configured or settings.data_dir / WEBHOOK_KEY, is_configured=configured is not None)


@dataclass(frozen=True)
class NewWebhook:
    """An address to add, with the kinds of events that are pushed to it."""

    name: str
    url: str
    kinds: Iterable[EventKind]


def add_webhook(writer: Writer, webhook: NewWebhook, *, guard: SsrfGuard, keys: WebhookKeys, at: dt.datetime) -> str:
    """Add a webhook, and return the secret that signs its messages (Standard Webhooks 1.0).

    Raises `WebhookExists`, or `AddressNotAllowed` if the address may not be called.
    """
    refuse_mailbox(webhook.name)
    if not re.fullmatch(SLUG_PATTERN, webhook.name):
        raise SetupError("a webhook's name is lower-case words joined by hyphens")
    guard.resolve(webhook.url)
    secret = _new_secret()
    stored, kinds = keys.encrypt(webhook.name, secret), sorted({kind.value for kind in webhook.kinds})

    def write(session: Session) -> None:
        row = WebhookRow(name=webhook.name, url=webhook.url, kinds=kinds, secrets=[stored], added_at=at)
        insert_webhook(session, row)

    writer.run(write)
    return secret


def rotate_secret(session: Session, name: str, *, keys: WebhookKeys, at: dt.datetime) -> str:
    """Return a new secret. Messages carry both signatures, until the next rotation. Raises `NoSuchWebhook`.

    An old secret that cannot be decrypted any more is dropped.
    """
    refuse_mailbox(name)
    secret = _new_secret()
    webhook = get_webhook(session, name)
    readable = [stored for stored in webhook.secrets if keys.can_decrypt(name, stored)]
    webhook.secrets = [keys.encrypt(name, secret), *readable][:MAX_SECRETS]
    _record(session, webhook, by_operator(at))
    return secret


def drop_old_secret(session: Session, name: str, *, at: dt.datetime) -> None:
    """Sign only with the newest secret. Raises `NoSuchWebhook`."""
    refuse_mailbox(name)
    webhook = get_webhook(session, name)
    webhook.secrets = webhook.secrets[:1]
    _record(session, webhook, by_operator(at))


def remove_webhook(session: Session, name: str, *, at: dt.datetime) -> None:
    """Remove the webhook: nothing more goes to it, and another one may have its name. Raises `NoSuchWebhook`."""
    refuse_mailbox(name)
    webhook = get_webhook(session, name)
    webhook.disabled_at, webhook.disabled_because = at, REMOVED
    _record(session, webhook, by_operator(at))
    cancel_deliveries(session, name)


def encrypt_again(session: Session, *, keys: WebhookKeys, at: dt.datetime, with_new_key: bool = False) -> int:
    """Encrypt every secret under the newest key, and return the number of webhooks whose secrets are under it.

    The transaction admits one writer at a time, so that no two processes change the file at once.
    """
    if with_new_key:
        keys.add()
    webhooks = list_webhooks(session)
    for webhook in webhooks:
        webhook.secrets = [keys.renew(webhook.name, stored) for stored in webhook.secrets]
        if webhook.name != EMAIL:
            _record(session, webhook, by_operator(at))
    return sum(all(keys.is_newest(stored) for stored in webhook.secrets) for webhook in webhooks)


def drop_old_keys(session: Session, *, keys: WebhookKeys) -> None:
    """Drop every key but the newest from the file. Raises `WebhookSecretUnreadable` if a secret still needs another."""
    for webhook in list_webhooks(session):
        if any(keys.can_decrypt(webhook.name, stored) and not keys.is_newest(stored) for stored in webhook.secrets):
            raise WebhookSecretUnreadable
    keys.drop_old()


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


SECOND, MINUTE, HOUR = 1, 60, 3600
DELAYS = (5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, *([6 * HOUR] * 7))
MAX_DELAY = 6 * HOUR
HTTP_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")
"""The three forms of RFC 9110, section 5.6.7."""


GONE = str(HTTPStatus.GONE.value)
UNDER_WAY = "under way"
"""The `last_answer` of a delivery while a worker tries it, or where the worker died."""

TEST_NOTICE = "webhook.test"
"""The type of a notice by which an operator tries a webhook. Nothing happened, so it is not a kind of event."""


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery that this worker may try until its lease ends."""

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
    """Return the names of the webhooks for which a delivery is due. The mailbox is not among them."""
    deliveries, webhooks = table_of(DeliveryRow), table_of(WebhookRow)
    is_due = exists().where(deliveries.c.webhook == webhooks.c.name, *_due_at(now))
    active = select_columns(webhooks.c.name).where(webhooks.c.disabled_at.is_(None), webhooks.c.name != EMAIL, is_due)
    with engine.connect() as connection:
        return list(connection.execute(active.order_by(webhooks.c.name)).scalars())


def claim_due(
    session: Session, *, webhook: str, now: dt.datetime, lease: dt.timedelta, limit: int
) -> list[ClaimedDelivery]:
    """Claim due deliveries of one webhook, by moving their due time to the end of the lease.

    If a worker dies, they become due again. Writers take turns, so no two workers claim the same.
    """
    target = session.get(WebhookRow, webhook)
    if target is None or target.disabled_at is not None:
        return []
    secrets = tuple(target.secrets)
    return [
        ClaimedDelivery(
            row.event_id, webhook, row.message, row.attempts, event.kind, event.at, event.data, target.url, secrets
        )
        for row in lease_deliveries(session, webhook, *_due_at(now), until=now + lease, limit=limit)
        for event in [session.get_one(EventRow, row.event_id)]
    ]


def lease_deliveries(
    session: Session, webhook: str, *conditions: ColumnElement[bool], until: dt.datetime, limit: int
) -> Sequence[Any]:
    """Move the due time of those deliveries, the oldest first, to `until`. Return event, message, attempts of each."""
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


def _record_attempt(
    session: Session, claimed: ClaimedDelivery, state: DeliveryState, answer: str, *, due: dt.datetime, at: dt.datetime
) -> None:
    """Write the result of an attempt, unless another worker already wrote one. A receiver that is gone is disabled."""
    delivery = session.get_one(DeliveryRow, (claimed.event_id, claimed.webhook))
    if delivery.state == DeliveryState.PENDING:
        delivery.state, delivery.last_answer, delivery.due = state.value, answer, due
    webhook = session.get(WebhookRow, claimed.webhook)
    if answer == GONE and webhook is not None and webhook.disabled_at is None:
        webhook.disabled_at, webhook.disabled_because = at, "it answered 410 Gone"
        _record(session, webhook, by_itself(at))


def count_deliveries(session: Session) -> dict[tuple[str, str], int]:
    """Count the deliveries that wait, and those that failed for good, by webhook and state."""
    counted = session.exec(
        select(DeliveryRow.webhook, DeliveryRow.state, func.count())
        .where(col(DeliveryRow.state).in_((DeliveryState.PENDING.value, DeliveryState.DEAD.value)))
        .group_by(DeliveryRow.webhook, DeliveryRow.state)
    )
    return {(webhook, state): count for webhook, state, count in counted}


def next_due(attempts: int, retry_after: str | None, now: dt.datetime) -> dt.datetime:
    """Return when to try again after that attempt: as the receiver wishes, but within six hours."""
    jitter = random.uniform(0.8, 1.2)  # noqa: S311  # nosec B311  # spreads load; not for security
    delay = DELAYS[min(attempts, len(DELAYS)) - 1] * jitter
    return now + dt.timedelta(seconds=min(max(delay, _seconds_of(retry_after, now)), MAX_DELAY))


def _seconds_of(retry_after: str | None, now: dt.datetime) -> float:
    """Return `Retry-After` in seconds (RFC 9110, section 10.2.3): 0 if there is none, or it is of neither form."""
    if retry_after is None or not retry_after.isascii():  # `isdigit` is true of `²`, which is no number to Python
        return 0
    if retry_after.isdigit():
        return float(retry_after)  # of any length: no number here is too large for a float
    for form in HTTP_DATES:
        with suppress(ValueError):
            return (dt.datetime.strptime(retry_after, form).replace(tzinfo=dt.UTC) - now).total_seconds()
    return 0


def oldest_waiting(session: Session) -> dict[str, dt.datetime]:
    """Return the time of the oldest event that waits for each receiver that is not disabled, if one does."""
    waiting = (
        select(DeliveryRow.webhook, func.min(EventRow.at))
        .join(EventRow, col(EventRow.id) == DeliveryRow.event_id)
        .join(WebhookRow, col(WebhookRow.name) == DeliveryRow.webhook)
        .where(DeliveryRow.state == DeliveryState.PENDING.value, col(WebhookRow.disabled_at).is_(None))
        .group_by(DeliveryRow.webhook)
    )
    return dict(session.exec(waiting).all())


ATTEMPT_SECONDS = 15.0
"""The whole attempt: the lookup of the name, the connection, TLS, the request and the head of the response."""
BODY_SECONDS = 1.0
MAX_RESPONSE_BYTES = 64 * 1024
SUCCESSES = range(200, 300)

Target = tuple[httpx.URL, str]

log = Log(__name__)


class SendResult(NamedTuple):
    """What came of an attempt: the status of the response, or the name of the error; and its `Retry-After`."""

    answer: int | str
    retry_after: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the receiver has the notice."""
        return self.answer in SUCCESSES


class WebhookSender:
    """Sends deliveries. Each has a connection of its own: what one receiver does with its connection affects no other.

    `seconds` is the deadline of one attempt. It is of a clock that only goes forward, so a change of time is no matter.
    """

    def __init__(self, guard: SsrfGuard, *, public_url: str, seconds: float = ATTEMPT_SECONDS) -> None:
        self._lookups = Lookups(guard)
        self._public_url = public_url
        self._seconds = seconds

    async def send(self, delivery: ClaimedDelivery, at: dt.datetime) -> SendResult:
        """Try once. Whatever the receiver does, this returns by the deadline."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._send(delivery, at)
        except (AddressNotAllowed, httpx.HTTPError, TimeoutError) as failure:
            return SendResult(type(failure).__name__)
        except Exception as failure:  # a receiver can send what no library expects
            log.failure("webhook_attempt_failed", error=failure, webhook=delivery.webhook)
            return SendResult(type(failure).__name__)

    async def _send(self, delivery: ClaimedDelivery, at: dt.datetime) -> SendResult:
        # Lookup, connection and TLS end by times of their own, before the deadline: a cancelled TLS handshake would
        # leave its connection open (httpcore 1.0 closes it after an error, and not where the task is cancelled).
        step = self._seconds / 4
        async with asyncio.timeout(step):
            url, host = await self._lookups.resolve(delivery.url)
        body = _body_of(delivery, self._public_url)
        headers, tls = _headers_of(delivery, body, at), {"sni_hostname": host}
        async with (
            httpx.AsyncClient(verify=self._tls, timeout=httpx.Timeout(None, connect=step), trust_env=False) as client,
            client.stream("POST", url, content=body, headers=headers, extensions=tls) as response,
        ):
            with suppress(httpx.HTTPError, TimeoutError):  # the status is known, and decides
                async with asyncio.timeout(BODY_SECONDS):
                    await _discard(response)
            return SendResult(response.status_code, response.headers.get("retry-after"))

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context(trust_env=False)


class Lookups:
    """Looks up addresses without blocking the event loop, one thread for each URL at a time.

    While a lookup hangs, further attempts for the same URL wait for it, and start no other.
    """

    def __init__(self, guard: SsrfGuard) -> None:
        self._guard = guard
        self._under_way: dict[str, Future[Target]] = {}

    async def resolve(self, url: str) -> Target:
        """Return what `SsrfGuard.resolve` returns, and raise what it raises."""
        lookup = self._under_way.get(url)
        if lookup is None or lookup.done():
            lookup = self._under_way[url] = start_call(partial(self._guard.resolve, url), "webhook-lookup")
        return await asyncio.wrap_future(lookup)


def build_sender(settings: Settings, *, seconds: float = ATTEMPT_SECONDS) -> WebhookSender:
    """Build a sender by the settings."""
    guard = SsrfGuard(frozenset(settings.webhook_allowed_hosts))
    return WebhookSender(guard, public_url=settings.public_url, seconds=seconds)


def _body_of(delivery: ClaimedDelivery, public_url: str) -> str:
    data = notice_data(delivery.data, public_url)
    own_id = event_id(delivery.event_id, delivery.kind, delivery.at, delivery.data)
    return json.dumps({"id": own_id, "type": delivery.kind, "timestamp": format_utc(delivery.at), "data": data})


def _headers_of(delivery: ClaimedDelivery, body: str, at: dt.datetime) -> dict[str, str]:
    return {
        "Host": httpx.URL(delivery.url).netloc.decode(),
        "Content-Type": "application/json",
        "User-Agent": "one-minute-guide",
        "webhook-id": delivery.message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(delivery.message, at, body) for secret in delivery.secrets),
    }


async def _discard(response: httpx.Response) -> None:
    """Read the body, 64 KiB at most, so that the receiver can end its response. Nothing of it is stored."""
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > MAX_RESPONSE_BYTES:
            return


LEASE = dt.timedelta(seconds=60)
MAX_CONCURRENT = 4
"""Attempts at a time for one receiver. So many are claimed at a time, so none waits while its lease runs out."""


@dataclass(frozen=True)
class WebhookDispatcher:
    """Tries due deliveries, for one receiver at a time. Any number may run, in any number of processes."""

    writer: Writer
    sender: WebhookSender
    keys: WebhookKeys
    clock: Callable[[], dt.datetime]
    lease: dt.timedelta = LEASE

    async def find_due(self) -> list[str]:
        """Return the webhooks for which a delivery is due. It only reads, so no write waits for it."""
        return await asyncio.to_thread(find_webhooks_due, self.writer.engine, now=self.clock())

    def note_round(self, notes: RoundNotes) -> None:
        """Note that this process delivers, if there is a webhook."""
        with Session(self.writer.engine) as session:
            is_needed = any(each.name != EMAIL for each in list_receivers(session))
        notes.note(is_needed=is_needed)

    async def deliver_to(self, webhook: str, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Try everything that is due for one webhook, and return the number of attempts.

        Raises `WebhookSecretUnreadable`, and then claims nothing; `StoreBusy` if a result could not be recorded: the
        delivery is due again when its lease ends.
        """
        tried = 0
        while not is_stopping() and (claimed := await self.writer.run_async(self._claim, webhook=webhook)):
            results = await asyncio.gather(*map(self._attempt, claimed), return_exceptions=True)
            tried += len(claimed)
            for failure in results:
                if isinstance(failure, Exception):
                    raise failure
        return tried

    def _claim(self, session: Session, *, webhook: str) -> list[ClaimedDelivery]:
        claimed = claim_due(session, webhook=webhook, now=self.clock(), lease=self.lease, limit=MAX_CONCURRENT)
        return [replace(each, secrets=self.keys.decrypt_all(webhook, each.secrets)) for each in claimed]

    async def _attempt(self, delivery: ClaimedDelivery) -> None:
        try:
            result = await self.sender.send(delivery, self.clock())
        except asyncio.CancelledError:  # this process stops; another one, or the next, tries at once
            await self._record(delivery, DeliveryState.PENDING, "interrupted", due=self.clock())
            raise
        answer, due = str(result.answer), next_due(delivery.attempts, result.retry_after, self.clock())
        if result.is_success:
            await self._record(delivery, DeliveryState.DELIVERED, answer, due)
            return
        log.warning("delivery_failed", webhook=delivery.webhook, attempts=delivery.attempts, error=answer)
        is_given_up = answer == GONE or delivery.attempts >= len(DELAYS)
        await self._record(delivery, DeliveryState.DEAD if is_given_up else DeliveryState.PENDING, answer, due)
        if answer == GONE:
            log.warning("webhook_disabled", webhook=delivery.webhook)

    async def _record(self, delivery: ClaimedDelivery, state: DeliveryState, answer: str, due: dt.datetime) -> None:
        now = self.clock()
        await self.writer.run_async(_record_attempt, delivery, state, answer, due=due, at=now)


def build_dispatcher(
    settings: Settings, writer: Writer, clock: Callable[[], dt.datetime], lease: dt.timedelta = LEASE
) -> WebhookDispatcher:
    """Build a dispatcher by the settings. An attempt ends within its lease, so that nobody else tries meanwhile."""
    sender = build_sender(settings, seconds=min(ATTEMPT_SECONDS, lease.total_seconds()))
    return WebhookDispatcher(writer, sender, open_webhook_keys(settings), clock, lease)


PAUSE_SECONDS = 0.5
STOP_MARGIN_SECONDS = 5.0


class DispatcherThread(JobsWorker):
    """Delivers until it is stopped. Each receiver has a lane (a task) of its own, so none waits for another.

    At a stop the attempts under way have `grace_seconds` to end. Then they are cancelled, and due again at once.
    """

    def __init__(self, dispatcher: WebhookDispatcher, *, grace_seconds: float) -> None:
        super().__init__("dispatcher", [Job("dispatcher", PAUSE_SECONDS, lambda _: asyncio.run(self._dispatch()))])
        self.stop_seconds = grace_seconds + STOP_MARGIN_SECONDS
        self._dispatcher = dispatcher
        self._grace_seconds = grace_seconds
        self._notes = RoundNotes(NotedTime.WEBHOOK_ROUND, dispatcher.writer, dispatcher.clock)
        self._failures_of: Counter[str] = Counter()
        self._resting_until: dict[str, float] = {}

    async def _dispatch(self) -> None:
        """Deliver until a stop is requested."""
        lanes: dict[str, asyncio.Task[None]] = {}
        try:
            while not self.is_stopping:
                self.beat()
                for webhook in await self._find_due():
                    if self._may_start(webhook, lanes.get(webhook)):
                        lanes[webhook] = asyncio.create_task(self._work_lane(webhook), name=webhook)
                await asyncio.sleep(PAUSE_SECONDS)
            if lanes:
                await asyncio.wait(lanes.values(), timeout=self._grace_seconds)
        finally:
            for lane in lanes.values():
                lane.cancel()
            await asyncio.gather(*lanes.values(), return_exceptions=True)

    def _may_start(self, webhook: str, former: asyncio.Task[None] | None) -> bool:
        is_free = former is None or former.done()
        return is_free and time.monotonic() >= self._resting_until.get(webhook, 0.0)

    async def _find_due(self) -> list[str]:
        """Return the webhooks with due deliveries: none where the database does not answer, so that lanes go on."""
        try:
            if self._notes.is_due:
                await asyncio.to_thread(self._dispatcher.note_round, self._notes)
            return await self._dispatcher.find_due()
        except (SQLAlchemyError, GuidanceError) as failure:
            log.error("delivery_round_failed", error=type(failure).__name__)
            return []

    async def _work_lane(self, webhook: str) -> None:
        """Deliver what is due for one receiver. After a failure of any kind this lane rests; the others go on."""
        try:
            await self._dispatcher.deliver_to(webhook, is_stopping=lambda: self.is_stopping)
        except Exception as failure:
            self._failures_of[webhook] += 1
            self._resting_until[webhook] = time.monotonic() + backoff_seconds(self._failures_of[webhook])
            log.failure("delivery_lane_failed", error=failure, webhook=webhook)
        else:
            self._failures_of[webhook] = 0


async def send_test_notice(
    engine: Engine, sender: WebhookSender, name: str, *, keys: WebhookKeys, at: dt.datetime
) -> SendResult:
    """Send a signed notice that says it is a test, and return what came of it. Nothing is stored or tried again."""
    with Session(engine) as session:
        webhook = get_webhook(session, name)
    notice = ClaimedDelivery(
        event_id=0,
        webhook=name,
        message=new_message_id(),
        attempts=1,
        kind=TEST_NOTICE,
        at=at,
        data={"test": True, "webhook": name, "links": {"guides": GUIDES}},
        url=webhook.url,
        secrets=keys.decrypt_all(name, webhook.secrets),
    )
    return await sender.send(notice, at)


def replay_deliveries(session: Session, name: str, *, now: dt.datetime) -> int:
    """Make the webhook's dead deliveries due again, and return their number. Raises `NoSuchWebhook`."""
    get_webhook(session, name)
    dead = _of_webhook(name, DeliveryState.DEAD)
    return session.exec(dead.values(state=DeliveryState.PENDING.value, attempts=0, due=now)).rowcount


def retry_deliveries(session: Session, name: str, *, now: dt.datetime) -> int:
    """Make the webhook's waiting deliveries due now, but for those under way, and return their number."""
    get_webhook(session, name)
    waiting = _of_webhook(name, DeliveryState.PENDING).where(col(DeliveryRow.last_answer).is_distinct_from(UNDER_WAY))
    return session.exec(waiting.values(due=now)).rowcount


def _of_webhook(name: str, state: DeliveryState) -> Update:
    return update(DeliveryRow).where(col(DeliveryRow.webhook) == name, col(DeliveryRow.state) == state.value)
