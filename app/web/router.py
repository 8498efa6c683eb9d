"""The base class of all routers of this service."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import wraps
from typing import Any, get_type_hints

from fastapi import APIRouter, Depends, params

from app.web.context import open_session
from app.web.problem_types import RESPONSES_OF_ALL_ROUTES, Responses
from app.web.query_params import reject_unknown_query


class GuidanceRouter(APIRouter):
    """Router whose routes refuse unknown query parameters, and have the names of their functions.

    A route's sessions are closed when its function ends, in its own thread. A dependency would need another thread to
    close them.
    """

    def __init__(
        self,
        *,
        dependencies: Sequence[params.Depends] = (),
        responses: Responses = RESPONSES_OF_ALL_ROUTES,
        **options: Any,
    ) -> None:
        super().__init__(
            dependencies=[Depends(reject_unknown_query), *dependencies],
            responses=responses,
            generate_unique_id_function=lambda route: route.name,
            **options,
        )

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add a route."""
        super().add_api_route(path, _closing_sessions(endpoint), **options)


def _closing_sessions(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the function to close its sessions when it ends. Each is found by its dependency, not by its name."""
    hints = get_type_hints(endpoint, include_extras=True)
    names = [name for name, hint in hints.items() if _opens_session(hint)]
    if not names:
        return endpoint

    @wraps(endpoint)
    def closing_endpoint(**arguments: Any) -> Any:
        with ExitStack() as stack:
            for name in names:
                stack.callback(arguments[name].close)
            return endpoint(**arguments)

    return closing_endpoint


def _opens_session(hint: Any) -> bool:
    return any(
        isinstance(each, params.Depends) and each.dependency is open_session
        for each in getattr(hint, "__metadata__", ())
    )
