"""A check that the URL of a webhook does not lead into a private network (server-side request forgery, SSRF)."""

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
        "::/96",  # IPv4-compatible IPv6 addresses
        "::ffff:0:0:0/96",  # IPv4-translated IPv6 addresses
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "fec0::/10",  # site-local addresses, which are deprecated
        "168.63.129.16/32",  # services of the Azure platform, reachable from every virtual machine there
    )
)
"""`ipaddress` counts these as global, but a private network may be reached through them."""


@dataclass(frozen=True)
class SsrfGuard:
    """Keeps webhook URLs out of private networks: https, and only public addresses.

    A host in `allowed_hosts` may have private ones; this computer is allowed with http too.
    """

    allowed_hosts: frozenset[str] = frozenset()

    def resolve(self, url: str) -> tuple[httpx.URL, str]:
        """Return `url` with an IP address as its host, and the name for TLS: a second lookup cannot lead elsewhere.

        Raise `AddressNotAllowed` for an invalid URL, one with user, password or fragment, or an address that is not
        allowed.
        """
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
    return address.is_global and not address.is_multicast and not any(address in each for each in NOT_PUBLIC)


def _resolve_host(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressNotAllowed("its name cannot be resolved") from None
    addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
    return [getattr(address, "ipv4_mapped", None) or address for address in addresses]
