"""Sign-in to the pages of the desk: with a passkey, or through an OpenID provider (authorization code flow with PKCE).

The state, the nonce and the PKCE verifier are derived from a secret in the browser. So the server stores nothing, and a
sign-in cannot be finished in a different browser.
"""

import datetime as dt
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from app.config import LOOPBACK_NAME, Settings, is_loopback
from app.db.writer import Writer
from app.errors import TokenInvalid
from app.models.access.roles import Role, role_with
from app.models.base import base64url
from app.services.access.openid_provider import address_in, discover, fetch_document
from app.services.access.openid_tokens import OLDEST_SIGN_IN_SECONDS, OpenIdProvider
from app.services.access.people import BY_PASSKEY, DeskSessions, RelyingParty

if TYPE_CHECKING:
    from app.services.access.passkeys import Passkeys

PATH = "/desk"
SIGN_IN = f"{PATH}/sign-in"
INVITATION = f"{PATH}/invitation"
OWN_KEY = f"{PATH}/key"
PROVIDER_SIGN_IN = f"{SIGN_IN}/openid"
RETURN, FINISH = f"{PROVIDER_SIGN_IN}/return", f"{PROVIDER_SIGN_IN}/finish"
"""A provider redirects to the first, whose page leads to the second: only there a browser sends `Strict` cookies."""
FRESH_SECONDS_OF_ENDPOINTS = 300.0


@dataclass
class Endpoints:
    """The URLs for sign-in in `issuer`'s configuration.

    They are fetched at the first use, and again after five minutes.
    """

    issuer: str
    _document: Mapping[str, Any] = field(default_factory=dict)
    _read_at: float = float("-inf")

    def get(self, name: str, subject: str) -> str:
        if time.monotonic() - self._read_at >= FRESH_SECONDS_OF_ENDPOINTS:
            self._document, self._read_at = discover(self.issuer), time.monotonic()
        return address_in(self._document, name, subject, issuer=self.issuer)


@dataclass(frozen=True)
class SignedIn:
    """The person whom the provider authenticated. The role or the name may be missing."""

    subject: str
    role: Role | None
    name: str | None = None


@dataclass(frozen=True)
class OpenIdSignIn:
    """The client side of OpenID Connect. Calls block while they wait for the provider."""

    provider: OpenIdProvider
    """Its `audience` is the client ID of this service."""
    endpoints: Endpoints
    return_address: str
    scopes: str
    client_secret: str | None = field(default=None, repr=False)

    @property
    def client(self) -> str:
        return f"openid:{self.provider.audience}"

    def state(self, secret: str) -> str:
        """Derive the state from the browser's secret. The provider sends it back with the code."""
        return _derive(secret, "state")

    def address(self, secret: str, *, asks_nobody: bool = False) -> str:
        """Return the provider's URL. If `asks_nobody` is True, it shows no page (`prompt=none`).

        Raise `ProviderUnavailable`.
        """
        challenge = hashlib.sha256(_derive(secret, "verifier").encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.provider.audience,
            "redirect_uri": self.return_address,
            "scope": self.scopes,
            "state": self.state(secret),
            "nonce": _derive(secret, "nonce"),
            "code_challenge": base64url(challenge),
            "code_challenge_method": "S256",
        } | ({"prompt": "none"} if asks_nobody else {})
        address = self.endpoints.get("authorization_endpoint", "sign-in")
        return address + ("&" if urlsplit(address).query else "?") + urlencode(query)

    def finish(self, secret: str, *, code: str, state: str, issuer: str | None) -> SignedIn:
        """Exchange `code` for an ID token, and return who signed in. Raise `TokenInvalid` or `ProviderUnavailable`."""
        if not hmac.compare_digest(state.encode(), self.state(secret).encode()):
            raise TokenInvalid("the state is not that of this browser")
        if issuer is not None and issuer != self.provider.issuer:
            raise TokenInvalid("the code is of another issuer")
        token = self._exchange(code, _derive(secret, "verifier"))
        claims = self.provider.read_claims(token, oldest_seconds=OLDEST_SIGN_IN_SECONDS)
        if claims.get("nonce") != _derive(secret, "nonce"):
            raise TokenInvalid("the nonce is not that of this browser")
        is_for_this_alone = claims["aud"] in (self.provider.audience, [self.provider.audience])
        if claims.get("azp", self.provider.audience if is_for_this_alone else None) != self.provider.audience:
            raise TokenInvalid("the token is for another client, or for several and does not say for which")
        person = self.provider.find_person(claims)
        if person is None:
            raise TokenInvalid("the provider gives no name for the record")
        return SignedIn(person, role_with(self.provider.scopes_in(claims)), self.provider.find_name(claims))

    def _exchange(self, code: str, verifier: str) -> str:
        """Return the token unverified."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.return_address,
            "code_verifier": verifier,
            "client_id": self.provider.audience,
        }
        auth = None
        if self.client_secret is not None:  # name and secret are encoded before they are joined (RFC 6749, 2.3.1)
            auth = (quote(self.provider.audience, safe=""), quote(self.client_secret, safe=""))
        token = fetch_document(self.endpoints.get("token_endpoint", "tokens"), form, auth).get("id_token")
        if not isinstance(token, str):
            raise TokenInvalid("the provider sent no ID token")
        return token


def relying_party(public_url: str, council_name: str, *, port: int | None = None) -> RelyingParty:
    """Return the service as WebAuthn knows it.

    A loopback address becomes `localhost`, because a passkey needs a host name.
    """
    url = urlsplit(public_url)
    host = url.hostname or ""
    if not is_loopback(host):
        return RelyingParty(host, public_url, council_name)
    number = port or url.port
    return RelyingParty(LOOPBACK_NAME, f"{url.scheme}://{LOOPBACK_NAME}{f':{number}' if number else ''}", council_name)


@dataclass(frozen=True)
class DeskSignIn:
    """The desk's sessions, and the ways to start one: a passkey or, if `openid` is set, the provider."""

    sessions: DeskSessions
    public_url: str
    council_name: str
    openid: OpenIdSignIn | None = None

    def party(self, port: int | None = None) -> RelyingParty:
        """Return the service as WebAuthn knows it. `port` counts only for a loopback address."""
        return relying_party(self.public_url, self.council_name, port=port)

    def passkeys(self, port: int | None) -> "Passkeys":
        from app.services.access.passkeys import Passkeys  # noqa: PLC0415  # takes 0.2 s: no start waits for it

        return Passkeys(self.sessions.writer, self.party(port))

    def begin_with_passkey(self, person: str, *, address: str, at: dt.datetime, former: str | None) -> str:
        """Start a session for a verified passkey, and end that of the token `former`. Raise as `DeskSessions.start`."""
        return self.sessions.start(person, client=BY_PASSKEY, address=address, at=at, former=former)


def open_desk_sign_in(settings: Settings, writer: Writer, provider: OpenIdProvider | None) -> DeskSignIn:
    """Return the ways to sign in, without connecting. `provider` is used if the settings have a client ID."""
    idle, longest = dt.timedelta(minutes=settings.desk_idle_minutes), dt.timedelta(hours=settings.desk_session_hours)
    openid, secret = None, settings.openid_client_secret
    if provider is not None and settings.openid_client_id is not None:
        openid = OpenIdSignIn(
            replace(provider, audience=settings.openid_client_id),
            Endpoints(provider.issuer),
            f"{settings.public_url}{RETURN}",
            settings.openid_request_scopes,
            secret.get_secret_value() if secret is not None else None,
        )
    sessions = DeskSessions(writer, idle, longest)
    return DeskSignIn(sessions, settings.public_url, settings.council_name, openid)


def _derive(secret: str, purpose: str) -> str:
    return base64url(hmac.digest(secret.encode(), purpose.encode(), "sha256"))
