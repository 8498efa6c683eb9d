"""The last catch: a defect is answered as a problem, within the rules for other origins."""

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import Log, frames_of
from app.web.problem_types import INTERNAL_ERROR
from app.web.problems import problem_response

log = Log(__name__)


class UnhandledErrorMiddleware:
    """ASGI middleware that answers an error which nothing else did.

    Its line in the log tells the type of the error and where it was raised, never its words.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as defect:  # the last catch: a defect is answered and logged, without its words
            request_id = scope["state"]["request_id"]
            log.error("defect", request_id=request_id, error=type(defect).__name__, frames=frames_of(defect))
            if not has_begun:
                await problem_response(Request(scope, receive), INTERNAL_ERROR)(scope, receive, send)
