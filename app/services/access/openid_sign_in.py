"""Signing people in by an OpenID provider: OpenID Connect by code, with PKCE, state and nonce.

The browser holds one secret for each way to the provider and back. State, nonce and PKCE's verifier come from it, so
the server stores nothing, and what one browser began no other one ends.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from app.errors import TokenInvalid
from app.models.roles import Role, role_with
from app.services.access.openid import OpenIdProvider
from app.services.access.provider_documents import address_in, discover, fetch_document

FRESH_SECONDS_OF_ENDPOINTS = 300.0


@dataclass
class Endpoints:
    """The provider's addresses for signing in, read again after five minutes."""

    issuer: str
    monotonic: Callable[[], float] = time.monotonic
    _document: Mapping[str, Any] = field(default_factory=dict)
    _read_at: float = float("-inf")

    def get(self, name: str, subject: str) -> str:
        """Return that address. Raises `ProviderUnavailable`."""
        if self.monotonic() - self._read_at >= FRESH_SECONDS_OF_ENDPOINTS:
            self._document, self._read_at = discover(self.issuer), self.monotonic()
        return address_in(self._document, name, subject, issuer=self.issuer)


@dataclass(frozen=True)
class SignedIn:
    """Who the provider says signed in, and the role that it gives them."""

    person: str
    role: Role


@dataclass(frozen=True)
class OpenIdSignIn:
    """Leads people to the provider, and reads what it says when they come back. Blocks while it calls the provider."""

    provider: OpenIdProvider
    """Checks the ID tokens: its audience is the client's own name."""
    endpoints: Endpoints
    return_address: str
    scopes: str
    client_secret: str | None = field(default=None, repr=False)

    @property
    def client(self) -> str:
        """What the record names before the person."""
        return f"openid:{self.provider.audience}"

    def state(self, secret: str) -> str:
        """Return the state of the way of a browser that holds the secret: the provider gives it back."""
        return _derive(secret, "state")

    def address(self, secret: str) -> str:
        """Return where the browser that holds the secret goes to sign in. Raises `ProviderUnavailable`."""
        challenge = hashlib.sha256(_derive(secret, "verifier").encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.provider.audience,
            "redirect_uri": self.return_address,
            "scope": self.scopes,
            "state": self.state(secret),
            "nonce": _derive(secret, "nonce"),
            "code_challenge": _encode(challenge),
            "code_challenge_method": "S256",
        }
        address = self.endpoints.get("authorization_endpoint", "sign-in")
        return address + ("&" if urlsplit(address).query else "?") + urlencode(query)

    def finish(self, secret: str, *, code: str, state: str, issuer: str | None) -> SignedIn:
        """Return who signed in. Raises `TokenInvalid` and `ProviderUnavailable`.

        `issuer` is what the provider says of itself beside the code (RFC 9207), where it does.
        """
        if not hmac.compare_digest(state.encode(), self.state(secret).encode()):
            raise TokenInvalid("the state is not that of this browser")
        if issuer is not None and issuer != self.provider.issuer:
            raise TokenInvalid("the code is of another issuer")
        claims = self.provider.read_claims(self._exchange(code, _derive(secret, "verifier")))
        if claims.get("nonce") != _derive(secret, "nonce"):
            raise TokenInvalid("the nonce is not that of this browser")
        if claims.get("azp", self.provider.audience) != self.provider.audience:
            raise TokenInvalid("the token is for another client")
        person, role = self.provider.find_person(claims), role_with(self.provider.scopes_in(claims))
        if person is None or role is None:
            raise TokenInvalid("the provider gives no name for the record, or no role at the desk")
        return SignedIn(person, role)

    def _exchange(self, code: str, verifier: str) -> str:
        """Return the ID token for the code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.return_address,
            "code_verifier": verifier,
            "client_id": self.provider.audience,
        }
        auth = None
        if self.client_secret is not None:  # each is encoded before they are joined (RFC 6749, section 2.3.1)
            auth = (quote(self.provider.audience, safe=""), quote(self.client_secret, safe=""))
        token = fetch_document(self.endpoints.get("token_endpoint", "tokens"), form, auth).get("id_token")
        if not isinstance(token, str):
            raise TokenInvalid("the provider sent no ID token")
        return token


def _derive(secret: str, purpose: str) -> str:
    return _encode(hmac.digest(secret.encode(), purpose.encode(), "sha256"))


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
