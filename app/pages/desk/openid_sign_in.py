"""Signing in to the desk by an OpenID provider: the way there, and the way back."""

from typing import Annotated

from fastapi import Query, Request, Response

from app.errors import NotFound, TokenInvalid
from app.logs import Log
from app.pages.desk.desk_route import DeskRoute, lead_to
from app.pages.desk.page import desk_page
from app.pages.desk.sign_in import REFUSED
from app.services.access.desk_sign_in import RETURN, SIGN_IN, DeskSignIn
from app.services.access.openid_sign_in import OpenIdSignIn
from app.services.access.people import draw_token, welcome
from app.services.access.principals import Principal
from app.store.disclosures import Actor
from app.web.auth import PUBLIC, caller_address
from app.web.context import ContextDep, NowDep
from app.web.people import SESSION_COOKIE, read_cookie, set_cookie
from app.web.query_params import UNKNOWN_IGNORED
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC], route_class=DeskRoute)

WAY_COOKIE = "desk-way"
SECONDS_FOR_THE_WAY = 600
NOT_LET_IN = (
    "You are not let in",
    "The sign-in did not end well, or gives you no role at the desk. Try again, or ask the person who leads it.",
)
AnswerOfProvider = Annotated[str, Query(max_length=4000)]

log = Log(__name__)


@router.get(f"{SIGN_IN}/openid")
def go_to_provider(context: ContextDep) -> Response:
    """Lead the browser to the provider, with a secret for the way."""
    secret = draw_token()
    address = _openid_of(context.desk_sign_in).address(secret)
    response = lead_to(address)
    set_cookie(response, context.settings, WAY_COOKIE, secret, seconds=SECONDS_FOR_THE_WAY)
    return response


@router.get(RETURN, dependencies=[UNKNOWN_IGNORED])  # providers add parameters of their own
def return_from_provider(
    *,
    request: Request,
    context: ContextDep,
    now: NowDep,
    code: AnswerOfProvider = "",
    state: AnswerOfProvider = "",
    iss: AnswerOfProvider | None = None,
) -> Response:
    """Begin a session for the person that the provider names, and lead to the inbox.

    The page does that itself: a browser does not send the new cookie on a way that began at another site.
    """
    openid, secret = _openid_of(context.desk_sign_in), read_cookie(request, WAY_COOKIE)
    try:
        if secret is None or not code:
            raise TokenInvalid("the browser did not come by way of the sign-in page, or the provider gives no code")
        found = openid.finish(secret, code=code, state=state, issuer=iss)
        issuer, name = openid.provider.issuer, Principal(openid.client, frozenset(), found.person).name_on_record
        actor = Actor(name, caller_address(request))
        if welcome(context.writer, found.person, role=found.role, provider=issuer, actor=actor, at=now) is None:
            raise TokenInvalid("the person has left, or has passkeys")
        token = context.desk_sign_in.sessions.start(
            found.person,
            client=openid.client,
            address=actor.address,
            at=now,
            former=read_cookie(request, SESSION_COOKIE),
        )
    except TokenInvalid as refusal:
        log.info("sign_in_refused", reason=str(refusal), request_id=request.state.request_id)
        heading, message = NOT_LET_IN
        response = desk_page(
            context, "desk_message.html", status=REFUSED, heading=heading, message=message, reference=None
        )
    else:
        response = desk_page(context, "desk_signed_in.html")
        set_cookie(response, context.settings, SESSION_COOKIE, token)
    set_cookie(response, context.settings, WAY_COOKIE, "")
    return response


def _openid_of(sign_in: DeskSignIn) -> OpenIdSignIn:
    if sign_in.openid is None:
        raise NotFound
    return sign_in.openid
