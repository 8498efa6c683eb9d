"""Security headers, and CORS headers that let pages of other origins read the response."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message

from app.errors import OriginNotAllowed
from app.http.cache import RawHeaders
from app.http.exchange import Exchange
from app.http.problem_handlers import PAGES_OF_CONCERNS, problem_response
from app.models.links import CONCERNS

SAME_ORIGIN_ONLY = ("/v1/desk", "/desk", "/metrics", "/health", *PAGES_OF_CONCERNS)
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
    return SECURITY_HEADERS | HTTPS_HEADERS if is_https else SECURITY_HEADERS


class ResponseHeaders:
    """Sets each security header that the route has not set, to its strictest value.

    Every origin may read guidance, with or without Origin, so that a shared cache serves all. Only `allowed_origins`
    and this service may submit concerns.
    """

    def __init__(self, *, is_https: bool, allowed_origins: Sequence[str], same_origin_only: tuple[str, ...]) -> None:
        self._same_origin_only = SAME_ORIGIN_ONLY + same_origin_only
        self.reads = CORSMiddleware(
            _send_nothing, allow_origins=["*"], allow_methods=["GET", "HEAD"], allow_headers=READ_HEADERS, max_age=DAY
        )
        self.submissions = CORSMiddleware(
            _send_nothing,
            allow_origins=list(allowed_origins),
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=SUBMISSION_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=DAY,
        )
        self._security = _raw(security_headers(is_https=is_https))
        self._security_and_cors = self._security + _raw(FOR_EVERY_ORIGIN)

    async def add_headers(self, exchange: Exchange) -> ASGIApp | None:
        path: str = exchange.scope["path"]
        if path.startswith(self._same_origin_only):
            exchange.changes.append(partial(_add_missing, self._security))
            return None
        is_submission = path.startswith(CONCERNS) and path != f"{CONCERNS}/form"
        exchange.changes.append(partial(_add_missing, self._security if is_submission else self._security_and_cors))
        if exchange.scope["method"] == "OPTIONS" and {"origin", "access-control-request-method"} <= {
            *Headers(scope=exchange.scope)
        }:
            return _answer_preflight(self.submissions if is_submission else self.reads, exchange.request)
        if is_submission:
            fields = Headers(scope=exchange.scope)
            exchange.changes.append(partial(self.submissions.send, send=_send_nothing, request_headers=fields))
        return None


def _raw(headers: Mapping[str, str]) -> RawHeaders:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


async def _add_missing(headers: RawHeaders, start: Message) -> None:
    present = {name for name, _ in start["headers"]}
    start["headers"] += [pair for pair in headers if pair[0] not in present]


async def _send_nothing(*_: Any) -> None:
    """Stand in for the app of `CORSMiddleware`, of which only the changed start of a response is used."""


def _answer_preflight(rules: CORSMiddleware, request: Request) -> Response:
    response = rules.preflight_response(request.headers)
    if response.status_code != OriginNotAllowed.status:
        return response
    headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    return problem_response(request, OriginNotAllowed, headers=headers)
