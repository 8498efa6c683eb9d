"""Host checking: a name that is not this service's is refused, so that no page can rebind its own name to it."""

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.allowed_hosts import AllowedHosts
from app.web.problem_types import UNKNOWN_HOST
from app.web.problems import problem_response


class TrustedHostMiddleware:
    """ASGI middleware that looks at the Host header."""

    def __init__(self, app: ASGIApp, known: AllowedHosts) -> None:
        self.app = app
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and not self._known.know(dict(scope["headers"]).get(b"host")):
            await problem_response(Request(scope, receive), UNKNOWN_HOST)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
