"""Security headers, on every answer: what a route does not set itself is set here, to the strictest."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
OVER_HTTPS = {"Strict-Transport-Security": "max-age=63072000"}  # two years


class SecurityHeadersMiddleware:
    """ASGI middleware that adds the headers that an answer lacks."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self.app = app
        headers = HEADERS | OVER_HTTPS if is_https else HEADERS
        self._headers = {name.lower().encode(): value.encode() for name, value in headers.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                lacking = self._headers.keys() - {name.lower() for name, _ in message["headers"]}
                more = [(name, value) for name, value in self._headers.items() if name in lacking]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self.app(scope, receive, secured if scope["type"] == "http" else send)
