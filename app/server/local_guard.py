"""What guards the desk on a worker's machine: only its own pages in one browser may call it."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.pages.desk.page import DESK_CONTENT_POLICY

LOCAL_HEADERS = {
    "Content-Security-Policy": DESK_CONTENT_POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ANOTHER_PAGE = "This came from another page. Nothing was done and nothing is shown."


class LocalGuard:
    """ASGI middleware that refuses another host name, and every request of another page.

    Another host name is how a page of the internet reaches a server on this machine (DNS rebinding). Another port of
    this machine counts as the same site for cookies, so `Sec-Fetch-Site` must say that the origin is the same.
    """

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        self._origin = origin
        self._host = origin.partition("://")[2]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, with the headers that keep its answer on this machine."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message["headers"]).update(LOCAL_HEADERS)
            await send(message)

        app = self._app if self._is_own(scope) else PlainTextResponse(ANOTHER_PAGE, status_code=403)
        await app(scope, receive, send_guarded)

    def _is_own(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if headers.getlist("host") != [self._host]:
            return False
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if scope["method"] == "POST":
            return site == "same-origin" or (site is None and origin == self._origin)
        return site in (None, "none", "same-origin")
