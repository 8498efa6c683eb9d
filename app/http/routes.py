"""Classes of routes and routers that refuse unknown queries, and give FastAPI this project's request class."""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from functools import cached_property
from typing import Any

from fastapi import APIRouter, Depends, Request, Response, params
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params, request_body_to_args, request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from app.errors import NotFound
from app.http.problems import RESPONSES_OF_ALL_ROUTES

NUL = "\x00"


async def ignore_unknown_query() -> None:
    """Mark a route that ignores unknown parameters, as clients of its standard expect."""


UNKNOWN_IGNORED = Depends(ignore_unknown_query)


async def reject_unknown_query(request: Request, route: APIRoute) -> None:
    """Raise `RequestValidationError` for a parameter that is unknown, repeated or has a NUL.

    The error also has every other fault of the parameters, and of a readable body, so that a caller gets all of them at
    once.
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
    """Return an error for the unknown names, which are not repeated, and one for each repeated name."""
    errors: list[Any] = []
    if not ignored and any(name not in known for name in names):
        hint = f"This path knows: {', '.join(sorted(known))}." if known else "This path knows none."
        errors.append({"type": "unknown_parameter", "loc": ("query",), "ctx": {"hint": hint}})
    twice = sorted(name for name, count in Counter(names).items() if name in known and count > 1)
    return errors + [{"type": "repeated_parameter", "loc": ("query", name)} for name in twice]


async def _other_errors(request: Request, route: APIRoute) -> list[Any]:
    """Return the faults that FastAPI finds in the other parameters, and in the body."""
    errors: list[Any] = []
    for dependant in _all_of(route.dependant):
        errors += request_params_to_args(dependant.path_params, request.path_params)[1]
        errors += request_params_to_args(dependant.query_params, request.query_params)[1]
        errors += request_params_to_args(dependant.header_params, request.headers)[1]
    if route.body_field is not None:
        with suppress(HTTPException):  # the next attempt gets the problem of an unreadable body
            body = await request.json()
            errors += (await request_body_to_args(route.dependant.body_params, body, embed_body_fields=False))[1]
    return errors


def _all_of(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all_of(each)


class GuidanceRequest(Request):
    """A request whose cookies are read in linear time. FastAPI reads them for every route.

    Quotes are removed and nothing in them is decoded: no cookie here needs it. Older versions of Python take quadratic
    time for it.
    """

    @cached_property
    def cookies(self) -> dict[str, str]:
        """The value of each cookie. If a name is repeated, the last one counts."""
        pairs = (each.partition("=") for field in self.headers.getlist("cookie") for each in field.split(";"))
        return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


class GuidanceRoute(APIRoute):
    """A route that refuses unknown and repeated query parameters, and a NUL in its path.

    PostgreSQL text cannot contain a NUL, so a path with one finds nothing.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, which checks the query first."""
        handle = super().get_route_handler()

        async def handle_known_query(request: Request) -> Response:
            if not isinstance(request, GuidanceRequest):
                request = GuidanceRequest(request.scope, request.receive)
            if NUL in request.scope["path"]:
                raise NotFound
            if request.scope["query_string"]:
                await reject_unknown_query(request, self)
            return await handle(request)

        return handle_known_query


class GuidanceRouter(APIRouter):
    """A router whose routes refuse unknown query parameters, and have the names of their functions."""

    def __init__(self, **options: Any) -> None:
        options = {"responses": RESPONSES_OF_ALL_ROUTES, "route_class": GuidanceRoute, **options}
        super().__init__(generate_unique_id_function=lambda route: route.name, **options)
