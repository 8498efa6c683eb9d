"""Query parameters: unknown and repeated ones are refused; lists are paginated by an opaque cursor."""

import base64
import json
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from app.errors import FieldError, InvalidQuery
from app.web.json_body import NOT_STORABLE
from app.web.plain_numbers import IN_PLAIN_DIGITS


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


Limit = Annotated[
    int, Query(ge=1, le=200, description="The most entries that a page holds.", examples=[50]), IN_PLAIN_DIGITS
]
Cursor = Annotated[
    str | None,
    Query(max_length=400, description="Where the page begins: the `next_cursor` of the page before.", examples=["NTA"]),
]


LARGEST = 2**31 - 1  # the largest INTEGER of PostgreSQL

Key = TypeVar("Key", str, int)


def encode_key(key: str | int) -> str:
    """Return an opaque cursor that holds the last key of a page."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode_key(cursor: str | None, *, otherwise: Key) -> Key:
    """Return the key in the cursor, or `otherwise` for the first page. Raise `InvalidQuery` for an invalid cursor."""
    if cursor is None:
        return otherwise
    try:
        key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except ValueError:
        key = None
    if type(key) is not type(otherwise) or not _is_searchable(key):
        raise InvalidQuery([FieldError((), "The cursor is not one that this service gave.")])
    return key


def _is_searchable(key: str | int) -> bool:
    return 0 <= key <= LARGEST if isinstance(key, int) else NOT_STORABLE.search(key) is None
