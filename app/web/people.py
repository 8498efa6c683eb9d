"""The people at the desk's pages: their session cookie, and what a route may ask of them."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import SecurityScopes

from app.config import Settings
from app.errors import ScopeMissing, TokenInvalid, TokenMissing
from app.logs import Log
from app.models.clients import Scope
from app.services.access.people import BY_PASSKEY
from app.store.disclosures import Actor
from app.web.auth import caller_address, find_client
from app.web.context import context_of

SECURE_PREFIX = "__Host-"
SESSION_COOKIE = "desk"

log = Log(__name__)


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

    @property
    def can_read(self) -> bool:
        """Whether the person may look at concerns."""
        return Scope.READ in self.scopes

    @property
    def can_write(self) -> bool:
        """Whether the person may act on concerns."""
        return Scope.WRITE in self.scopes

    @property
    def can_audit(self) -> bool:
        """Whether the person may read the record."""
        return Scope.AUDIT in self.scopes

    @property
    def can_draft(self) -> bool:
        """Whether the person may write drafts of guides."""
        return Scope.DRAFT in self.scopes

    @property
    def can_publish(self) -> bool:
        """Whether the person may publish what others wrote."""
        return Scope.PUBLISH in self.scopes


async def require_person(request: Request, security: SecurityScopes) -> Visitor:
    """Return the person who is signed in, or has the key in the Authorization header, with every scope of the route.

    No browser sends that header by itself, so no other site can use a key. A key that names no person opens no page.
    The role is looked up for each request. Raises `TokenMissing`, `TokenInvalid` or `ScopeMissing`.
    """
    address = caller_address(request)
    caller = await find_client(request, security.scopes)
    if caller is not None:
        if caller.person is None:
            log.info("token_refused", reason="it names no person", request_id=request.state.request_id)
            raise TokenInvalid
        return Visitor(Actor(caller.name_on_record, address), caller.person, caller.scopes)
    context, token = context_of(request), read_cookie(request, SESSION_COOKIE)
    if token is None:
        raise TokenMissing
    try:
        principal = await run_in_threadpool(context.desk_sign_in.sessions.find, token, at=context.clock())
    except TokenInvalid as refusal:
        log.info("session_refused", reason=str(refusal), request_id=request.state.request_id)
        raise
    for scope in security.scopes:
        if scope not in principal.scopes:
            raise ScopeMissing(scope)
    return Visitor(Actor(principal.name_on_record, caller_address(request)), principal.person or "", principal.scopes)


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
PageReaderDep = Annotated[Visitor, Security(require_person, scopes=[Scope.READ])]
PageWorkerDep = Annotated[Visitor, Security(require_person, scopes=[Scope.WRITE])]
PageAuditorDep = Annotated[Visitor, Security(require_person, scopes=[Scope.AUDIT])]
PageEditorDep = Annotated[Visitor, Security(require_person, scopes=[Scope.DRAFT])]
PagePublisherDep = Annotated[Visitor, Security(require_person, scopes=[Scope.PUBLISH])]
