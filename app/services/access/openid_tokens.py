"""Verification of the tokens that an OpenID provider issues, and reading of their client, person and scopes."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt
from jwt import exceptions as jwt_errors

from app.config import Settings
from app.errors import SetupError, TokenInvalid
from app.models.access.clients import Scope
from app.models.access.names import is_recordable
from app.services.access.clients import Principal
from app.services.access.openid_provider import ProviderKeys

ALGORITHMS = ("RS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 30
OLDEST_SECONDS = 86_400.0
"""An older token is refused, even if it has not expired."""
OLDEST_SIGN_IN_SECONDS = 600.0
"""The token is fetched right after the provider sends the person back."""
UNNAMED_CLIENT = "-"
"""The client in the audit log if a token names only a person."""
CLIENT_CLAIMS = ("azp", "appid", "client_id")
SUBJECT = "sub"
NAME, USER_NAME = "name", "preferred_username"
"""Claims with a name to display (OpenID Connect Core 1.0, section 5.1), the better one first."""
SCOPE_CLAIMS = ("scope", "scp", "roles")
"""Claims that the provider's operator assigns (RFC 9068, Microsoft Entra): the name of a scope needs no mapping."""
REASONS = {
    jwt_errors.ExpiredSignatureError: "the token has expired",
    jwt_errors.ImmatureSignatureError: "the token is not valid yet",
    jwt_errors.InvalidIssuedAtError: "the token is not issued yet",
    jwt_errors.InvalidAudienceError: "the token names another audience than GUIDANCE_OPENID_AUDIENCE",
    jwt_errors.InvalidIssuerError: "the token names another issuer than GUIDANCE_OPENID_ISSUER",
    jwt_errors.InvalidSignatureError: "the signature is not the provider's",
    jwt_errors.InvalidAlgorithmError: f"the token is not signed with one of {', '.join(ALGORITHMS)}",
    jwt_errors.MissingRequiredClaimError: "the token lacks one of the claims exp, iat, iss and aud",
    jwt_errors.DecodeError: "the token cannot be read",
}


@dataclass(frozen=True)
class OpenIdProvider:
    """Verifies access tokens (RFC 9068) and ID tokens with the provider's keys. Blocks while they are fetched."""

    issuer: str
    audience: str
    keys: ProviderKeys = field(repr=False)
    further_claims: Sequence[str] = ()
    scopes_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    person_claim: str = SUBJECT
    name_claim: str = NAME

    def read_token(self, token: str) -> Principal:
        claims = self.read_claims(token)
        client, person = _first(claims, CLIENT_CLAIMS), _first(claims, (self.person_claim, SUBJECT))
        if client is None and person is None:
            raise TokenInvalid("the token names neither a client nor a subject")
        if not all(is_recordable(name) for name in (client, person) if name is not None):
            raise TokenInvalid("the token has a name that is too long, or has a character that does not print")
        name = UNNAMED_CLIENT if client is None else client
        return Principal(f"openid:{name}", self.scopes_in(claims), person if person != client else None)

    def read_claims(self, token: str, *, oldest_seconds: float = OLDEST_SECONDS) -> Mapping[str, Any]:
        """Verify `token`, and return its claims.

        Raise `TokenInvalid`, also for an expired one, or `ProviderUnavailable`.
        """
        try:
            header = jwt.get_unverified_header(token)  # if the header is invalid, the provider is not called
            if header.get("alg") not in ALGORITHMS:
                raise jwt_errors.InvalidAlgorithmError
            if "kid" not in header:
                raise TokenInvalid("the token does not name its key")
            claims: dict[str, Any] = jwt.decode(
                token,
                self.keys.get(header["kid"]),
                algorithms=list(ALGORITHMS),
                issuer=self.issuer,
                audience=self.audience,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud"]},
            )
        except jwt_errors.PyJWTError as refusal:
            raise TokenInvalid(_reason(refusal)) from None
        if time.time() - int(claims["iat"]) > oldest_seconds + LEEWAY_SECONDS:
            raise TokenInvalid("the token was issued too long ago")
        return claims

    def find_name(self, claims: Mapping[str, Any]) -> str | None:
        """Return a name to display only: two people may have the same one."""
        name = _first(claims, (self.name_claim, NAME, USER_NAME))
        return name.strip() if isinstance(name, str) else None

    def find_person(self, claims: Mapping[str, Any]) -> str | None:
        """Return the person, or None if the claims have no id that the audit log can store."""
        name = _first(claims, (self.person_claim, SUBJECT))
        return name if is_recordable(name) else None

    def scopes_in(self, claims: Mapping[str, Any]) -> frozenset[str]:
        """Return the scopes named directly or mapped by the settings. Other words of `SCOPE_CLAIMS` grant nothing."""
        named = {word for claim in SCOPE_CLAIMS for word in _words(claims.get(claim))}
        every = named | {word for claim in self.further_claims for word in _words(_at_path(claims, claim))}
        return frozenset(named).union(*(self.scopes_of.get(word, ()) for word in every))


def open_provider(settings: Settings) -> OpenIdProvider | None:
    """Return the provider without connecting to it. Raise `SetupError` if a value is mapped to an unknown scope."""
    if settings.openid_issuer is None:
        return None
    scopes_of = settings.openid_scopes or {}
    if unknown := {scope for scopes in scopes_of.values() for scope in scopes} - set(Scope):
        raise SetupError(f"GUIDANCE_OPENID_SCOPES: {len(unknown)} of its scopes are none of {', '.join(Scope)}")
    return OpenIdProvider(
        settings.openid_issuer,
        settings.openid_audience or "",
        ProviderKeys(settings.openid_issuer, settings.openid_jwks_url),
        settings.openid_claims,
        scopes_of,
        settings.openid_person_claim,
        settings.openid_name_claim,
    )


def _reason(refusal: jwt_errors.PyJWTError) -> str:
    """A fixed text: the library's could contain part of the token."""
    return next((words for kind, words in REASONS.items() if isinstance(refusal, kind)), type(refusal).__name__)


def _first(claims: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((claims[name] for name in names if claims.get(name)), None)


def _at_path(claims: Mapping[str, Any], name: str) -> Any:
    if name in claims:
        return claims[name]
    found: Any = claims
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _words(claim: Any) -> Iterator[str]:
    words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    yield from (word for word in words if isinstance(word, str))
