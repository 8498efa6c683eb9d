"""Signing in to the desk by a passkey, an invitation or an OpenID provider, and signing out."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response

from app.errors import NotFound, TokenInvalid
from app.http.auth import PUBLIC, SESSION_COOKIE, caller_address, read_cookie, refuse_over_limit, set_cookie
from app.http.negotiation import JSON
from app.http.params import UNKNOWN_IGNORED, GuidanceRouter
from app.logs import Log
from app.pages.desk import LONGEST_WAY_BACK, DeskRoute, DeskSite, VisitDep, lead_to, sign_in_address
from app.pages.form_answers import SubmittedFormDep
from app.services.clients import Principal, draw_token
from app.services.people import take_role, welcome
from app.services.record import Actor
from app.services.sign_in import (
    FINISH,
    GUIDES_PATH,
    INVITATION,
    PATH,
    PROVIDER_SIGN_IN,
    RETURN,
    SIGN_IN,
    OpenIdSignIn,
    SignedIn,
)

if TYPE_CHECKING:
    from app.services.passkeys import Passkeys

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC], route_class=DeskRoute)

SIGNED_IN, REFUSED = 204, 401
UNKNOWN_PASSKEY = "We do not know this passkey, or it took too long. Try again, or ask for a new invitation."
UNKNOWN_INVITATION = "This invitation was used, or has expired. Ask for a new one."
OWN_PAGE = re.compile(rf"({PATH}|{GUIDES_PATH})([/?][!-~]*)?")
"""The pages to which a sign-in may lead."""
PageAfter = Annotated[str, Query(alias="page", max_length=LONGEST_WAY_BACK)]

log = Log(__name__)


@dataclass(frozen=True)
class Arrival(DeskSite):
    """A request of a browser that signs in or out."""

    @property
    def passkeys(self) -> "Passkeys":
        """The passkeys of the site, at the port under which the browser called."""
        return self.context.desk_sign_in.passkeys(self.request.url.port)

    def elsewhere(self, path: str) -> str | None:
        """Return the address of the page where passkeys work, if that is not the one under which the browser called."""
        url = self.request.url
        party = self.context.desk_sign_in.party(url.port)
        return f"{party.origin}{path}" if url.hostname != party.id else None

    def get_openid(self) -> OpenIdSignIn:
        """Return the sign-in by a provider. Raises `NotFound` where none is set up."""
        openid = self.context.desk_sign_in.openid
        if openid is None:
            raise NotFound
        return openid

    @property
    def address(self) -> str:
        """The network address of the caller."""
        return caller_address(self.request)

    @property
    def former(self) -> str | None:
        """The token of the session that the browser has."""
        return read_cookie(self.request, SESSION_COOKIE)

    def let_in(self, person: str) -> Response:
        """Begin a session of the person, whose passkey was checked."""
        token = self.context.desk_sign_in.begin_with_passkey(
            person, address=self.address, at=self.now, former=self.former
        )
        response = Response(status_code=SIGNED_IN)
        set_cookie(response, self.context.settings, SESSION_COOKIE, token)
        return response

    def refuse(self, refusal: TokenInvalid, words: str) -> Response:
        """Return plain words for the page's script. The reason is in the log alone.

        Raises `RateLimited` instead, if the network is over the limit: only who cannot sign in is refused by it.
        """
        self.log_refusal(refusal)
        refuse_over_limit(self.request)
        return Response(words, status_code=REFUSED, media_type="text/plain")

    def log_refusal(self, refusal: TokenInvalid) -> None:
        """Write the reason, which the page does not give."""
        log.info("sign_in_refused", reason=str(refusal), request_id=self.request.state.request_id)


async def read_arrival(request: Request) -> Arrival:
    """Return the request. It is `async` so that it needs no thread."""
    return Arrival.of(request)


ArrivalDep = Annotated[Arrival, Depends(read_arrival)]


@router.get(SIGN_IN)
def read_sign_in(arrival: ArrivalDep, page: PageAfter = PATH) -> Response:
    """Return the page to sign in, which leads on to `page`, if that is one of the desk."""
    has_provider = arrival.context.desk_sign_in.openid is not None
    page = _own_page(page)
    elsewhere = arrival.elsewhere(sign_in_address(page))
    return arrival.page("desk_sign_in.html", elsewhere=elsewhere, has_provider=has_provider, page_after=page)


@router.post(f"{SIGN_IN}/options")
def offer_passkey_sign_in(arrival: ArrivalDep) -> Response:
    """Return what a passkey is to sign."""
    return Response(arrival.passkeys.offer(at=arrival.now), media_type=JSON)


@router.post(SIGN_IN)
def sign_in_by_passkey(arrival: ArrivalDep, posted: SubmittedFormDep) -> Response:
    """Begin a session, where a passkey signed what was offered."""
    try:
        return arrival.let_in(arrival.passkeys.verify(posted.one("credential"), at=arrival.now))
    except TokenInvalid as refusal:
        return arrival.refuse(refusal, UNKNOWN_PASSKEY)


@router.get(INVITATION)
def read_invitation(arrival: ArrivalDep) -> Response:
    """Return the page that registers a passkey. The token is after the `#` of its address, which no server sees."""
    return arrival.page("desk_invitation.html", elsewhere=arrival.elsewhere(INVITATION))


@router.post(f"{INVITATION}/options")
def offer_passkey_registration(arrival: ArrivalDep, posted: SubmittedFormDep) -> Response:
    """Return how a passkey is to be made."""
    try:
        options = arrival.passkeys.offer_registration(posted.one("token"), at=arrival.now)
    except TokenInvalid as refusal:
        return arrival.refuse(refusal, UNKNOWN_INVITATION)
    return Response(options, media_type=JSON)


@router.post(INVITATION)
def accept_invitation(arrival: ArrivalDep, posted: SubmittedFormDep) -> Response:
    """Register the passkey, and begin a session."""
    token, credential = posted.one("token"), posted.one("credential")
    try:
        return arrival.let_in(arrival.passkeys.register(token, credential, address=arrival.address, at=arrival.now))
    except TokenInvalid as refusal:
        return arrival.refuse(refusal, UNKNOWN_INVITATION)


@router.post(f"{PATH}/sign-out")
def sign_out(arrival: ArrivalDep) -> Response:
    """End the session, and lead to the sign-in."""
    context, former = arrival.context, arrival.former
    if former is not None:
        context.desk_sign_in.sessions.end(former, address=arrival.address, at=arrival.now)
    response = lead_to(SIGN_IN)
    set_cookie(response, context.settings, SESSION_COOKIE, "")
    return response


@router.get(f"{PATH}/blank")
def read_blank_page(arrival: ArrivalDep) -> Response:
    """Return a page with nothing on it, for when somebody looks over a shoulder."""
    return arrival.page("desk_blank.html")


WAY_COOKIE = "desk-way"
SILENT = "silent"
CHARACTERS_OF_STATE = 12
SECONDS_FOR_THE_WAY = 600
NOT_LET_IN = (
    "You cannot sign in",
    "The sign-in failed, or your account has no role on the desk. Try again, or ask the desk lead.",
)
AnswerOfProvider = Annotated[str, Query(max_length=4000)]


@dataclass(frozen=True)
class Way:
    """A way to the provider and back, as the browser's cookie has it: its secret, and the page to which it leads.

    If it does not `ask`, the provider shows no page, and only says whether it still knows the person.
    """

    secret: str | None
    page: str = PATH
    asks: bool = True

    def __str__(self) -> str:
        """Return the value of the cookie."""
        return f"{self.secret}.{urlsafe_b64encode(self.page.encode()).decode()}.{'' if self.asks else SILENT}"

    @classmethod
    def read(cls, cookie: str | None) -> "Way":
        """Return the way. A page that is not one of the desk is the inbox."""
        secret, _, rest = (cookie or "").partition(".")
        encoded, _, how = rest.partition(".")
        try:
            page = urlsafe_b64decode(encoded).decode()
        except ValueError:
            page = PATH
        return cls(secret or None, _own_page(page), how != SILENT)


@router.get(PROVIDER_SIGN_IN)
def go_to_provider(arrival: ArrivalDep, page: PageAfter = "", *, asks: bool = False) -> Response:
    """Lead the browser to the provider, with a secret for the way.

    With a page, the way leads to that page. Unless it `asks`, the provider is then only asked whether it still knows
    the person.
    """
    openid, secret = arrival.get_openid(), draw_token()
    way = Way(secret, page or PATH, asks=asks or page == "")
    response = lead_to(openid.address(secret, asks_nobody=not way.asks))
    name = _way_cookie(openid.state(secret))
    set_cookie(response, arrival.context.settings, name, str(way), seconds=SECONDS_FOR_THE_WAY)
    return response


@router.get(RETURN, dependencies=[UNKNOWN_IGNORED])  # providers add parameters of their own
def return_from_provider(
    arrival: ArrivalDep, code: AnswerOfProvider = "", state: AnswerOfProvider = "", iss: AnswerOfProvider = ""
) -> Response:
    """Return a page that leads on by itself: on a way that began at another site, a browser sends no strict cookie."""
    arrival.get_openid()
    given = {"code": code, "state": state, "iss": iss}
    finish = f"{FINISH}?{urlencode({name: value for name, value in given.items() if value})}"
    return arrival.page("desk_signing_in.html", finish=finish)


@router.get(FINISH)
def finish_sign_in(
    arrival: ArrivalDep, code: AnswerOfProvider = "", state: AnswerOfProvider = "", iss: AnswerOfProvider | None = None
) -> Response:
    """Begin a session for the person that the provider names, end the one that the browser had, lead to its page.

    A way that is over, as after the browser's Back, leads to the inbox if the browser has a session. A way on which the
    provider asked nobody, and does not know the person, leads to the sign-in.
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
    """Return the token of a session of the person. Without a role, every one of theirs ends. Raises `TokenInvalid`."""
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


def _own_page(page: str) -> str:
    """Return the page, if it is one of the desk; otherwise the inbox."""
    return page if OWN_PAGE.fullmatch(page) else PATH


def _way_cookie(state: str) -> str:
    """Return the name of the cookie of a way, so that one in another tab does not end it."""
    return f"{WAY_COOKIE}-{state[:CHARACTERS_OF_STATE]}"


visitors_router = GuidanceRouter(include_in_schema=False, route_class=DeskRoute)


@visitors_router.post(f"{PATH}/sign-out/everywhere")
def sign_out_everywhere(visit: VisitDep) -> Response:
    """End every session of the person, on whatever device, and lead to the sign-in."""
    visit.context.desk_sign_in.sessions.end_every(visit.visitor.name, visit.actor)
    response = lead_to(SIGN_IN)
    set_cookie(response, visit.context.settings, SESSION_COOKIE, "")
    return response
