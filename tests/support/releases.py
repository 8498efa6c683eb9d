"""A proxy before the service: as it is, or as a later release that adds members and renames the kinds of events."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

ADDED = {"added_later": "what nobody knows yet"}
CALLER = "192.0.2.1"  # requests of this machine itself are not counted
LATER = ".later"
PASSED_ON = ("authorization", "content-type", "accept", "idempotency-key")
RETURNED = ("content-type", "retry-after")


class Proxy:
    """Listens on a free port, and passes each request to the service at `url`, in the name of a caller elsewhere."""

    def __init__(self, url: str, *, is_later: bool) -> None:
        self.is_later = is_later
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                proxy._answer(self, url)

            def do_POST(self) -> None:
                proxy._answer(self, url)

            def log_message(self, *_: Any) -> None:
                """Write nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, request: BaseHTTPRequestHandler, url: str) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in request.headers.items() if name.lower() in PASSED_ON}
        headers["x-forwarded-for"] = CALLER
        answer = httpx.request(
            request.command, url + request.path, headers=headers, content=body, timeout=60, trust_env=False
        )
        content = json.dumps(_later(answer.json())).encode() if self.is_later else answer.content
        request.send_response(answer.status_code)
        for name in RETURNED:
            if name in answer.headers:
                request.send_header(name, answer.headers[name])
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


def _later(value: Any) -> Any:
    """Return the content as a later release may send it."""
    if isinstance(value, list):
        return [_later(each) for each in value]
    if not isinstance(value, dict):
        return value
    members = {name: _later(inner) for name, inner in value.items()}
    if {"type", "data", "timestamp"} <= set(members):
        members["type"] += LATER
    return members | ADDED
