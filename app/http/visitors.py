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
    return property(lambda visitor: scope in visitor.scopes)


@dataclass(frozen=True)
class Visitor:
    actor: Actor
    name: str
    scopes: frozenset[str]

    @property
    def has_passkey(self) -> bool:
        return self.actor.client.startswith(f"{BY_PASSKEY}/")

    @property
    def can_lead(self) -> bool:
        return self.scopes >= OF_A_LEAD

    can_read = _may(Scope.READ)
    can_write = _may(Scope.WRITE)
    can_audit = _may(Scope.AUDIT)
    can_draft = _may(Scope.DRAFT)
    can_publish = _may(Scope.PUBLISH)


async def require_person(request: Request, security: SecurityScopes, now: NowDep) -> Visitor:
    """Return the person signed in by a cookie or named by a key, with the scopes read at each request.

    They must have every scope of the route. Browsers add no key by themselves, so no other site can use one. Raise
    `SessionUnconfirmed` if the OpenID provider must confirm the person again, and the errors of `authenticate` and
    `require_actor`. The reason for a refusal is only logged.
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
    actor = actor_of(request, principal, now)
    await expect_may_open(request, actor)
    return Visitor(actor, principal.person or "", principal.scopes)


def is_navigation(request: Request) -> bool:
    """Return True if a browser opens a page, so that it can be led elsewhere and back."""
    mode = request.headers.get("sec-fetch-mode", "navigate" if "text/html" in request.headers.get("accept", "") else "")
    return request.method == "GET" and mode == "navigate"


def cookie_name(settings: Settings, name: str) -> str:
    """Return the name of a cookie. With https it gets a prefix, so that no other host can set the cookie."""
    return f"{SECURE_PREFIX}{name}" if settings.is_https else name


def read_cookie(request: Request, name: str) -> str | None:
    return request.cookies.get(cookie_name(context_of(request).settings, name)) or None


def set_cookie(response: Response, settings: Settings, name: str, value: str, *, seconds: int | None = None) -> None:
    """Set a cookie that JavaScript and other sites cannot read.

    An empty `value`, or closing the browser without `seconds`, deletes it.
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
