"""The caller's address behind trusted proxies, and the check of the Host header."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.errors import UnknownHost
from app.http.exchange import Exchange
from app.http.problem_handlers import problem_response
from app.services.access.limits import UNKNOWN_ADDRESS

ANY = "*"
CACHED_HOSTS = 1000
FORWARDED_FOR = b"x-forwarded-for"
IS_BELIEVED = "forwarded_by_trusted_proxy"
NETWORKS = "networks"
"""Key of a request's state."""
HostCheck = Callable[[bytes | None], bool]


class ForwardedAddresses:
    """Takes the caller's address and scheme from the headers of a trusted proxy.

    A forwarded address that is none becomes `UNKNOWN_ADDRESS`: such callers are counted together.
    """

    def __init__(self, trusted_proxies: Sequence[str]) -> None:
        self._are_any = bool(trusted_proxies)  # without any, uvicorn would still parse each address
        self._reader = ProxyHeadersMiddleware(_do_nothing, list(trusted_proxies))  # type: ignore[arg-type]  # uvicorn's ASGI types

    async def read_forwarded_address(self, exchange: Exchange) -> None:
        scope = exchange.scope
        peer = scope.get("client")
        if self._are_any and peer and peer[0] in self._reader.trusted_hosts:
            scope[IS_BELIEVED] = True
            await self._reader(scope, exchange.receive, exchange.send)  # type: ignore[arg-type]  # uvicorn's ASGI types
            if exchange.field(FORWARDED_FOR) is not None:
                forwarded = scope["client"]
                scope["client"] = (_readable_address("" if forwarded is peer else forwarded[0]), forwarded[1])


async def _do_nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Stand in for the app of `ProxyHeadersMiddleware`, of which only the changed scope is used."""


def _readable_address(text: str) -> str:
    """Drop the zone, which may be any text."""
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return UNKNOWN_ADDRESS


def make_host_check(*, public_url: str, allowed_hosts: Sequence[str]) -> HostCheck:
    """`*.council.example` allows every name below the domain, and `*` any.

    A missing header, IP addresses and names without a dot are allowed: for DNS rebinding, an attacker needs a domain
    name.
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


async def check_host(exchange: Exchange) -> ASGIApp | None:
    is_allowed = exchange.scope["app"].state.context.allows_host(exchange.field(b"host"))
    return None if is_allowed else problem_response(exchange.request, UnknownHost)


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
