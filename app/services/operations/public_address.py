"""Requests to the public address of the service, to see its readiness, its time and its certificate from outside."""

import datetime as dt
import socket
import ssl
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography import x509

from app.services.operations.external_services import CALL_SECONDS, KNOCK_SECONDS, open_client
from app.services.workers import call_in_time

READINESS = "/health/ready"
HTTPS_PORT = 443


@dataclass(frozen=True)
class Validity:
    """The period in which a certificate is valid."""

    begins: dt.datetime
    ends: dt.datetime


@dataclass(frozen=True)
class PublicAnswer:
    """The response to a request for readiness."""

    status: int | None = None
    """None if there was no response."""
    checks: dict[str, Any] = field(default_factory=dict)
    """Empty if something else responded."""
    warnings: dict[str, Any] = field(default_factory=dict)
    """For example, that the request came through an untrusted proxy."""
    failure: str = ""
    """The error's class if there was no response."""
    time: dt.datetime | None = None
    """Time by the clock of the server that responded."""


def call_public_address(url: str) -> PublicAnswer:
    """Call the public address. Proxies of the environment are ignored, and this computer's certificates trusted."""
    try:
        response = call_in_time(lambda: _get(f"{url}{READINESS}"), CALL_SECONDS)
    except (httpx.HTTPError, OSError) as failure:
        return PublicAnswer(failure=type(failure).__name__)
    checks, warnings = (_member(response, name) for name in ("checks", "warnings"))
    return PublicAnswer(response.status_code, checks, warnings, time=_time_of(response))


def _get(url: str) -> httpx.Response:
    with open_client() as client:
        return client.get(url)


def _member(response: httpx.Response, name: str) -> dict[str, Any]:
    """Return nothing if there is none: a different service may have responded."""
    try:
        member = response.json()[name]
    except (ValueError, KeyError, TypeError):
        return {}
    return member if isinstance(member, dict) else {}


def _time_of(response: httpx.Response) -> dt.datetime | None:
    """Return `Date` plus `Age`, because a cache sends the date of the stored response."""
    try:
        date = parsedate_to_datetime(response.headers["Date"])
        return date.astimezone(dt.UTC) + dt.timedelta(seconds=int(response.headers.get("Age", "0")))
    except (KeyError, ValueError, OverflowError):
        return None


def read_time(url: str) -> dt.datetime | None:
    """Return the time of the response, or None if there is no response or no date."""
    try:
        return call_in_time(lambda: _read_time(url), CALL_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return None


def _read_time(url: str) -> dt.datetime | None:
    with open_client() as client, client.stream("GET", url) as response:
        return _time_of(response)


def read_certificate(url: str) -> Validity | None:
    """Return the validity, also of an expired certificate, or None without TLS. Nothing is sent."""
    target = urlsplit(url)
    address = target.hostname or "", target.port or HTTPS_PORT
    try:
        return call_in_time(lambda: _read_certificate(address), CALL_SECONDS)
    except (OSError, ValueError):
        return None


def _read_certificate(address: tuple[str, int]) -> Validity:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(address, timeout=KNOCK_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=address[0]) as tls,
    ):
        certificate = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")
    return Validity(certificate.not_valid_before_utc, certificate.not_valid_after_utc)
