"""The caller's address as a trusted proxy forwards it."""

from collections.abc import Sequence
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.services.access.limits import UNKNOWN_ADDRESS

FORWARDED_FOR = "x-forwarded-for"
IS_BELIEVED = "forwarded_by_trusted_proxy"
"""The key of the scope of a request that a trusted proxy sent."""


class ForwardedAddressMiddleware:
    """ASGI middleware that takes the caller's address and scheme from a trusted proxy, as uvicorn's own reads them.

    What is not an IP address becomes `UNKNOWN_ADDRESS`: those callers are counted as one, and nothing that they wrote
    is recorded.
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
    """Return True if the request has an X-Forwarded-For that nobody believes: its sender is no trusted proxy."""
    return FORWARDED_FOR in Headers(scope=scope) and IS_BELIEVED not in scope


async def _do_nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Answer nothing: the reader only changes the scope."""


def _readable_address(text: str) -> str:
    """Return the IP address in its usual form, without a zone, which may be any text; else `UNKNOWN_ADDRESS`."""
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return UNKNOWN_ADDRESS
