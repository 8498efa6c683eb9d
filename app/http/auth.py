"""Authentication of callers. Every route declares one of these dependencies; a test refuses a route without one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from fastapi.security.base import SecurityBase

from app.config import Settings
from app.errors import ProviderUnavailable, RateLimited, ScopeMissing, TokenInvalid, TokenMissing
from app.http.context import NowDep, context_of
from app.http.turns import OVER
from app.logs import Log
from app.models.clients import Scope
from app.models.concerns import Concern, ImmediateDanger
from app.services.clients import Principal
from app.services.limits import UNKNOWN_ADDRESS, Count, Networks, networks_of
from app.services.people import BY_PASSKEY
from app.services.record import Actor

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
    description="A client key (`guidance clients add`), or an access token from the configured OpenID provider.",
    auto_error=False,
)

StatusTokenCredentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_status_token)]


async def require_status_token(credentials: StatusTokenCredentials) -> str:
    """Return the status token of the request. Raises `TokenMissing`."""
    if credentials is None:
        raise TokenMissing
    return credentials.credentials


class _Key(SecurityBase):
    """What reads the client's key itself: a dependency of its own would cost 20 µs a request."""

    model = _client_key.model
    scheme_name = _client_key.scheme_name


class ClientKey(_Key):
    """The client's key."""

    async def __call__(self, request: Request, security: SecurityScopes) -> Principal:
        """Return the client, which has every scope that the route needs.

        Raises `TokenMissing`, `TokenInvalid` or `ScopeMissing`.
        """
        return await _authenticate(request, await _client_key(request), security.scopes)


require_client = ClientKey()


async def require_actor(request: Request, principal: Annotated[Principal, Depends(require_client)]) -> Actor:
    """Return who acts, as the record of disclosures names it: client and person, their network address, and when."""
    return Actor(principal.name_on_record, caller_address(request), context_of(request).clock())


def caller_address(request: Request) -> str:
    """Return the network address of the caller, for the record."""
    return request.client.host if request.client else UNKNOWN_ADDRESS


def caller_networks(request: Request) -> Networks:
    """Return the networks that the caller is counted by; none for this machine's own."""
    return networks_of(caller_address(request))


class SubmitterKey(_Key):
    """The client's key where it may be missing."""

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
        refuse_over_limit(request)
        raise
    request.state.client = principal.name
    for scope in scopes:
        if scope not in principal.scopes:
            log.info("token_refused", reason=f"it lacks the scope {scope}", request_id=request_id)
            raise ScopeMissing(scope)
    return principal


def networks_to_count(request: Request, submitter: Principal) -> Networks:
    """Return the networks that a concern without a key counts for; none for a client's, and for this machine's own."""
    return caller_networks(request) if submitter is ANONYMOUS else ()


def expect_within_limit(request: Request, submitter: Principal, concern: Concern) -> None:
    """Raise `RateLimited` for a concern of a client that is over its limit, unless a child is in immediate danger."""
    in_danger = concern.immediate_danger == ImmediateDanger.YES and not concern.test
    if submitter is not ANONYMOUS and not in_danger:
        refuse_over_limit(request)


def refuse_over_limit(request: Request) -> None:
    """Raise `RateLimited` if the caller is over the limit of such requests, and only took turns so far."""
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


SECURE_PREFIX = "__Host-"
SESSION_COOKIE = "desk"


def _may(scope: Scope) -> Any:
    """Return the property that says whether the person has the scope."""
    return property(lambda visitor: scope in visitor.scopes)


@dataclass(frozen=True)
class Visitor:
    """A person who is signed in: as the record names them, by name alone, and what they may do."""

    actor: Actor
    name: str
    scopes: frozenset[str]

    @property
    def has_passkey(self) -> bool:
        """Whether the person signed in by a passkey of this site."""
        return self.actor.client.startswith(f"{BY_PASSKEY}/")

    can_read = _may(Scope.READ)
    can_write = _may(Scope.WRITE)
    can_audit = _may(Scope.AUDIT)
    can_draft = _may(Scope.DRAFT)
    can_publish = _may(Scope.PUBLISH)


async def require_person(request: Request, security: SecurityScopes, now: NowDep) -> Visitor:
    """Return the person who is signed in, or has the key in the Authorization header, with every scope of the route.

    No browser sends that header by itself, so no other site can use a key. A key that names no person opens no page.
    The role is looked up for each request. Raises `TokenMissing`, `TokenInvalid` or `ScopeMissing`.
    """
    address = caller_address(request)
    credentials = await _client_key(request)
    if credentials is not None:
        caller = await _authenticate(request, credentials, security.scopes)
        if caller.person is None:
            log.info("token_refused", reason="it names no person", request_id=request.state.request_id)
            raise TokenInvalid
        return Visitor(Actor(caller.name_on_record, address, now), caller.person, caller.scopes)
    context, token = context_of(request), read_cookie(request, SESSION_COOKIE)
    if token is None:
        raise TokenMissing
    find = partial(context.desk_sign_in.sessions.find, token, at=now, may_ask=is_navigation(request))
    try:
        principal = await run_in_threadpool(find)
    except TokenInvalid as refusal:
        log.info("session_refused", reason=str(refusal), request_id=request.state.request_id)
        raise
    for scope in security.scopes:
        if scope not in principal.scopes:
            raise ScopeMissing(scope)
    return Visitor(Actor(principal.name_on_record, address, now), principal.person or "", principal.scopes)


def is_navigation(request: Request) -> bool:
    """Return whether the browser opens a page, and can be led elsewhere and back."""
    mode = request.headers.get("sec-fetch-mode", "navigate" if "text/html" in request.headers.get("accept", "") else "")
    return request.method == "GET" and mode == "navigate"


def cookie_name(settings: Settings, name: str) -> str:
    """Return the name under which a cookie is set. With https no other host can set one of that name."""
    return f"{SECURE_PREFIX}{name}" if settings.is_https else name


def read_cookie(request: Request, name: str) -> str | None:
    """Return the cookie of the request, or None."""
    return request.cookies.get(cookie_name(context_of(request).settings, name)) or None


def set_cookie(response: Response, settings: Settings, name: str, value: str, *, seconds: int | None = None) -> None:
    """Set a cookie that no script reads and no other site sends. It ends with the browser or after `seconds`.

    An empty value deletes it.
    """
    response.set_cookie(
        cookie_name(settings, name),
        value,
        max_age=seconds if value else 0,
        path="/",
        secure=settings.is_https,
        httponly=True,
        samesite="strict",
    )


VisitorDep = Annotated[Visitor, Security(require_person)]
