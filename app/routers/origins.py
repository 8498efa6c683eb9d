"""Cross-origin rules: public reads answer every origin, submissions the configured ones."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SUBMISSIONS = "/v1/concerns"
WITHOUT_OTHERS = ("/v1/desk", "/raise-a-concern", "/concerns")  # no page of another origin has any business there
EXPOSED = ("ETag", "Link", "Location", "Retry-After", "X-Request-ID", "Idempotency-Replayed")
DAY = 86_400


class Origins:
    """ASGI middleware that answers preflights and marks answers.

    A public read carries `Access-Control-Allow-Origin: *` whether or not the request names an origin, so that a copy in
    a shared cache serves browsers too.
    """

    def __init__(self, app: ASGIApp, allowed_origins: Sequence[str]) -> None:
        self.app = app
        self.reads = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD"],
            allow_headers=["If-None-Match", "Authorization"],
            max_age=DAY,
        )
        self.submissions = CORSMiddleware(
            app,
            allow_origins=list(allowed_origins),
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["Content-Type", "Idempotency-Key", "Authorization", "If-None-Match"],
            expose_headers=EXPOSED,
            max_age=DAY,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under the rules of its path."""
        if scope["type"] != "http" or scope["path"].startswith(WITHOUT_OTHERS):
            await self.app(scope, receive, send)
        elif is_submission(scope):
            await self.submissions(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await self.reads(scope, receive, open_to_all(send))
        else:
            await self.app(scope, receive, open_to_all(send))


def is_submission(scope: Scope) -> bool:
    """Whether the configured origins alone may read the answer."""
    path: str = scope["path"]
    return path.startswith(SUBMISSIONS) and path != f"{SUBMISSIONS}/form"


def open_to_all(send: Send) -> Send:
    """The way out, on which the answer is marked as every origin's to read."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED)
        await send(message)

    return marked
