"""Signing in to the desk by a passkey, or by an invitation that registers one; and signing out."""

from typing import Annotated

from fastapi import Depends, Request, Response

from app.errors import TokenInvalid
from app.logs import Log
from app.pages.desk.desk_route import DeskRoute, lead_to
from app.pages.desk.page import desk_page
from app.pages.form_answers import SubmittedFormDep
from app.services.access.sign_in import INVITATION, PATH, SIGN_IN
from app.web.auth import PUBLIC, caller_address
from app.web.context import AppContext, ContextDep, NowDep
from app.web.negotiation import JSON
from app.web.people import SESSION_COOKIE, read_cookie, set_cookie
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC], route_class=DeskRoute)

SIGNED_IN, REFUSED = 204, 401
UNKNOWN_PASSKEY = "This passkey is not known here, or was not used in time. Try again, or ask for a new invitation."
UNKNOWN_INVITATION = "This invitation was used, or has expired. Ask for a new one."

log = Log(__name__)


async def get_port(request: Request) -> int | None:
    """Return the port under which the browser called."""
    return request.url.port


async def get_former_session(request: Request) -> str | None:
    """Return the token of the session that the browser has."""
    return read_cookie(request, SESSION_COOKIE)


Port = Annotated[int | None, Depends(get_port)]
FormerSession = Annotated[str | None, Depends(get_former_session)]


@router.get(SIGN_IN)
def read_sign_in(request: Request, context: ContextDep) -> Response:
    """Return the page to sign in."""
    party = context.desk_sign_in.party(request.url.port)
    elsewhere = f"{party.origin}{SIGN_IN}" if request.url.hostname != party.id else None
    has_provider = context.desk_sign_in.openid is not None
    return desk_page(context, "desk_sign_in.html", elsewhere=elsewhere, has_provider=has_provider)


@router.post(f"{SIGN_IN}/options")
def offer_passkey_sign_in(context: ContextDep, port: Port, now: NowDep) -> Response:
    """Return what a passkey is to sign."""
    return _options(context.desk_sign_in.passkeys(port).offer(at=now))


@router.post(SIGN_IN)
def sign_in_by_passkey(
    *, request: Request, context: ContextDep, posted: SubmittedFormDep, port: Port, former: FormerSession, now: NowDep
) -> Response:
    """Begin a session, where a passkey signed what was offered."""
    try:
        person = context.desk_sign_in.passkeys(port).verify(posted.one("credential"), at=now)
        token = context.desk_sign_in.begin_with_passkey(person, address=caller_address(request), at=now, former=former)
    except TokenInvalid as refusal:
        return _refused(request, refusal, UNKNOWN_PASSKEY)
    return _signed_in(context, token)


@router.get(INVITATION)
def read_invitation(context: ContextDep) -> Response:
    """Return the page that registers a passkey. The token is after the `#` of its address, which no server sees."""
    return desk_page(context, "desk_invitation.html")


@router.post(f"{INVITATION}/options")
def offer_passkey_registration(
    request: Request, context: ContextDep, posted: SubmittedFormDep, port: Port, now: NowDep
) -> Response:
    """Return how a passkey is to be made."""
    try:
        return _options(context.desk_sign_in.passkeys(port).offer_registration(posted.one("token"), at=now))
    except TokenInvalid as refusal:
        return _refused(request, refusal, UNKNOWN_INVITATION)


@router.post(INVITATION)
def accept_invitation(
    *, request: Request, context: ContextDep, posted: SubmittedFormDep, port: Port, former: FormerSession, now: NowDep
) -> Response:
    """Register the passkey, and begin a session."""
    try:
        passkeys, address = context.desk_sign_in.passkeys(port), caller_address(request)
        person = passkeys.register(posted.one("token"), posted.one("credential"), address=address, at=now)
        token = context.desk_sign_in.begin_with_passkey(person, address=address, at=now, former=former)
    except TokenInvalid as refusal:
        return _refused(request, refusal, UNKNOWN_INVITATION)
    return _signed_in(context, token)


@router.post(f"{PATH}/sign-out")
def sign_out(request: Request, context: ContextDep, former: FormerSession, now: NowDep) -> Response:
    """End the session, and lead to the sign-in."""
    if former is not None:
        context.desk_sign_in.sessions.end(former, address=caller_address(request), at=now)
    response = lead_to(SIGN_IN)
    set_cookie(response, context.settings, SESSION_COOKIE, "")
    return response


@router.get(f"{PATH}/blank")
def read_blank_page(context: ContextDep) -> Response:
    """Return a page with nothing on it, for when somebody looks over a shoulder."""
    return desk_page(context, "desk_blank.html")


def _options(options: str) -> Response:
    return Response(options, media_type=JSON)


def _signed_in(context: AppContext, token: str) -> Response:
    response = Response(status_code=SIGNED_IN)
    set_cookie(response, context.settings, SESSION_COOKIE, token)
    return response


def _refused(request: Request, refusal: TokenInvalid, words: str) -> Response:
    """Return plain words for the page's script. The reason is in the log alone."""
    log.info("sign_in_refused", reason=str(refusal), request_id=request.state.request_id)
    return Response(words, status_code=REFUSED, media_type="text/plain")
