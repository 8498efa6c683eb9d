"""A real server in a thread of the tests, with the connections of the service."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import uvicorn
from fastapi import FastAPI

from app.config import Settings
from app.main import GuidanceApp
from app.server.run import DrainingMiddleware, server_config
from tests.support.waiting import wait_until


@contextmanager
def run_server(
    service: FastAPI, settings: Settings | None = None, *, port: int = 0, holds_guidance: bool = False
) -> Iterator[str]:
    """Run the service in a thread, with its own settings unless others are given, and yield its address."""
    settings = settings or service.state.context.settings
    config = server_config(
        DrainingMiddleware(cast("GuidanceApp", service), seconds=0, holds_guidance=holds_guidance), settings, port=port
    )
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
