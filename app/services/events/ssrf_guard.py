"""Guard against server-side request forgery: webhooks call only https addresses on the open internet.

A host name is resolved here, every address is checked, and the request goes to a checked address. So a name that later
resolves to an address inside the network (DNS rebinding) has no effect. Every request is checked anew.
"""

import ipaddress
import socket
from dataclasses import dataclass

import httpx

from app.errors import AddressNotAllowed

HTTPS = "https"


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
        if address.is_loopback and parsed.host in ("localhost", "127.0.0.1", "::1"):
            return
        if parsed.scheme != HTTPS:
            raise AddressNotAllowed("it must be https, unless it is on this machine")
        if not address.is_global and parsed.host not in self.allowed_hosts:
            raise AddressNotAllowed(
                "it leads into a private network; allow its name in WEBHOOK_ALLOWED_HOSTS if it should"
            )


def _resolve_host(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressNotAllowed("its name cannot be resolved") from None
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    return [getattr(address, "ipv4_mapped", None) or address for address in addresses]
