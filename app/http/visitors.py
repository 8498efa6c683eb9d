"""Authentication of people at the pages of the desk, by a session in a cookie."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import SecurityScopes

from app.config import Settings
from app.errors import ScopeMissing, TokenInvalid, TokenMissing
from app.http.auth import authenticate, caller_address, client_key_of
from app.http.context import NowDep, context_of
from app.logs import Log
from app.models.access.clients import Scope
from app.services.access.people import BY_PASSKEY
from app.services.audit.audit_log import Actor

log = Log(__name__)
SECURE_PREFIX = "__Host-"
SESSION_COOKIE = "desk"


def _may(scope: Scope) -> Any:
    """Return the property that is True if the person has the scope."""
    return property(lambda visitor: scope in visitor.scopes)


@dataclass(frozen=True)
class Visitor:
    """A signed-in person: the actor for the audit log, the name, and the scopes."""

    actor: Actor
    name: str
    scopes: frozenset[str]

    @property
    def has_passkey(self) -> bool:
        """True if the person signed in by a passkey of this site."""
        return self.actor.client.startswith(f"{BY_PASSKEY}/")

    can_read = _may(Scope.READ)
    can_write = _may(Scope.WRITE)
    can_audit = _may(Scope.AUDIT)
    can_draft = _may(Scope.DRAFT)
    can_publish = _may(Scope.PUBLISH)


async def require_person(request: Request, security: SecurityScopes, now: NowDep) -> Visitor:
    """Return the person who is signed in, or has the key in the Authorization header, with every scope of the route.

    Browsers do not add that header automatically, so no other site can use a key. A key that names no person opens no
    page. The role is looked up for each request. Raises `TokenMissing`, `TokenInvalid` or `ScopeMissing`.
    """
    address = caller_address(request)
    credentials = await client_key_of(request)
    if credentials is not None:
        caller = await authenticate(request, credentials, security.scopes)
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
    """Return True if the browser opens a page, and can be redirected elsewhere and back."""
    mode = request.headers.get("sec-fetch-mode", "navigate" if "text/html" in request.headers.get("accept", "") else "")
    return request.method == "GET" and mode == "navigate"


def cookie_name(settings: Settings, name: str) -> str:
    """Return the name under which a cookie is set. With https no other host can set a cookie of that name."""
    return f"{SECURE_PREFIX}{name}" if settings.is_https else name


def read_cookie(request: Request, name: str) -> str | None:
    """Return the cookie of the request, or None."""
    return request.cookies.get(cookie_name(context_of(request).settings, name)) or None


def set_cookie(response: Response, settings: Settings, name: str, value: str, *, seconds: int | None = None) -> None:
    """Set a cookie that no JavaScript reads and no other site sends. It ends with the browser or after `seconds`.

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
