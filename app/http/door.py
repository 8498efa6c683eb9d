"""The door: what every request passes before its route, and its response afterwards."""

from collections.abc import Sequence
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import InternalError
from app.http.context import AppContext
from app.http.exchange import Exchange, Step
from app.http.hosts import ForwardedAddresses, check_host
from app.http.log_requests import RequestRecords
from app.http.negotiation import choose_format
from app.http.problem_handlers import problem_response
from app.http.rate_limits import RateLimits
from app.http.request_bodies import RequestBodies
from app.http.response_headers import ResponseHeaders
from app.http.turns import Turns
from app.logs import Log, frames_of

log = Log(__name__)


def steps_of(context: AppContext, find_language: Step) -> list[Step]:
    """Return the steps in their order, whose reasons are in `tests/http/test_door.py`."""
    settings = context.settings
    return [
        context.response_cache.answer_from_cache,
        ForwardedAddresses(settings.trusted_proxies).read_forwarded_address,
        find_language,
        ResponseHeaders(
            is_https=settings.is_https,
            allowed_origins=settings.allowed_origins,
            same_origin_only=context.added.same_origin_only,
        ).add_headers,
        check_host,
        RateLimits(context.code_tries.limiter, settings, context.added.limits).count_request,
        RequestBodies(settings.client_seconds, context.added.files).read_body,
        Turns(settings.connections, settings.concurrent_requests).take_turn,
        choose_format,
    ]


class Door:
    """Leads each request through `steps` to `app`.

    An unhandled error becomes 500. Its log line has type and stack, not its message, which may have a reporter's text.
    """

    def __init__(self, service: Any, app: ASGIApp, steps: Sequence[Step], records: RequestRecords) -> None:
        self.steps = steps
        self.records = records
        self._service = service
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send)
        try:
            await self.serve(exchange)
        finally:
            self.records.add(exchange.finish())

    async def serve(self, exchange: Exchange) -> None:
        exchange.scope["app"] = self._service
        try:
            answer = self._app
            for step in self.steps:
                if (instead := await step(exchange)) is not None:
                    answer = instead
                    break
            await answer(exchange.scope, exchange.receive, exchange.send)
        except Exception as error:  # every error becomes a 500 response, and is logged without its message
            name = type(error).__name__
            log.error("unhandled_error", request_id=exchange.request_id, error=name, frames=frames_of(error))
            if exchange.status is None and not exchange.is_whole:
                problem = problem_response(exchange.request, InternalError)
                await problem(exchange.scope, exchange.receive, exchange.send)
        finally:
            if "ends" in vars(exchange):
                await exchange.ends.aclose()
        if exchange.held is not None:
            await exchange.release()
