"""A request on its way to a route, and the response on its way back."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import cached_property

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.log_requests import METHODS, OTHER_METHOD, SERVER_ERROR, new_request_id, route_template
from app.http.metrics import FinishedRequest

LATE = "answers_late"
"""Key of a request's state, true if the route wants its response sent late (see `app.http.turns`)."""


class Exchange:
    """State that the steps of the door read and change. `scope` is a copy, in which HEAD is GET.

    `changes` get the start of each response, the last added first.
    """

    body: bytes | None = None
    """Read by a step, and not yet received by the route."""
    held: list[Message] | None = None
    """The messages of the response if a step holds them back until the end."""
    instead: ASGIApp | None = None
    """Sent at the end in place of `held`."""
    is_whole = False
    status: int | None = None
    is_hit = False
    delayed = 0.0
    """Seconds."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.began = time.perf_counter()
        self.method: str = scope["method"]
        self.scope = {**scope, "method": "GET"} if self.method == "HEAD" else {**scope}
        state = self.scope.setdefault("state", {})
        if "request_id" not in state:
            state["request_id"] = new_request_id()
        self.request_id: str = state["request_id"]
        self.changes: list[Callable[[Message], Awaitable[None]]] = []
        self._receive = receive
        self._send = send

    @cached_property
    def ends(self) -> AsyncExitStack:
        """What runs once the route has ended, the last added first. It is made at its first use: a hit has none."""
        return AsyncExitStack()

    @property
    def request(self) -> Request:
        return Request(self.scope, self.receive)

    def field(self, name: bytes) -> bytes | None:
        return next((value for each, value in self.scope["headers"] if each == name), None)

    async def receive(self) -> Message:
        if self.body is None:
            return await self._receive()
        body, self.body = self.body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Change the start of the response, and hold the response back if a change or the route wants it."""
        is_start = message["type"] == "http.response.start"
        if is_start:
            message = {**message, "headers": [*message["headers"]]}
            self.held, self.instead = [] if self.scope["state"].get(LATE) else None, None
            for change in reversed(self.changes):
                await change(message)
        self.is_whole = not is_start and not message.get("more_body", False)
        if self.held is not None:
            self.held.append(message)
            return
        if is_start:
            self.status = message["status"]
            message["headers"].append((b"x-request-id", self.request_id.encode()))
        elif self.method == "HEAD":
            message = {**message, "body": b""}
        await self._send(message)

    async def release(self) -> None:
        held, self.changes = self.held or (), []
        self.scope["state"].pop(LATE, None)
        if self.instead is not None:
            await self.instead(self.scope, self.receive, self.send)
            return
        self.held = None
        for message in held:
            await self.send(message)

    def finish(self) -> FinishedRequest:
        method = self.method if self.method in METHODS else OTHER_METHOD
        seconds = time.perf_counter() - self.began - self.delayed
        route = route_template(self.scope.get("route"))
        return FinishedRequest(self.request_id, method, route, self.status or SERVER_ERROR, seconds, self.is_hit)


Step = Callable[[Exchange], Awaitable[ASGIApp | None]]
"""Returns the app that answers in place of the route, or None."""
