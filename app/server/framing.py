"""The framing of HTTP requests: finds where each request begins and ends, and checks the bytes first.

If two programs read the same bytes as different requests, one caller may get the response of another. RFC 9112 lets a
server accept some ambiguous requests (sections 2.2, 5.2, 6.1, 6.3 and 7.1). This server refuses all. Each pattern
matches in linear time.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from app.errors import BadRequest, HeadTooLarge, TargetTooLong

TOKEN = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]++"
FIELD = TOKEN + rb":[\t\x20-\x7e\x80-\xff]*+\r\n"
HEAD = re.compile(rb"(" + TOKEN + rb") ([\x21-\x7e]++) HTTP/1\.([01])\r\n((?:" + FIELD + rb")*+)\r\n")
"""Head by RFC 9112, without its exceptions for old clients: no folded line, no bare CR or LF."""
TRAILERS = re.compile(rb"(?:" + FIELD + rb")*+\r\n")
HOST = re.compile(rb"(?:[-0-9A-Za-z._~!$&'()*+,;=%]++|\[[0-9A-Fa-f:.]++\])(?::[0-9]{0,5})?")
LENGTH = re.compile(rb"0|[1-9][0-9]{0,18}")
CHUNK_EXTENSION = rb";" + TOKEN + rb"(?:=(?:" + TOKEN + rb"|\"[\t\x20\x21\x23-\x5b\x5d-\x7e]*+\"))?+"
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:" + CHUNK_EXTENSION + rb")*+\r\n")
BLANKS = b"\t "
NAMES_ONCE = (b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization")
"""Headers that may not be repeated, because two programs could use different ones."""
END_OF_LINE = re.compile(rb"\n")
END_OF_HEAD = re.compile(rb"\n\r?\n")
END_OF_TRAILERS = re.compile(rb"\A\r?\n|\n\r?\n")
END_OF_CHUNK = b"\r\n"
LONGEST_END = len(b"\n\r\n")
MAX_HEAD_BYTES = 65_536
MAX_FIELD_BYTES = 8_192
"""Limit for one line. Most proxies have the same limit."""
MAX_HEAD_FIELDS = 500
"""Even a short field takes time, and 64 KB could hold 13,000."""

Fields = list[tuple[bytes, bytes]]


class Head(NamedTuple):
    """The head of a request. Names of fields are in lower case. `length` is 0 without Content-Length."""

    method: bytes
    target: bytes
    is_1_0: bool
    fields: Fields
    length: int
    is_chunked: bool


def read_head(head: bytes) -> Head:
    """Raise `TargetTooLong`, `HeadTooLarge` for too many or too long fields, `BadRequest` if malformed or ambiguous."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    if len(lines) > MAX_HEAD_FIELDS or max(map(len, lines), default=0) > MAX_FIELD_BYTES:
        raise HeadTooLarge
    if len(first) > MAX_FIELD_BYTES:
        raise TargetTooLong
    matched = HEAD.fullmatch(head)
    if matched is None:
        raise BadRequest
    method, target, minor, _ = matched.groups()
    fields = [(name.lower(), value.strip(BLANKS)) for name, _, value in (line.partition(b":") for line in lines)]
    names = [name for name, _ in fields]
    if any(names.count(name) > 1 for name in NAMES_ONCE):
        raise BadRequest
    values, is_1_0 = dict(fields), minor == b"0"
    length, coding, host = (values.get(name) for name in (b"content-length", b"transfer-encoding", b"host"))
    if length is not None and not LENGTH.fullmatch(length):
        raise BadRequest
    if coding is not None and (is_1_0 or length is not None or coding.lower() != b"chunked"):
        raise BadRequest
    if not is_1_0 if host is None else not HOST.fullmatch(host):
        raise BadRequest
    return Head(method, target, is_1_0, fields, int(length or 0), coding is not None)


class Framing:
    """A buffer of bytes from a client that gives checked parts: a head, then parts of the body."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._searched = 0
        self._left = 0
        """Bytes of the body, or of the chunk with its line end, that have not been taken."""
        self._take_next: Callable[[], bytes] | None = None

    @property
    def is_body_due(self) -> bool:
        """Return True until the body of the last head has been taken completely."""
        return self._take_next is not None

    @property
    def is_empty(self) -> bool:
        return not self._unread

    def add(self, data: bytes) -> None:
        self._unread += data

    def take_head(self) -> tuple[bytes, Head] | None:
        """Return the next head, raw and parsed, or None if it is incomplete. The body before it must have been taken.

        Raise as `read_head`, also for a head longer than `MAX_HEAD_BYTES`, or one that begins with a space or control
        character.
        """
        if self._unread and self._unread[0] <= ord(" "):
            raise BadRequest
        data = self._take_to(END_OF_HEAD, MAX_HEAD_BYTES)
        if not data:
            return None
        head = read_head(data)
        if head.is_chunked:
            self._take_next = self._take_chunk_line
        elif head.length:
            self._left, self._take_next = head.length, self._take_counted
        return data, head

    def take_part(self) -> bytes:
        """Return the next bytes of the body, with the lines of chunk sizes. Empty if none has arrived or none is due.

        Raise `BadRequest` if malformed, or `HeadTooLarge` if a size line or the trailers are too long.
        """
        return self._take_next() if self._take_next is not None else b""

    def _take_counted(self) -> bytes:
        part = self._take(min(self._left, len(self._unread)))
        self._left -= len(part)
        if not self._left:
            self._take_next = None
        return part

    def _take_chunk_line(self) -> bytes:
        data = self._take_to(END_OF_LINE, MAX_FIELD_BYTES)
        if not data:
            return b""
        line = CHUNK_LINE.fullmatch(data)
        if line is None:
            raise BadRequest
        size = int(line[1], 16)
        self._left = size + len(END_OF_CHUNK)
        self._take_next = self._take_chunk if size else self._take_trailers
        return data

    def _take_chunk(self) -> bytes:
        if self._left > len(self._unread):
            part = self._take(min(self._left - len(END_OF_CHUNK), len(self._unread)))
            self._left -= len(part)
            return part
        part = self._take(self._left)
        if not part.endswith(END_OF_CHUNK):
            raise BadRequest
        self._take_next = self._take_chunk_line
        return part

    def _take_trailers(self) -> bytes:
        """Dropped: only an empty line is returned."""
        data = self._take_to(END_OF_TRAILERS, MAX_HEAD_BYTES)
        if not data:
            return b""
        if not TRAILERS.fullmatch(data):
            raise BadRequest
        self._take_next = None
        return b"\r\n"

    def _take_to(self, end: re.Pattern[bytes], most: int) -> bytes:
        found = end.search(self._unread, max(0, self._searched - LONGEST_END))
        if (found.end() if found else len(self._unread)) > most:
            raise HeadTooLarge
        self._searched = 0 if found else len(self._unread)
        return self._take(found.end()) if found else b""

    def _take(self, count: int) -> bytes:
        taken = bytes(self._unread[:count])
        del self._unread[:count]
        return taken
