"""The address of a caller behind proxies, and the hosts that a request may name."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.services.access.limits import UNKNOWN_ADDRESS

ANY = "*"
CACHED_HOSTS = 1000
FORWARDED_FOR = "x-forwarded-for"
IS_BELIEVED = "forwarded_by_trusted_proxy"
"""The key in the scope that marks a request from a trusted proxy."""
HostCheck = Callable[[bytes | None], bool]


class ForwardedAddressMiddleware:
    """ASGI middleware that takes the caller's address and scheme from a trusted proxy, with uvicorn's own reader.

    Anything but an IP address becomes `UNKNOWN_ADDRESS`. Those callers are counted as one, and their text is not
    recorded.
    """

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[str]) -> None:
        self.app = app
        self._reader = ProxyHeadersMiddleware(_do_nothing, list(trusted_proxies))  # type: ignore[arg-type]  # its own ASGI types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        peer = scope.get("client")
        if peer and peer[0] in self._reader.trusted_hosts:
            scope[IS_BELIEVED] = True
            await self._reader(scope, receive, send)  # type: ignore[arg-type]  # its own ASGI types
            if FORWARDED_FOR in Headers(scope=scope):
                forwarded = scope["client"]
                scope["client"] = (_readable_address("" if forwarded is peer else forwarded[0]), forwarded[1])
        await self.app(scope, receive, send)


def is_forwarded_by_stranger(scope: Scope) -> bool:
    """Return True if the X-Forwarded-For header of the request comes from a sender that is not a trusted proxy."""
    return FORWARDED_FOR in Headers(scope=scope) and IS_BELIEVED not in scope


async def _do_nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Send nothing: the reader only changes the scope."""


def _readable_address(text: str) -> str:
    """Return the IP address in its usual form, without a zone, which may be any text; otherwise `UNKNOWN_ADDRESS`."""
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return UNKNOWN_ADDRESS


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
        ip_address(name)
    except ValueError:
        return False
    return True
