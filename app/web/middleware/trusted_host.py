"""Check the Host header: an unknown name is refused, which stops DNS rebinding by another site."""

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.allowed_hosts import AllowedHosts
from app.web.problem_types import UNKNOWN_HOST
from app.web.problems import problem_response


class TrustedHostMiddleware:
    """ASGI middleware that refuses a request whose Host header is not allowed."""

    def __init__(self, app: ASGIApp, known: AllowedHosts) -> None:
        self.app = app
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not self._known.allows(dict(scope["headers"]).get(b"host")):
            await problem_response(Request(scope, receive), UNKNOWN_HOST)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
