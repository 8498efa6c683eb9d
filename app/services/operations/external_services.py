"""Checks that external services respond, and that no event waits too long for delivery.

The external services are those that settings name. To 'knock' is to call a service only to see if it responds.
"""

import datetime as dt
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import httpx
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.config import PREFIX, Part, Settings
from app.errors import GuidanceError
from app.logs import Log
from app.models.events.rows import EMAIL, MAILBOXES
from app.services.access.limits import OWN_MEMORY, open_store
from app.services.access.openid_provider import discover, discover_jwks_url, fetch_document, parse_keys
from app.services.events.address_guard import SsrfGuard
from app.services.events.deliveries import oldest_waiting_deliveries
from app.services.events.email_sender import EmailSender
from app.services.events.webhooks import list_receivers
from app.services.workers import call_in_time

KNOCK_SECONDS = 5.0
CALL_SECONDS = 2 * KNOCK_SECONDS
"""Includes the look-up of the host, which has no other limit."""
LATE = dt.timedelta(minutes=2)
"""By then delivery to a webhook has been tried about three times."""
TRACES_PATH = "/v1/traces"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
WEBHOOKS = "webhooks"
EVENTS_LATE = "late"
"""A receiver's failure if an event is late."""
SIGN_IN_REFUSED = smtplib.SMTPAuthenticationError.__name__
SIGN_IN_AGAIN = dt.timedelta(minutes=15)
"""Pause after a refused sign-in: a mail server may lock the account after too many."""
FAILURES = (GuidanceError, OSError, httpx.HTTPError, httpx.InvalidURL)
log = Log(__name__)
HTTP_ERRORS = range(400, 600)
WATCHED = (Part.EMAIL, Part.OPENID, Part.LIMITS, Part.TRACES)
"""Periodically, by a serving process; the doctor checks the others too."""


def _knock_at_provider(settings: Settings, name: str) -> str | None:
    """Fetch the keys, or the configuration with its keys, unless `openid_jwks_url` has them.

    Raise `ProviderUnavailable`.
    """
    issuer, keys = settings.openid_issuer or "", settings.openid_jwks_url
    if name == "openid_jwks_url":
        parse_keys(fetch_document(keys or ""))
    elif keys is None:
        parse_keys(fetch_document(discover_jwks_url(issuer)))
    elif settings.openid_client_id is not None:
        discover(issuer)
    return None


def _knock_at_store(settings: Settings, _: str) -> str | None:
    is_there = settings.limits_store == OWN_MEMORY or open_store(settings.limits_store).check()
    return None if is_there else "no answer"


def _knock_at_pages(settings: Settings, name: str) -> str | None:
    """Any HTTP status is accepted: many sites refuse programs. Raise the first error."""
    value = getattr(settings, name)
    pages = [each for each in (value if isinstance(value, tuple) else (value,)) if each.lower().startswith("http")]
    return next((failure for page in pages if (failure := _refusal("GET", page, range(0)))), None)


KNOCKS: Mapping[Part, Callable[[Settings, str], str | None]] = {
    Part.EMAIL: lambda settings, _: EmailSender(settings, seconds=KNOCK_SECONDS).knock(),
    Part.OPENID: _knock_at_provider,
    Part.LIMITS: _knock_at_store,
    # an export without spans: an empty body is a valid message
    Part.TRACES: lambda settings, _: _refusal(
        "POST", f"{(settings.traces_url or '').rstrip('/')}{TRACES_PATH}", HTTP_ERRORS
    ),
    Part.PAGES: _knock_at_pages,
}
"""Function by service, of the settings and one setting: it returns None or the failure, or raises an error.

Database and public address have checks of their own.
"""


def open_client() -> httpx.Client:
    """Open an HTTP client. It ignores proxies of the environment, and trusts this computer's certificates."""
    return httpx.Client(trust_env=False, timeout=KNOCK_SECONDS, verify=ssl.create_default_context())


def _refusal(method: str, url: str, refusals: range) -> str | None:
    """A failure if the status is one of `refusals`."""
    with (
        open_client() as client,
        client.stream(method, url, headers=PROTOBUF if method == "POST" else None) as response,
    ):
        return f"it answers {response.status_code}" if response.status_code in refusals else None


def settings_of_service(part: Part) -> list[str]:
    """Return the names of a part's settings in lower case, without the prefix."""
    return [name for name, field in Settings.model_fields.items() if part in field.metadata]


def _names_of_service(settings: Settings, part: Part) -> Iterator[str]:
    """Yield the name of each setting that is set and not empty."""
    for name in settings_of_service(part):
        if name in settings.model_fields_set and getattr(settings, name):
            yield name


def knock_at_services(settings: Settings, part: Part) -> Iterator[tuple[str, str | None]]:
    """Try each setting that is set. Yield its variable, and the failure or None."""
    for name in _names_of_service(settings, part):
        yield f"{PREFIX}{name.upper()}", _failure_of(partial(KNOCKS[part], settings, name))


def knock_at_receiver(url: str, guard: SsrfGuard) -> str | None:
    """Connect, and send nothing. An address that `guard` refuses counts as a failure."""
    return _failure_of(partial(_connect, url, guard))


def _connect(url: str, guard: SsrfGuard) -> None:
    target, host = guard.resolve(url)
    is_https = target.scheme == "https"
    address = target.host, target.port or (443 if is_https else 80)
    with socket.create_connection(address, timeout=KNOCK_SECONDS) as connection:
        if is_https:
            ssl.create_default_context().wrap_socket(connection, server_hostname=host).close()


def _failure_of(attempt: Callable[[], str | None]) -> str | None:
    try:
        return call_in_time(attempt, CALL_SECONDS)
    except FAILURES as failure:
        return str(failure) if isinstance(failure, GuidanceError) and str(failure) else type(failure).__name__


class ExternalServicesMonitor:
    """Keeps the failures of the last check. Readiness reports them as warnings."""

    def __init__(self, settings: Settings, engine: Engine, clock: Callable[[], dt.datetime]) -> None:
        self._settings = settings
        self._engine = engine
        self._clock = clock
        self._no_sign_in_before = clock()
        given = [part for part in WATCHED if next(_names_of_service(settings, part), None)]
        self.failures: dict[str, str | None] = dict.fromkeys(given)
        """Failure by service, None if it responded."""

    @property
    def failing(self) -> list[str]:
        return [part for part, failure in self.failures.items() if failure is not None]

    def look(self, beat: Callable[[], None]) -> None:
        """Check each of `WATCHED` that is set, and late events. Log what begins to fail, or responds again."""
        found = dict[str, str | None]()
        for about, failure in (*self._knock(beat), *self._late()):
            found[about] = found.get(about) or failure
        for name in found.keys() | self.failures.keys():
            before, now = self.failures.get(name), found.get(name)
            if now is not None and before is None:
                log.warning("outside_part_fails", reason=name, error=now)
            elif before is not None and now is None:
                log.info("outside_part_is_back", reason=name)
        self.failures = found

    def _knock(self, beat: Callable[[], None]) -> Iterator[tuple[str, str | None]]:
        for part in WATCHED:
            if part is Part.EMAIL and self._clock() < self._no_sign_in_before:
                yield part.value, SIGN_IN_REFUSED
                continue
            for _, failure in knock_at_services(self._settings, part):
                if failure == SIGN_IN_REFUSED:
                    self._no_sign_in_before = self._clock() + SIGN_IN_AGAIN
                yield part.value, failure
                beat()

    def _late(self) -> list[tuple[str, str | None]]:
        """`email` or `webhooks`, with `EVENTS_LATE` or None. If the database does not respond, the last results."""
        try:
            with Session(self._engine) as session:
                oldest = oldest_waiting_deliveries(session)
                names = [each.name for each in list_receivers(session)]
        except SQLAlchemyError:
            known = ((name, self.failures[name]) for name in (EMAIL, WEBHOOKS) if name in self.failures)
            return [(name, failure if failure == EVENTS_LATE else None) for name, failure in known]
        late = {name for name, at in oldest.items() if self._clock() - at > LATE}
        return [(EMAIL if name in MAILBOXES else WEBHOOKS, EVENTS_LATE if name in late else None) for name in names]
