"""The service inside this process: its whole application without a network, for processor time by the microsecond."""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import event
from starlette.types import Message

from app.config import Settings
from app.main import GuidanceApp, create_app
from app.server.run import OBJECTS_BETWEEN_COLLECTIONS
from app.services.workers import stop_workers
from bench.servers import UNLIMITED

HOST = (b"host", b"127.0.0.1:8000")
TRANSACTIONS = ("BEGIN", "COMMIT", "SELECT set_config")


class Request(NamedTuple):
    """A request: method, path with query, header fields and body."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


class Cost(NamedTuple):
    """Milliseconds of processor, and number of SQL statements without those that begin or end a transaction."""

    milliseconds: float
    statements: int


class Inside:
    """A running application without background jobs, and an event loop on which it answers requests."""

    def __init__(self, app: GuidanceApp, runner: asyncio.Runner) -> None:
        self.app = app
        self._runner = runner
        self._statements = 0
        event.listen(app.state.context.engine, "before_cursor_execute", self._count)

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._statements += not statement.startswith(TRANSACTIONS)

    def ask(self, request: Request) -> bytes:
        """Send the request, and return the body of the response. Raise `RuntimeError` if it is unsuccessful."""
        status, body = self._runner.run(_exchange(self.app, request))
        if status >= 400:  # noqa: PLR2004  # HTTP
            raise RuntimeError(f"{request.method} {request.target}: {status} {body[:300]!r}")
        return body

    def measure(self, call: Callable[[], object]) -> Cost:
        """Return what the call takes."""
        self._statements = 0
        began = time.process_time()
        call()
        return Cost((time.process_time() - began) * 1000, self._statements)

    def hold_again(self) -> None:
        """Forget every response, as each process does after a publication, and hold those of the guides again."""
        self.app.state.context.invalidate_caches()
        self._runner.run(self.app.held.hold_all())


@contextmanager
def running_inside(data_dir: Path) -> Iterator[Inside]:
    """Start the service on `data_dir` without rate limits, yield it, and stop it when the context ends.

    Garbage is collected as the server does: less often than Python by default, and never what exists at the start.
    """
    limits: dict[str, Any] = {name.removeprefix("GUIDANCE_").lower(): limit for name, limit in UNLIMITED.items()}
    app, before = create_app(Settings(data_dir=data_dir, deliver=False, **limits)), gc.get_threshold()
    with asyncio.Runner() as runner:
        living = app.router.lifespan_context(app)
        runner.run(living.__aenter__())
        stop_workers(app.state.context.workers)
        gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
        gc.freeze()
        yield Inside(app, runner)
        gc.unfreeze()
        gc.set_threshold(*before)
        runner.run(living.__aexit__(None, None, None))


async def _exchange(app: GuidanceApp, request: Request) -> tuple[int, bytes]:
    path, _, query = request.target.partition("?")
    fields = [HOST, *((name.lower().encode(), value.encode()) for name, value in request.headers.items())]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": fields,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    sent: list[Message] = []
    received: list[Message] = [{"type": "http.request", "body": request.body, "more_body": False}]

    async def receive() -> Message:
        return received.pop() if received else await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:])
