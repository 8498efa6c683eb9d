"""What is refused before any page is reached, as a page too: too much, too often, too slowly, or no page there."""

from fastapi import Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.pages.error_pages import error_page
from app.web.context import AppContext
from app.web.negotiation import JSON, quality
from app.web.problems import PROBLEM_MEDIA_TYPE

NO_PAGES_HERE = ("/v1", "/open-referral", "/health", "/metrics", "/.well-known", "/openapi.json")
KEPT_HEADERS = ("Retry-After", "RateLimit", "RateLimit-Policy", "Allow", "Connection")


class ErrorPageMiddleware:
    """ASGI middleware: where a browser asked for a page and is answered with a problem, it gets a page that says so."""

    def __init__(self, app: ASGIApp, context: AppContext) -> None:
        self.app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _asks_for_a_page(scope):
            await self.app(scope, receive, send)
            return
        page: Response | None = None

        async def told(message: Message) -> None:
            nonlocal page
            if message["type"] == "http.response.start":
                page = self._page_instead_of(message)
            if page is None:
                await send(message)

        await self.app(scope, receive, told)
        if page is not None:
            await page(scope, receive, send)

    def _page_instead_of(self, start: Message) -> Response | None:
        headers = Headers(raw=start["headers"])
        if headers.get("content-type") != PROBLEM_MEDIA_TYPE:
            return None
        page = error_page(self._context, start["status"])
        for name in KEPT_HEADERS:
            if name in headers:
                page.headers[name] = headers[name]
        return page


def _asks_for_a_page(scope: Scope) -> bool:
    accept = Headers(scope=scope).get("accept", "")
    return not scope["path"].startswith(NO_PAGES_HERE) and quality("text/html", accept) > quality(JSON, accept)
