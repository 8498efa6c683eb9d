"""Tokens of an OpenID provider, such as the directory that a council already runs."""

from dataclasses import dataclass, field
from typing import Any

import jwt
from jwt import PyJWKClient
from jwt.exceptions import PyJWKClientConnectionError, PyJWTError

from app.errors import ProviderAway, TokenUnknown

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
        """The client's name and scopes. Raises `TokenUnknown`, or `ProviderAway` where the keys cannot be read."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self.jwks.get_signing_key_from_jwt(token),
                algorithms=list(ALGORITHMS),
                issuer=self.issuer,
                audience=self.audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud"]},
            )
        except PyJWKClientConnectionError:
            raise ProviderAway from None
        except PyJWTError:
            raise TokenUnknown from None
        name = next((claims[claim] for claim in ("azp", "appid", "client_id", "sub") if claims.get(claim)), None)
        if not isinstance(name, str):
            raise TokenUnknown
        return f"openid:{name}", _scopes(claims)


def open_provider(*, issuer: str, audience: str, jwks_url: str) -> OpenIdProvider:
    """The provider; nothing is fetched until the first token comes."""
    return OpenIdProvider(issuer, audience, PyJWKClient(jwks_url, timeout=TIMEOUT_SECONDS))


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    """Scopes from `scope` (RFC 9068) or `scp`, and `roles`, where Microsoft Entra puts those of applications."""
    found: set[str] = set()
    for claim in ("scope", "scp", "roles"):
        told = claims.get(claim, "")
        found.update(told.split() if isinstance(told, str) else [role for role in told if isinstance(role, str)])
    return frozenset(found)
