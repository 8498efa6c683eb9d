"""Who may call a route. Every route declares one of these; a route without one is refused by a test."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.errors import TokenNeeded


def anyone() -> None:
    """Anyone: no token is asked for and none is read."""


PUBLIC = Depends(anyone)

_status_token = HTTPBearer(
    scheme_name="StatusToken", description="The `status_token` of a concern's receipt.", auto_error=False
)


def the_status_token(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_status_token)]) -> str:
    """Whoever holds the concern's status token. Raises `TokenNeeded`."""
    if given is None:
        raise TokenNeeded
    return given.credentials


StatusToken = Annotated[str, Depends(the_status_token)]
