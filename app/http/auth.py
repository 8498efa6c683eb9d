"""Authentication of clients and reporters; a test checks that every route declares one of these dependencies."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from fastapi.security.base import SecurityBase

from app.errors import ProviderUnavailable, RateLimited, ScopeMissing, TokenInvalid, TokenMissing
from app.http.context import context_of
from app.http.turns import OVER
from app.logs import Log
from app.models.access.clients import Scope
from app.models.concerns.concern import Concern, ImmediateDanger
from app.services.access.clients import Principal
from app.services.access.limits import UNKNOWN_ADDRESS, Count, Networks, networks_of
from app.services.audit.audit_log import Actor

ANONYMOUS = Principal("anonymous", frozenset())
log = Log(__name__)
_status_token = HTTPBearer(
    scheme_name="StatusToken", description="The `status_token` of a concern's receipt.", auto_error=False
)
client_key_of = HTTPBearer(
    scheme_name="ClientKey",
    description="A client key (`guidance clients add`), or an access token from the configured OpenID provider.",
    auto_error=False,
)
StatusTokenCredentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_status_token)]


async def allow_anyone() -> None:
    """Allow every caller: no token is required and none is read."""


PUBLIC = Depends(allow_anyone)


async def require_status_token(credentials: StatusTokenCredentials) -> str:
    """Return the status token of the request. Raises `TokenMissing`."""
    if credentials is None:
        raise TokenMissing
    return credentials.credentials


class _Key(SecurityBase):
    """A base class whose subclasses read the client's key: a separate dependency would cost 20 µs a request."""

    model = client_key_of.model
    scheme_name = client_key_of.scheme_name


class ClientKey(_Key):
    """The client's key."""

    async def __call__(self, request: Request, security: SecurityScopes) -> Principal:
        """Return the client, which has every scope that the route needs.

        Raises `TokenMissing`, `TokenInvalid` or `ScopeMissing`.
        """
        return await authenticate(request, await client_key_of(request), security.scopes)


require_client = ClientKey()


async def require_actor(request: Request, principal: Annotated[Principal, Depends(require_client)]) -> Actor:
    """Return the actor for the audit log: client and person, their network address, and the time."""
    return Actor(principal.name_on_record, caller_address(request), context_of(request).clock())


def caller_address(request: Request) -> str:
    """Return the network address of the caller, for the audit log."""
    return request.client.host if request.client else UNKNOWN_ADDRESS


def caller_networks(request: Request) -> Networks:
    """Return the networks under which the caller is counted; none for this host's own addresses."""
    return networks_of(caller_address(request))


class SubmitterKey(_Key):
    """The client's key, which may be missing."""

    async def __call__(self, request: Request) -> Principal:
        """Return a client with the scope to submit, or `ANONYMOUS` for a request without a token.

        Raises `TokenMissing` without a token if anonymous concerns are off, `TokenInvalid` or `ScopeMissing`.
        """
        credentials = await client_key_of(request)
        if credentials is None and context_of(request).settings.anonymous_concerns:
            return ANONYMOUS
        return await authenticate(request, credentials, [Scope.SUBMIT])


require_submitter = SubmitterKey()


async def authenticate(
    request: Request, credentials: HTTPAuthorizationCredentials | None, scopes: Sequence[str]
) -> Principal:
    """Return the client with that key and those scopes. Its name is set on the request, for the rate limits.

    The reason of a refusal is logged, and is not in the response.
    """
    if credentials is None:
        raise TokenMissing
    context, request_id = context_of(request), request.state.request_id
    authenticate = partial(context.authenticator.authenticate, credentials.credentials, at=context.clock())
    try:
        principal = await run_in_threadpool(authenticate)
    except (TokenInvalid, ProviderUnavailable) as refusal:
        log.info("token_refused", reason=str(refusal), request_id=request_id)
        refuse_over_limit(request)
        raise
    request.state.client = principal.name
    for scope in scopes:
        if scope not in principal.scopes:
            log.info("token_refused", reason=f"it lacks the scope {scope}", request_id=request_id)
            raise ScopeMissing(scope)
    return principal


def networks_to_count(request: Request, submitter: Principal) -> Networks:
    """Return the networks under which a concern without a key is counted; none for a client or for this host."""
    return caller_networks(request) if submitter is ANONYMOUS else ()


def expect_within_limit(request: Request, submitter: Principal, concern: Concern) -> None:
    """Raise `RateLimited` for a concern of a client that is over its limit, unless a child is in immediate danger."""
    in_danger = concern.immediate_danger == ImmediateDanger.YES and not concern.test
    if submitter is not ANONYMOUS and not in_danger:
        refuse_over_limit(request)


def refuse_over_limit(request: Request) -> None:
    """Raise `RateLimited` if the caller is over the limit, and the request was only made to take its turn."""
    over: Count | None = request.scope["state"].get(OVER)
    if over is not None:
        raise RateLimited(over.seconds)


StatusTokenDep = Annotated[str, Depends(require_status_token)]

SubmitterDep = Annotated[Principal, Depends(require_submitter)]

ReaderDep = Annotated[Actor, Security(require_actor, scopes=[Scope.READ])]

WorkerDep = Annotated[Actor, Security(require_actor, scopes=[Scope.WRITE])]

EditorDep = Annotated[Actor, Security(require_actor, scopes=[Scope.DRAFT])]

PublisherDep = Annotated[Actor, Security(require_actor, scopes=[Scope.PUBLISH])]

AuditorDep = Annotated[Actor, Security(require_actor, scopes=[Scope.AUDIT])]
