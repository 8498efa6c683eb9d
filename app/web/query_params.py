"""Query parameters: unknown and repeated ones are refused, and integers are in plain digits."""

import re
from typing import Annotated, Any

from fastapi import Depends, Query, Request, params
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from app.errors import FieldError, InvalidQuery

NUL = "\x00"
PLAIN = re.compile("0|[1-9][0-9]*")


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


def reject_unknown_query(request: Request, dependant: Dependant) -> None:
    """Raise `InvalidQuery` for a parameter that the route does not have, that is given twice, or that has a NUL."""
    known = {field.alias for field in get_flat_params(dependant) if isinstance(field.field_info, params.Query)}
    names = [name for name, _ in request.query_params.multi_items()]
    ignored = any(dependency.call is ignore_unknown_query for dependency in dependant.dependencies)
    if not ignored and any(name not in known for name in names):
        hint = f"This path knows: {', '.join(sorted(known))}." if known else "This path knows none."
        raise InvalidQuery([FieldError((), f"A query parameter is unknown. {hint}")])
    if any(NUL in value for _, value in request.query_params.multi_items()):
        raise InvalidQuery([FieldError((), "A query parameter has a NUL character.")])
    twice = sorted({name for name in names if name in known and names.count(name) > 1})
    if twice:
        raise InvalidQuery([FieldError((), f"A query parameter is given more than once: {', '.join(twice)}.")])
