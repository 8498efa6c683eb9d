"""Query parameters: unknown and repeated ones are refused, and integers are in plain digits."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Depends, Query, Request, params
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import (
    get_flat_params,
    request_body_to_args,
    request_params_to_args,
)
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException

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


async def reject_unknown_query(request: Request, route: APIRoute) -> None:
    """Raise `RequestValidationError` for a parameter that the route does not have, is given twice, or has a NUL.

    The error also has every other fault of the parameters, and of a body that can be read, so that a caller meets all
    in one round.
    """
    not_in_query = (params.Path, params.Header, params.Cookie)  # the fields of a model have no kind
    known = {each.alias for each in get_flat_params(route.dependant) if not isinstance(each.field_info, not_in_query)}
    ignored = any(dependency.call is ignore_unknown_query for dependency in route.dependant.dependencies)
    received = request.query_params.multi_items()
    errors = _errors_of_names([name for name, _ in received], known, ignored=ignored)
    errors += [{"type": "nul_in_parameter", "loc": ("query",)}] if any(NUL in value for _, value in received) else []
    if errors:
        raise RequestValidationError([*errors, *await _other_errors(request, route)])


def _errors_of_names(names: list[str], known: set[str], *, ignored: bool) -> list[Any]:
    """Return an error for the unknown names, which are not repeated, and one for each that is there twice."""
    errors: list[Any] = []
    if not ignored and any(name not in known for name in names):
        hint = f"This path knows: {', '.join(sorted(known))}." if known else "This path knows none."
        errors.append({"type": "unknown_parameter", "loc": ("query",), "ctx": {"hint": hint}})
    twice = sorted({name for name in names if name in known and names.count(name) > 1})
    return errors + [{"type": "repeated_parameter", "loc": ("query", name)} for name in twice]


async def _other_errors(request: Request, route: APIRoute) -> list[Any]:
    """Return the faults that FastAPI finds in the other parameters, and in the body."""
    errors: list[Any] = []
    for dependant in _all_of(route.dependant):
        errors += request_params_to_args(dependant.path_params, request.path_params)[1]
        errors += request_params_to_args(dependant.query_params, request.query_params)[1]
        errors += request_params_to_args(dependant.header_params, request.headers)[1]
    if route.body_field is not None:
        with suppress(HTTPException):  # a body that cannot be read has a problem of its own, in the next round
            body = await request.json()
            errors += (await request_body_to_args(route.dependant.body_params, body, embed_body_fields=False))[1]
    return errors


def _all_of(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all_of(each)
