"""The base classes of all routers and routes of this service."""

from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from functools import wraps
from inspect import Parameter, signature
from typing import Any

from fastapi import APIRouter, Request, Response, params
from fastapi.routing import APIRoute
from sqlmodel import Session

from app.errors import NotFound
from app.web.context import PROVIDERS, ContextValue, context_of
from app.web.problem_responses import RESPONSES_OF_ALL_ROUTES, Responses
from app.web.query_params import NUL, reject_unknown_query

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
    """Router whose routes refuse unknown query parameters, and have the names of their functions.

    A route's function gets the context, a session and the time from the router. FastAPI would solve each of these
    dependencies anew for every request, which costs a tenth of a cold read. The sessions are closed when the function
    ends, in its own thread: a dependency would need another thread to close them.
    """

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

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add a route."""
        super().add_api_route(path, _provided(endpoint), **options)


def _provided(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the function: to FastAPI it takes the request instead of what `PROVIDERS` give, each found by its hint."""
    declared = signature(endpoint, eval_str=True)
    hints = {name: parameter.annotation for name, parameter in declared.parameters.items()}
    providers = {name: provider for name, hint in hints.items() if (provider := _provider_of(hint)) is not None}
    if not providers:
        return endpoint
    own_request = next((name for name, hint in hints.items() if hint is Request), None)

    @wraps(endpoint)
    def provided(**arguments: Any) -> Any:
        request = arguments.pop(ADDED_REQUEST) if own_request is None else arguments[own_request]
        context = context_of(request)
        with ExitStack() as stack:
            for name, provider in providers.items():
                value = arguments[name] = provider(context)
                if isinstance(value, Session):
                    stack.callback(value.close)
            return endpoint(**arguments)

    parameters = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in declared.parameters.values()]
    if own_request is None:
        parameters.append(Parameter(ADDED_REQUEST, Parameter.KEYWORD_ONLY, annotation=Request))
    shown = declared.replace(parameters=[each for each in parameters if each.name not in providers])
    vars(provided)["__signature__"] = shown  # where `inspect`, and so FastAPI, looks first
    return provided


def _provider_of(hint: Any) -> ContextValue | None:
    dependencies = [each.dependency for each in getattr(hint, "__metadata__", ()) if isinstance(each, params.Depends)]
    return next((PROVIDERS[each] for each in dependencies if each in PROVIDERS), None)
