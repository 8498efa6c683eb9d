"""Authentication of people for the desk pages, by a session cookie or by a client key that names a person."""

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import SecurityScopes

from app.config import Settings
from app.errors import ScopeMissing, TokenInvalid, TokenMissing
from app.http.auth import actor_of, authenticate, client_key_of, expect_may_open
from app.http.context import NowDep, context_of
from app.logs import Log
from app.models.access.clients import OF_A_LEAD, Scope
from app.services.access.clients import Principal
from app.services.access.people import BY_PASSKEY
from app.services.audit.audit_log import Actor

log = Log(__name__)
SECURE_PREFIX = "__Host-"
SESSION_COOKIE = "desk"


def _may(scope: Scope) -> Any:
    """Return a property of `Visitor` that is True if the person has `scope`."""
    return property(lambda visitor: scope in visitor.scopes)


@dataclass(frozen=True)
class Visitor:
    """An authenticated person at the desk pages: the actor for the audit log, the name, and the scopes."""

    actor: Actor
    name: str
    scopes: frozenset[str]

    @property
    def has_passkey(self) -> bool:
        """True if the person signed in with a passkey of this site."""
        return self.actor.client.startswith(f"{BY_PASSKEY}/")

    @property
    def can_lead(self) -> bool:
        """True if the person is a lead, who may manage the people at the desk: they have each scope of `OF_A_LEAD`."""
        return self.scopes >= OF_A_LEAD

    can_read = _may(Scope.READ)
    can_write = _may(Scope.WRITE)
    can_audit = _may(Scope.AUDIT)
    can_draft = _may(Scope.DRAFT)
    can_publish = _may(Scope.PUBLISH)


async def require_person(request: Request, security: SecurityScopes, now: NowDep) -> Visitor:
    """Return the person who is signed in by a session cookie, or named by the key in the Authorization header.

    The person must have every scope of the route. The scopes are looked up for each request. Raise `TokenMissing` if
    the request has neither a key nor a session cookie. Raise `TokenInvalid` if the key or session is not valid, or if
    the key names no person. Raise its subclass `SessionUnconfirmed` if the OpenID provider must confirm the person
    again. Raise `ScopeMissing` if the person lacks a scope. Raise `NoSuchConcern` if the path names a concern that does
    not exist or that the person may not open. Raise `StoreBusy` if the use of the session, or this refusal, could not
    be stored in time. For a request with a key, also raise the other errors of `authenticate`. Log why a key or session
    is refused.

    Browsers do not add a key automatically, so no other site can use a person's key.
    """
    credentials = await client_key_of(request)
    if credentials is not None:
        caller = await authenticate(request, credentials, security.scopes)
        if caller.person is None:
            log.info("token_refused", reason="it names no person", request_id=request.state.request_id)
            raise TokenInvalid
        return await _visitor_of(request, caller, now)
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
    return await _visitor_of(request, principal, now)


async def _visitor_of(request: Request, principal: Principal, now: dt.datetime) -> Visitor:
    """Return `principal` as a `Visitor`.

    Raise `NoSuchConcern` if the path names a concern that does not exist or that the person may not open.
    """
    actor = actor_of(request, principal, now)
    await expect_may_open(request, actor)
    return Visitor(actor, principal.person or "", principal.scopes)


def is_navigation(request: Request) -> bool:
    """Return True if a browser opens a page with this request, so that it can be redirected elsewhere and back."""
    mode = request.headers.get("sec-fetch-mode", "navigate" if "text/html" in request.headers.get("accept", "") else "")
    return request.method == "GET" and mode == "navigate"


def cookie_name(settings: Settings, name: str) -> str:
    """Return the full name of the cookie `name`. With https, add a prefix: then no other host can set the cookie."""
    return f"{SECURE_PREFIX}{name}" if settings.is_https else name


def read_cookie(request: Request, name: str) -> str | None:
    """Return the value of the cookie `name`, or None if the request has no such cookie or its value is empty."""
    return request.cookies.get(cookie_name(context_of(request).settings, name)) or None


def set_cookie(response: Response, settings: Settings, name: str, value: str, *, seconds: int | None = None) -> None:
    """Set a cookie that JavaScript cannot read, and that browsers do not send with requests from other sites.

    The cookie expires after `seconds`, or when the browser closes if `seconds` is None. An empty `value` deletes the
    cookie.
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
