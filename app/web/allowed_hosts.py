"""The names by which this service may be called."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

ANY = "*"
REMEMBERED = 1000


class AllowedHosts:
    """The names by which this service may be called.

    They are the host of the public address, the names of the setting (`*.council.example` for every name beneath one,
    `*` for any), and what no page on the open internet is called: addresses in figures and names without a dot.
    """

    def __init__(self, *, public_url: str, allowed_hosts: Sequence[str]) -> None:
        public = urlsplit(public_url).hostname or ""
        self._names = frozenset(name.lower() for name in (public, *allowed_hosts))
        self._endings = tuple(name.lower()[1:] for name in allowed_hosts if name.startswith("*."))
        self.know = lru_cache(maxsize=REMEMBERED)(self._know)
        """Whether the value of a Host header is one of them, or there was none."""

    def _know(self, host: bytes | None) -> bool:
        if host is None or ANY in self._names:
            return True
        name = _without_port(host.decode("latin-1").lower())
        return "." not in name or name in self._names or name.endswith(self._endings) or _is_address(name)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
