"""The preview of a file on this machine: the service itself, with the draft as the guide's next edition.

It answers reads alone. A concern that was sent to a preview would be lost, so nothing can be sent to it.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import uvicorn
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from app.errors import SeedFileError
from app.main import GuidanceApp
from app.server.preview_pages import SCRIPT, SCRIPT_PATH, VERSION_PATH, faults_page, preview_links, with_bar
from app.services.guidance.checking import CheckedFile

_HOST = "127.0.0.1"
_POLL_SECONDS = 0.5
NOT_SENT = "This is a preview, and nothing can be sent to it. If a child is in immediate danger, call 999 now."
PASSED_ON = ("host", "accept")


@dataclass(frozen=True)
class Built:
    """A service that shows the draft, and the number of the edition that the draft is compared with."""

    app: GuidanceApp
    draft: CheckedFile
    former: int | None


Build = Callable[[Path], Built]
"""Builds the service of the file as it is now, in that folder. Raises `SeedFileError`."""


class Preview:
    """The service of the file as it was saved last, or its faults."""

    def __init__(self, path: Path, build: Build) -> None:
        self._path = path
        self._build = build
        self._version = 0
        self._built: Built | None = None
        self._faults = ""
        self._running = AsyncExitStack()

    def asgi(self) -> Starlette:
        """Return the application that is served."""
        routes = [
            Route(VERSION_PATH, self._answer_version),
            Route(SCRIPT_PATH, self._answer_script),
            Route("/{path:path}", self._answer, methods=["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]),
        ]
        return Starlette(routes=routes, lifespan=self._live)

    @asynccontextmanager
    async def _live(self, _app: Starlette) -> AsyncIterator[None]:
        await self._rebuild()
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await self._running.aclose()

    async def _watch(self) -> None:
        seen = self._saved_at()
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            now = self._saved_at()
            if now != seen:
                seen = now
                await self._rebuild()

    def _saved_at(self) -> int:
        return self._path.stat().st_mtime_ns if self._path.exists() else 0

    async def _rebuild(self) -> None:
        running = AsyncExitStack()
        folder = Path(running.enter_context(TemporaryDirectory(prefix="guidance-preview-")))
        built, faults = None, ""
        try:
            built = await to_thread.run_sync(self._build, folder)
            await running.enter_async_context(built.app.router.lifespan_context(built.app))
        except SeedFileError as refusal:
            faults = str(refusal)
        former, self._running = self._running, running
        self._built, self._faults = built, faults
        self._version += 1
        await former.aclose()

    async def _answer_version(self, _request: Request) -> Response:
        return PlainTextResponse(str(self._version), headers={"Cache-Control": "no-store"})

    async def _answer_script(self, _request: Request) -> Response:
        return Response(SCRIPT, media_type="text/javascript")

    async def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse(NOT_SENT, status_code=405, headers={"Allow": "GET, HEAD"})
        built, version = self._built, self._version
        if built is None:
            return Response(
                faults_page(self._faults, version), media_type="text/html", headers={"Cache-Control": "no-store"}
            )
        links = preview_links(built.draft, built.former)
        if request.url.path == "/":
            return RedirectResponse(links["Page"])
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=built.app), base_url=str(request.base_url)
        ) as client:
            answer = await client.request(request.method, str(request.url), headers=headers)
        return _response(answer, built, links, version)


def _response(answer: httpx.Response, built: Built, links: dict[str, str], version: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    headers |= {
        name: answer.headers[name] for name in ("content-type", "content-security-policy") if name in answer.headers
    }
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    body = with_bar(answer.text, built.draft, links, version).encode() if is_page else answer.content
    return Response(body, status_code=answer.status_code, headers=headers)


def run_preview(path: Path, build: Callable[[str, Path], Built], *, port: int, announce: Callable[[str], None]) -> None:
    """Serve the preview to this machine alone, until it is stopped. `build` gets the address, and a folder."""
    listening = socket.create_server((_HOST, port))
    address = f"http://{_HOST}:{listening.getsockname()[1]}"
    announce(address)
    config = uvicorn.Config(Preview(path, partial(build, address)).asgi(), log_level="warning")
    uvicorn.Server(config).run(sockets=[listening])
