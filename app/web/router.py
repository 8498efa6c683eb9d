"""What all routers of this service have in common."""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import wraps
from inspect import signature
from typing import Any

from fastapi import APIRouter, Depends, params
from fastapi.routing import APIRoute

from app.web.query_params import reject_unknown_query

SESSION = "session"


class GuidanceRouter(APIRouter):
    """Routes that refuse a query parameter that they do not know, each named like its function.

    A route's session is closed when its function ends, in the thread that it worked in: a dependency that closed it
    would need another thread.
    """

    def __init__(
        self,
        *,
        prefix: str = "",
        tags: Sequence[str] = (),
        dependencies: Sequence[params.Depends] = (),
        route_class: type[APIRoute] = APIRoute,
        include_in_schema: bool = True,
    ) -> None:
        super().__init__(
            prefix=prefix,
            tags=list(tags),
            dependencies=[Depends(reject_unknown_query), *dependencies],
            route_class=route_class,
            include_in_schema=include_in_schema,
            generate_unique_id_function=lambda route: route.name,
        )

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **told: Any) -> None:
        """Add a route."""
        super().add_api_route(path, _closing_session(endpoint), **told)


def _closing_session(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    if SESSION not in signature(endpoint).parameters:
        return endpoint

    @wraps(endpoint)
    def closed(**given: Any) -> Any:
        with closing(given[SESSION]):
            return endpoint(**given)

    return closed
