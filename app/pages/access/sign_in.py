"""Pages for signing in to the desk with a passkey or an invitation, and for signing out."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Query, Request, Response

from app.errors import NotFound, TokenInvalid
from app.http.auth import PUBLIC, caller_address, refuse_over_limit
from app.http.negotiation import JSON
from app.http.routes import GuidanceRouter
from app.http.visitors import SESSION_COOKIE, read_cookie, set_cookie
from app.logs import Log
from app.pages.frame import LONGEST_WAY_BACK, DeskRoute, DeskSite, lead_to, sign_in_address
from app.pages.posted_forms import SubmittedFormDep
from app.services.access.key_copies import Device
from app.services.access.sign_in import GUIDES_PATH, INVITATION, OWN_KEY, PATH, SIGN_IN, OpenIdSignIn

if TYPE_CHECKING:
    from app.services.access.passkeys import Passkeys

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC], route_class=DeskRoute)
SIGNED_IN, REFUSED = 204, 401
UNKNOWN_PASSKEY = "We do not know this passkey, or it took too long. Try again, or ask for a new invitation."
UNKNOWN_INVITATION = "This invitation was used, or has expired. Ask for a new one."
OWN_PAGE = re.compile(rf"({PATH}|{GUIDES_PATH})([/?][!-~]*)?")
"""The paths to which a sign-in may redirect: pages of the desk, and pages for writing guides."""
PageAfter = Annotated[str, Query(alias="page", max_length=LONGEST_WAY_BACK)]
log = Log(__name__)


@dataclass(frozen=True)
class SignInRequest(DeskSite):
    """A browser's request to sign in or out, whether or not a person is signed in."""

    @property
    def passkeys(self) -> "Passkeys":
        """The service that creates and checks passkeys, set up for the port to which the browser sent the request."""
        return self.context.desk_sign_in.passkeys(self.request.url.port)

    def elsewhere(self, path: str) -> str | None:
        """Return the URL of `path` on the host where passkeys work, or None if this request came to that host."""
        url = self.request.url
        party = self.context.desk_sign_in.party(url.port)
        return f"{party.origin}{path}" if url.hostname != party.id else None

    def get_openid(self) -> OpenIdSignIn:
        """Return the sign-in through the OpenID provider. Raise `NotFound` if no provider is set up."""
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
        """The token of the browser's current session, or None."""
        return read_cookie(self.request, SESSION_COOKIE)

    def start_session(self, person: str) -> Response:
        """Start a session for `person`, and return an empty response (204) with the session cookie.

        The caller must first check the person's passkey. Record the sign-in in the audit log, and end the session that
        the browser had before, if there is one. Raise `TokenInvalid` if the person is unknown or has left.
        """
        token = self.context.desk_sign_in.begin_with_passkey(
            person, address=self.address, at=self.now, former=self.former
        )
        response = Response(status_code=SIGNED_IN)
        set_cookie(response, self.context.settings, SESSION_COOKIE, token)
        return response

    def refuse(self, refusal: TokenInvalid, words: str) -> Response:
        """Log the reason of `refusal`, and return a response (401) with `words` for the page's JavaScript to show.

        The response does not have the reason. Raise `RateLimited` instead of returning the response if the caller's
        network is over the limit. Successful sign-ins are never limited.
        """
        self.log_refusal(refusal)
        refuse_over_limit(self.request)
        return Response(words, status_code=REFUSED, media_type="text/plain")

    def log_refusal(self, refusal: TokenInvalid) -> None:
        """Log the reason of `refusal`, which the page does not show."""
        log.info("sign_in_refused", reason=str(refusal), request_id=self.request.state.request_id)


async def read_sign_in_request(request: Request) -> SignInRequest:
    """Return the request as a `SignInRequest`, as a FastAPI dependency.

    Because this function is `async`, FastAPI calls it without a thread.
    """
    return SignInRequest.of(request)


SignInRequestDep = Annotated[SignInRequest, Depends(read_sign_in_request)]


@router.get(SIGN_IN)
def read_sign_in(asked: SignInRequestDep, page: PageAfter = PATH) -> Response:
    """Return the sign-in page, which continues to `page`, or to the inbox if a sign-in may not redirect to `page`."""
    has_provider = asked.context.desk_sign_in.openid is not None
    page = own_page(page)
    elsewhere = asked.elsewhere(sign_in_address(page))
    return asked.page("desk_sign_in.html", elsewhere=elsewhere, has_provider=has_provider, page_after=page)


@router.post(f"{SIGN_IN}/options")
def offer_passkey_sign_in(asked: SignInRequestDep) -> Response:
    """Return the WebAuthn options for a sign-in as JSON, with the challenge for a passkey to sign."""
    return Response(asked.passkeys.offer(at=asked.now), media_type=JSON)


@router.post(SIGN_IN)
def sign_in_by_passkey(asked: SignInRequestDep, posted: SubmittedFormDep) -> Response:
    """If a passkey signed the challenge, start a session, and return 204 with the session cookie.

    Record the sign-in in the audit log. Store the posted recipient for copies of the team's key, if it is valid. If the
    signature is not valid, or if the person has left, log the reason, and return 401. Raise `RateLimited` instead of
    401 if the caller's network is over the limit.
    """
    try:
        credential, recipient = posted.one("credential"), posted.one("recipient")
        return asked.start_session(asked.passkeys.verify(credential, at=asked.now, recipient=recipient))
    except TokenInvalid as refusal:
        return asked.refuse(refusal, UNKNOWN_PASSKEY)


@router.get(INVITATION)
def read_invitation(asked: SignInRequestDep) -> Response:
    """Return the page that registers a passkey.

    Afterwards the page continues to the inbox. If this service cannot decrypt concerns, the page continues to the page
    of the person's own key instead, because the person has no copy of the team's key yet. The token of the invitation
    is after the `#` of the address. Browsers never send that part to a server.
    """
    page = PATH if asked.context.unsealer.can_unseal else OWN_KEY
    return asked.page("desk_invitation.html", elsewhere=asked.elsewhere(INVITATION), page_after=page)


@router.post(f"{INVITATION}/options")
def offer_passkey_registration(asked: SignInRequestDep, posted: SubmittedFormDep) -> Response:
    """Return the WebAuthn options for creating a passkey as JSON.

    Return 401 if the invitation is unknown, used or expired. Raise `RateLimited` instead of 401 if the caller's network
    is over the limit.
    """
    try:
        options = asked.passkeys.offer_registration(posted.one("token"), at=asked.now)
    except TokenInvalid as refusal:
        return asked.refuse(refusal, UNKNOWN_INVITATION)
    return Response(options, media_type=JSON)


@router.post(INVITATION)
def accept_invitation(asked: SignInRequestDep, posted: SubmittedFormDep) -> Response:
    """Register the new passkey of the invited person, start a session, and return 204 with the session cookie.

    Delete the invitation, and record the passkey and the sign-in in the audit log. Return 401 if the invitation or the
    passkey is not valid. Raise `RateLimited` instead of 401 if the caller's network is over the limit.
    """
    token, credential = posted.one("token"), posted.one("credential")
    device = Device.named(posted.one("name"), posted.one("recipient"))
    try:
        person = asked.passkeys.register(token, credential, device, address=asked.address, at=asked.now)
        return asked.start_session(person)
    except TokenInvalid as refusal:
        return asked.refuse(refusal, UNKNOWN_INVITATION)


@router.post(f"{PATH}/sign-out")
def sign_out(asked: SignInRequestDep) -> Response:
    """End the browser's session, if there is one, and redirect to the sign-in page.

    Record the sign-out in the audit log, and delete the browser's session cookie.
    """
    context, former = asked.context, asked.former
    if former is not None:
        context.desk_sign_in.sessions.end(former, address=asked.address, at=asked.now)
    response = lead_to(SIGN_IN)
    set_cookie(response, context.settings, SESSION_COOKIE, "")
    return response


@router.get(f"{PATH}/blank")
def read_blank_page(asked: SignInRequestDep) -> Response:
    """Return a blank page with a link back, for a person who quickly wants to hide what is on their screen."""
    return asked.page("desk_blank.html")


def own_page(page: str) -> str:
    """Return `page` if a sign-in may redirect to `page`, otherwise the path of the inbox."""
    return page if OWN_PAGE.fullmatch(page) else PATH
