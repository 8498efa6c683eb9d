"""What is read of a request: the limits of its head and of the pieces of its body, and its target."""

import re
from typing import Any
from urllib.parse import unquote

import h11
from starlette.types import Scope

VERSIONS = frozenset({b"1.0", b"1.1"})
SCHEMES = frozenset({b"http", b"https"})
FIELD_BYTES = len(b": \r\n")
END_OF_HEAD = re.compile(rb"\n\r?\n")
MAX_HEAD_FIELDS = 500
"""How many fields a head may have. Each takes time, however small it is, and 64 KB hold 13,000."""
PIECES_PER_TURN = 50
"""How many pieces of a body are read before other connections have their turn. 256 KB hold 43,000 chunks."""
TOO_LARGE = 431


class RequestReader(h11.Connection):
    """The server's end of h11, with limits for a head, and for the pieces of a body that are read at a time.

    h11 itself measures a head only while it is incomplete.
    """

    def __init__(self, max_head_bytes: int) -> None:
        super().__init__(h11.SERVER, max_head_bytes)
        self._max_head_bytes = max_head_bytes
        self._pieces_left = PIECES_PER_TURN

    @property
    def is_turn_over(self) -> bool:
        """True if the rest of the data waits for the next turn."""
        return not self._pieces_left

    def start_turn(self) -> None:
        """Read on."""
        self._pieces_left = PIECES_PER_TURN

    def next_event(self) -> Any:
        """Return the next event, or NEED_DATA at the end of a turn.

        Raise `h11.RemoteProtocolError` for a head that is too large, has too many fields or is of another version.
        """
        if self.is_turn_over:
            return h11.NEED_DATA
        if self.their_state is h11.IDLE:
            self._check_fields()
        event = super().next_event()
        if isinstance(event, h11.Data):
            self._pieces_left -= 1
        elif isinstance(event, h11.Request):
            if event.http_version not in VERSIONS:  # h11 takes any, and demands a Host field in 1.1 alone
                raise h11.RemoteProtocolError("the version is unknown")
            if head_bytes(event) > self._max_head_bytes:
                raise h11.RemoteProtocolError("the head is too large", error_status_hint=TOO_LARGE)
        return event

    def _check_fields(self) -> None:
        """Count the fields of the next head before h11 parses them."""
        data, _ = self.trailing_data
        end = END_OF_HEAD.search(data)
        if data.count(b"\n", 0, end.start() if end else len(data)) > MAX_HEAD_FIELDS:
            raise h11.RemoteProtocolError("the head has too many fields", error_status_hint=TOO_LARGE)


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
