"""The base classes of all routers and routes of this service."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from app.errors import NotFound
from app.web.problem_responses import RESPONSES_OF_ALL_ROUTES
from app.web.query_params import NUL, reject_unknown_query
from app.web.responses import Responses

ADDED_REQUEST = "added_request"


class GuidanceRoute(APIRoute):
    """A route that refuses unknown and repeated query parameters, and a NUL in its path.

    PostgreSQL has no text with a NUL, so nothing is found by one.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, which looks at the query first."""
        handle = super().get_route_handler()

        async def handle_known_query(request: Request) -> Response:
            if NUL in request.scope["path"]:
                raise NotFound
            if request.scope["query_string"]:
                await reject_unknown_query(request, self)
            return await handle(request)

        return handle_known_query


class GuidanceRouter(APIRouter):
    """Router whose routes refuse unknown query parameters, and have the names of their functions."""

    def __init__(
        self,
        *,
        responses: Responses = RESPONSES_OF_ALL_ROUTES,
        route_class: type[GuidanceRoute] = GuidanceRoute,
        **options: Any,
    ) -> None:
        super().__init__(
            responses=responses,
            route_class=route_class,
            generate_unique_id_function=lambda route: route.name,
            **options,
        )
