"""Signing in to the desk through an OpenID provider, and signing out on all devices."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response
from sqlmodel import Session

from app.errors import TokenInvalid
from app.http.auth import refuse_over_limit
from app.http.routes import UNKNOWN_IGNORED, GuidanceRouter
from app.http.visitors import SESSION_COOKIE, read_cookie, set_cookie
from app.pages.access.sign_in import REFUSED, PageAfter, SignInRequest, SignInRequestDep, own_page, router
from app.pages.frame import DeskRoute, VisitDep, lead_to, sign_in_address
from app.services.access.clients import Principal, draw_token
from app.services.access.people import Identity, end_sessions, name_for, take_role, welcome
from app.services.access.sign_in import FINISH, PATH, PROVIDER_SIGN_IN, RETURN, SIGN_IN, OpenIdSignIn, SignedIn
from app.services.audit.audit_log import Actor

SIGN_IN_COOKIE = "desk-way"
SILENT = "silent"
CHARACTERS_OF_STATE = 12
SIGN_IN_SECONDS = 600
NOT_LET_IN = (
    "You cannot sign in",
    "The sign-in failed, or your account has no role on the desk. Try again, or ask the desk lead.",
)
AnswerOfProvider = Annotated[str, Query(max_length=4000)]
visitors_router = GuidanceRouter(include_in_schema=False, route_class=DeskRoute)


@dataclass(frozen=True)
class ProviderSignIn:
    """One sign-in through the provider, with the values that the browser keeps in a cookie until the sign-in ends.

    `secret` is the secret of this sign-in, or None if the browser has no cookie for this sign-in. `page` is the page to
    open afterwards. If `asks` is False, the provider shows no page, and only confirms that the person is still signed
    in there.
    """

    secret: str | None
    page: str = PATH
    asks: bool = True

    def __str__(self) -> str:
        """Return the value of the cookie."""
        return f"{self.secret}.{urlsafe_b64encode(self.page.encode()).decode()}.{'' if self.asks else SILENT}"

    @classmethod
    def read(cls, cookie: str | None) -> "ProviderSignIn":
        """Return the sign-in that the cookie value `cookie` describes. If `cookie` is None, `secret` is None too.

        A page to which a sign-in may not redirect becomes the inbox.
        """
        secret, _, rest = (cookie or "").partition(".")
        encoded, _, how = rest.partition(".")
        try:
            page = urlsafe_b64decode(encoded).decode()
        except ValueError:
            page = PATH
        return cls(secret or None, own_page(page), how != SILENT)


@router.get(PROVIDER_SIGN_IN)
def go_to_provider(asked: SignInRequestDep, page: PageAfter = "", *, asks: bool = False) -> Response:
    """Redirect the browser to the provider, and set a cookie with a new secret for this sign-in.

    Afterwards the browser opens `page`, or the inbox if `page` is empty or a sign-in may not redirect to it. If `page`
    is given and `asks` is False, the provider shows no page, and only confirms that the person is still signed in
    there. Raise `NotFound` if no provider is set up, or `ProviderUnavailable` if the provider's configuration cannot be
    used.
    """
    openid, secret = asked.get_openid(), draw_token()
    sign_in = ProviderSignIn(secret, page or PATH, asks=asks or page == "")
    response = lead_to(openid.address(secret, asks_nobody=not sign_in.asks))
    name = _cookie_name(openid.state(secret))
    set_cookie(response, asked.context.settings, name, str(sign_in), seconds=SIGN_IN_SECONDS)
    return response


@router.get(RETURN, dependencies=[UNKNOWN_IGNORED])  # providers add their own parameters
def return_from_provider(
    asked: SignInRequestDep, code: AnswerOfProvider = "", state: AnswerOfProvider = "", iss: AnswerOfProvider = ""
) -> Response:
    """Return a page that continues to `finish_sign_in` automatically, with the values that the provider sent.

    These values are `code`, `state` and `iss`. A redirect would not work: after a redirect from another site, browsers
    do not send cookies with `SameSite=Strict`. Raise `NotFound` if no provider is set up.
    """
    asked.get_openid()
    given = {"code": code, "state": state, "iss": iss}
    finish = f"{FINISH}?{urlencode({name: value for name, value in given.items() if value})}"
    return asked.page("desk_signing_in.html", finish=finish)


@router.get(FINISH)
def finish_sign_in(
    asked: SignInRequestDep,
    code: AnswerOfProvider = "",
    state: AnswerOfProvider = "",
    iss: AnswerOfProvider | None = None,
) -> Response:
    """Start a session for the person whom the provider names, and redirect to the page stored in the cookie.

    `code`, `state` and `iss` (the issuer) are the values that the provider sent. Record the sign-in in the audit log,
    end the session that the browser had before, and delete the cookie of this sign-in. If the cookie is already deleted
    (after the browser's Back button) but the browser has a session, redirect to the inbox. If the provider was asked to
    show no page and sends no code, redirect to the sign-in page.

    If the sign-in fails, log the reason, and return a page with the status 401. Raise `RateLimited` instead if the
    browser's network is over the limit. Raise `NotFound` if no provider is set up, or `ProviderUnavailable` if the
    provider does not respond.
    """
    context, former = asked.context, asked.former
    openid, name = asked.get_openid(), _cookie_name(state)
    sign_in = ProviderSignIn.read(read_cookie(asked.request, name))
    if sign_in.secret is None and former is not None:
        return lead_to(PATH)
    response: Response
    try:
        if not sign_in.asks and not code:
            response = lead_to(sign_in_address(sign_in.page))
        else:
            if sign_in.secret is None or not code:
                raise TokenInvalid("the browser did not come by way of the sign-in page, or the provider gives no code")
            found = openid.finish(sign_in.secret, code=code, state=state, issuer=iss)
            token = _start_session(asked, openid, found, goes_on=not sign_in.asks)
            response = lead_to(sign_in.page)
            set_cookie(response, context.settings, SESSION_COOKIE, token)
    except TokenInvalid as refusal:
        asked.log_refusal(refusal)
        refuse_over_limit(asked.request)
        heading, message = NOT_LET_IN
        response = asked.page("desk_message.html", status=REFUSED, heading=heading, message=message, reference=None)
    set_cookie(response, context.settings, name, "")
    return response


def _start_session(asked: SignInRequest, openid: OpenIdSignIn, found: SignedIn, *, goes_on: bool) -> str:
    """Start a session for the person `found`, whom the provider identified, and return the session's token.

    The person keeps the name of their first sign-in. Store the role that the provider gives. If the provider gives no
    role, remove the person's role, end all their sessions, and raise `TokenInvalid`. Also raise `TokenInvalid` if the
    person has left the desk, or was invited to sign in with a passkey. Record each change in the audit log.

    The new session replaces the session that the browser had before. If `goes_on` is True and the earlier session was
    of the same person, the new session ends at the latest when the earlier session would have ended.
    """
    writer, identity = asked.context.writer, Identity(openid.provider.issuer, found.subject)
    with Session(asked.context.engine) as session:
        person = name_for(session, identity, found.name)
    actor = Actor(Principal(openid.client, frozenset(), person).name_on_record, asked.address, asked.now)
    if found.role is None:
        writer.run(take_role, person, provider=identity.provider, actor=actor)
        raise TokenInvalid("the provider gives no role at the desk")
    if writer.run(welcome, person, role=found.role, identity=identity, actor=actor) is None:
        raise TokenInvalid("the person has left, or has passkeys")
    return asked.context.desk_sign_in.sessions.start(
        person,
        client=openid.client,
        address=asked.address,
        at=asked.now,
        former=asked.former,
        goes_on=goes_on,
    )


def _cookie_name(state: str) -> str:
    """Return the name of the cookie for the sign-in with `state`, the value that the provider sends back.

    Each sign-in has its own cookie, so that a sign-in in one tab does not end a sign-in in another tab.
    """
    return f"{SIGN_IN_COOKIE}-{state[:CHARACTERS_OF_STATE]}"


@visitors_router.post(f"{PATH}/sign-out/everywhere")
def sign_out_everywhere(visit: VisitDep) -> Response:
    """End every session of the person on all devices, and redirect to the sign-in page.

    Record the sign-out in the audit log, and delete the browser's session cookie.
    """
    visit.context.writer.run(end_sessions, visit.visitor.name, actor=visit.actor)
    response = lead_to(SIGN_IN)
    set_cookie(response, visit.context.settings, SESSION_COOKIE, "")
    return response
