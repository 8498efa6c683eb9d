"""The desk on a worker's own machine: passes pages of the service on, and opens their sealed texts on the way.

It listens on the loopback address alone. The words are in this process and in the browser, and nowhere else: the
service gets requests with the worker's key, and gives sealed texts.
"""

import hmac
import secrets
import socket
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.config import Settings
from app.errors import GuidanceError, KeysNotKnown
from app.models.concerns.references import find_reference
from app.pages.assets import STATIC_DIR, stylesheet
from app.pages.desk.desk_route import SEE_OTHER
from app.pages.desk.inbox import CONCERN_PAGES
from app.pages.desk.local_pages import LocalPages, message_page
from app.pages.desk.typed_words import TypedWords
from app.server.local_guard import LOCAL_HEADERS, LocalGuard
from app.server.local_hand_over import LocalHandOvers, is_hand_over
from app.server.local_messages import (
    ANSWER_LOST,
    BAD_GATEWAY,
    CLOSED,
    FAULT_HERE,
    HAND_OVER_REFUSALS,
    IN_CLEAR,
    IN_CLEAR_STATUS,
    KEY_REFUSED,
    NO_ANSWER,
    NOT_ALLOWED,
    NOT_FETCHED,
    NOT_OPENED,
    NOT_THERE,
    UNPROCESSABLE,
    WORDS_REFUSALS,
    words_of_status,
)
from app.server.local_sealing import LocalSealing, find_words, sends_words
from app.services.access.desk_sign_in import PATH, SIGN_IN

_HOST = "127.0.0.1"
OPEN_PATH = "/open/{token}"
COOKIE = "local-desk"
HTML_MEDIA = "text/html"
FILES = {"desk.css": "text/css", "desk.js": "text/javascript"}
STYLE = "pages.css"
MAIN = "<main"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
"""Says to the service what `LocalGuard` has checked."""


class LocalDesk:
    """Serves the desk of one service to one browser on this machine."""

    def __init__(
        self,
        service: httpx.Client,
        pages: LocalPages,
        hand_overs: LocalHandOvers | None = None,
        sealing: LocalSealing | None = None,
    ) -> None:
        """Without `sealing` no words are sent, as without keys that are known."""
        self._service = service
        self._pages = pages
        self._sealing = sealing
        self._hand_overs = hand_overs
        self._first_token: str | None = secrets.token_urlsafe(32)
        self._session: str | None = None

    @property
    def first_path(self) -> str:
        """The path that opens the desk, once."""
        return OPEN_PATH.format(token=self._first_token)

    def asgi(self, origin: str) -> LocalGuard:
        """Return the application that is served at that origin."""
        routes = [
            Route(OPEN_PATH, self._open),
            Route("/looks/{name}", _answer_file),
            Route("/", lambda _request: RedirectResponse(PATH, SEE_OTHER)),
            Route(f"{PATH}/sign-out", self._close, methods=["POST"]),
            Route(PATH, self._answer),
            Route(f"{PATH}/{{rest:path}}", self._answer, methods=["GET", "POST"]),
        ]
        return LocalGuard(Starlette(routes=routes, exception_handlers=ON_ERROR), origin)

    async def _open(self, request: Request) -> Response:
        """Begin the session of the one browser. The address works once."""
        given = request.path_params["token"]
        if self._knows(request):
            return RedirectResponse(PATH, SEE_OTHER)
        if self._first_token is None or not hmac.compare_digest(given.encode(), self._first_token.encode()):
            return _page(*NOT_OPENED, status=NOT_ALLOWED)
        self._first_token, self._session = None, secrets.token_urlsafe(32)
        response = RedirectResponse(PATH, SEE_OTHER)
        response.set_cookie(COOKIE, self._session, path="/", httponly=True, samesite="strict")
        return response

    async def _close(self, request: Request) -> Response:
        """End the session. No address opens the desk after that."""
        if not self._knows(request):
            return _page(*NOT_OPENED, status=NOT_ALLOWED)
        self._session = None
        return _page(*CLOSED)

    async def _answer(self, request: Request) -> Response:
        if not self._knows(request):
            return _page(*NOT_OPENED, status=NOT_ALLOWED)
        body, path = await request.body(), request.url.path
        words = find_words(request.method, path, _reference_in(path), body)
        if words is not None:
            return await run_in_threadpool(self._send_words, request, words)
        if sends_words(request.url.query, body, request.headers.get("content-type", "")):
            return _page(*IN_CLEAR, status=IN_CLEAR_STATUS, leads_back=True)
        return await run_in_threadpool(self._pass_on, request, body)

    def _send_words(self, request: Request, words: TypedWords) -> Response:
        """Seal what a person typed, and send it. Where it is not taken, the words are in the page that says so."""
        try:
            if self._sealing is None:
                raise KeysNotKnown
            answer = self._send(request, self._sealing.seal(words))
        except GuidanceError as refusal:
            said = WORDS_REFUSALS[type(refusal)]
            return _page(*said, status=UNPROCESSABLE, leads_back=True, typed=words.section(refusal))
        except httpx.HTTPError as failure:
            is_lost = not isinstance(failure, httpx.ConnectError)
            return _page(
                *(ANSWER_LOST if is_lost else NO_ANSWER), status=BAD_GATEWAY, leads_back=True, typed=words.section()
            )
        if answer.has_redirect_location:
            return self._redirect(answer.headers["location"], typed=words.section())
        if not _is_page(answer):
            return _refusal(answer, request.method, typed=words.section())
        typed = words.section_after(answer.text)
        page = self._pages.open(answer.text, reference=words.reference, typed=typed)
        return Response(page, status_code=answer.status_code, media_type=HTML_MEDIA)

    def _pass_on(self, request: Request, body: bytes) -> Response:
        """Return the page of the service, with its sealed texts opened."""
        method, path, sealed = request.method, request.url.path, None
        reference = _reference_in(path)
        try:
            if self._hand_overs is not None and reference is not None and is_hand_over(method, path):
                sealed = self._hand_overs.seal(reference, body)
                body = sealed.body
            answer = self._send(request, body)
        except GuidanceError as refusal:
            said = HAND_OVER_REFUSALS.get(type(refusal), (NOT_FETCHED, f"Nothing was done. {refusal}"))
            return _page(*said, status=BAD_GATEWAY, leads_back=True)
        except httpx.HTTPError as failure:
            is_lost = method == "POST" and not isinstance(failure, httpx.ConnectError)
            return _page(*(ANSWER_LOST if is_lost else NO_ANSWER), status=BAD_GATEWAY, leads_back=True)
        if answer.has_redirect_location:
            return self._redirect(answer.headers["location"])
        if not _is_page(answer):
            return _refusal(answer, method)
        made = sealed.package if sealed is not None and answer.is_success else None
        page = self._pages.open(answer.text, reference=reference, made=made)
        return Response(page, status_code=answer.status_code, media_type=HTML_MEDIA)

    def _send(self, request: Request, body: bytes) -> httpx.Response:
        headers = OWN_PAGE | {"Accept": HTML_MEDIA}
        if "content-type" in request.headers:
            headers["Content-Type"] = request.headers["content-type"]
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return self._service.request(request.method, address, content=body, headers=headers)

    def _redirect(self, location: str, *, typed: str = "") -> Response:
        """Lead to the same path here, if it is one of the desk. Else what was typed is in the page."""
        place = urlsplit(location)
        if place.netloc not in ("", self._service.base_url.netloc.decode()) or not _is_of_desk(place.path):
            return _page(*NO_ANSWER, status=BAD_GATEWAY, typed=typed)
        if place.path == SIGN_IN:
            return _page(*KEY_REFUSED, status=NOT_ALLOWED, typed=typed)
        return RedirectResponse(place._replace(scheme="", netloc="").geturl(), SEE_OTHER)

    def _knows(self, request: Request) -> bool:
        given = request.cookies.get(COOKIE, "")
        return self._session is not None and hmac.compare_digest(given.encode(), self._session.encode())


def run_local_desk(desk: LocalDesk, *, port: int, announce: Callable[[str], None]) -> None:
    """Serve the desk to this machine alone, until it is stopped. `announce` gets the address that opens it, once."""
    listening = socket.create_server((_HOST, port))
    origin = f"http://{_HOST}:{listening.getsockname()[1]}"
    announce(origin + desk.first_path)
    config = uvicorn.Config(desk.asgi(origin), log_level="error", access_log=False, server_header=False, ws="none")
    uvicorn.Server(config).run(sockets=[listening])


async def _answer_file(request: Request) -> Response:
    """Return a style or the script of this program. None of the service's own is loaded."""
    name = request.path_params["name"]
    if name == STYLE:
        return Response(_own_stylesheet(), media_type="text/css")
    if name not in FILES:
        return Response(status_code=404)
    return Response((STATIC_DIR / name).read_bytes(), media_type=FILES[name])


@cache
def _own_stylesheet() -> bytes:
    return stylesheet(Settings())


def _page(heading: str, message: str, *, status: int = 200, leads_back: bool = False, typed: str = "") -> Response:
    page = message_page(heading, message, leads_back=leads_back, typed=typed)
    return Response(page, status_code=status, media_type=HTML_MEDIA, headers=LOCAL_HEADERS)


def _is_page(answer: httpx.Response) -> bool:
    """Return whether the answer is a page of the desk, and not one of something between here and the service."""
    return answer.headers.get("content-type", "").startswith(HTML_MEDIA) and MAIN in answer.text


def _refusal(answer: httpx.Response, method: str, *, typed: str = "") -> Response:
    status = answer.status_code if answer.is_error else BAD_GATEWAY
    return _page(*words_of_status(answer, method), status=status, leads_back=True, typed=typed)


def _not_there(_request: Request, _error: Exception) -> Response:
    return _page(*NOT_THERE, status=404, leads_back=True)


def _defect(_request: Request, _error: Exception) -> Response:
    return _page(*FAULT_HERE, status=500, leads_back=True)


ON_ERROR: Mapping[Any, Any] = {404: _not_there, 405: _not_there, Exception: _defect}


def _is_of_desk(path: str) -> bool:
    return path == PATH or path.startswith(f"{PATH}/")


def _reference_in(path: str) -> str | None:
    """Return the reference of the concern that a page is about, or None."""
    rest = path.removeprefix(f"{CONCERN_PAGES}/")
    return None if rest == path else find_reference(rest.partition("/")[0])
