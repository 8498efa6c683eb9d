"""A real server in a thread of the tests, with the connections of the service."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from app.config import Settings
from app.server.connections import connection_class
from tests.support.live import eventually


@contextmanager
def run_server(service: ASGIApp, settings: Settings) -> Iterator[str]:
    """Run the service in a thread, and yield its address."""
    config = uvicorn.Config(
        service,
        port=0,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        http=connection_class(settings),
    )
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    assert eventually(lambda: server.started)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
