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
    """Whoever holds the concern's status token. Raises `TokenMissing`."""
    if given is None:
        raise TokenMissing
    return given.credentials


async def require_client(
    request: Request, needed: SecurityScopes, context: ContextDep, given: Annotated[Given, Depends(_client_key)]
) -> Principal:
    """A client with the scopes that the route needs. Raises `TokenMissing`, `TokenInvalid` or `ScopeMissing`."""
    if given is None:
        raise TokenMissing
    principal = await _admitted(request, context, given)
    for scope in needed.scopes:
        if scope not in principal.scopes:
            raise ScopeMissing(scope)
    return principal


async def require_submitter(request: Request, given: Annotated[Given, Depends(_client_key)]) -> str:
    """Whoever may submit: a client with the scope; anyone, unless anonymous concerns are switched off."""
    context = await get_context(request)
    if given is None:
        if not context.settings.anonymous_concerns:
            raise TokenMissing
        return ANONYMOUS
    principal = await _admitted(request, context, given)
    if Scope.SUBMIT not in principal.scopes:
        raise ScopeMissing(Scope.SUBMIT)
    return principal.name


async def _admitted(request: Request, context: AppContext, given: HTTPAuthorizationCredentials) -> Principal:
    """Who holds the key; the limits around the request learn the name, and count by it from then on."""
    principal = await run_in_threadpool(context.authenticator.authenticate, given.credentials)
    request.state.client = principal.name
    return principal


StatusTokenDep = Annotated[str, Depends(require_status_token)]
SubmitterDep = Annotated[str, Depends(require_submitter)]
