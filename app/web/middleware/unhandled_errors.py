"""Unhandled errors: answered as a problem, inside the CORS middleware, so that browsers can read it."""

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import InternalError
from app.logs import Log, frames_of
from app.web.problems import problem_response

log = Log(__name__)


class UnhandledErrorMiddleware:
    """ASGI middleware that answers 500 for an error that nothing else handled.

    The log line has the type of the error and its stack frames, never its message, which may hold a reporter's words.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started = False

        async def watch_start(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self.app(scope, receive, watch_start)
        except Exception as error:  # whatever it is, it is answered and logged, without its message
            request_id = scope["state"]["request_id"]
            log.error("unhandled_error", request_id=request_id, error=type(error).__name__, frames=frames_of(error))
            if not has_started:
                await problem_response(Request(scope, receive), InternalError)(scope, receive, send)
