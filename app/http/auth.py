"""Authentication of clients and reporters. A test checks that every route declares one of these dependencies."""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from fastapi.security.base import SecurityBase

from app.errors import ProviderUnavailable, RateLimited, ScopeMissing, TokenInvalid, TokenMissing
from app.http.context import context_of
from app.http.hosts import NETWORKS
from app.http.turns import OVER
from app.logs import Log
from app.models.access.clients import Scope
from app.models.concerns.concern import Concern, ImmediateDanger
from app.models.references import find_reference
from app.services.access.clients import Principal
from app.services.access.limits import UNKNOWN_ADDRESS, Count, LimitKeys, networks_of
from app.services.access.restrictions import expect_openable
from app.services.audit.audit_log import Actor

NAMES_OF_CONCERNS = ("reference", "chain")
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
    """Ignore a token in the request."""


PUBLIC = Depends(allow_anyone)


async def require_status_token(credentials: StatusTokenCredentials) -> str:
    """Return the token unchecked."""
    if credentials is None:
        raise TokenMissing
    return credentials.credentials


class _Key(SecurityBase):
    """Dependencies that read the client's key themselves: another one for the key would cost 20 µs a request."""

    model = client_key_of.model
    scheme_name = client_key_of.scheme_name


class ClientKey(_Key):
    async def __call__(self, request: Request, security: SecurityScopes) -> Principal:
        return await authenticate(request, await client_key_of(request), security.scopes)


require_client = ClientKey()


async def require_actor(request: Request, principal: Annotated[Principal, Depends(require_client)]) -> Actor:
    """Return the caller as the actor for the audit log.

    Raise `NoSuchConcern` if the concern in the path does not exist or may not be opened (recorded), and `StoreBusy` if
    that could not be recorded.
    """
    actor = actor_of(request, principal, context_of(request).clock())
    await expect_may_open(request, actor)
    return actor


async def expect_may_open(request: Request, actor: Actor) -> None:
    named = (find_reference(request.path_params.get(name, "")) for name in NAMES_OF_CONCERNS)
    for reference in filter(None, named):
        await run_in_threadpool(expect_openable, context_of(request).writer, reference, actor)


def actor_of(request: Request, principal: Principal, at: dt.datetime) -> Actor:
    return Actor(principal.name_on_record, caller_address(request), at, is_lead=principal.is_lead)


def caller_address(request: Request) -> str:
    """Return the caller's address, or `UNKNOWN_ADDRESS` if the connection has none."""
    return request.client.host if request.client else UNKNOWN_ADDRESS


def caller_networks(request: Request) -> LimitKeys:
    """Return the networks under which rate limits count the caller, none for an address of this host."""
    counted: LimitKeys | None = request.scope["state"].get(NETWORKS)
    return networks_of(caller_address(request)) if counted is None else counted


class SubmitterKey(_Key):
    """The key of a caller who submits a concern. It may be missing if anonymous concerns are allowed."""

    async def __call__(self, request: Request) -> Principal:
        credentials = await client_key_of(request)
        if credentials is None and context_of(request).settings.anonymous_concerns:
            return ANONYMOUS
        return await authenticate(request, credentials, [Scope.SUBMIT])


require_submitter = SubmitterKey()


async def authenticate(
    request: Request, credentials: HTTPAuthorizationCredentials | None, scopes: Sequence[str]
) -> Principal:
    """Return the client of `credentials`, whose name is stored in the request for the rate limits.

    Raise `TokenMissing`, `ScopeMissing`, `TokenInvalid` or `ProviderUnavailable`. A caller over its limit gets
    `RateLimited` in place of the last two. The reason why a token is refused is only logged.
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


def networks_to_count(request: Request, submitter: Principal) -> LimitKeys:
    return caller_networks(request) if submitter is ANONYMOUS else ()


def expect_within_limit(request: Request, submitter: Principal, concern: Concern) -> None:
    """Raise `RateLimited` for a client over its limit, unless a child is in danger (a test never is)."""
    in_danger = concern.immediate_danger == ImmediateDanger.YES and not concern.test
    if submitter is not ANONYMOUS and not in_danger:
        refuse_over_limit(request)


def refuse_over_limit(request: Request) -> None:
    """Raise `RateLimited` for a request over its limit that the middleware left to the route."""
    over: Count | None = request.scope["state"].get(OVER)
    if over is not None:
        raise RateLimited(over.seconds)


StatusTokenDep = Annotated[str, Depends(require_status_token)]

SubmitterDep = Annotated[Principal, Depends(require_submitter)]

CallerDep = Annotated[Actor, Depends(require_actor)]

ReadingClientDep = Annotated[Principal, Security(require_client, scopes=[Scope.READ])]

ReaderDep = Annotated[Actor, Security(require_actor, scopes=[Scope.READ])]

WorkerDep = Annotated[Actor, Security(require_actor, scopes=[Scope.WRITE])]

EditorDep = Annotated[Actor, Security(require_actor, scopes=[Scope.DRAFT])]

PublisherDep = Annotated[Actor, Security(require_actor, scopes=[Scope.PUBLISH])]

AuditorDep = Annotated[Actor, Security(require_actor, scopes=[Scope.AUDIT])]
