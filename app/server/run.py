"""The HTTP server: one or more processes at one address. A process finishes its accepted requests before it stops."""

import asyncio
import ctypes
import gc
import os
import signal
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from inspect import signature
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.age.keys import fingerprint_of
from app.config import ADDRESS_FILE, Settings, is_loopback, settings_at
from app.db.database import DATABASE_FILE, PRIMARY_CODE, open_database
from app.errors import SetupError
from app.http.context import AppContext
from app.http.metrics import SHARED_FOLDER
from app.logs import set_up_logs
from app.main import GuidanceApp, create_app
from app.server.connection import CONNECTION, SHARED, Connection, Shared
from app.server.front import Front
from app.server.listening import address_of, bind, leave_new_connections
from app.services.concerns.keys import DEVELOPMENT_IDENTITY
from app.services.concerns.resealing import find_newest_recipients
from app.services.concerns.sealing import read_identities
from app.services.key_files import write_key_file

A_DAY_SECONDS = 86_400
SWITCH_SECONDS = 0.001
"""Short, because the writer may wait this long after each statement, and others for it."""
OBJECTS_BETWEEN_COLLECTIONS = 2_000
"""At Python 3.11's default, 700, collection takes 3 % of the time of a concern, and finds little."""
STARTING_SECONDS = 30
"""A silent process is then replaced; a start must take less."""
ACCEPTING_SECONDS = 0.05
"""Time from the end of a drain to the stop, in which connections that have begun are still accepted and read."""
ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h
REFUSAL = "refusal.txt"  # says in the folder of the processes why one of them ended all
ANNOUNCED = "announced.txt"  # is there once one of them has said that it listens
CLOSING = (b"connection", b"close")
HTTP_PROTOCOL = "uvicorn.protocols.http.h11_impl:H11Protocol", "app_state", "data_received"
SUPERVISOR = "uvicorn.supervisors:Multiprocess", "sockets", "terminate_all"
"""All undocumented parts of uvicorn that are used: two classes, each with an argument and a method."""


def run_server(
    settings: Settings, *, host: str, ports: Sequence[int], workers: int, announce: Callable[[str], None]
) -> bool:
    """Serve at the first free port until stopped. `announce` gets the URL once a process listens there.

    For several `workers`, first start and stop the service once, for keys, schema and seed. Return False if a single
    process did not start for a reason that uvicorn has logged. Raise the `GuidanceError` that prevented the start, or
    `OSError` if no port is free.
    """
    supervisor = _from_uvicorn(*SUPERVISOR)
    _from_uvicorn(*HTTP_PROTOCOL)
    listening = bind(host, ports)
    address = address_of(listening)
    reachable = settings_at(settings, address)
    worker = ServerProcess(reachable, partial(announce, address), None if workers > 1 else listening)
    config = server_config(
        worker, reachable, factory=True, host=host, workers=workers, callback_notify=worker.announce_once
    )
    if workers > 1:
        asyncio.run(_start_and_stop(create_app(reachable)))
        with tempfile.TemporaryDirectory(prefix="guidance-metrics-") as folder:
            os.environ[SHARED_FOLDER] = folder
            processes = supervisor(config, sockets=[listening])
            processes.terminate_all = partial(_stop_all, processes.terminate_all, listening)
            processes.run()
            if (refusal := Path(folder) / REFUSAL).exists():
                raise SetupError(refusal.read_text(encoding="utf-8"))
        return True
    worker.server = uvicorn.Server(config)
    with suppress(SystemExit):  # the server did not start
        worker.server.run(sockets=[listening])
    for service in worker.services:
        if (fault := getattr(service.state, "start_fault", None)) is not None:
            raise fault from None
    return worker.server.started


def _stop_all(stop: Callable[[], None], listening: socket.socket) -> None:
    """Close the parent's socket too: the kernel would go on accepting connections that no process serves."""
    stop()
    listening.close()


def _from_uvicorn(name: str, argument: str, method: str) -> Any:
    """Raise `SetupError` if this uvicorn lacks the class (`module:class`), its argument or its method."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(import_module(module), attribute)
        signature(found).parameters[argument]
        getattr(found, method)
    except (ImportError, AttributeError, LookupError, TypeError, ValueError):
        raise SetupError(
            f"uvicorn {uvicorn.__version__} has no {name} with {argument} and {method}, which the service needs. "
            "Install a version that has: pip install 'uvicorn==0.54.*'"
        ) from None
    return found


def server_config(app: Any, settings: Settings, **more: Any) -> uvicorn.Config:
    """Return uvicorn's configuration.

    `app` is a `DrainingMiddleware`, or a function that makes one; `more` goes to `uvicorn.Config`.
    """
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the service reads these headers itself, if GUIDANCE_TRUSTED_PROXIES is set
        ws="none",
        http=cast("type[asyncio.Protocol]", partial(Connection, _from_uvicorn(*HTTP_PROTOCOL), settings)),
        timeout_keep_alive=A_DAY_SECONDS,  # `GUIDANCE_CLIENT_SECONDS` ends idle connections
        timeout_worker_healthcheck=STARTING_SECONDS,
        **more,
    )


async def _start_and_stop(service: FastAPI) -> None:
    async with service.router.lifespan_context(service):
        pass


@dataclass
class ServerProcess:
    """Makes the service in each process, because open files cannot be passed to another.

    `listening` is None if several processes share the socket. `services` were made in this process.
    """

    settings: Settings
    announce: Callable[[], None] | None
    listening: socket.socket | None = None
    services: list[GuidanceApp] = field(default_factory=list)
    server: uvicorn.Server | None = None

    def __call__(self) -> ASGIApp:
        _use_one_arena()
        gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
        sys.setswitchinterval(SWITCH_SECONDS)
        set_up_logs(self.settings.log_level)
        service = create_app(self.settings)
        gc.freeze()  # objects made at start are never garbage: otherwise the collector examines them repeatedly
        self.services.append(service)
        service.state.on_refused = partial(self.end, service)
        return DrainingMiddleware(service, self.settings.drain_seconds, self.listening, holds_guidance=True)

    async def announce_once(self) -> None:
        """Announce the address if no process has; uvicorn calls this as soon as it listens, and every half minute."""
        announce, self.announce = self.announce, None
        if announce is None:
            return
        with suppress(FileExistsError):
            if self.listening is None:
                Path(os.environ[SHARED_FOLDER], ANNOUNCED).touch(exist_ok=False)
            announce()

    def end(self, service: GuidanceApp) -> None:
        """End the process. `service` may not be used with the database that answered at last."""
        if self.server is not None:
            self.server.should_exit = True
        else:  # one process of several: all of them would find the same
            fault = service.state.start_fault
            sentence = str(fault) or str(type(fault).__doc__)
            Path(os.environ[SHARED_FOLDER], REFUSAL).write_text(sentence, encoding="utf-8")
            os.kill(os.getppid(), signal.SIGTERM)


class DrainingMiddleware:
    """Drains the service at SIGTERM: for `seconds`, readiness fails and other requests are served.

    A proxy meanwhile switches to another process, and each response closes its connection, so that none is reused. Then
    new connections are refused, requests finished, and the server stops. A second SIGTERM ends the drain early.
    `listening` is None if other processes accept on the socket too. If `holds_guidance`, first wait for `HeldGuidance`.
    """

    def __init__(
        self,
        service: GuidanceApp,
        seconds: float,
        listening: socket.socket | None = None,
        *,
        holds_guidance: bool = False,
    ) -> None:
        self._service = service
        self._seconds = seconds
        self._listening = listening
        self._holds_guidance = holds_guidance
        self._holding: asyncio.Task[None] | None = None
        self._context: AppContext = service.state.context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            sending = _closing(send) if self._context.draining.is_set() else send
            connection: Connection = scope["state"].pop(CONNECTION)
            await connection.serve(self._service, scope, receive, sending)
            return

        context, records = self._context, self._service.door.records
        front = Front(context.response_cache, records, is_https=context.settings.is_https)
        scope["state"][SHARED] = Shared(front)

        async def receive_stop() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown" and self._holding is not None:
                self._holding.cancel()
            return message

        async def send_started(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await self._start()
            await send(message)

        await self._service(scope, receive_stop, send_started)

    async def _start(self) -> None:
        if self._holds_guidance:
            self._holding = asyncio.create_task(self._service.held.run())
            if not self._context.outage:
                await self._service.held.wait_for_first()
        _write_address(self._context.settings)
        if self._seconds > 0:
            self._replace_signal_handler()

    def _replace_signal_handler(self) -> None:
        context, loop = self._context, asyncio.get_running_loop()
        stop: Any = signal.getsignal(signal.SIGTERM)  # uvicorn's handler

        def drain(number: int, frame: FrameType | None) -> None:
            if context.draining.is_set():
                stop(number, frame)
                return
            context.draining.set()
            for worker in context.workers:
                worker.drain()
            loop.call_soon_threadsafe(self._drain, partial(stop, number, None))

        signal.signal(signal.SIGTERM, drain)

    def _drain(self, stop: Callable[[], None]) -> None:
        self._context.response_cache.leave_front()
        asyncio.get_running_loop().call_later(self._seconds, self._end_drain, stop)

    def _end_drain(self, stop: Callable[[], None]) -> None:
        if self._listening is not None:
            leave_new_connections(self._listening)
        asyncio.get_running_loop().call_later(ACCEPTING_SECONDS, stop)


def _closing(send: Send) -> Send:
    def send_closing(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start" and CLOSING not in message["headers"]:
            message = {**message, "headers": [*message["headers"], CLOSING]}
        return send(message)

    return send_closing


def _write_address(settings: Settings) -> None:
    """Write the address into the data folder, for commands, unless `public_url` is set. Ignore a failure."""
    if "public_url" not in settings.model_fields_set:
        with suppress(OSError):
            write_key_file(settings.data_dir / ADDRESS_FILE, f"{settings.public_url}\n".encode(), replace=True)


def _use_one_arena() -> None:
    """Each of glibc's arenas would keep memory that it once needed, for hours; Python runs one thread at a time."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(ARENA_MAX, 1)


def check_recipients(settings: Settings, *, host: str, is_named_trial: bool) -> bool:
    """Return True if this start is a trial, in which concerns are encrypted to a development identity.

    Without recipients, it is one if `is_named_trial` or if nothing tells of real use; otherwise raise `SetupError`: a
    lost setting must not leave concerns readable to whoever reads the disk. A trial with recipients is refused too.
    """
    if settings.seal_to:
        if is_named_trial:
            raise SetupError("--trial is for a start without GUIDANCE_SEAL_TO: remove one of them")
        return False
    signs = list(_signs_of_use(settings, host))
    if signs and not is_named_trial:
        raise SetupError(
            "GUIDANCE_SEAL_TO is not set, so concerns would be sealed to a development identity beside the database. "
            f"That is for a trial on one machine, but {' and '.join(signs)}. "
            "Set GUIDANCE_SEAL_TO to the duty team's own recipients (see `guidance keys new`), or add --trial."
        )
    return True


def _signs_of_use(settings: Settings, host: str) -> Iterator[str]:
    """Yield a phrase for each: other hosts can reach the service, or it had recipients before."""
    if not is_loopback(host):
        yield "--host is not an address of this machine alone"
    if settings.database_url is not None:
        yield "GUIDANCE_DATABASE_URL is set"
    if settings.public_url.lower().startswith("https:"):
        yield "GUIDANCE_PUBLIC_URL is https"
    if settings.trusted_proxies:
        yield "GUIDANCE_TRUSTED_PROXIES is set"
    if settings.database_url is None and _is_sealed_to_others(settings.data_dir):
        yield "the newest concern of this database is sealed to others, or cannot be read"


def _is_sealed_to_others(data_dir: Path) -> bool:
    """True means that recipients were set before. A database that cannot be read now counts so: it may open later."""
    if not (data_dir / DATABASE_FILE).exists():
        return False
    engine = open_database(data_dir)
    try:
        with Session(engine) as session:
            recipients = find_newest_recipients(session)
    except DBAPIError as failure:
        code = getattr(failure.orig, "sqlite_errorcode", sqlite3.SQLITE_NOMEM)
        return code & PRIMARY_CODE != sqlite3.SQLITE_ERROR  # with this code the database has no schema yet
    finally:
        engine.dispose()
    path = data_dir / DEVELOPMENT_IDENTITY
    own = [str(each.to_public()) for each in read_identities(path).identities] if path.exists() else []
    return recipients is not None and not {fingerprint_of(each) for each in own} & set(recipients)
