"""Cursors: opaque strings that say where the next page of a list starts."""

import base64
import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from app.errors import InvalidCursor
from app.models.base import NOT_STORABLE, format_utc, parse_json

LARGEST = 2**31 - 1  # the largest value of PostgreSQL's type INTEGER
SEPARATOR = " "
NOT_OURS = "This service did not issue that cursor."
A_MOMENT = dt.datetime(2026, 11, 25, 9, 30, tzinfo=dt.UTC)

Key = TypeVar("Key", str, int)


def encode_key(key: str | int) -> str:
    """Return a cursor. `key` is the sort key of a page's last row."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def encode_position(position: Sequence[Any]) -> str:
    """Return a cursor as `encode_key` does, for integers, datetimes and strings without spaces."""
    return encode_key(SEPARATOR.join(format_utc(v) if isinstance(v, dt.datetime) else str(v) for v in position))


def decode_key(cursor: str | None, *, otherwise: Key, parameter: str = "cursor") -> Key:
    """Raise `InvalidCursor`, which names `parameter`. `otherwise` is the key of the first page.

    A cursor is refused if its type differs from `otherwise`, or if a database cannot compare its value: negative, above
    `LARGEST`, not storable.
    """
    if cursor is None:
        return otherwise
    try:
        key = parse_json(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except ValueError:
        key = None
    if type(key) is not type(otherwise) or not _is_searchable(key):
        raise InvalidCursor(NOT_OURS, parameter=parameter)
    return key


def _is_searchable(key: str | int) -> bool:
    return 0 <= key <= LARGEST if isinstance(key, int) else NOT_STORABLE.search(key) is None


def decode_position(cursor: str | None, types: Sequence[type]) -> tuple[Any, ...] | None:
    """Return the values of a cursor, of these `types`, or None for the first page. Raise `InvalidCursor`."""
    words = decode_key(cursor, otherwise="").split(SEPARATOR)
    if cursor is None:
        return None
    try:
        return tuple(_parse(word, type_) for word, type_ in zip(words, types, strict=True))
    except (ValueError, OverflowError):
        raise InvalidCursor(NOT_OURS) from None


def _parse(word: str, type_: type) -> Any:
    if type_ is dt.datetime:
        return dt.datetime.fromisoformat(word).astimezone(dt.UTC)
    value = type_(word)
    if not _is_searchable(value):
        raise ValueError
    return value
