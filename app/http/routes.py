"""Routes that refuse unknown query parameters, and their routers and requests."""

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
from starlette.routing import Match
from starlette.types import Scope

from app.errors import NotFound
from app.http.problems import RESPONSES_OF_ALL_ROUTES

NUL = "\x00"


async def ignore_unknown_query() -> None:
    """Let the route ignore unknown query parameters, as its clients expect."""


UNKNOWN_IGNORED = Depends(ignore_unknown_query)


async def reject_unknown_query(request: Request, route: APIRoute) -> None:
    """Raise `RequestValidationError` for an unknown or repeated parameter or a NUL, with all other faults at once."""
    not_in_query = (params.Path, params.Header, params.Cookie)  # the fields of a query model have none of these classes
    known = {each.alias for each in get_flat_params(route.dependant) if not isinstance(each.field_info, not_in_query)}
    ignored = any(dependency.call is ignore_unknown_query for dependency in route.dependant.dependencies)
    received = request.query_params.multi_items()
    errors = _errors_of_names([name for name, _ in received], known, ignored=ignored)
    errors += [{"type": "nul_in_parameter", "loc": ("query",)}] if any(NUL in value for _, value in received) else []
    if errors:
        raise RequestValidationError([*errors, *await _other_errors(request, route)])


def _errors_of_names(names: list[str], known: set[str], *, ignored: bool) -> list[Any]:
    errors: list[Any] = []
    if not ignored and any(name not in known for name in names):
        hint = f"This path knows: {', '.join(sorted(known))}." if known else "This path knows none."
        errors.append({"type": "unknown_parameter", "loc": ("query",), "ctx": {"hint": hint}})
    twice = sorted(name for name, count in Counter(names).items() if name in known and count > 1)
    return errors + [{"type": "repeated_parameter", "loc": ("query", name)} for name in twice]


async def _other_errors(request: Request, route: APIRoute) -> list[Any]:
    errors: list[Any] = []
    for dependant in _all_of(route.dependant):
        errors += request_params_to_args(dependant.path_params, request.path_params)[1]
        errors += request_params_to_args(dependant.query_params, request.query_params)[1]
        errors += request_params_to_args(dependant.header_params, request.headers)[1]
    if route.body_field is not None:
        with suppress(HTTPException):  # an unreadable body is only reported once the query is valid
            body = await request.json()
            errors += (await request_body_to_args(route.dependant.body_params, body, embed_body_fields=False))[1]
    return errors


def _all_of(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all_of(each)


class GuidanceRequest(Request):
    """Parses cookies in linear time: older Pythons decode in quadratic time, and ours need no decoding."""

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Return the cookies. The last value counts if a name is repeated."""
        pairs = (each.partition("=") for field in self.headers.getlist("cookie") for each in field.split(";"))
        return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


class GuidanceRoute(APIRoute):
    """A NUL in the path gives 404: PostgreSQL text cannot contain one, so nothing can have such a path."""

    @cached_property
    def _beginning(self) -> str:
        return self.path_format.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Compare the beginning first: for more than 200 routes it is much cheaper than the regular expression."""
        if not scope["path"].startswith(self._beginning):
            return Match.NONE, {}
        return super().matches(scope)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
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
    """The operation id of a route is the name of its function."""

    def __init__(self, **options: Any) -> None:
        options = {"responses": RESPONSES_OF_ALL_ROUTES, "route_class": GuidanceRoute, **options}
        super().__init__(generate_unique_id_function=lambda route: route.name, **options)
