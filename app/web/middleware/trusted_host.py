"""Check the Host header: an unknown name is refused, which stops DNS rebinding by another site."""

import ipaddress
from collections.abc import Callable, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import UnknownHost
from app.web.problems import problem_response

ANY = "*"
CACHED_HOSTS = 1000

HostCheck = Callable[[bytes | None], bool]


class TrustedHostMiddleware:
    """ASGI middleware that refuses a request whose Host header is not allowed."""

    def __init__(self, app: ASGIApp, allows_host: HostCheck) -> None:
        self.app = app
        self._allows_host = allows_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not self._allows_host(dict(scope["headers"]).get(b"host")):
            await problem_response(Request(scope, receive), UnknownHost)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def make_host_check(*, public_url: str, allowed_hosts: Sequence[str]) -> HostCheck:
    """Return the check of a Host header: True if its value is allowed, or if the header is missing.

    Allowed are the host of the public address, the names in the setting (`*.council.example` for every name below a
    domain, `*` for any), IP addresses, and names without a dot: no page on the open internet has one of the last two.
    """
    names = frozenset(name.lower() for name in (urlsplit(public_url).hostname or "", *allowed_hosts))
    endings = tuple(name.lower()[1:] for name in allowed_hosts if name.startswith("*."))

    @lru_cache(maxsize=CACHED_HOSTS)
    def allows_host(host: bytes | None) -> bool:
        if host is None or ANY in names:
            return True
        name = _strip_port(host.decode("latin-1").lower())
        return "." not in name or name in names or name.endswith(endings) or _is_address(name)

    return allows_host


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
