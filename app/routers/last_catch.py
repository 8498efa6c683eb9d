"""The last catch: an error that nothing else answered becomes a problem, and its words go nowhere."""

import structlog
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import frames_of
from app.routers.origins import is_submission, open_to_all
from app.routers.problem_kinds import DEFECT
from app.routers.problems import problem
from app.routers.security_headers import secured

log = structlog.get_logger()


class LastCatch:
    """ASGI middleware: its line in the log tells an error's type and where it was raised, never its words."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def told(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, told)
        except Exception as defect:
            request_id = scope["state"]["request_id"]
            log.error("defect", request_id=request_id, error=type(defect).__name__, frames=frames_of(defect))
            if not has_begun:
                way_out = secured(send if is_submission(scope) else open_to_all(send))
                await problem(Request(scope, receive), DEFECT)(scope, receive, way_out)
