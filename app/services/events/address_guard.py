"""A guard against webhooks that lead into a private network (SSRF)."""

import ipaddress
import socket
from dataclasses import dataclass

import httpx

from app.config import is_loopback
from app.errors import AddressNotAllowed

HTTPS = "https"
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
"""Networks that Python counts as global but that may lead into a private network."""


@dataclass(frozen=True)
class SsrfGuard:
    """A checker of webhook URLs. `allowed_hosts` may resolve to private addresses; this host is allowed over http."""

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


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return True if the address is one host on the public internet and embeds no other address."""
    return address.is_global and not address.is_multicast and not any(address in each for each in NOT_PUBLIC)


def _resolve_host(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressNotAllowed("its name cannot be resolved") from None
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    return [getattr(address, "ipv4_mapped", None) or address for address in addresses]
