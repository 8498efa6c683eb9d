"""The provider's keys: their address, the bounds of reading them, and the log of a refused token."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from app.errors import ProviderUnavailable, TokenInvalid
from app.services.access import openid_provider
from app.services.access.openid_provider import ProviderKeys, discover_jwks_url, fetch_document
from tests.support.log_lines import Lines
from tests.support.openid import (
    FAR_AHEAD,
    ISSUER,
    RSA,
    SINCE_THEN,
    STRANGER,
    Guarded,
    Provider,
    a_token,
    guarded_by_a_provider,
    publish_with,
)
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

DISCOVERY = "/tenant/.well-known/openid-configuration"


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.leave()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    with guarded_by_a_provider(tmp_path, discovers=True) as guarded:
        yield guarded


def test_the_issuer_says_where_its_keys_are_and_is_read_once(guarded: Guarded) -> None:
    client, provider = guarded

    statuses = [publish_with(client, a_token(kind, iss=provider.issuer)).status_code for kind in ("RS256", "ES256")]

    assert statuses == [422, 422]
    assert provider.reads == [DISCOVERY, "/keys"]


UNFIT: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://login.another.example"},
    "an issuer with a slash more": {"issuer": "ISSUER/"},
    "no issuer": {"issuer": None},
    "keys over an open wire": {"jwks_uri": "http://login.council.example/keys"},
    "keys in a file": {"jwks_uri": "file:///etc/keys"},
    "no keys": {"jwks_uri": None},
    "several addresses of keys": {"jwks_uri": ["https://login.council.example/keys"]},
}


@pytest.mark.parametrize("changed", UNFIT.values(), ids=UNFIT)
def test_an_unfit_provider_configuration_is_refused_and_its_keys_not_read(
    guarded: Guarded, changed: dict[str, Any], lines: Lines
) -> None:
    client, provider = guarded
    provider.configuration |= {
        name: value.replace("ISSUER", provider.issuer) if isinstance(value, str) else value
        for name, value in changed.items()
    }

    answer = publish_with(client, a_token(iss=provider.issuer))

    assert (answer.status_code, answer.json()["type"]) == (503, "/v1/problems/provider-away")
    assert provider.reads == [DISCOVERY]
    (reason,) = [line["reason"] for line in lines() if line["event"] == "token_refused"]
    assert reason.startswith("the provider's configuration names ")


def test_an_issuer_elsewhere_does_not_lead_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = {"issuer": ISSUER, "jwks_uri": "http://127.0.0.1:9/keys"}
    monkeypatch.setattr(openid_provider, "fetch_document", lambda _: configuration)

    with pytest.raises(ProviderUnavailable, match="names no https address"):
        discover_jwks_url(ISSUER)


def test_a_slash_at_the_end_of_the_issuer_is_not_doubled(provider: Provider) -> None:
    provider.configuration["issuer"] = f"{provider.issuer}/"

    assert discover_jwks_url(f"{provider.issuer}/") == provider.url
    assert provider.reads == [DISCOVERY]


def test_a_document_has_a_bound(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openid_provider, "MAX_BYTES", 100)

    with pytest.raises(ProviderUnavailable, match="the provider sent too much"):
        fetch_document(provider.url)


def trickle(listening: socket.socket, stopped: Event) -> None:
    """Answer with a head that does not end, a byte at a time."""
    connection, _ = listening.accept()
    with connection, suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not stopped.wait(0.02):
            connection.sendall(b"x")


def test_a_provider_that_answers_slowly_is_abandoned_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openid_provider, "DEADLINE_SECONDS", 0.3)
    stopped = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=trickle, args=(listening, stopped))
        thread.start()

        with pytest.raises(ProviderUnavailable, match="the provider did not answer in time"):
            fetch_document(f"http://127.0.0.1:{listening.getsockname()[1]}/keys")

        stopped.set()
        thread.join()


class Time:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_keys_are_read_again_when_old_and_unknown_keys_not_at_once(provider: Provider) -> None:
    time = Time()
    keys = ProviderKeys(provider.issuer, None, time)

    def reads_after(seconds: float, kid: str) -> list[str]:
        provider.reads.clear()
        time.seconds += seconds
        with suppress(TokenInvalid):
            keys.get(kid)
        return [*provider.reads]

    assert reads_after(0, "RS256") == [DISCOVERY, "/keys"]
    assert reads_after(29, "another") == []
    assert reads_after(2, "another") == ["/keys"]
    assert reads_after(299, "RS256") == []
    assert reads_after(2, "RS256") == ["/keys"]


def test_a_failed_provider_is_asked_later_and_known_keys_serve_an_hour(provider: Provider) -> None:
    time = Time()
    keys = ProviderKeys(provider.issuer, provider.url, time)
    key = keys.get("RS256")
    good, provider.answer = provider.answer, (500, b"")
    provider.reads.clear()

    time.seconds = 301
    assert keys.get("RS256") is key
    assert keys.get("RS256") is key
    assert provider.reads == ["/keys"]
    time.seconds = 3601
    with pytest.raises(ProviderUnavailable, match="the provider answered 500"):
        keys.get("RS256")
    with pytest.raises(ProviderUnavailable):
        keys.get("RS256")
    assert provider.reads == ["/keys", "/keys"]
    time.seconds, provider.answer = 3607, good
    assert keys.get("RS256").key_id == "RS256"


def test_while_one_thread_reads_the_others_use_what_they_know(provider: Provider) -> None:
    time = Time()
    keys = ProviderKeys(provider.issuer, provider.url, time)
    keys.get("RS256")
    provider.pause.clear()
    provider.reads.clear()
    time.seconds = 301
    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(keys.get, "RS256")
        assert eventually(lambda: provider.reads == ["/keys"])

        assert pool.submit(keys.get, "ES256").result().key_id == "ES256"

        assert not reading.done()
        provider.pause.set()
        assert reading.result().key_id == "RS256"
    assert provider.reads == ["/keys"]


REASONS: dict[str, tuple[str, str]] = {
    "expired": (a_token(exp=SINCE_THEN), "the token has expired"),
    "not valid yet": (a_token(nbf=FAR_AHEAD), "the token is not valid yet"),
    "audience": (a_token(aud="api://another"), "the token names another audience than GUIDANCE_OPENID_AUDIENCE"),
    "issuer": (a_token(iss="https://a.example"), "the token names another issuer than GUIDANCE_OPENID_ISSUER"),
    "stranger": (a_token(key=STRANGER), "the signature is not the provider's"),
    "algorithm": (a_token("RS512", key=RSA, kid="RS256"), "the token is not signed with one of RS256, ES256, EdDSA"),
    "other key": (a_token("ES256", kid="RS256"), "the token is not signed with one of RS256, ES256, EdDSA"),
    "no end": (a_token(exp=None), "the token lacks one of the claims exp, iat, iss and aud"),
    "key": (a_token(kid="another"), "the provider has no key of the name that the token gives"),
    "nobody": (a_token(azp=None), "the token names neither a client nor a subject"),
    "name": (a_token(azp="a\0"), "the token has a name that is too long, or has a character that does not print"),
    "rubbish": ("a.b.c", "the token cannot be read"),
    "scope": (a_token(scope="audit:read"), "it lacks the scope guidance:publish"),
    "unknown": ("omg_invented", "no client has that key"),
}


@pytest.mark.parametrize(("token", "reason"), REASONS.values(), ids=REASONS)
def test_only_the_log_says_why_a_token_was_refused(tmp_path: Path, lines: Lines, token: str, reason: str) -> None:
    with guarded_by_a_provider(tmp_path) as (client, _):
        answer = publish_with(client, token)

    (line,) = [line for line in lines() if line["event"] == "token_refused"]
    assert line["reason"] == reason
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert reason not in answer.text
    assert [piece for piece in token.split(".") if len(piece) > 5 and piece in str(lines())] == []


def test_every_refusal_has_the_same_words_for_the_caller(tmp_path: Path) -> None:
    with guarded_by_a_provider(tmp_path) as (client, _):
        answers = [publish_with(client, token) for name, (token, _) in REASONS.items() if name != "scope"]

    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {'Bearer error="invalid_token"'}
    assert {str(answer.json() | {"instance": ""}) for answer in answers} == {str(answers[0].json() | {"instance": ""})}
