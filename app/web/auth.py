"""Who may call a route. Every route declares one of these; a route without one is refused by a test."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from app.errors import ScopeMissing, TokenMissing
from app.models.clients import Scope
from app.services.access.clients import Principal
from app.web.context import AppContext, ContextDep, get_context

ANONYMOUS = "anonymous"


async def allow_anyone() -> None:
    """Anyone: no token is asked for and none is read."""


PUBLIC = Depends(allow_anyone)

_status_token = HTTPBearer(
    scheme_name="StatusToken", description="The `status_token` of a concern's receipt.", auto_error=False
)
_client_key = HTTPBearer(
    scheme_name="ClientKey",
    description="A client's key (`guidance clients add`), or an access token of the configured OpenID provider.",
    auto_error=False,
)

Given = HTTPAuthorizationCredentials | None


async def require_status_token(given: Annotated[Given, Depends(_status_token)]) -> str:
    """Return the status token that the request carries. Raises `TokenMissing`."""
    if given is None:
        raise TokenMissing
    return given.credentials


async def require_client(
    request: Request, needed: SecurityScopes, context: ContextDep, given: Annotated[Given, Depends(_client_key)]
) -> Principal:
    """Return a client with the scopes that the route needs. Raises `TokenMissing`, `TokenInvalid` or `ScopeMissing`."""
    if given is None:
        raise TokenMissing
    principal = await _authenticate(request, context, given)
    for scope in needed.scopes:
        if scope not in principal.scopes:
            raise ScopeMissing(scope)
    return principal


async def require_submitter(request: Request, given: Annotated[Given, Depends(_client_key)]) -> str:
    """Return the submitter's name: a client with the scope, or `anonymous` unless that is switched off."""
    context = await get_context(request)
    if given is None:
        if not context.settings.anonymous_concerns:
            raise TokenMissing
        return ANONYMOUS
    principal = await _authenticate(request, context, given)
    if Scope.SUBMIT not in principal.scopes:
        raise ScopeMissing(Scope.SUBMIT)
    return principal.name


async def _authenticate(request: Request, context: AppContext, given: HTTPAuthorizationCredentials) -> Principal:
    """Return the holder of the key, and note its name on the request: the rate limits count by it from then on."""
    principal = await run_in_threadpool(context.authenticator.authenticate, given.credentials)
    request.state.client = principal.name
    return principal


StatusTokenDep = Annotated[str, Depends(require_status_token)]
SubmitterDep = Annotated[str, Depends(require_submitter)]
