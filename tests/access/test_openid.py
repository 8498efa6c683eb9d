"""Tokens of an OpenID provider: what is accepted beside client keys, what is refused, and what its absence does."""

import base64
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.testclient import TestClient

from app import cli
from app.models.access.clients import Scope
from tests.support.concerns import a_concern
from tests.support.loops import for_each
from tests.support.openid import (
    AUDIENCE,
    CLAIMS,
    FAR_AHEAD,
    ISSUER,
    KEYS,
    LONG_AGO,
    PUBLISHED,
    RSA,
    SINCE_THEN,
    STRANGER,
    Guarded,
    a_token,
    guarded_by_a_provider,
    publish_with,
)
from tests.support.publishing import a_key

pytestmark = pytest.mark.any_database


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with guarded_by_a_provider(tmp_path_factory.mktemp("guarded")) as (client, _):
        yield client


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    with guarded_by_a_provider(tmp_path) as guarded:
        yield guarded


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
    "issued a year ago": a_token(iat=LONG_AGO),
    "issued more than a day ago": a_token(iat=int(time.time()) - 90_000),
    "not issued yet": a_token(iat=FAR_AHEAD),
    "not valid yet": a_token(nbf=FAR_AHEAD),
    "nobody's": a_token(azp=None),
    "its head was changed": tampered(a_token(), part=0),
    "its claims were changed": tampered(a_token(), part=1),
    "its signature was changed": tampered(a_token(), part=2),
    "rubbish": "a.b.c",
}


@for_each("token", REFUSED.values())
def test_a_token_that_is_not_whole_and_the_providers_is_refused(client: TestClient, token: str) -> None:
    answer = publish_with(client, token)

    assert (answer.status_code, answer.json()["type"]) == (401, "/v1/problems/token-unknown")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert token not in answer.text


@for_each("claim", ["scope", "scp", "roles"])
@for_each("told", ["guidance:publish", "openid guidance:publish", ["concerns:read", "guidance:publish"]])
def test_scopes_are_read_wherever_providers_put_them(client: TestClient, claim: str, told: Any) -> None:
    answer = publish_with(client, a_token(**{"scope": None, claim: told}))

    assert answer.status_code == 422


@for_each("told", ["", "guidance:publishing", [], [7, None, ["guidance:publish"]], 7, {"guidance:publish": 1}])
@for_each("claim", ["scope", "scp", "roles"])
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
@for_each("answer", AWAY.values())
def test_a_provider_that_gives_no_keys_is_told_as_a_passing_fault(guarded: Guarded, answer: tuple[int, bytes]) -> None:
    client, provider = guarded
    provider.answer = answer

    told = publish_with(client, a_token())

    assert (told.status_code, told.json()["type"]) == (503, "/v1/problems/provider-away")
    assert (told.headers["Content-Type"], told.headers["Retry-After"]) == ("application/problem+json", "5")


@pytest.mark.slow
def test_a_provider_outage_gives_503_and_says_who_to_call(guarded: Guarded) -> None:
    client, provider = guarded
    provider.leave()

    answers = [
        publish_with(client, a_token()),
        client.post("/v1/concerns", json=a_concern(), headers={"Authorization": f"Bearer {a_token()}"}),
    ]

    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in answers} == {(503, "5")}
    assert answers[1].json()["signposts"][0]["phones"][0]["number"] == "999"


@pytest.mark.slow
def test_keys_are_read_once_however_many_tokens_name_unknown_ones(guarded: Guarded) -> None:
    client, provider = guarded
    tokens = [a_token(), *(a_token(kid=f"another-{place}") for place in range(10)), a_token("ES256")]

    statuses = [publish_with(client, token).status_code for token in tokens]

    assert statuses == [422, *[401] * 10, 422]
    assert provider.reads == ["/keys"]


WHOLE = {"ISSUER": ISSUER, "AUDIENCE": AUDIENCE, "JWKS_URL": "https://login.council.example/keys"}
ALONE = "GUIDANCE_OPENID_ISSUER must be an https address if GUIDANCE_OPENID_JWKS_URL is not set"
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
def test_the_service_does_not_start_with_an_incomplete_or_unencrypted_provider(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], changed: dict[str, str | None], sentence: str
) -> None:
    for name, value in (WHOLE | changed).items():
        if value is not None:
            monkeypatch.setenv(f"GUIDANCE_OPENID_{name}", value)
    monkeypatch.setattr(sys, "argv", ["guidance", "serve", "--port", "0"])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert (ended.value.code, capsys.readouterr()) == (1, ("", f"{sentence}\n"))
