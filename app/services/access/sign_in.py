"""Sign-in to the pages of the desk: with a passkey, or through an OpenID provider (authorization code flow with PKCE).

During an OpenID sign-in the browser holds a secret. The state, the nonce and the PKCE verifier are derived from that
secret. So the server stores nothing, and a sign-in cannot be finished in a different browser.
"""

import datetime as dt
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from sqlalchemy import Engine

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
GUIDES_PATH = "/edit"
"""The path of the pages on which signed-in people write guides."""
INVITATION = f"{PATH}/invitation"
OWN_KEY = f"{PATH}/key"
"""The path of the page of a person's own passkeys and locked copies of the team's key."""
PROVIDER_SIGN_IN = f"{SIGN_IN}/openid"
RETURN, FINISH = f"{PROVIDER_SIGN_IN}/return", f"{PROVIDER_SIGN_IN}/finish"
"""The path to which a provider redirects the browser, and the path that finishes the sign-in.

The page at `RETURN` sends the browser on to `FINISH`, because a browser sends no cookie with `SameSite=Strict` after a
redirect from another site.
"""
FRESH_SECONDS_OF_ENDPOINTS = 300.0


@dataclass
class Endpoints:
    """The URLs for signing in, from the configuration of the OpenID provider `issuer`.

    The configuration is fetched at the first use, and again if it is older than five minutes. `monotonic` is the clock.
    """

    issuer: str
    monotonic: Callable[[], float] = time.monotonic
    _document: Mapping[str, Any] = field(default_factory=dict)
    _read_at: float = float("-inf")

    def get(self, name: str, subject: str) -> str:
        """Return the URL of the endpoint `name`. `subject` describes the endpoint in an error.

        Raise `ProviderUnavailable` if the configuration cannot be fetched, or has no safe URL for the endpoint.
        """
        if self.monotonic() - self._read_at >= FRESH_SECONDS_OF_ENDPOINTS:
            self._document, self._read_at = discover(self.issuer), self.monotonic()
        return address_in(self._document, name, subject, issuer=self.issuer)


@dataclass(frozen=True)
class SignedIn:
    """The person whom the provider authenticated: the id, the role and the name that the provider gives.

    `role` and `name` are None if the provider gives none.
    """

    subject: str
    role: Role | None
    name: str | None = None


@dataclass(frozen=True)
class OpenIdSignIn:
    """The client side of OpenID Connect: builds the provider's URL for a sign-in, and exchanges the code for a token.

    `return_address` is the URL to which the provider sends the browser back. `scopes` are the OAuth scopes to request,
    separated by spaces. `client_secret` is None for a client without a secret. Calls block while they wait for the
    provider.
    """

    provider: OpenIdProvider
    """Verifies the ID tokens. Its `audience` is the client ID of this service."""
    endpoints: Endpoints
    return_address: str
    scopes: str
    client_secret: str | None = field(default=None, repr=False)

    @property
    def client(self) -> str:
        """The client's name in the audit log for a person who signed in through the provider."""
        return f"openid:{self.provider.audience}"

    def state(self, secret: str) -> str:
        """Return the OAuth `state` derived from `secret`, the secret of the browser.

        The provider sends the state back with the code.
        """
        return _derive(secret, "state")

    def address(self, secret: str, *, asks_nobody: bool = False) -> str:
        """Return the provider's URL to which the browser with the secret `secret` is redirected for a sign-in.

        If `asks_nobody` is True, the provider shows no page, and responds for the person who is already signed in to
        the provider (`prompt=none`). Raise `ProviderUnavailable` if the provider's configuration cannot be used.
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
        """Exchange `code` for an ID token, verify the token, and return the person who signed in.

        `secret` is the secret of the browser. `code`, `state` and `issuer` are what the provider sent back. `issuer` is
        None if the provider does not send it (RFC 9207). Raise `TokenInvalid` with the reason if the response or the
        token is not valid, or if it belongs to a different browser, client or issuer. Raise it also if the token has no
        id that the audit log can store. Raise `ProviderUnavailable` if the provider does not respond, or if its
        configuration or keys cannot be used.
        """
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
        """Exchange the authorization `code` for an ID token, and return the token without verifying it.

        `verifier` is the PKCE verifier. Raise `TokenInvalid` if the provider rejects the code or sends no ID token.
        Raise `ProviderUnavailable` if the provider does not respond, or if its configuration cannot be used.
        """
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
    """Return the relying party (WebAuthn) for the service at `public_url`, with `council_name` as the name to display.

    A passkey needs a host name, so a loopback address becomes `localhost`. For a loopback address `port`, if given,
    replaces the port of the URL.
    """
    url = urlsplit(public_url)
    host = url.hostname or ""
    if not is_loopback(host):
        return RelyingParty(host, public_url, council_name)
    number = port or url.port
    return RelyingParty(LOOPBACK_NAME, f"{url.scheme}://{LOOPBACK_NAME}{f':{number}' if number else ''}", council_name)


@dataclass(frozen=True)
class DeskSignIn:
    """Sign-in to the desk: its sessions, and the ways to start one.

    A session starts with a passkey or, if `openid` is not None, through the OpenID provider.
    """

    sessions: DeskSessions
    public_url: str
    council_name: str
    openid: OpenIdSignIn | None = None

    def party(self, port: int | None = None) -> RelyingParty:
        """Return this service as a WebAuthn relying party.

        If the public URL has a loopback address, `port` replaces the port of the URL. Otherwise `port` has no effect.
        """
        return relying_party(self.public_url, self.council_name, port=port)

    def passkeys(self, port: int | None) -> "Passkeys":
        """Return the object that registers passkeys and verifies sign-ins.

        If the public URL has a loopback address, `port` replaces the port of the URL. Otherwise `port` has no effect.
        """
        from app.services.access.passkeys import Passkeys  # noqa: PLC0415  # takes 0.2 s: no start waits for it

        return Passkeys(self.sessions.writer, self.party(port))

    def begin_with_passkey(self, person: str, *, address: str, at: dt.datetime, former: str | None) -> str:
        """Start a session for `person`, and return its token. The caller must first verify the person's passkey.

        `address` is the network address for the audit log. `former` is the token of the browser's previous session,
        which ends, or None. Raise `TokenInvalid` if the person is unknown or has left. Raise `RowNotOurs` if this
        service did not write the person's row, or if the audit log contradicts the row. Raise `StoreBusy` if the
        session could not be stored in time.
        """
        return self.sessions.start(person, client=BY_PASSKEY, address=address, at=at, former=former)


def open_desk_sign_in(
    settings: Settings, engine: Engine, writer: Writer, provider: OpenIdProvider | None
) -> DeskSignIn:
    """Return the sign-in to the desk that `settings` configure. Connect to nothing yet.

    People can sign in through `provider` if it is not None, and the settings have a client ID for this service.
    """
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
    sessions = DeskSessions(engine, writer, idle, longest)
    return DeskSignIn(sessions, settings.public_url, settings.council_name, openid)


def _derive(secret: str, purpose: str) -> str:
    return base64url(hmac.digest(secret.encode(), purpose.encode(), "sha256"))
