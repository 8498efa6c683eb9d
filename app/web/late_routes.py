"""Routes that are built when they are first asked.

To build a route takes about 3 ms, for the schemas of its answer, of its parameters and of every problem that it tells.
There are 80, and whoever waits for the service to start waits for one.
"""

from collections.abc import Callable
from functools import partial
from threading import RLock
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import compile_path, get_name

_building = RLock()


class LateRoute(APIRoute):
    """Holds what tells whether a request is for it. All else is there as soon as it is looked for."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **told: Any) -> None:
        self.path = path
        self.endpoint = endpoint
        self.name = told["name"] or get_name(endpoint)
        self.methods = set(told["methods"] or ["GET"])
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._build: Callable[[], None] | None = partial(super().__init__, path, endpoint, **told)

    def __getattr__(self, name: str) -> Any:
        """Build the route: asked only for what is not there yet."""
        with _building:
            build = self.__dict__.pop("_build", None)
            if build is not None:
                build()
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(name) from None
