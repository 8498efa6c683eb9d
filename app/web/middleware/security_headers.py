"""Security headers for every response: the strictest value of each header that the route did not set."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
HTTPS_HEADERS = {"Strict-Transport-Security": "max-age=63072000"}  # two years


def security_headers(*, is_https: bool) -> dict[str, str]:
    """Return the security headers of every response."""
    return SECURITY_HEADERS | HTTPS_HEADERS if is_https else SECURITY_HEADERS


class SecurityHeadersMiddleware:
    """ASGI middleware that adds the missing security headers."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self.app = app
        headers = security_headers(is_https=is_https).items()
        self._headers = {name.lower().encode(): value.encode() for name, value in headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                missing = self._headers.keys() - {name.lower() for name, _ in message["headers"]}
                more = [(name, value) for name, value in self._headers.items() if name in missing]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)
