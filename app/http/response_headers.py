"""Headers of every response: security headers, and CORS headers that let pages of other origins read the response."""

from collections.abc import Awaitable, Mapping, Sequence

from fastapi import Request
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import OriginNotAllowed
from app.http.cache import RawHeaders
from app.http.problem_handlers import PAGES_OF_CONCERNS, problem_response
from app.models.links import CONCERNS

SAME_ORIGIN_ONLY = ("/v1/desk", "/desk", "/edit", "/metrics", "/health", *PAGES_OF_CONCERNS)
"""Paths without CORS headers."""
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
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
HTTPS_HEADERS = {"Strict-Transport-Security": "max-age=63072000"}  # two years
FOR_EVERY_ORIGIN = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": ", ".join(EXPOSED_HEADERS)}


def security_headers(*, is_https: bool) -> dict[str, str]:
    """With `is_https`, Strict-Transport-Security too."""
    return SECURITY_HEADERS | HTTPS_HEADERS if is_https else SECURITY_HEADERS


class HeadersMiddleware:
    """Adds security and CORS headers, and responds to CORS preflights.

    A security header that the route has not set gets its strictest value. Every origin may read guidance, with or
    without Origin, so that a shared cache serves all; only `allowed_origins` and this service submit concerns.
    """

    def __init__(self, app: ASGIApp, *, is_https: bool, allowed_origins: Sequence[str]) -> None:
        self.app = app
        self.reads = CORSMiddleware(
            app, allow_origins=["*"], allow_methods=["GET", "HEAD"], allow_headers=READ_HEADERS, max_age=DAY
        )
        self.submissions = CORSMiddleware(
            app,
            allow_origins=list(allowed_origins),
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=SUBMISSION_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=DAY,
        )
        self._security = _raw(security_headers(is_https=is_https))
        self._security_and_cors = self._security + _raw(FOR_EVERY_ORIGIN)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self.app(scope, receive, send)
        path: str = scope["path"]
        if path.startswith(SAME_ORIGIN_ONLY):
            return self.app(scope, receive, _with_headers(send, self._security))
        is_submission = path.startswith(CONCERNS) and path != f"{CONCERNS}/form"
        rules = self.submissions if is_submission else self.reads
        send = _with_headers(send, self._security if is_submission else self._security_and_cors)
        if _is_preflight(scope):
            return _answer_preflight(rules, Request(scope, receive), send)
        return self.submissions(scope, receive, send) if is_submission else self.app(scope, receive, send)


def _raw(headers: Mapping[str, str]) -> RawHeaders:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _with_headers(send: Send, headers: RawHeaders) -> Send:
    """Add those that the response lacks."""

    def send_with_headers(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            missing = [pair for pair in headers if pair[0] not in present]
            message = {**message, "headers": [*message["headers"], *missing]}
        return send(message)

    return send_with_headers


def _is_preflight(scope: Scope) -> bool:
    if scope["method"] != "OPTIONS":
        return False
    return {"origin", "access-control-request-method"} <= set(Headers(scope=scope).keys())


async def _answer_preflight(rules: CORSMiddleware, request: Request, send: Send) -> None:
    """200 if `rules` permit the request, otherwise `OriginNotAllowed`."""
    response = rules.preflight_response(request.headers)
    if response.status_code == OriginNotAllowed.status:
        headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        response = problem_response(request, OriginNotAllowed, headers=headers)
    await response(request.scope, request.receive, send)
