"""A connection of uvicorn's own h11 protocol, with a deadline for its client and refusals as problems.

All private names of uvicorn that this service uses (`pyproject.toml` pins its minor version because of them):

- `H11Protocol(config, server_state, app_state)`, the class and its three arguments;
- `H11Protocol.app`, the service, which it calls for each request;
- `H11Protocol.send_400_response`, which it calls for data that is not HTTP, and for a head that is too large;
- `ServerState.connections`, whose members have `shutdown()`;
- `ServerState.default_headers`, such as the date.
"""

import uuid
from asyncio import BaseTransport, Transport
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote

from starlette.types import Message, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from app.models.problems import Problem
from app.server.client_deadline import ClientDeadline
from app.web.middleware.security_headers import SECURITY_HEADERS
from app.web.problem_types import BAD_REQUEST, ProblemType
from app.web.problems import PROBLEM_MEDIA_TYPE

ABSOLUTE = ("http://", "https://")


class Connection(H11Protocol):
    """A connection of the server, which is closed if its client is too slow (see `ClientDeadline`)."""

    deadline: ClientDeadline

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], client_seconds: float
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._client_seconds = client_seconds
        self._service: Any = self.app
        self.app = cast("Any", self._serve)

    def connection_made(self, transport: BaseTransport) -> None:
        """Accept the connection."""
        self.deadline = ClientDeadline(cast("Transport", transport), self._client_seconds)
        super().connection_made(cast("Transport", transport))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Clean up, in the same way after an error: there, the server would leave its own timer running."""
        self.deadline.cancel()
        super().connection_lost(None)

    def pause_writing(self) -> None:
        """Wait for the client, which does not read the response fast enough."""
        super().pause_writing()
        self.deadline.set_write_paused(True)

    def resume_writing(self) -> None:
        """Continue: the client has read most of the response."""
        super().resume_writing()
        self.deadline.set_write_paused(False)

    def send_400_response(self, msg: str) -> None:
        """Refuse data that is not HTTP, with a problem like every other refusal."""
        del msg
        refuse(self.deadline.transport, BAD_REQUEST)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Until its response, the service waits for the client only where the body is due."""
        is_body_due = True

        async def receive_tracked() -> Message:
            nonlocal is_body_due
            self.deadline.awaits_body = is_body_due
            message = await receive()
            self.deadline.awaits_body = is_body_due = message.get("more_body", False)
            return message

        with self.deadline.request_at_work():
            await self._service(in_origin_form(scope), receive_tracked, send)


def in_origin_form(scope: Scope) -> Scope:
    """Return the scope with the path alone. A client may send a whole URL as target (RFC 9112, section 3.2.2)."""
    if not scope["path"].startswith(ABSOLUTE):
        return scope
    path = "/" + scope["raw_path"].decode("ascii").partition("://")[2].partition("/")[2]
    return {**scope, "raw_path": path.encode("ascii"), "path": unquote(path)}


def refuse(transport: Transport, kind: ProblemType) -> None:
    """Send the problem where no request was read yet, and close the connection."""
    transport.write(bare_problem(kind))
    transport.close()


def bare_problem(kind: ProblemType) -> bytes:
    """Return the problem as the bytes of a response, where nothing is known of the request, not even its path."""
    problem = Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=f"{kind.meaning} In immediate danger call 999.",
        instance=f"urn:uuid:{uuid.uuid4()}",
    )
    body = problem.model_dump_json(exclude_none=True).encode()
    fields = {
        **SECURITY_HEADERS,
        "Content-Type": PROBLEM_MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Connection": "close",
    }
    head = [f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}", *(f"{n}: {v}" for n, v in fields.items())]
    return "\r\n".join([*head, "", ""]).encode() + body
