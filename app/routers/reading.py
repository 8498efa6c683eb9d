"""Routes that read: each gives its connection back in the thread that it worked in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from sqlmodel import Session

from app.routers.late_routes import LateRoute


class ReadingRoute(LateRoute):
    """A route whose `session` is closed as soon as its function ends; elsewhere that takes a thread of its own."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        super().__init__(path, closing_session(endpoint), **more)


def closing_session(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which closes the session that it is given."""

    @wraps(endpoint)
    def closed(**given: Any) -> Any:
        try:
            return endpoint(**given)
        finally:
            if isinstance(session := given.get("session"), Session):
                session.close()

    return closed
