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
from app.services.audit.audit_log import Actor
from app.services.audit.restrictions import expect_openable

NAMES_OF_CONCERNS = ("reference", "chain")
"""The names of path parameters that identify a concern."""
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
    """Allow every caller: no token is required, and a token in the request is ignored."""


PUBLIC = Depends(allow_anyone)


async def require_status_token(credentials: StatusTokenCredentials) -> str:
    """Return the status token of the request, unchecked. Raise `TokenMissing` if the request has no bearer token."""
    if credentials is None:
        raise TokenMissing
    return credentials.credentials


class _Key(SecurityBase):
    """A base class of dependencies that read the client's key themselves.

    A separate dependency for the key would cost 20 µs a request.
    """

    model = client_key_of.model
    scheme_name = client_key_of.scheme_name


class ClientKey(_Key):
    """A dependency that requires a client key with the scopes of the route."""

    async def __call__(self, request: Request, security: SecurityScopes) -> Principal:
        """Return the client, which has every scope that the route requires (`security`).

        Raise `TokenMissing` if the request has no key, `TokenInvalid` if the key is not valid, and `ScopeMissing` if
        the client lacks a scope. Raise `ProviderUnavailable` if the OpenID provider does not respond. If the caller is
        over its rate limit, raise `RateLimited` instead of `TokenInvalid` or `ProviderUnavailable`.
        """
        return await authenticate(request, await client_key_of(request), security.scopes)


require_client = ClientKey()


async def require_actor(request: Request, principal: Annotated[Principal, Depends(require_client)]) -> Actor:
    """Return the caller (`principal`) as the actor for the audit log: client and person, address, and current time.

    The dependency `require_client` raises the errors of `authenticate`. Raise `NoSuchConcern` if the path names a
    concern that does not exist or that the caller may not open. A refusal to open a concern is recorded in the audit
    log. Raise `StoreBusy` if the refusal could not be recorded in time.
    """
    actor = actor_of(request, principal, context_of(request).clock())
    await expect_may_open(request, actor)
    return actor


async def expect_may_open(request: Request, actor: Actor) -> None:
    """Raise `NoSuchConcern` if the path names a concern that does not exist or that `actor` may not open.

    If `actor` may not open the concern, also record that in the audit log. Raise `StoreBusy` if that could not be
    stored in time. Do nothing if the path names no concern.
    """
    named = (find_reference(request.path_params.get(name, "")) for name in NAMES_OF_CONCERNS)
    for reference in filter(None, named):
        await run_in_threadpool(expect_openable, context_of(request).writer, reference, actor)


def actor_of(request: Request, principal: Principal, at: dt.datetime) -> Actor:
    """Return the actor for the audit log: `principal`, with the address of `request` and the time `at`."""
    return Actor(principal.name_on_record, caller_address(request), at, is_lead=principal.is_lead)


def caller_address(request: Request) -> str:
    """Return the network address of the caller for the audit log, or `UNKNOWN_ADDRESS` if the connection has none."""
    return request.client.host if request.client else UNKNOWN_ADDRESS


def caller_networks(request: Request) -> LimitKeys:
    """Return the networks under which rate limits count the caller, or an empty tuple for an address of this host."""
    counted: LimitKeys | None = request.scope["state"].get(NETWORKS)
    return networks_of(caller_address(request)) if counted is None else counted


class SubmitterKey(_Key):
    """A dependency that accepts a client key with the scope to submit, or no key if anonymous concerns are allowed."""

    async def __call__(self, request: Request) -> Principal:
        """Return the client, or `ANONYMOUS` if the request has no token and anonymous concerns are allowed.

        Raise `TokenMissing` if the request has no token and anonymous concerns are not allowed. Raise `TokenInvalid` if
        the token is not valid, and `ScopeMissing` if the client may not submit. Raise `ProviderUnavailable` if the
        OpenID provider does not respond. If the caller is over its rate limit, raise `RateLimited` instead of
        `TokenInvalid` or `ProviderUnavailable`.
        """
        credentials = await client_key_of(request)
        if credentials is None and context_of(request).settings.anonymous_concerns:
            return ANONYMOUS
        return await authenticate(request, credentials, [Scope.SUBMIT])


require_submitter = SubmitterKey()


async def authenticate(
    request: Request, credentials: HTTPAuthorizationCredentials | None, scopes: Sequence[str]
) -> Principal:
    """Return the client that `credentials` belong to. Store the name of the client in the request, for the rate limits.

    Raise `TokenMissing` if `credentials` is None, or `ScopeMissing` if the client lacks one of `scopes`. Raise
    `TokenInvalid` if the token is not valid, or `ProviderUnavailable` if the OpenID provider does not respond. If the
    caller is over its limit, raise `RateLimited` instead of `TokenInvalid` or `ProviderUnavailable`. Log why a token is
    refused: the response gives the reason only for a missing scope.
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
    """Return the networks under which to count a concern that is sent without a client key.

    Return an empty tuple if `submitter` is a client, or if the request comes from this host.
    """
    return caller_networks(request) if submitter is ANONYMOUS else ()


def expect_within_limit(request: Request, submitter: Principal, concern: Concern) -> None:
    """Raise `RateLimited` if `submitter` is a client over its rate limit, unless a child is in immediate danger.

    `concern` says whether a child is in immediate danger. A test concern never counts as a concern about immediate
    danger. A concern that is sent without a client key is never refused here.
    """
    in_danger = concern.immediate_danger == ImmediateDanger.YES and not concern.test
    if submitter is not ANONYMOUS and not in_danger:
        refuse_over_limit(request)


def refuse_over_limit(request: Request) -> None:
    """Raise `RateLimited` if the request is over its rate limit.

    The middleware passes some requests over their limit to the route, which decides (see `app.http.turns`).
    """
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
