"""Cursors that stand for a place in an order of several columns."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from app.errors import FieldError, InvalidQuery
from app.models.base import format_utc
from app.web.query_params import LARGEST, decode_key, encode_key

SEPARATOR = " "
A_MOMENT = dt.datetime(2026, 11, 25, 9, 30, tzinfo=dt.UTC)


def encode_position(place: Sequence[Any]) -> str:
    """An opaque cursor for the place of a page's last row: numbers, moments and words without spaces."""
    return encode_key(SEPARATOR.join(format_utc(v) if isinstance(v, dt.datetime) else str(v) for v in place))


def decode_position(cursor: str | None, kinds: Sequence[type]) -> tuple[Any, ...] | None:
    """The place that the cursor stands for, None for the first page. Raises `InvalidQuery` for any other text."""
    words = decode_key(cursor, otherwise="").split(SEPARATOR)
    if cursor is None:
        return None
    try:
        return tuple(_value(word, kind) for word, kind in zip(words, kinds, strict=True))
    except (ValueError, OverflowError):
        raise InvalidQuery([FieldError((), "The cursor is not one that this service gave.")]) from None


def _value(word: str, kind: type) -> Any:
    if kind is dt.datetime:
        return dt.datetime.fromisoformat(word).astimezone(dt.UTC)
    if kind is int:
        number = int(word)
        if not 0 <= number <= LARGEST:
            raise ValueError
        return number
    return word
