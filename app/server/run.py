"""The HTTP server: one process or several on one address. They stop without losing a request that they accepted."""

import asyncio
import gc
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
from app.server.address import address_of, settings_at
from app.server.allocator import use_one_arena
from app.server.front import FRONT_CACHE, Front, FrontCache
from app.server.refusals import REFUSALS, Refusals
from app.web.context import AppContext
from app.web.metrics import SHARED_FOLDER

MAX_HEAD_BYTES = 65_536
A_DAY_SECONDS = 86_400
OBJECTS_BETWEEN_COLLECTIONS = 2_000
"""After so many more objects the collector runs. By 700, the default, it takes 3 % of a concern and finds little."""
STARTING_SECONDS = 30
"""How long a process may be silent, and so how long its start may take, before another replaces it."""


def run_server(settings: Settings, *, host: str, port: int, workers: int, announce: Callable[[str], None]) -> bool:
    """Serve until stopped. Call `announce` with the address as soon as it is bound. Return True if the server started.

    Raise the `GuidanceError` that prevented the start, or `OSError` if the address cannot be bound.
    """
    listening = _bind(host, port)
    address = address_of(listening)
    reachable = settings_at(settings, address)
    worker = ServerProcess(reachable)
    config = server_config(worker, reachable, factory=True, host=host, port=port, workers=workers)
    if workers > 1:
        # make keys, schema and seed once, before the processes start
        asyncio.run(_start_and_stop(create_app(reachable)))
    announce(address)
    if workers > 1:
        with tempfile.TemporaryDirectory(prefix="guidance-metrics-") as folder:
            os.environ[SHARED_FOLDER] = folder
            Multiprocess(config, sockets=[listening]).run()
        return True
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except SystemExit:  # it did not start
        for service in worker.services:
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
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        timeout_keep_alive=A_DAY_SECONDS,  # `GUIDANCE_CLIENT_SECONDS` ends idle connections
        timeout_worker_healthcheck=STARTING_SECONDS,
        **more,
    )


async def _start_and_stop(service: FastAPI) -> None:
    async with service.router.lifespan_context(service):
        pass


@dataclass
class ServerProcess:
    """A factory of the service. It runs in each process, since open files cannot be passed to another process."""

    settings: Settings
    services: list[GuidanceApp] = field(default_factory=list)

    def __call__(self) -> ASGIApp:
        """Return the service, which drains before it stops."""
        use_one_arena()
        gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
        set_up_logs(self.settings.log_level)
        service = create_app(self.settings)
        gc.freeze()  # what a start makes is never garbage: without this, the collector walks through it again and again
        self.services.append(service)
        return DrainingMiddleware(service, self.settings.drain_seconds)


class DrainingMiddleware:
    """ASGI middleware that drains the service at SIGTERM: readiness fails and new work is refused for `seconds`.

    So callers go to another process. Then the server stops as usual: it accepts no more connections, and finishes the
    requests that it has. A second signal stops it at once.
    """

    def __init__(self, service: GuidanceApp, seconds: float) -> None:
        self._service = service
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, and replace the signal handler once the server has started."""
        if scope["type"] != "lifespan":
            await self._service(scope, receive, send)
            return

        context, records = self._service.state.context, self._service.records
        scope["state"][FRONT_CACHE] = FrontCache(context.response_cache, records)
        scope["state"][REFUSALS] = Refusals(records, is_https=context.settings.is_https)

        async def send_started(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete" and self._seconds > 0:
                self._replace_signal_handler()
            await send(message)

        await self._service(scope, receive, send_started)

    def _replace_signal_handler(self) -> None:
        context: AppContext = self._service.state.context
        loop = asyncio.get_running_loop()
        stop: Any = signal.getsignal(signal.SIGTERM)  # the server's own

        def drain(number: int, frame: FrameType | None) -> None:
            if context.draining.is_set():
                stop(number, frame)
                return
            context.draining.set()
            for worker in context.workers:
                worker.drain()
            loop.call_soon_threadsafe(loop.call_later, self._seconds, stop, number, None)

        signal.signal(signal.SIGTERM, drain)
