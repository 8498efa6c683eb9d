"""Signing in to the desk by an OpenID provider: the way there, the way back, and the end of it here."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from app.errors import NotFound, TokenInvalid
from app.logs import Log
from app.pages.desk.desk_route import DeskRoute, lead_to
from app.pages.desk.page import desk_page
from app.pages.desk.sign_in import REFUSED
from app.services.access.clients import Principal
from app.services.access.people import draw_token, welcome
from app.services.access.sign_in import FINISH, PATH, PROVIDER_SIGN_IN, RETURN, DeskSignIn, OpenIdSignIn
from app.store.disclosures import Actor
from app.web.auth import PUBLIC, caller_address
from app.web.context import ContextDep, NowDep
from app.web.people import SESSION_COOKIE, read_cookie, set_cookie
from app.web.query_params import UNKNOWN_IGNORED
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC], route_class=DeskRoute)

WAY_COOKIE = "desk-way"
CHARACTERS_OF_STATE = 12
SECONDS_FOR_THE_WAY = 600
NOT_LET_IN = (
    "You are not let in",
    "The sign-in did not end well, or gives you no role at the desk. Try again, or ask the person who leads it.",
)
AnswerOfProvider = Annotated[str, Query(max_length=4000)]

log = Log(__name__)


@router.get(PROVIDER_SIGN_IN)
def go_to_provider(context: ContextDep) -> Response:
    """Lead the browser to the provider, with a secret for the way."""
    openid, secret = _openid_of(context.desk_sign_in), draw_token()
    response = lead_to(openid.address(secret))
    way = _way_cookie(openid.state(secret))
    set_cookie(response, context.settings, way, secret, seconds=SECONDS_FOR_THE_WAY)
    return response


@router.get(RETURN, dependencies=[UNKNOWN_IGNORED])  # providers add parameters of their own
def return_from_provider(
    context: ContextDep, code: AnswerOfProvider = "", state: AnswerOfProvider = "", iss: AnswerOfProvider = ""
) -> Response:
    """Return a page that leads on by itself: on a way that began at another site, a browser sends no strict cookie."""
    _openid_of(context.desk_sign_in)
    given = {"code": code, "state": state, "iss": iss}
    finish = f"{FINISH}?{urlencode({name: value for name, value in given.items() if value})}"
    return desk_page(context, "desk_signing_in.html", finish=finish)


@router.get(FINISH)
def finish_sign_in(
    *,
    request: Request,
    context: ContextDep,
    now: NowDep,
    code: AnswerOfProvider = "",
    state: AnswerOfProvider = "",
    iss: AnswerOfProvider | None = None,
) -> Response:
    """Begin a session for the person that the provider names, end the one that the browser had, lead to the inbox.

    A way that is over, as after the browser's Back, leads there too where the browser has a session.
    """
    openid, way = _openid_of(context.desk_sign_in), _way_cookie(state)
    secret, former = read_cookie(request, way), read_cookie(request, SESSION_COOKIE)
    if secret is None and former is not None:
        return lead_to(PATH)
    try:
        if secret is None or not code:
            raise TokenInvalid("the browser did not come by way of the sign-in page, or the provider gives no code")
        found = openid.finish(secret, code=code, state=state, issuer=iss)
        issuer, name = openid.provider.issuer, Principal(openid.client, frozenset(), found.person).name_on_record
        actor = Actor(name, caller_address(request))
        if welcome(context.writer, found.person, role=found.role, provider=issuer, actor=actor, at=now) is None:
            raise TokenInvalid("the person has left, or has passkeys")
        token = context.desk_sign_in.sessions.start(
            found.person, client=openid.client, address=actor.address, at=now, former=former
        )
    except TokenInvalid as refusal:
        log.info("sign_in_refused", reason=str(refusal), request_id=request.state.request_id)
        heading, message = NOT_LET_IN
        response = desk_page(
            context, "desk_message.html", status=REFUSED, heading=heading, message=message, reference=None
        )
    else:
        response = lead_to(PATH)
        set_cookie(response, context.settings, SESSION_COOKIE, token)
    set_cookie(response, context.settings, way, "")
    return response


def _way_cookie(state: str) -> str:
    """Return the name of the cookie of a way, so that one in another tab does not end it."""
    return f"{WAY_COOKIE}-{state[:CHARACTERS_OF_STATE]}"


def _openid_of(sign_in: DeskSignIn) -> OpenIdSignIn:
    if sign_in.openid is None:
        raise NotFound
    return sign_in.openid
