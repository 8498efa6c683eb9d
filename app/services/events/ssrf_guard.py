"""Which addresses this service may call: https, on the open internet, checked again at every call.

A name is resolved here, every address that it gives is judged, and the call goes to the address that was judged. So a
name that later resolves to the inside of the network (DNS rebinding) leads nowhere.
"""

import ipaddress
import socket
from dataclasses import dataclass

import httpx

from app.errors import AddressNotAllowed

HTTPS = "https"


@dataclass(frozen=True)
class SsrfGuard:
    """`allowed_hosts` are names that may resolve to private addresses; the machine itself is allowed over http."""

    allowed_hosts: frozenset[str] = frozenset()

    def check(self, url: str) -> None:
        """Raise `AddressNotAllowed` where the address may not be called."""
        self.resolve(url)

    def resolve(self, url: str) -> tuple[httpx.URL, str]:
        """The address with its host as a number, and the host's name for TLS. Raises `AddressNotAllowed`."""
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            raise AddressNotAllowed("it is not an address") from None
        if parsed.scheme not in (HTTPS, "http") or not parsed.host or parsed.userinfo or parsed.fragment:
            raise AddressNotAllowed("it must be an https address, without a name or password in it")
        numbers = _numbers_of(parsed.host, parsed.port or (443 if parsed.scheme == HTTPS else 80))
        for number in numbers:
            self._judge(number, parsed)
        return parsed.copy_with(host=str(numbers[0])), parsed.host

    def _judge(self, number: ipaddress.IPv4Address | ipaddress.IPv6Address, parsed: httpx.URL) -> None:
        if number.is_loopback and parsed.host in ("localhost", "127.0.0.1", "::1"):
            return
        if parsed.scheme != HTTPS:
            raise AddressNotAllowed("it must be https, unless it is on this machine")
        if not number.is_global and parsed.host not in self.allowed_hosts:
            raise AddressNotAllowed(
                "it leads into a private network; allow its name in WEBHOOK_ALLOWED_HOSTS if it should"
            )


def _numbers_of(host: str, port: int) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressNotAllowed("its name cannot be resolved") from None
    numbers = [ipaddress.ip_address(entry[4][0]) for entry in found]
    return [getattr(number, "ipv4_mapped", None) or number for number in numbers]
