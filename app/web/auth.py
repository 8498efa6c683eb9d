"""Authentication of callers. Every route declares one of these dependencies; a test refuses a route without one."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from fastapi.security.base import SecurityBase

from app.errors import ProviderUnavailable, ScopeMissing, TokenInvalid, TokenMissing
from app.logs import Log
from app.models.clients import Scope
from app.services.access.clients import Principal
from app.services.access.limits import UNKNOWN_ADDRESS
from app.store.disclosures import Actor
from app.web.context import context_of

ANONYMOUS = Principal("anonymous", frozenset())

log = Log(__name__)


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


async def require_client(request: Request, security: SecurityScopes, credentials: ClientCredentials) -> Principal:
    """Return the client, which has every scope that the route needs.

    Raises `TokenMissing`, `TokenInvalid` or `ScopeMissing`.
    """
    return await _authenticate(request, credentials, security.scopes)


async def require_actor(request: Request, principal: Annotated[Principal, Depends(require_client)]) -> Actor:
    """Return who acts, as the record of disclosures names it: client and person, and their network address."""
    return Actor(principal.name_on_record, caller_address(request))


def caller_address(request: Request) -> str:
    """Return the network address of the caller, for the record."""
    return request.client.host if request.client else UNKNOWN_ADDRESS


async def find_client(request: Request, scopes: Sequence[str]) -> Principal | None:
    """Return the client of the Authorization header, or None without one. Raises `TokenInvalid` or `ScopeMissing`."""
    credentials = await _client_key(request)
    return None if credentials is None else await _authenticate(request, credentials, scopes)


class SubmitterKey(SecurityBase):
    """The client's key where it may be missing. Reads it itself: a dependency of its own would cost 20 µs a concern."""

    model = _client_key.model
    scheme_name = _client_key.scheme_name

    async def __call__(self, request: Request) -> Principal:
        """Return a client with the scope to submit, or `ANONYMOUS` for a request without a token.

        Raises `TokenMissing` without a token if anonymous concerns are off, `TokenInvalid` or `ScopeMissing`.
        """
        credentials = await _client_key(request)
        if credentials is None and context_of(request).settings.anonymous_concerns:
            return ANONYMOUS
        return await _authenticate(request, credentials, [Scope.SUBMIT])


require_submitter = SubmitterKey()


async def _authenticate(
    request: Request, credentials: HTTPAuthorizationCredentials | None, scopes: Sequence[str]
) -> Principal:
    """Return the client with that key and those scopes. Its name is set on the request, for the rate limits.

    The reason of a refusal is logged, and is not in the answer.
    """
    if credentials is None:
        raise TokenMissing
    context, request_id = context_of(request), request.state.request_id
    authenticate = partial(context.authenticator.authenticate, credentials.credentials, at=context.clock())
    try:
        principal = await run_in_threadpool(authenticate)
    except (TokenInvalid, ProviderUnavailable) as refusal:
        log.info("token_refused", reason=str(refusal), request_id=request_id)
        raise
    request.state.client = principal.name
    for scope in scopes:
        if scope not in principal.scopes:
            log.info("token_refused", reason=f"it lacks the scope {scope}", request_id=request_id)
            raise ScopeMissing(scope)
    return principal


StatusTokenDep = Annotated[str, Depends(require_status_token)]
SubmitterDep = Annotated[Principal, Depends(require_submitter)]
ReaderDep = Annotated[Actor, Security(require_actor, scopes=[Scope.READ])]
WorkerDep = Annotated[Actor, Security(require_actor, scopes=[Scope.WRITE])]
EditorDep = Annotated[Actor, Security(require_actor, scopes=[Scope.DRAFT])]
PublisherDep = Annotated[Actor, Security(require_actor, scopes=[Scope.PUBLISH])]
AuditorDep = Annotated[Actor, Security(require_actor, scopes=[Scope.AUDIT])]
