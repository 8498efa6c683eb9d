"""Tokens of an OpenID provider, for example the directory that a council already runs."""

from dataclasses import dataclass, field
from typing import Any

import jwt
from jwt import PyJWK, PyJWKClient
from jwt.exceptions import PyJWKClientConnectionError, PyJWTError

from app.errors import ProviderUnavailable, TokenInvalid

ALGORITHMS = ("RS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 30
PROVIDER_TIMEOUT_SECONDS = 3


@dataclass(frozen=True)
class OpenIdProvider:
    """Checks access tokens (RFC 9068) against the provider's published keys. Blocks while it fetches them."""

    issuer: str
    audience: str
    jwks: PyJWKClient = field(repr=False)

    def read_token(self, token: str) -> tuple[str, frozenset[str]]:
        """Return the client's name and scopes. Raises `TokenInvalid`, or `ProviderUnavailable` without keys."""
        try:
            jwt.get_unverified_header(token)  # without a valid header, the provider is not called
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
        """Find the key that the token names. Raises `ProviderUnavailable` if the provider sends no keys."""
        try:
            self.jwks.get_signing_keys()
        except (PyJWTError, ValueError, OSError):
            raise ProviderUnavailable from None
        try:
            return self.jwks.get_signing_key_from_jwt(token)
        except (PyJWKClientConnectionError, ValueError, OSError):  # the second request, for a new key, failed
            raise ProviderUnavailable from None


def open_provider(*, issuer: str, audience: str, jwks_url: str) -> OpenIdProvider:
    """Return the provider; nothing is fetched until the first token comes."""
    return OpenIdProvider(issuer, audience, PyJWKClient(jwks_url, timeout=PROVIDER_TIMEOUT_SECONDS))


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    """Return the scopes in `scope` (RFC 9068) or `scp`, and in `roles` (Microsoft Entra, for applications)."""
    found: set[str] = set()
    for claim in ("scope", "scp", "roles"):
        value = claims.get(claim)
        words = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
        found.update(word for word in words if isinstance(word, str))
    return frozenset(found)
