"""Calling the service at its public address, as callers do."""

import datetime as dt
import ssl
from dataclasses import dataclass, field
from typing import Any

import httpx

CALL_SECONDS = 5.0
READINESS = "/health/ready"


@dataclass(frozen=True)
class PublicAnswer:
    """The answer, or the kind of failure; and how long the certificate is valid, over https."""

    status: int | None = None
    checks: dict[str, Any] = field(default_factory=dict)
    """The checks of readiness. Without any, something else answered than this service."""
    warnings: dict[str, Any] = field(default_factory=dict)
    """The warnings of readiness, such as that the request came through a proxy which is not trusted."""
    failure: str = ""
    certificate: "Validity | None" = None


@dataclass(frozen=True)
class Validity:
    """The beginning and the end of a certificate."""

    begins: dt.datetime
    ends: dt.datetime


def call_public_address(url: str) -> PublicAnswer:
    """Call readiness there. No proxy of the environment is used; the certificates that this machine trusts are."""
    try:
        with (
            httpx.Client(trust_env=False, timeout=CALL_SECONDS, verify=ssl.create_default_context()) as client,
            client.stream("GET", f"{url}{READINESS}") as response,
        ):
            certificate = _validity_of_certificate(response)
            response.read()
    except (httpx.HTTPError, ssl.SSLError) as failure:
        return PublicAnswer(failure=type(failure).__name__)
    checks, warnings = (_member(response, name) for name in ("checks", "warnings"))
    return PublicAnswer(response.status_code, checks, warnings, certificate=certificate)


def _member(response: httpx.Response, name: str) -> dict[str, Any]:
    """Return that object of the answer; an empty one if the answer has none, since anything may be at that address."""
    try:
        member = response.json()[name]
    except (ValueError, KeyError, TypeError):
        return {}
    return member if isinstance(member, dict) else {}


def _validity_of_certificate(response: httpx.Response) -> Validity | None:
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    if tls is None:
        return None
    named = tls.getpeercert()
    begins, ends = (
        dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(named[name]), dt.UTC) for name in ("notBefore", "notAfter")
    )
    return Validity(begins, ends)
