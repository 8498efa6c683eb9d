"""Signing in to the desk through an OpenID provider, and signing out on all devices."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response
from sqlmodel import Session

from app.errors import TokenInvalid
from app.http.auth import refuse_over_limit
from app.http.routes import UNKNOWN_IGNORED
from app.http.visitors import SESSION_COOKIE, read_cookie, set_cookie
from app.pages.access.sign_in import REFUSED, PageAfter, SignInRequest, SignInRequestDep, router
from app.pages.frame import DeskRouter, VisitDep, lead_to, sign_in_address
from app.services.access.clients import Principal, draw_token
from app.services.access.people import end_sessions, name_of_person_signing_in, sign_in_person, take_role_from_person
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
visitors_router = DeskRouter("")


@dataclass(frozen=True)
class ProviderSignIn:
    """A sign-in under way. `asks` is False if the provider only confirms the person, without a page of its own."""

    secret: str | None
    page: str = PATH
    asks: bool = True

    def __str__(self) -> str:
        return f"{self.secret}.{urlsafe_b64encode(self.page.encode()).decode()}.{'' if self.asks else SILENT}"

    @classmethod
    def read(cls, request: SignInRequest, cookie: str) -> "ProviderSignIn":
        """Read it from the cookie of that name."""
        secret, _, rest = (read_cookie(request.request, cookie) or "").partition(".")
        encoded, _, how = rest.partition(".")
        try:
            page = urlsafe_b64decode(encoded).decode()
        except ValueError:
            page = PATH
        return cls(secret or None, request.own_page(page), how != SILENT)


@router.get(PROVIDER_SIGN_IN)
def go_to_provider(request: SignInRequestDep, page: PageAfter = "", *, asks: bool = False) -> Response:
    """With a `page` to return to, the provider shows no page of its own unless `asks` is set."""
    openid, secret = request.get_openid(), draw_token()
    sign_in = ProviderSignIn(secret, page or PATH, asks=asks or page == "")
    response = lead_to(openid.address(secret, asks_nobody=not sign_in.asks))
    name = _cookie_name(openid.state(secret))
    set_cookie(response, request.context.settings, name, str(sign_in), seconds=SIGN_IN_SECONDS)
    return response


@router.get(RETURN, dependencies=[UNKNOWN_IGNORED])  # providers add their own parameters
def return_from_provider(
    request: SignInRequestDep, code: AnswerOfProvider = "", state: AnswerOfProvider = "", iss: AnswerOfProvider = ""
) -> Response:
    """Return a page that reloads: after a redirect from another site no `SameSite=Strict` cookie is sent."""
    request.get_openid()
    given = {"code": code, "state": state, "iss": iss}
    finish = f"{FINISH}?{urlencode({name: value for name, value in given.items() if value})}"
    return request.page("desk_signing_in.html", finish=finish)


@router.get(FINISH)
def finish_sign_in(
    request: SignInRequestDep,
    code: AnswerOfProvider = "",
    state: AnswerOfProvider = "",
    iss: AnswerOfProvider | None = None,
) -> Response:
    """Start a session, and end the former one.

    After Back there is no cookie: lead a person with a session to the inbox.
    """
    context, former = request.context, request.former
    openid, name = request.get_openid(), _cookie_name(state)
    sign_in = ProviderSignIn.read(request, name)
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
            token = _start_session(request, openid, found, goes_on=not sign_in.asks)
            response = lead_to(sign_in.page)
            set_cookie(response, context.settings, SESSION_COOKIE, token)
    except TokenInvalid as refusal:
        request.log_refusal(refusal)
        refuse_over_limit(request.request)
        heading, message = NOT_LET_IN
        response = request.page(
            "desk_message.html", status=REFUSED, heading=heading, message=message, reference=None, sign_in=""
        )
    set_cookie(response, context.settings, name, "")
    return response


def _start_session(request: SignInRequest, openid: OpenIdSignIn, found: SignedIn, *, goes_on: bool) -> str:
    """End the person's sessions and raise `TokenInvalid` if the provider gives no role or the person has left.

    If `goes_on`, the new session ends when the former one would have.
    """
    writer, issuer = request.context.writer, openid.provider.issuer
    with Session(request.context.engine) as session:
        person = name_of_person_signing_in(session, found.subject, found.name)
    actor = Actor(Principal(openid.client, frozenset(), person).name_on_record, request.address, request.now)
    if found.role is None:
        writer.run(take_role_from_person, person, provider=issuer, actor=actor)
        raise TokenInvalid("the provider gives no role at the desk")
    known = {"provider": issuer, "subject": found.subject}
    if writer.run(sign_in_person, person, role=found.role, **known, actor=actor) is None:
        raise TokenInvalid("the person has left, or has passkeys")
    return request.context.desk_sign_in.sessions.start(
        person,
        client=openid.client,
        address=request.address,
        at=request.now,
        former=request.former,
        goes_on=goes_on,
    )


def _cookie_name(state: str) -> str:
    """Each sign-in has its own cookie, so that one tab does not end another's."""
    return f"{SIGN_IN_COOKIE}-{state[:CHARACTERS_OF_STATE]}"


@visitors_router.post(f"{PATH}/sign-out/everywhere")
def sign_out_everywhere(visit: VisitDep) -> Response:
    visit.context.writer.run(end_sessions, visit.visitor.name, actor=visit.actor)
    response = lead_to(SIGN_IN)
    set_cookie(response, visit.context.settings, SESSION_COOKIE, "")
    return response
