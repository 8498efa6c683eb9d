"""Query parameters: unknown and repeated ones are refused; lists are paginated by an opaque cursor."""

import base64
import datetime as dt
import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from app.errors import FieldError, InvalidQuery
from app.models.base import format_utc
from app.web.json_body import NOT_STORABLE

PLAIN = re.compile("0|[1-9][0-9]*")
LARGEST = 2**31 - 1  # the largest INTEGER of PostgreSQL
SEPARATOR = " "
NOT_OURS = "The cursor is not one that this service gave."
A_MOMENT = dt.datetime(2026, 11, 25, 9, 30, tzinfo=dt.UTC)

Key = TypeVar("Key", str, int)


def _check_plain_digits(value: Any) -> Any:
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        raise PydanticCustomError("int_parsing", "not in plain digits")
    return value


IN_PLAIN_DIGITS = BeforeValidator(_check_plain_digits)
"""For integers in paths and queries: `1.0`, `+1` and `01` are not other names for `1`.

Put it last in a parameter's annotations: bounds after it would be missing from the JSON Schema.
"""
Limit = Annotated[
    int, Query(ge=1, le=200, description="The most entries that a page holds.", examples=[50]), IN_PLAIN_DIGITS
]
Cursor = Annotated[
    str | None,
    Query(max_length=400, description="Where the page begins: the `next_cursor` of the page before.", examples=["NTA"]),
]


async def ignore_unknown_query() -> None:
    """Mark a route that ignores unknown parameters, as clients of its standard expect."""


UNKNOWN_IGNORED = Depends(ignore_unknown_query)


async def reject_unknown_query(request: Request) -> None:
    """Raise `InvalidQuery` for a parameter that the route does not have, or that is given twice."""
    if not request.scope["query_string"]:
        return
    route: APIRoute = request.scope["route"]
    known = {field.alias for field in get_flat_params(route.dependant) if isinstance(field.field_info, params.Query)}
    names = [name for name, _ in request.query_params.multi_items()]
    ignored = any(dependency.call is ignore_unknown_query for dependency in route.dependant.dependencies)
    if not ignored and any(name not in known for name in names):
        hint = f"This path knows: {', '.join(sorted(known))}." if known else "This path knows none."
        raise InvalidQuery([FieldError((), f"A query parameter is unknown. {hint}")])
    twice = sorted({name for name in names if name in known and names.count(name) > 1})
    if twice:
        raise InvalidQuery([FieldError((), f"A query parameter is given more than once: {', '.join(twice)}.")])


def encode_key(key: str | int) -> str:
    """Return an opaque cursor that holds the last key of a page."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def encode_position(position: Sequence[Any]) -> str:
    """Return an opaque cursor for the sort key of a page's last row: integers, datetimes and words without spaces."""
    return encode_key(SEPARATOR.join(format_utc(v) if isinstance(v, dt.datetime) else str(v) for v in position))


def decode_key(cursor: str | None, *, otherwise: Key) -> Key:
    """Return the key in the cursor, or `otherwise` for the first page. Raise `InvalidQuery` for an invalid cursor."""
    if cursor is None:
        return otherwise
    try:
        key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except ValueError:
        key = None
    if type(key) is not type(otherwise) or not _is_searchable(key):
        raise InvalidQuery([FieldError((), NOT_OURS)])
    return key


def _is_searchable(key: str | int) -> bool:
    return 0 <= key <= LARGEST if isinstance(key, int) else NOT_STORABLE.search(key) is None


def decode_position(cursor: str | None, types: Sequence[type]) -> tuple[Any, ...] | None:
    """Return the sort key in the cursor, or None for the first page. Raise `InvalidQuery` for an invalid cursor."""
    words = decode_key(cursor, otherwise="").split(SEPARATOR)
    if cursor is None:
        return None
    try:
        return tuple(_parse(word, type_) for word, type_ in zip(words, types, strict=True))
    except (ValueError, OverflowError):
        raise InvalidQuery([FieldError((), NOT_OURS)]) from None


def _parse(word: str, type_: type) -> Any:
    if type_ is dt.datetime:
        return dt.datetime.fromisoformat(word).astimezone(dt.UTC)
    value = type_(word)
    if not _is_searchable(value):
        raise ValueError
    return value
