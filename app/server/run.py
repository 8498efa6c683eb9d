"""Serving over HTTP: one process or several on one address, that stop without dropping anything they accepted."""

import asyncio
import gc
import os
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

from app.config import Settings
from app.logs import set_up_logs
from app.main import GuidanceApp, create_app
from app.server.connections import connection_class
from app.web.context import AppContext
from app.web.metrics import SHARED_FOLDER

Listening = Callable[[str], None]


def serve(settings: Settings, *, host: str, port: int, workers: int, told: Listening) -> bool:
    """Serve until stopped; `told` is given the address as soon as it is taken. Gives whether it started.

    Raises whatever `GuidanceError` kept it from starting.
    """
    worker = ServerProcess(settings)
    config = uvicorn.Config(
        worker,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the service has its own, by GUIDANCE_TRUSTED_PROXIES
        ws="none",
        http=connection_class(settings),
    )
    if workers > 1:
        asyncio.run(_start_and_stop(create_app(settings)))  # keys, schema and seed are made once, before there are many
    listening = config.bind_socket()
    told(f"http://{host}:{listening.getsockname()[1]}")
    if workers > 1:
        with tempfile.TemporaryDirectory(prefix="guidance-metrics-") as counts:
            os.environ[SHARED_FOLDER] = counts
            Multiprocess(config, sockets=[listening]).run()
        return True
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except SystemExit:  # it did not start
        for service in worker.made:
            if (fault := getattr(service.state, "start_fault", None)) is not None:
                raise fault from None
        return False
    return True


async def _start_and_stop(service: FastAPI) -> None:
    async with service.router.lifespan_context(service):
        pass


@dataclass
class ServerProcess:
    """Makes the service of one process: in that process, for nothing open can be handed from one to another."""

    settings: Settings
    made: list[GuidanceApp] = field(default_factory=list)

    def __call__(self) -> ASGIApp:
        """The service, which drains before it stops."""
        set_up_logs(self.settings.log_level)
        service = create_app(self.settings)
        self.made.append(service)
        return DrainingMiddleware(service, self.settings.drain_seconds)


class DrainingMiddleware:
    """ASGI: asked to stop (SIGTERM), it first turns readiness red and refuses what is new, so callers go elsewhere.

    After `seconds` the server stops as it always does: it takes no connection more, and finishes what it accepted. A
    second request to stop is heeded at once.
    """

    def __init__(self, service: GuidanceApp, seconds: float) -> None:
        self.at_once = service.at_once
        self._service = service
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; take the signal over once the server has started."""
        if scope["type"] != "lifespan":
            await self._service(scope, receive, send)
            return

        async def heard(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                gc.freeze()  # what was made to serve with stays: nobody need look through it again
                if self._seconds > 0:
                    self._take_over()
            await send(message)

        await self._service(scope, receive, heard)

    def _take_over(self) -> None:
        context: AppContext = self._service.state.context
        loop = asyncio.get_running_loop()
        stop: Any = signal.getsignal(signal.SIGTERM)  # the server's own

        def drain(number: int, frame: FrameType | None) -> None:
            if context.draining.is_set():
                stop(number, frame)
                return
            context.draining.set()
            loop.call_soon_threadsafe(loop.call_later, self._seconds, stop, number, None)

        signal.signal(signal.SIGTERM, drain)
