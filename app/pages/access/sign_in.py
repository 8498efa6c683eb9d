"""Pages for signing in to the desk with a passkey or an invitation, and for signing out."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Query, Request, Response

from app.errors import NotFound, TokenInvalid
from app.http.auth import PUBLIC, caller_address, refuse_over_limit
from app.http.negotiation import JSON
from app.http.visitors import SESSION_COOKIE, read_cookie, set_cookie
from app.logs import Log
from app.pages.frame import LONGEST_WAY_BACK, DeskRouter, DeskSite, lead_to, sign_in_address
from app.pages.posted_forms import SubmittedFormDep
from app.services.access.key_copies import Device
from app.services.access.sign_in import INVITATION, OWN_KEY, PATH, SIGN_IN, OpenIdSignIn

if TYPE_CHECKING:
    from app.services.access.passkeys import Passkeys

router = DeskRouter("", dependencies=[PUBLIC])
SIGNED_IN, REFUSED = 204, 401
UNKNOWN_PASSKEY = "We do not know this passkey, or it took too long. Try again, or ask for a new invitation."
UNKNOWN_INVITATION = "This invitation was used, or has expired. Ask for a new one."
PageAfter = Annotated[str, Query(alias="page", max_length=LONGEST_WAY_BACK)]
VISIBLE_ASCII = re.compile("[!-~]*")
log = Log(__name__)


@dataclass(frozen=True)
class SignInRequest(DeskSite):
    @property
    def passkeys(self) -> "Passkeys":
        return self.context.desk_sign_in.passkeys(self.request.url.port)

    def elsewhere(self, path: str) -> str | None:
        """Return the address of `path` on the host where passkeys work, or None if this is that host."""
        url = self.request.url
        party = self.context.desk_sign_in.party(url.port)
        return f"{party.origin}{path}" if url.hostname != party.id else None

    def own_page(self, page: str) -> str:
        """Return the page to lead to: the inbox, in place of one to which a sign-in may not lead."""
        area = re.split("[/?]", page[1:], maxsplit=1)[0]
        is_own = f"/{area}" in (PATH, *self.context.added.menu)
        return page if is_own and VISIBLE_ASCII.fullmatch(page) else PATH

    def get_openid(self) -> OpenIdSignIn:
        openid = self.context.desk_sign_in.openid
        if openid is None:
            raise NotFound
        return openid

    @property
    def address(self) -> str:
        return caller_address(self.request)

    @property
    def former(self) -> str | None:
        return read_cookie(self.request, SESSION_COOKIE)

    def start_session(self, person: str) -> Response:
        """Start a session. The caller must have verified the passkey."""
        token = self.context.desk_sign_in.begin_with_passkey(
            person, address=self.address, at=self.now, former=self.former
        )
        response = Response(status_code=SIGNED_IN)
        set_cookie(response, self.context.settings, SESSION_COOKIE, token)
        return response

    def refuse(self, refusal: TokenInvalid, words: str) -> Response:
        """Log the reason but do not show it. Only failures count for the rate limit."""
        self.log_refusal(refusal)
        refuse_over_limit(self.request)
        return Response(words, status_code=REFUSED, media_type="text/plain")

    def log_refusal(self, refusal: TokenInvalid) -> None:
        log.info("sign_in_refused", reason=str(refusal), request_id=self.request.state.request_id)


async def read_sign_in_request(request: Request) -> SignInRequest:
    return SignInRequest.of(request)


SignInRequestDep = Annotated[SignInRequest, Depends(read_sign_in_request)]


@router.get(SIGN_IN)
def read_sign_in(request: SignInRequestDep, page: PageAfter = PATH) -> Response:
    has_provider = request.context.desk_sign_in.openid is not None
    page = request.own_page(page)
    elsewhere = request.elsewhere(sign_in_address(page))
    return request.page("desk_sign_in.html", elsewhere=elsewhere, has_provider=has_provider, page_after=page)


@router.post(f"{SIGN_IN}/options")
def offer_passkey_sign_in(request: SignInRequestDep) -> Response:
    return Response(request.passkeys.offer(at=request.now), media_type=JSON)


@router.post(SIGN_IN)
def sign_in_by_passkey(request: SignInRequestDep, posted: SubmittedFormDep) -> Response:
    """Return 204 with the session cookie, and store the passkey's recipient if it is valid."""
    try:
        credential, recipient = posted.one("credential"), posted.one("recipient")
        return request.start_session(request.passkeys.verify(credential, at=request.now, recipient=recipient))
    except TokenInvalid as refusal:
        return request.refuse(refusal, UNKNOWN_PASSKEY)


@router.get(INVITATION)
def read_invitation(request: SignInRequestDep) -> Response:
    """The token is after the `#`. If this service cannot decrypt, the page continues with the person's key."""
    page = PATH if request.context.unsealer.can_unseal else OWN_KEY
    return request.page("desk_invitation.html", elsewhere=request.elsewhere(INVITATION), page_after=page)


@router.post(f"{INVITATION}/options")
def offer_passkey_registration(request: SignInRequestDep, posted: SubmittedFormDep) -> Response:
    try:
        options = request.passkeys.offer_registration(posted.one("token"), at=request.now)
    except TokenInvalid as refusal:
        return request.refuse(refusal, UNKNOWN_INVITATION)
    return Response(options, media_type=JSON)


@router.post(INVITATION)
def accept_invitation(request: SignInRequestDep, posted: SubmittedFormDep) -> Response:
    """Return 204 with the session cookie."""
    token, credential = posted.one("token"), posted.one("credential")
    device = Device.named(posted.one("name"), posted.one("recipient"))
    try:
        person = request.passkeys.register(token, credential, device, address=request.address, at=request.now)
        return request.start_session(person)
    except TokenInvalid as refusal:
        return request.refuse(refusal, UNKNOWN_INVITATION)


@router.post(f"{PATH}/sign-out")
def sign_out(request: SignInRequestDep) -> Response:
    context, former = request.context, request.former
    if former is not None:
        context.desk_sign_in.sessions.end(former, address=request.address, at=request.now)
    response = lead_to(SIGN_IN)
    set_cookie(response, context.settings, SESSION_COOKIE, "")
    return response


@router.get(f"{PATH}/blank")
def read_blank_page(request: SignInRequestDep) -> Response:
    """Return an empty page, which hides what was on the screen."""
    return request.page("desk_blank.html")
