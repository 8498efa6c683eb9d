"""Serving over HTTP: one process or several on one address, that stop without dropping anything they accepted."""

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any, cast

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

from app.config import Settings
from app.logs import set_up_logs
from app.main import GuidanceApp, create_app
from app.server.front import FRONT_CACHE, Front, FrontCache
from app.web.context import AppContext
from app.web.metrics import SHARED_FOLDER

LARGEST_HEAD = 65_536  # bytes
A_DAY = 86_400  # seconds
STARTING_SECONDS = 30
"""How long a process may be silent, and so how long it may take to start, before another one takes its place."""

Announce = Callable[[str], None]


def run_server(settings: Settings, *, host: str, port: int, workers: int, announce: Announce) -> bool:
    """Serve until stopped; `announce` is called with the address as soon as it is taken. Return whether it started.

    Raises the `GuidanceError` that kept it from starting, and `OSError` where the address cannot be taken.
    """
    worker = ServerProcess(settings)
    config = server_config(worker, settings, factory=True, host=host, port=port, workers=workers)
    if workers > 1:
        asyncio.run(_start_and_stop(create_app(settings)))  # keys, schema and seed are made once, before there are many
    listening = _bind(host, port)
    announce(f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}")
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


def _bind(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    return listening


def server_config(app: Any, settings: Settings, **more: Any) -> uvicorn.Config:
    """Return the configuration of the server, for a service that `DrainingMiddleware` wraps (or a factory of one)."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the service has its own, by GUIDANCE_TRUSTED_PROXIES
        ws="none",
        http=cast("type[asyncio.Protocol]", partial(Front, settings=settings)),
        h11_max_incomplete_event_size=LARGEST_HEAD,
        timeout_keep_alive=A_DAY,  # `GUIDANCE_CLIENT_SECONDS` ends idle connections
        timeout_worker_healthcheck=STARTING_SECONDS,
        **more,
    )


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
        self._service = service
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; take the signal over once the server has started."""
        if scope["type"] != "lifespan":
            await self._service(scope, receive, send)
            return

        cache = FrontCache(self._service.state.context.response_cache, self._service.records)
        scope["state"][FRONT_CACHE] = cache

        async def heard(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete" and self._seconds > 0:
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
