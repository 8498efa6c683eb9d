"""Signing in to the desk by an OpenID provider."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Response

from app.errors import TokenInvalid
from app.http.auth import refuse_over_limit
from app.http.routes import UNKNOWN_IGNORED, GuidanceRouter
from app.http.visitors import SESSION_COOKIE, read_cookie, set_cookie
from app.pages.access.sign_in import REFUSED, Arrival, ArrivalDep, PageAfter, own_page, router
from app.pages.frame import DeskRoute, VisitDep, lead_to, sign_in_address
from app.services.access.clients import Principal, draw_token
from app.services.access.people import take_role, welcome
from app.services.access.sign_in import FINISH, PATH, PROVIDER_SIGN_IN, RETURN, SIGN_IN, OpenIdSignIn, SignedIn
from app.services.audit.audit_log import Actor

WAY_COOKIE = "desk-way"
SILENT = "silent"
CHARACTERS_OF_STATE = 12
SECONDS_FOR_THE_WAY = 600
NOT_LET_IN = (
    "You cannot sign in",
    "The sign-in failed, or your account has no role on the desk. Try again, or ask the desk lead.",
)
AnswerOfProvider = Annotated[str, Query(max_length=4000)]
visitors_router = GuidanceRouter(include_in_schema=False, route_class=DeskRoute)


@dataclass(frozen=True)
class Way:
    """One sign-in through the provider, as stored in the browser's cookie: its secret, and the page to open afterwards.

    If `asks` is false, the provider shows no page, and only confirms that it still knows the person.
    """

    secret: str | None
    page: str = PATH
    asks: bool = True

    def __str__(self) -> str:
        """Return the value of the cookie."""
        return f"{self.secret}.{urlsafe_b64encode(self.page.encode()).decode()}.{'' if self.asks else SILENT}"

    @classmethod
    def read(cls, cookie: str | None) -> "Way":
        """Return the sign-in from the cookie. Any page that is not one of the desk becomes the inbox."""
        secret, _, rest = (cookie or "").partition(".")
        encoded, _, how = rest.partition(".")
        try:
            page = urlsafe_b64decode(encoded).decode()
        except ValueError:
            page = PATH
        return cls(secret or None, own_page(page), how != SILENT)


@router.get(PROVIDER_SIGN_IN)
def go_to_provider(arrival: ArrivalDep, page: PageAfter = "", *, asks: bool = False) -> Response:
    """Redirect the browser to the provider, with a new secret for this sign-in.

    With a `page`, the sign-in ends at that page. Unless it `asks`, the provider then only confirms that it still knows
    the person.
    """
    openid, secret = arrival.get_openid(), draw_token()
    way = Way(secret, page or PATH, asks=asks or page == "")
    response = lead_to(openid.address(secret, asks_nobody=not way.asks))
    name = _way_cookie(openid.state(secret))
    set_cookie(response, arrival.context.settings, name, str(way), seconds=SECONDS_FOR_THE_WAY)
    return response


@router.get(RETURN, dependencies=[UNKNOWN_IGNORED])  # providers add their own parameters
def return_from_provider(
    arrival: ArrivalDep, code: AnswerOfProvider = "", state: AnswerOfProvider = "", iss: AnswerOfProvider = ""
) -> Response:
    """Return a page that continues automatically: browsers send no strict cookie after a redirect from another site."""
    arrival.get_openid()
    given = {"code": code, "state": state, "iss": iss}
    finish = f"{FINISH}?{urlencode({name: value for name, value in given.items() if value})}"
    return arrival.page("desk_signing_in.html", finish=finish)


@router.get(FINISH)
def finish_sign_in(
    arrival: ArrivalDep, code: AnswerOfProvider = "", state: AnswerOfProvider = "", iss: AnswerOfProvider | None = None
) -> Response:
    """Start a session for the person from the provider, end the browser's former session, and redirect to the page.

    A sign-in that is already over, as after the browser's Back, redirects to the inbox if the browser has a session. If
    the provider showed no page and does not know the person, redirect to the sign-in.
    """
    context, former = arrival.context, arrival.former
    openid, name = arrival.get_openid(), _way_cookie(state)
    way = Way.read(read_cookie(arrival.request, name))
    if way.secret is None and former is not None:
        return lead_to(PATH)
    response: Response
    try:
        if not way.asks and not code:
            response = lead_to(sign_in_address(way.page))
        else:
            if way.secret is None or not code:
                raise TokenInvalid("the browser did not come by way of the sign-in page, or the provider gives no code")
            found = openid.finish(way.secret, code=code, state=state, issuer=iss)
            token = _let_in(arrival, openid, found, goes_on=not way.asks)
            response = lead_to(way.page)
            set_cookie(response, context.settings, SESSION_COOKIE, token)
    except TokenInvalid as refusal:
        arrival.log_refusal(refusal)
        refuse_over_limit(arrival.request)
        heading, message = NOT_LET_IN
        response = arrival.page("desk_message.html", status=REFUSED, heading=heading, message=message, reference=None)
    set_cookie(response, context.settings, name, "")
    return response


def _let_in(arrival: Arrival, openid: OpenIdSignIn, found: SignedIn, *, goes_on: bool) -> str:
    """Return the token of a new session of the person. Raises `TokenInvalid`.

    A person without a role loses all their sessions.
    """
    writer, issuer = arrival.context.writer, openid.provider.issuer
    name = Principal(openid.client, frozenset(), found.person).name_on_record
    actor = Actor(name, arrival.address, arrival.now)
    if found.role is None:
        writer.run(take_role, found.person, provider=issuer, actor=actor)
        raise TokenInvalid("the provider gives no role at the desk")
    if writer.run(welcome, found.person, role=found.role, provider=issuer, actor=actor) is None:
        raise TokenInvalid("the person has left, or has passkeys")
    return arrival.context.desk_sign_in.sessions.start(
        found.person,
        client=openid.client,
        address=arrival.address,
        at=arrival.now,
        former=arrival.former,
        goes_on=goes_on,
    )


def _way_cookie(state: str) -> str:
    """Return the name of the cookie of a sign-in, so that a sign-in in another tab does not end it."""
    return f"{WAY_COOKIE}-{state[:CHARACTERS_OF_STATE]}"


@visitors_router.post(f"{PATH}/sign-out/everywhere")
def sign_out_everywhere(visit: VisitDep) -> Response:
    """End every session of the person, on all devices, and redirect to the sign-in."""
    visit.context.desk_sign_in.sessions.end_every(visit.visitor.name, visit.actor)
    response = lead_to(SIGN_IN)
    set_cookie(response, visit.context.settings, SESSION_COOKIE, "")
    return response
