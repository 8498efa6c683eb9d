"""Authentication of callers. Every route declares one of these dependencies; a test refuses a route without one."""

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
    """Allow every caller: no token is required and none is read."""


PUBLIC = Depends(allow_anyone)

_status_token = HTTPBearer(
    scheme_name="StatusToken", description="The `status_token` of a concern's receipt.", auto_error=False
)
_client_key = HTTPBearer(
    scheme_name="ClientKey",
    description="A client's key (`guidance clients add`), or an access token of the configured OpenID provider.",
    auto_error=False,
)

StatusTokenCredentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_status_token)]
ClientCredentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_client_key)]


async def require_status_token(credentials: StatusTokenCredentials) -> str:
    """Return the status token of the request. Raises `TokenMissing`."""
    if credentials is None:
        raise TokenMissing
    return credentials.credentials


async def require_client(
    request: Request, security: SecurityScopes, context: ContextDep, credentials: ClientCredentials
) -> Principal:
    """Return the client, which has every scope that the route needs.

    Raises `TokenMissing`, `TokenInvalid` or `ScopeMissing`.
    """
    if credentials is None:
        raise TokenMissing
    principal = await _authenticate(request, context, credentials)
    for scope in security.scopes:
        if scope not in principal.scopes:
            raise ScopeMissing(scope)
    return principal


async def require_submitter(request: Request, credentials: ClientCredentials) -> str:
    """Return the name of a client with the scope to submit, or `ANONYMOUS` for a request without a token.

    Raises `TokenMissing` without a token if anonymous concerns are switched off, `TokenInvalid` or `ScopeMissing`.
    """
    context = await get_context(request)
    if credentials is None:
        if not context.settings.anonymous_concerns:
            raise TokenMissing
        return ANONYMOUS
    principal = await _authenticate(request, context, credentials)
    if Scope.SUBMIT not in principal.scopes:
        raise ScopeMissing(Scope.SUBMIT)
    return principal.name


async def _authenticate(request: Request, context: AppContext, credentials: HTTPAuthorizationCredentials) -> Principal:
    """Return the client with that key. Its name is set on the request, for the rate limits."""
    principal = await run_in_threadpool(context.authenticator.authenticate, credentials.credentials)
    request.state.client = principal.name
    return principal


StatusTokenDep = Annotated[str, Depends(require_status_token)]
SubmitterDep = Annotated[str, Depends(require_submitter)]
