"""Error pages for requests that no route of a page reaches: unknown paths, large bodies, rate limits, time-outs."""

from fastapi import Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.pages.error_pages import error_page
from app.pages.languages import PATHS_WITHOUT_PAGES
from app.web.context import AppContext
from app.web.negotiation import JSON, quality
from app.web.problem_responses import PROBLEM_MEDIA_TYPE

COPIED_HEADERS = ("Retry-After", "RateLimit", "RateLimit-Policy", "Allow", "Connection")


class ErrorPageMiddleware:
    """ASGI middleware that replaces a problem document by an error page where the client prefers HTML."""

    def __init__(self, app: ASGIApp, context: AppContext) -> None:
        self.app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _wants_page(scope):
            await self.app(scope, receive, send)
            return
        page: Response | None = None

        async def send_or_replace(message: Message) -> None:
            nonlocal page
            if message["type"] == "http.response.start":
                page = self._replacement_for(message)
            if page is None:
                await send(message)

        await self.app(scope, receive, send_or_replace)
        if page is not None:
            await page(scope, receive, send)

    def _replacement_for(self, start: Message) -> Response | None:
        headers = Headers(raw=start["headers"])
        if headers.get("content-type") != PROBLEM_MEDIA_TYPE:
            return None
        page = error_page(self._context, start["status"])
        for name in COPIED_HEADERS:
            if name in headers:
                page.headers[name] = headers[name]
        return page


def _wants_page(scope: Scope) -> bool:
    if scope["path"].startswith(PATHS_WITHOUT_PAGES):
        return False
    accept = Headers(scope=scope).get("accept", "")
    return quality("text/html", accept) > quality(JSON, accept)
