"""The head of a request: its greatest size, and its target."""

from typing import Any
from urllib.parse import unquote

import h11
from starlette.types import Scope

SCHEMES = frozenset({b"http", b"https"})
FIELD_BYTES = len(b": \r\n")
TOO_LARGE = 431
MAX_PIECES = 10_000
"""How many pieces (chunks, or parts of one that come by themselves) a body may have: each takes time, however small."""


class RequestReader(h11.Connection):
    """The server's end of h11, with limits for every head and for the pieces of a body.

    h11 itself measures a head only while it is incomplete.
    """

    def __init__(self, max_head_bytes: int) -> None:
        super().__init__(h11.SERVER, max_head_bytes)
        self._max_head_bytes = max_head_bytes
        self._pieces = 0

    def next_event(self) -> Any:
        """Return the next event. Raise `h11.RemoteProtocolError` for a head or a body beyond its limit."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = 0
            if head_bytes(event) > self._max_head_bytes:
                raise h11.RemoteProtocolError("the head is too large", error_status_hint=TOO_LARGE)
        elif isinstance(event, h11.Data):
            self._pieces += 1
            if self._pieces > MAX_PIECES:
                raise h11.RemoteProtocolError("the body comes in too many pieces")
        return event


def head_bytes(request: h11.Request) -> int:
    """Return the size of the request line and the fields."""
    fields = sum(len(name) + len(value) + FIELD_BYTES for name, value in request.headers)
    return len(request.method) + len(request.target) + fields


def has_body(scope: Scope) -> bool:
    """Return True if the head announces a body."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


def in_origin_form(scope: Scope) -> Scope:
    """Return the scope with the path alone. A client may send a whole URL as target (RFC 9112, section 3.2.2).

    The host of such a URL replaces the Host header, so that the service checks the host that the client means.
    """
    target: bytes = scope["raw_path"]
    if target.startswith(b"/"):
        return scope
    scheme, _, rest = target.partition(b"://")
    host, slash, path = rest.partition(b"/")
    if scheme.lower() not in SCHEMES or not host:
        return scope
    raw_path = (slash + path) or b"/"
    headers = [(b"host", host), *(field for field in scope["headers"] if field[0] != b"host")]
    return {**scope, "raw_path": raw_path, "path": unquote(raw_path.decode("ascii")), "headers": headers}
