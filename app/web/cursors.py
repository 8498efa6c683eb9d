"""Cursors for lists that are sorted by several columns."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from app.errors import FieldError, InvalidQuery
from app.models.base import format_utc
from app.web.query_params import LARGEST, decode_key, encode_key

SEPARATOR = " "
A_MOMENT = dt.datetime(2026, 11, 25, 9, 30, tzinfo=dt.UTC)


def encode_position(position: Sequence[Any]) -> str:
    """Return an opaque cursor for the sort key of a page's last row: integers, datetimes and words without spaces."""
    return encode_key(SEPARATOR.join(format_utc(v) if isinstance(v, dt.datetime) else str(v) for v in position))


def decode_position(cursor: str | None, types: Sequence[type]) -> tuple[Any, ...] | None:
    """Return the sort key in the cursor, or None for the first page. Raise `InvalidQuery` for an invalid cursor."""
    words = decode_key(cursor, otherwise="").split(SEPARATOR)
    if cursor is None:
        return None
    try:
        return tuple(_parse(word, type_) for word, type_ in zip(words, types, strict=True))
    except (ValueError, OverflowError):
        raise InvalidQuery([FieldError((), "The cursor is not one that this service gave.")]) from None


def _parse(word: str, type_: type) -> Any:
    if type_ is dt.datetime:
        return dt.datetime.fromisoformat(word).astimezone(dt.UTC)
    if type_ is int:
        number = int(word)
        if not 0 <= number <= LARGEST:
            raise ValueError
        return number
    return word
