"""Tokens of an OpenID provider: what is accepted beside client keys, what is refused, and what its absence does."""

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from httpx2 import Response
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.testclient import TestClient

from app import cli
from app.config import Settings
from app.main import create_app
from app.models.clients import Scope
from tests.support.clock import SettableClock
from tests.support.concerns import Concern
from tests.support.editions import a_key
from tests.support.publishing import GUIDE

ISSUER = "https://login.council.example/tenant"
AUDIENCE = "api://one-minute-guide"
LONG_AGO, SINCE_THEN, FAR_AHEAD = 1_700_000_000, 1_700_000_100, 4_102_444_800
CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "iat": LONG_AGO,
    "exp": FAR_AHEAD,
    "azp": "an-app",
    "scope": "guidance:publish",
}

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS: dict[str, Any] = {"RS256": RSA, "ES256": EC, "EdDSA": ED}
PUBLISHED: list[dict[str, Any]] = [
    RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True) | {"kid": "RS256", "use": "sig"},
    ECAlgorithm.to_jwk(EC.public_key(), as_dict=True) | {"kid": "ES256", "use": "sig"},
    OKPAlgorithm.to_jwk(ED.public_key(), as_dict=True) | {"kid": "EdDSA", "use": "sig"},
]


class Provider:
    """A provider on this machine: it publishes its keys, counts how often they are read, and can be away."""

    def __init__(self) -> None:
        self.reads = 0
        self.answer = (200, json.dumps({"keys": PUBLISHED}).encode())
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.reads += 1
                status, body = provider.answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class calls it so
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/keys"
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()

    def leave(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


Guarded = tuple[TestClient, Provider]


@contextmanager
def guarded_by_a_provider(data_dir: Path) -> Iterator[Guarded]:
    """A service that has not read the keys of its provider yet."""
    provider = Provider()
    settings = Settings(data_dir=data_dir, openid_issuer=ISSUER, openid_audience=AUDIENCE, openid_jwks_url=provider.url)
    with TestClient(create_app(settings, SettableClock())) as client:
        yield client, provider
    provider.leave()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with guarded_by_a_provider(tmp_path_factory.mktemp("guarded")) as (client, _):
        yield client


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    with guarded_by_a_provider(tmp_path) as guarded:
        yield guarded


def a_token(algorithm: str = "RS256", *, key: Any = None, kid: str | None = None, **claims: Any) -> str:
    """A token that the provider signed, with whatever the test changes; a claim of None is left out."""
    told = {name: claim for name, claim in (CLAIMS | claims).items() if claim is not None}
    return jwt.encode(told, key or KEYS[algorithm], algorithm, headers={"kid": kid or algorithm})


def by_hand(header: dict[str, Any], secret: bytes | None) -> str:
    """A token that no library would make."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, CLAIMS)]
    signed = b".".join(parts)
    signature = hmac.new(secret, signed, hashlib.sha256).digest() if secret else b""
    return b".".join([signed, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def tampered(token: str, *, part: int) -> str:
    """The token with one character of one part changed."""
    parts = token.split(".")
    parts[part] = parts[part][:20] + ("A" if parts[part][20] != "A" else "B") + parts[part][21:]
    return ".".join(parts)


def publish_with(client: TestClient, token: str) -> Response:
    """What a publisher is told who sends no edition: 422 where the token is good for it."""
    return client.post(f"{GUIDE}/editions", json={}, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_token_of_the_provider_is_accepted_beside_client_keys(client: TestClient, algorithm: str) -> None:
    key = a_key(client, Scope.PUBLISH, name=algorithm.lower())["Authorization"].removeprefix("Bearer ")

    statuses = [publish_with(client, told).status_code for told in (a_token(algorithm), key)]

    assert statuses == [422, 422]


PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
HS256 = {"alg": "HS256", "typ": "JWT", "kid": "RS256"}
REFUSED = {
    "signed with the public key as if it were a secret": by_hand(HS256, PEM),
    "the same, with the key as it is published": by_hand(HS256, json.dumps(PUBLISHED[0]).encode()),
    "not signed": by_hand({"alg": "none", "kid": "RS256"}, None),
    "not signed, in another spelling": by_hand({"alg": "nOnE", "kid": "RS256"}, None),
    "an algorithm that is not on the list": a_token("RS512", key=RSA, kid="RS256"),
    "an algorithm that is not that of the key": a_token("ES256", kid="RS256"),
    "signed by a stranger in the name of a known key": a_token(key=STRANGER),
    "a key that the provider does not know": a_token(kid="another"),
    "no name of a key": jwt.encode(CLAIMS, RSA, "RS256"),
    "another issuer": a_token(iss="https://login.another.example"),
    "no issuer": a_token(iss=None),
    "another audience": a_token(aud="api://another"),
    "no audience": a_token(aud=None),
    "expired": a_token(exp=SINCE_THEN),
    "never expires": a_token(exp=None),
    "no moment of issue": a_token(iat=None),
    "not valid yet": a_token(nbf=FAR_AHEAD),
    "nobody's": a_token(azp=None),
    "its head was changed": tampered(a_token(), part=0),
    "its claims were changed": tampered(a_token(), part=1),
    "its signature was changed": tampered(a_token(), part=2),
    "rubbish": "a.b.c",
}


@pytest.mark.parametrize("token", REFUSED.values(), ids=REFUSED)
def test_a_token_that_is_not_whole_and_the_providers_is_refused(client: TestClient, token: str) -> None:
    answer = publish_with(client, token)

    assert (answer.status_code, answer.json()["type"]) == (401, "/v1/problems/token-unknown")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert token not in answer.text


@pytest.mark.parametrize("claim", ["scope", "scp", "roles"])
@pytest.mark.parametrize("told", ["guidance:publish", "openid guidance:publish", ["concerns:read", "guidance:publish"]])
def test_scopes_are_read_wherever_providers_put_them(client: TestClient, claim: str, told: Any) -> None:
    answer = publish_with(client, a_token(**{"scope": None, claim: told}))

    assert answer.status_code == 422


@pytest.mark.parametrize(
    "told", ["", "guidance:publishing", [], [7, None, ["guidance:publish"]], 7, {"guidance:publish": 1}]
)
@pytest.mark.parametrize("claim", ["scope", "scp", "roles"])
def test_what_names_no_scope_gives_none(client: TestClient, claim: str, told: Any) -> None:
    answer = publish_with(client, a_token(**{"scope": None, claim: told}))

    assert (answer.status_code, answer.json()["type"]) == (403, "/v1/problems/scope-missing")


AWAY = {
    "fails": (500, b""),
    "is lost": (404, b"{}"),
    "sends a page": (200, b"<html>Down for maintenance</html>"),
    "sends half": (200, b'{"keys": ['),
    "sends a list": (200, b"[]"),
    "sends no keys": (200, b'{"keys": []}'),
    "sends another kind of text": (200, b"\xff\xfe\x00"),
    "leads elsewhere": (302, b""),
}


@pytest.mark.slow
@pytest.mark.parametrize("answer", AWAY.values(), ids=AWAY)
def test_a_provider_that_gives_no_keys_is_told_as_a_passing_fault(guarded: Guarded, answer: tuple[int, bytes]) -> None:
    client, provider = guarded
    provider.answer = answer

    told = publish_with(client, a_token())

    assert (told.status_code, told.json()["type"]) == (503, "/v1/problems/provider-away")
    assert (told.headers["Content-Type"], told.headers["Retry-After"]) == ("application/problem+json", "5")


def test_a_provider_that_is_away_is_told_so_and_on_a_concern_whom_to_call(guarded: Guarded, a_concern: Concern) -> None:
    client, provider = guarded
    provider.leave()

    answers = [
        publish_with(client, a_token()),
        client.post("/v1/concerns", json=a_concern(), headers={"Authorization": f"Bearer {a_token()}"}),
    ]

    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in answers} == {(503, "5")}
    assert answers[1].json()["signposts"][0]["phones"][0]["number"] == "999"


def test_keys_are_read_once_however_many_tokens_name_unknown_ones(guarded: Guarded) -> None:
    client, provider = guarded
    tokens = [a_token(), *(a_token(kid=f"another-{place}") for place in range(10)), a_token("ES256")]

    statuses = [publish_with(client, token).status_code for token in tokens]

    assert statuses == [422, *[401] * 10, 422]
    assert provider.reads == 1


WHOLE = {"ISSUER": ISSUER, "AUDIENCE": AUDIENCE, "JWKS_URL": "https://login.council.example/keys"}
ALONE = "GUIDANCE_OPENID_ISSUER must be an https address, where GUIDANCE_OPENID_JWKS_URL is not set"
SAFELY = "GUIDANCE_OPENID_JWKS_URL: must be an https address, or http on this machine only"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"AUDIENCE": None}, "GUIDANCE_OPENID_ISSUER needs GUIDANCE_OPENID_AUDIENCE too"),
        (
            {"ISSUER": None},
            "GUIDANCE_OPENID_AUDIENCE needs GUIDANCE_OPENID_ISSUER too\n"
            "GUIDANCE_OPENID_JWKS_URL needs GUIDANCE_OPENID_ISSUER too",
        ),
        ({"JWKS_URL": None, "ISSUER": "http://login.council.example"}, ALONE),
        ({"JWKS_URL": None, "ISSUER": "login.council.example"}, ALONE),
        ({"JWKS_URL": "http://login.council.example/keys"}, SAFELY),
        ({"JWKS_URL": "http://127.0.0.1.council.example/keys"}, SAFELY),
        ({"JWKS_URL": "http://localhost:secret@login.council.example/keys"}, SAFELY),
        ({"JWKS_URL": "file:///etc/keys"}, SAFELY),
        ({"JWKS_URL": "https://"}, SAFELY),
    ],
)
def test_the_service_does_not_start_with_half_a_provider_or_an_open_wire(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], changed: dict[str, str | None], sentence: str
) -> None:
    for name, value in (WHOLE | changed).items():
        if value is not None:
            monkeypatch.setenv(f"GUIDANCE_OPENID_{name}", value)
    monkeypatch.setattr(sys, "argv", ["guidance", "serve", "--port", "0"])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert (ended.value.code, capsys.readouterr()) == (1, ("", f"{sentence}\n"))
