"""The language of a request, by the first part of its path: `/cy/concerns` is `/concerns` in Welsh."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.pages.language.catalogue import ENGLISH, LANGUAGES, speaking
from app.pages.language.paths import ENGLISH_ALONE


class LanguageMiddleware:
    """ASGI middleware inside the response cache, which so has each language under a path of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request in its language."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        language, path = ENGLISH, scope["path"]
        for each in LANGUAGES[1:]:
            rest = path.removeprefix(each.prefix) or "/"
            if rest != path and rest.startswith("/") and not rest.startswith(ENGLISH_ALONE):
                language, path = each, rest
        inner = {**scope, "path": path, "raw_path": path.encode()} if language != ENGLISH else scope
        query = scope["query_string"].decode("latin-1")
        shown = f"{path}?{query}" if query else path
        with speaking(language, shown if scope["method"] in ("GET", "HEAD") else ""):
            await self.app(inner, receive, send)
        if inner is not scope:
            scope["route"] = inner.get("route")
