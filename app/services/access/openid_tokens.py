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
"""The maximum age of a token, in seconds. An older token is refused, even if it has not expired."""
OLDEST_SIGN_IN_SECONDS = 600.0
"""The maximum age of an ID token at sign-in, in seconds.

The service fetches the token immediately after the provider sends the person back.
"""
UNNAMED_CLIENT = "-"
"""The name of the client in the audit log if a token names only a person."""
CLIENT_CLAIMS = ("azp", "appid", "client_id")
SUBJECT = "sub"
NAME, USER_NAME = "name", "preferred_username"
"""Claims with a name to display (OpenID Connect Core 1.0, section 5.1), the better one first."""
SCOPE_CLAIMS = ("scope", "scp", "roles")
"""Claims whose values the provider's operator assigns for this API (RFC 9068, Microsoft Entra).

A value may be the name of a scope of this service. Such a value needs no mapping in the settings.
"""
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
    """A verifier of access tokens (RFC 9068) and ID tokens with the provider's published keys.

    `audience` is the audience that a token must name. `scopes_of` maps values of claims to scopes of this service. It
    is applied to the claims in `SCOPE_CLAIMS` and in `further_claims`. `person_claim` and `name_claim` are the claims
    with the person's id and name. A call blocks while the keys are fetched.
    """

    issuer: str
    audience: str
    keys: ProviderKeys = field(repr=False)
    further_claims: Sequence[str] = ()
    scopes_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    person_claim: str = SUBJECT
    name_claim: str = NAME

    def read_token(self, token: str) -> Principal:
        """Verify `token`, and return the client and the person that the token names, with their scopes.

        Raise `TokenInvalid` with the reason if the token is not valid. Raise `ProviderUnavailable` if the provider's
        keys cannot be fetched.
        """
        return self._principal(self.read_claims(token))

    def read_claims(self, token: str, *, oldest_seconds: float = OLDEST_SECONDS) -> Mapping[str, Any]:
        """Verify `token`, and return its claims.

        Raise `TokenInvalid` with the reason if the provider did not sign the token for this audience, or if the token
        has expired. Raise it also if the token was issued more than `oldest_seconds` ago. Times may differ by
        `LEEWAY_SECONDS`. Raise `ProviderUnavailable` if the keys cannot be fetched.
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
        """Return the name to display from `claims`, or None if they have none.

        The name does not identify the person: two people may have the same one. Only the id from `find_person`
        identifies them.
        """
        name = _first(claims, (self.name_claim, NAME, USER_NAME))
        return name.strip() if isinstance(name, str) else None

    def find_person(self, claims: Mapping[str, Any]) -> str | None:
        """Return the person's id from `claims`, or None if there is no id that the audit log can store."""
        name = _first(claims, (self.person_claim, SUBJECT))
        return name if is_recordable(name) else None

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        """Return the client, the person and the scopes in `claims`.

        The subject is the person, unless the subject is the client. The subject is a person even if the token names no
        client, so a person has the same name in every token. Raise `TokenInvalid` if there is neither a client nor a
        subject, or if the audit log cannot store a name.
        """
        client, person = _first(claims, CLIENT_CLAIMS), _first(claims, (self.person_claim, SUBJECT))
        if client is None and person is None:
            raise TokenInvalid("the token names neither a client nor a subject")
        if not all(is_recordable(name) for name in (client, person) if name is not None):
            raise TokenInvalid("the token has a name that is too long, or has a character that does not print")
        name = UNNAMED_CLIENT if client is None else client
        return Principal(f"openid:{name}", self.scopes_in(claims), person if person != client else None)

    def scopes_in(self, claims: Mapping[str, Any]) -> frozenset[str]:
        """Return the scopes in `claims`: those named directly, and those that the settings map to values of the claims.

        Words in `SCOPE_CLAIMS` that are no scopes of this service are returned too, and grant nothing.
        """
        named = {word for claim in SCOPE_CLAIMS for word in _words(claims.get(claim))}
        every = named | {word for claim in self.further_claims for word in _words(_at_path(claims, claim))}
        return frozenset(named).union(*(self.scopes_of.get(word, ()) for word in every))


def open_provider(settings: Settings) -> OpenIdProvider | None:
    """Return the OpenID provider of `settings`, or None if none is configured. Connect to nothing yet.

    Raise `SetupError` if the settings map a value to an unknown scope.
    """
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
    """Return a fixed text for `refusal`, the library's reason for refusing a token.

    The library's own message could contain part of the token.
    """
    return next((words for kind, words in REASONS.items() if isinstance(refusal, kind)), type(refusal).__name__)


def _first(claims: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((claims[name] for name in names if claims.get(name)), None)


def _at_path(claims: Mapping[str, Any], name: str) -> Any:
    """Return the claim `name`, or None. If there is no such claim, read `name` as a path, like `realm_access.roles`."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _words(claim: Any) -> Iterator[str]:
    """Yield the values of `claim`: the strings in a list, or the words of a string."""
    words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    yield from (word for word in words if isinstance(word, str))
