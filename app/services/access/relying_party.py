"""The service as passkeys know it."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

LOOPBACK_NAME = "localhost"


@dataclass(frozen=True)
class RelyingParty:
    """The service as passkeys know it: the name of its host, its origin, and the council's name."""

    id: str
    origin: str
    name: str


def relying_party(public_url: str, council_name: str, *, port: int | None = None) -> RelyingParty:
    """Return the service at that address as passkeys know it.

    A passkey needs the name of a host, so an address of this machine alone becomes `localhost`. It may be served on
    another port than the address says.
    """
    url = urlsplit(public_url)
    host = url.hostname or ""
    if not _is_loopback(host):
        return RelyingParty(host, public_url, council_name)
    number = port or url.port
    return RelyingParty(LOOPBACK_NAME, f"{url.scheme}://{LOOPBACK_NAME}{f':{number}' if number else ''}", council_name)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == LOOPBACK_NAME
