"""CORS: public reads are open to every origin, submissions to the configured origins only."""

from collections.abc import Sequence

from fastapi import Request
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import OriginNotAllowed
from app.models.links import CONCERNS
from app.web.problems import PAGES_OF_CONCERNS, problem_response

SAME_ORIGIN_ONLY = ("/v1/desk", "/desk", "/edit", "/metrics", "/health", *PAGES_OF_CONCERNS)
"""The paths that send no CORS headers at all."""
EXPOSED_HEADERS = (
    "Deprecation",
    "Sunset",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "RateLimit-Policy",
    "RateLimit",
    "X-Request-ID",
    "Idempotency-Replayed",
    "Memento-Datetime",
    "Content-Location",
    "Content-Disposition",
    "WWW-Authenticate",
)
TRACING_HEADERS = ("traceparent", "tracestate", "X-Request-ID")
READ_HEADERS = ("If-None-Match", "Authorization", "Accept-Datetime", *TRACING_HEADERS)
SUBMISSION_HEADERS = ("Content-Type", "Idempotency-Key", "Authorization", "If-None-Match", *TRACING_HEADERS)
DAY = 86_400
ALLOW_ORIGIN = b"access-control-allow-origin"
FOR_EVERY_ORIGIN = (
    (ALLOW_ORIGIN, b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED_HEADERS).encode()),
)


class CorsMiddleware:
    """ASGI middleware that answers preflights and adds the CORS headers.

    A public read has `Access-Control-Allow-Origin: *` even if the request has no Origin, so that a copy in a shared
    cache works for browsers too.
    """

    def __init__(self, app: ASGIApp, allowed_origins: Sequence[str]) -> None:
        self.app = app
        self.reads = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD"],
            allow_headers=READ_HEADERS,
            max_age=DAY,
        )
        self.submissions = CORSMiddleware(
            app,
            allow_origins=list(allowed_origins),
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=SUBMISSION_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=DAY,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under the rules of its path."""
        if scope["type"] != "http" or scope["path"].startswith(SAME_ORIGIN_ONLY):
            await self.app(scope, receive, send)
            return
        rules = self.submissions if is_submission(scope) else self.reads
        if rules is self.reads:
            send = allow_every_origin(send)
        if _is_preflight(scope):
            await _answer_preflight(rules, Request(scope, receive), send)
        elif rules is self.submissions:
            await self.submissions(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def is_submission(scope: Scope) -> bool:
    """Return True if only the configured origins may read the response."""
    path: str = scope["path"]
    return path.startswith(CONCERNS) and path != f"{CONCERNS}/form"


def _is_preflight(scope: Scope) -> bool:
    if scope["method"] != "OPTIONS":
        return False
    return {"origin", "access-control-request-method"} <= set(Headers(scope=scope).keys())


async def _answer_preflight(rules: CORSMiddleware, request: Request, send: Send) -> None:
    """Answer the preflight: what the browser may send, or a problem if it may not."""
    response = rules.preflight_response(request.headers)
    if response.status_code == OriginNotAllowed.status:
        headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        response = problem_response(request, OriginNotAllowed, headers=headers)
    await response(request.scope, request.receive, send)


def allow_every_origin(send: Send) -> Send:
    """Wrap `send`: add the headers that let every origin read the response."""

    async def send_with_cors(message: Message) -> None:
        if message["type"] == "http.response.start":
            others = [pair for pair in message["headers"] if pair[0] != ALLOW_ORIGIN]  # a preflight's own
            message = {**message, "headers": [*others, *FOR_EVERY_ORIGIN]}
        await send(message)

    return send_with_cors
