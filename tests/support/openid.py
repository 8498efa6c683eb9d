"""A provider of tokens on this machine, and tokens that it signed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from httpx2 import Response
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from tests.support.clock import SettableClock
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
    """A provider on this machine: it publishes its keys, counts how often each path is read, and can be away."""

    def __init__(self) -> None:
        self.reads: list[str] = []
        self.answer = (200, json.dumps({"keys": PUBLISHED}).encode())
        self.pause = Event()
        self.pause.set()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.reads.append(self.path)
                status, body = provider.answer_to(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(OSError):  # a client that has gone
                    self.wfile.write(body[:1])
                    provider.pause.wait()
                    self.wfile.write(body[1:])

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class calls it so
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}/tenant"
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/keys"
        self.configuration: dict[str, Any] = {"issuer": self.issuer, "jwks_uri": self.url}
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()

    def answer_to(self, path: str) -> tuple[int, bytes]:
        """Return the status and the body of the answer."""
        is_discovery = path == "/tenant/.well-known/openid-configuration"
        return (200, json.dumps(self.configuration).encode()) if is_discovery else self.answer

    def leave(self) -> None:
        """Answer no more."""
        self.pause.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


Guarded = tuple[TestClient, Provider]


@contextmanager
def guarded_by_a_provider(data_dir: Path, *, discovers: bool = False, **more: Any) -> Iterator[Guarded]:
    """Yield a service that has not read the keys of its provider yet, and the provider."""
    provider = Provider()
    where = (
        {"openid_issuer": provider.issuer} if discovers else {"openid_issuer": ISSUER, "openid_jwks_url": provider.url}
    )
    settings = Settings.model_validate({"data_dir": data_dir, "openid_audience": AUDIENCE, **where, **more})
    with TestClient(create_app(settings, SettableClock())) as client:
        yield client, provider
    provider.leave()


def a_token(algorithm: str = "RS256", *, key: Any = None, kid: str | None = None, **claims: Any) -> str:
    """Return a token that the provider signed, with what the test changes; a claim of None is left out."""
    given = {name: claim for name, claim in (CLAIMS | claims).items() if claim is not None}
    return jwt.encode(given, key or KEYS[algorithm], algorithm, headers={"kid": kid or algorithm})


def publish_with(client: TestClient, token: str) -> Response:
    """Post no edition with that token. The answer is 422 where the token is good for it."""
    return client.post(f"{GUIDE}/editions", json={}, headers={"Authorization": f"Bearer {token}"})
