"""Tokens of an OpenID provider, such as the directory that a council already runs."""

from dataclasses import dataclass, field
from typing import Any

import jwt
from jwt import PyJWK, PyJWKClient
from jwt.exceptions import PyJWKClientConnectionError, PyJWTError

from app.errors import ProviderUnavailable, TokenInvalid

ALGORITHMS = ("RS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 30
TIMEOUT_SECONDS = 3


@dataclass(frozen=True)
class OpenIdProvider:
    """Checks access tokens (RFC 9068) against the provider's published keys. Blocks while it fetches them."""

    issuer: str
    audience: str
    jwks: PyJWKClient = field(repr=False)

    def read_token(self, token: str) -> tuple[str, frozenset[str]]:
        """Return the client's name and scopes. Raises `TokenInvalid`, or `ProviderUnavailable` without keys."""
        try:
            jwt.get_unverified_header(token)  # what is no token at all is not asked about
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key_of(token),
                algorithms=list(ALGORITHMS),
                issuer=self.issuer,
                audience=self.audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud"]},
            )
        except PyJWTError:
            raise TokenInvalid from None
        name = next((claims[claim] for claim in ("azp", "appid", "client_id", "sub") if claims.get(claim)), None)
        if not isinstance(name, str):
            raise TokenInvalid
        return f"openid:{name}", _scopes(claims)

    def _key_of(self, token: str) -> PyJWK:
        """Find the key that the token names. Raises `ProviderUnavailable` where the provider sends no keys."""
        try:
            self.jwks.get_signing_keys()
        except (PyJWTError, ValueError, OSError):
            raise ProviderUnavailable from None
        try:
            return self.jwks.get_signing_key_from_jwt(token)
        except (PyJWKClientConnectionError, ValueError, OSError):  # it asked once more, for a key that is new
            raise ProviderUnavailable from None


def open_provider(*, issuer: str, audience: str, jwks_url: str) -> OpenIdProvider:
    """The provider; nothing is fetched until the first token comes."""
    return OpenIdProvider(issuer, audience, PyJWKClient(jwks_url, timeout=TIMEOUT_SECONDS))


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    """Scopes from `scope` (RFC 9068) or `scp`, and `roles`, where Microsoft Entra puts those of applications."""
    found: set[str] = set()
    for claim in ("scope", "scp", "roles"):
        told = claims.get(claim)
        words = told.split() if isinstance(told, str) else told if isinstance(told, list) else []
        found.update(word for word in words if isinstance(word, str))
    return frozenset(found)
