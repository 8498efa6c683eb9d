"""Tokens of an OpenID provider, for example the directory that a council already runs: its keys, and what it says."""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import httpx
import jwt
from jwt import PyJWK, PyJWKSet
from jwt import exceptions as jwt_errors

from app.config import Settings, is_safe_address
from app.errors import ProviderUnavailable, SetupError, TokenInvalid
from app.models.base import parse_json
from app.models.clients import Scope
from app.models.people import is_recordable
from app.services.clients import Principal
from app.services.workers import call_in_time

DISCOVERY_PATH = "/.well-known/openid-configuration"
DEADLINE_SECONDS = 3.0
MAX_BYTES = 1_000_000
CODE_NOT_TAKEN = "invalid_grant"
"""What a provider says of a code that is unknown, was used or has expired (RFC 6749, section 5.2)."""
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


def fetch_document(
    url: str, form: Mapping[str, str] | None = None, auth: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Return the JSON object at that address: by GET, or where there is a form by POST, with a name and a password.

    Raises `ProviderUnavailable`, with the reason, after the deadline too, and `TokenInvalid` where the provider does
    not take the code of the form. No redirect is followed.
    """
    try:
        return call_in_time(lambda: asyncio.run(_fetch(url, form, auth)), DEADLINE_SECONDS)
    except TimeoutError:
        raise ProviderUnavailable("the provider did not answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ImportError) as failure:
        raise ProviderUnavailable(f"the provider did not answer: {type(failure).__name__}") from None
    except (ValueError, RecursionError):
        raise ProviderUnavailable("the provider sent something that is not a JSON object") from None


async def _fetch(url: str, form: Mapping[str, str] | None, auth: tuple[str, str] | None) -> dict[str, Any]:
    method = "GET" if form is None else "POST"
    verify = ssl.create_default_context()  # with the authorities of this machine
    async with (
        asyncio.timeout(DEADLINE_SECONDS),  # for all of it, however slowly the provider sends
        httpx.AsyncClient(verify=verify, timeout=DEADLINE_SECONDS, headers=HEADERS) as client,
        client.stream(method, url, data=form, auth=auth) as response,
    ):
        status = response.status_code
        if status != httpx.codes.OK and (form is None or status != httpx.codes.BAD_REQUEST):
            raise ProviderUnavailable(f"the provider answered {status}")
        body = b""
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > MAX_BYTES:
                raise ProviderUnavailable("the provider sent too much")
    document = parse_json(body)
    if not isinstance(document, dict):
        raise ValueError
    if document.get("error") == CODE_NOT_TAKEN and status == httpx.codes.BAD_REQUEST:
        raise TokenInvalid("the provider does not take the code")
    if status == httpx.codes.BAD_REQUEST:
        raise ProviderUnavailable(f"the provider answered {status}")
    return document


def discover_jwks_url(issuer: str) -> str:
    """Return the address of the issuer's keys, from its own configuration (OpenID Connect Discovery 1.0, 4.3).

    Raises `ProviderUnavailable`.
    """
    return address_in(discover(issuer), "jwks_uri", "keys", issuer=issuer)


def discover(issuer: str) -> dict[str, Any]:
    """Return the issuer's own configuration. Raises `ProviderUnavailable`."""
    document = fetch_document(issuer.rstrip("/") + DISCOVERY_PATH)
    if document.get("issuer") != issuer:
        raise ProviderUnavailable("the provider's configuration names another issuer")
    return document


def address_in(document: Mapping[str, Any], name: str, subject: str, *, issuer: str) -> str:
    """Return that address of the issuer's configuration, which may have a query (RFC 6749, section 3.1).

    Raises `ProviderUnavailable` if it is not as safe as the issuer.
    """
    url = document.get(name)
    if not isinstance(url, str) or not _is_safe(url) or (_is_https(issuer) and not _is_https(url)):
        raise ProviderUnavailable(f"the provider's configuration names no https address of {subject}")
    return url


def _is_safe(url: str) -> bool:
    address, _, query = url.partition("?")
    return is_safe_address(address) and not any(character.isspace() or character == "#" for character in query)


def _is_https(url: str) -> bool:
    return url.lower().startswith("https:")


FRESH_SECONDS = 300.0
KNOWN_KEY_SECONDS = 3600.0
UNKNOWN_KEY_SECONDS = 30.0
FAILURE_SECONDS = 5.0


@dataclass
class ProviderKeys:
    """The provider's keys, read again when they are old, or when a token names an unknown one.

    One thread reads at a time. Others wait for it, unless they need a key that was read within the hour: such a key is
    used although the provider is slow or unavailable. After a failure the provider is left alone for some seconds.
    """

    issuer: str
    jwks_url: str | None = None
    monotonic: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock, repr=False)
    _keys: dict[str, PyJWK] = field(default_factory=dict, repr=False)
    _discovered: str | None = None
    _read_at: float | None = None
    _failure: tuple[float, str] | None = None

    def get(self, kid: str) -> PyJWK:
        """Return the key of that name. Raises `TokenInvalid` if there is none, and `ProviderUnavailable`."""
        is_known = kid in self._keys and self._age() < KNOWN_KEY_SECONDS
        if self._must_read(kid):
            with (
                suppress(ProviderUnavailable) if is_known else nullcontext(),
                self._locked(waits=not is_known) as is_mine,
            ):
                if is_mine and self._must_read(kid):  # another thread may have read them meanwhile
                    self._read()
        try:
            return self._keys[kid]
        except KeyError:
            raise TokenInvalid("the provider has no key of the name that the token gives") from None

    @contextmanager
    def _locked(self, *, waits: bool) -> Iterator[bool]:
        is_mine = self._lock.acquire(blocking=waits)
        try:
            yield is_mine
        finally:
            if is_mine:
                self._lock.release()

    def _must_read(self, kid: str) -> bool:
        return self._age() >= (FRESH_SECONDS if kid in self._keys else UNKNOWN_KEY_SECONDS)

    def _age(self) -> float:
        """Return how long ago the keys were read, in seconds."""
        return float("inf") if self._read_at is None else self.monotonic() - self._read_at

    def _read(self) -> None:
        if self._failure is not None and self.monotonic() - self._failure[0] < FAILURE_SECONDS:
            raise ProviderUnavailable(self._failure[1])
        try:
            url = self.jwks_url or self._discovered or discover_jwks_url(self.issuer)
            self._keys = parse_keys(fetch_document(url))
        except ProviderUnavailable as failure:
            self._failure, self._discovered = (self.monotonic(), str(failure)), None
            raise
        self._failure, self._discovered, self._read_at = None, url, self.monotonic()


def parse_keys(document: dict[str, Any]) -> dict[str, PyJWK]:
    """Return the keys for signatures by their names; those that this program cannot use are left out."""
    try:
        keys = PyJWKSet.from_dict(document).keys
    except (jwt_errors.PyJWTError, ValueError, TypeError, AttributeError):
        raise ProviderUnavailable("the provider sent no keys") from None
    usable = {key.key_id: key for key in keys if key.key_id and key.public_key_use in ("sig", None)}
    if not usable:
        raise ProviderUnavailable("the provider sent no keys")
    return usable


ALGORITHMS = ("RS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 30
OLDEST_SECONDS = 86_400.0
"""A token that was issued longer ago is refused, whatever end it gives itself."""
OLDEST_SIGN_IN_SECONDS = 600.0
"""An ID token is fetched as soon as the person comes back from the provider."""
UNNAMED_CLIENT = "-"
"""In place of the client, where a token names a person alone."""
CLIENT_CLAIMS = ("azp", "appid", "client_id")
SUBJECT = "sub"
SCOPE_CLAIMS = ("scope", "scp", "roles")
"""Claims that the provider's operator assigns to this API (RFC 9068, Microsoft Entra). Our own names count in them."""
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
    """Checks access tokens (RFC 9068) against the provider's published keys. Blocks while it fetches them."""

    issuer: str
    audience: str
    keys: ProviderKeys = field(repr=False)
    further_claims: Sequence[str] = ()
    scopes_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    person_claim: str = SUBJECT

    def read_token(self, token: str) -> Principal:
        """Return the client and the person. Raises `TokenInvalid`, or `ProviderUnavailable` without keys."""
        return self._principal(self.read_claims(token))

    def read_claims(self, token: str, *, oldest_seconds: float = OLDEST_SECONDS) -> Mapping[str, Any]:
        """Return the claims of a token that the provider signed for this audience, not longer ago than that.

        Raises as `read_token` does.
        """
        try:
            header = jwt.get_unverified_header(token)  # without a valid header, the provider is not called
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

    def find_person(self, claims: Mapping[str, Any]) -> str | None:
        """Return the name of the person in the claims, or None where it cannot stand on the record."""
        name = _first(claims, (self.person_claim, SUBJECT))
        return name if is_recordable(name) else None

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        """Return who the token is of: the client, and the person who is the subject, unless it is the client itself.

        A subject is a person also where the token names no client: so one person has one name, by whichever token.
        """
        client, person = _first(claims, CLIENT_CLAIMS), _first(claims, (self.person_claim, SUBJECT))
        if client is None and person is None:
            raise TokenInvalid("the token names neither a client nor a subject")
        if not all(is_recordable(name) for name in (client, person) if name is not None):
            raise TokenInvalid("the token has a name that is too long, or has a character that does not print")
        name = UNNAMED_CLIENT if client is None else client
        return Principal(f"openid:{name}", self.scopes_in(claims), person if person != client else None)

    def scopes_in(self, claims: Mapping[str, Any]) -> frozenset[str]:
        """Return the scopes that the token names, and those that the settings give to its names."""
        named = {word for claim in SCOPE_CLAIMS for word in _words(claims.get(claim))}
        every = named | {word for claim in self.further_claims for word in _words(_at_path(claims, claim))}
        return frozenset(named).union(*(self.scopes_of.get(word, ()) for word in every))


def open_provider(settings: Settings) -> OpenIdProvider | None:
    """Return the provider of the settings, if any; nothing is fetched until the first token comes.

    Raises `SetupError` for an unknown scope.
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
    )


def _reason(refusal: jwt_errors.PyJWTError) -> str:
    """Return why the token was refused, in fixed words: the message of the library can repeat the token."""
    return next((words for kind, words in REASONS.items() if isinstance(refusal, kind)), type(refusal).__name__)


def _first(claims: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((claims[name] for name in names if claims.get(name)), None)


def _at_path(claims: Mapping[str, Any], name: str) -> Any:
    """Return the claim of that name or, where there is none, the one inside others: `realm_access.roles`."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _words(claim: Any) -> Iterator[str]:
    """Yield the words of a claim: a list, or a text with spaces between them."""
    words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    yield from (word for word in words if isinstance(word, str))
