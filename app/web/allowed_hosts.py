"""The host names by which this service may be addressed."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

ANY = "*"
CACHED_HOSTS = 1000


class AllowedHosts:
    """The host names by which this service may be addressed.

    They are the host of the public address, the names in the setting (`*.council.example` for every name below a
    domain, `*` for any), IP addresses, and names without a dot: no page on the open internet has one of the last two.
    """

    def __init__(self, *, public_url: str, allowed_hosts: Sequence[str]) -> None:
        public = urlsplit(public_url).hostname or ""
        self._names = frozenset(name.lower() for name in (public, *allowed_hosts))
        self._endings = tuple(name.lower()[1:] for name in allowed_hosts if name.startswith("*."))
        self.allows = lru_cache(maxsize=CACHED_HOSTS)(self._allows)
        """Return True if the value of the Host header is allowed, or if the header is missing."""

    def _allows(self, host: bytes | None) -> bool:
        if host is None or ANY in self._names:
            return True
        name = _strip_port(host.decode("latin-1").lower())
        return "." not in name or name in self._names or name.endswith(self._endings) or _is_address(name)


def _strip_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
