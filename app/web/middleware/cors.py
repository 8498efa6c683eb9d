"""Cross-origin rules: public reads answer every origin, submissions the configured ones."""

from collections.abc import Sequence

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.problem_types import ORIGIN_NOT_ALLOWED
from app.web.problems import PAGES_OF_CONCERNS, problem_response

SUBMISSIONS = "/v1/concerns"
WITHOUT_OTHERS = ("/v1/desk", *PAGES_OF_CONCERNS)  # no page of another origin has any business there
EXPOSED = (
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "RateLimit-Policy",
    "RateLimit",
    "X-Request-ID",
    "Idempotency-Replayed",
)
DAY = 86_400


class CorsMiddleware:
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
            return
        rules = self.submissions if is_submission(scope) else self.reads
        if rules is self.reads:
            send = open_to_all(send)
        if _is_preflight(scope):
            await _answer_preflight(rules, Request(scope, receive), send)
        elif rules is self.submissions:
            await self.submissions(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def is_submission(scope: Scope) -> bool:
    """Whether the configured origins alone may read the answer."""
    path: str = scope["path"]
    return path.startswith(SUBMISSIONS) and path != f"{SUBMISSIONS}/form"


def _is_preflight(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return scope["method"] == "OPTIONS" and {"origin", "access-control-request-method"} <= set(headers.keys())


async def _answer_preflight(rules: CORSMiddleware, request: Request, send: Send) -> None:
    """What the browser may do, or a problem that says whom to call where it may not."""
    answer = rules.preflight_response(request.headers)
    if answer.status_code == ORIGIN_NOT_ALLOWED.status:
        kept = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
        answer = problem_response(request, ORIGIN_NOT_ALLOWED, headers=kept)
    await answer(request.scope, request.receive, send)


def open_to_all(send: Send) -> Send:
    """The way out, on which the answer is marked as every origin's to read."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED)
        await send(message)

    return marked
