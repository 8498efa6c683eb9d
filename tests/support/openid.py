"""A provider of tokens on this machine, and tokens that it signed."""

import base64
import hashlib
import html
import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from httpx2 import Response
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from tests.support.clock import SettableClock
from tests.support.prepared import copy_prepared
from tests.support.publishing import GUIDE

ISSUER = "https://login.council.example/tenant"
AUDIENCE = "api://one-minute-guide"
LONG_AGO, SINCE_THEN, FAR_AHEAD = 1_700_000_000, 1_700_000_100, 4_102_444_800
CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "iat": int(time.time()),
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

    def __init__(self, port: int = 0) -> None:
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

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
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
def guarded_by_a_provider(folder: Path, *, discovers: bool = False, **more: Any) -> Iterator[Guarded]:
    """Yield a service that has not read the keys of its provider yet, and the provider."""
    provider = Provider()
    where = (
        {"openid_issuer": provider.issuer} if discovers else {"openid_issuer": ISSUER, "openid_jwks_url": provider.url}
    )
    settings = Settings.model_validate({"data_dir": folder / "data", "openid_audience": AUDIENCE, **where, **more})
    copy_prepared(settings.data_dir)
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


PAGE = """<!doctype html><title>Example login</title><form method="post"><button>Go on as Jo Example</button></form>"""
CLIENT_ID, CLIENT_SECRET = "api://the-desk", "not/a secret:that anyone uses"


class PeopleProvider:
    """It gives a code for what a browser asks, and an ID token for the code, once, to the client that knows both."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {"sub": "Jo Example", "groups": ["Duty Team"]}
        """What the ID token says of the person; a claim of None is left out."""
        self.key: Any = RSA
        self.codes: dict[str, dict[str, str]] = {}
        self.has_page = False
        """Whether the person presses a button at the provider; else its answer comes at once."""
        self.fault = ""
        """The fault with which it answers every code."""
        self.knows_the_person = True
        """Whether it answers without a page for whoever is signed in there."""
        self.refusals: list[str] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                document = None if "prompt=none" in url.query else provider.find_document(url.path)
                if document is None:
                    self._lead_back(url.query)
                else:
                    self._send(200, document)

            def do_POST(self) -> None:
                url = urlsplit(self.path)
                if url.path == "/authorise":  # a form without an action comes to the address of its page
                    self._lead_back(url.query)
                    return
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                self._send(*provider.answer(form, self.headers.get("Authorization", "")))

            def _lead_back(self, query: str) -> None:
                given = {name: values[0] for name, values in parse_qs(query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorise(given))
                self.end_headers()

            def _send(self, status: int, document: Any) -> None:
                is_page = isinstance(document, str)
                content = (document if is_page else json.dumps(document)).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if is_page else "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class calls it so
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.issuer = f"{self._url}/tenant"
        self.configuration: dict[str, Any] = {
            "issuer": self.issuer,
            "jwks_uri": f"{self._url}/keys",
            "authorization_endpoint": f"{self._url}/authorise?tenant=1",
            "token_endpoint": f"{self._url}/token",
        }
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()

    def find_document(self, path: str) -> Any:
        """Return what is at that path; None where the browser is led back at once."""
        documents = {"/tenant/.well-known/openid-configuration": self.configuration, "/keys": {"keys": PUBLISHED}}
        return documents.get(path, PAGE if self.has_page else None)

    def authorise(self, query: dict[str, str]) -> str:
        """Return where the browser goes after the person signed in: a provider adds words of its own."""
        if query.get("prompt") == "none" and not self.knows_the_person:
            told = {"error": "login_required", "state": query["state"], "iss": self.issuer}
            return f"{query['redirect_uri']}?{urlencode(told)}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.issuer, "session_state": "x"}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def answer(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        """Return status and document for a code: the ID token, or why there is none."""
        token = None if self.fault else self.exchange(form, authorization)
        return (200, {"id_token": token}) if token else (400, {"error": self.fault or "invalid_grant"})

    def exchange(self, form: dict[str, str], authorization: str) -> str | None:
        """Return the ID token, or None where anything is not as it was when the code was given."""
        given = self.codes.pop(form["code"], None)
        if given is None:
            self.refusals.append("code")
            return None
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        userinfo = urlencode({"a": CLIENT_ID})[2:], "not%2Fa%20secret%3Athat%20anyone%20uses"
        expected = "Basic " + base64.b64encode(":".join(userinfo).encode()).decode()
        checks = {
            "verifier": challenge.decode() == given["code_challenge"] and given["code_challenge_method"] == "S256",
            "redirect": form["redirect_uri"] == given["redirect_uri"],
            "client": authorization == expected and given["client_id"] == CLIENT_ID,
        }
        self.refusals += [name for name, is_right in checks.items() if not is_right]
        if not all(checks.values()):
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": given["nonce"]}
        said = {name: value for name, value in (claims | self.claims).items() if value is not None}
        return jwt.encode(said, self.key, "RS256", headers={"kid": "RS256"})

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def way_on(page: str) -> str:
    """Return where the page leads on to by itself, which is the first that a provider leads back to."""
    (address,) = re.findall(r'http-equiv="refresh" content="0;url=([^"]+)"', page)
    return html.unescape(address)


@contextmanager
def people_provider() -> Iterator[PeopleProvider]:
    """Yield a provider that is running."""
    provider = PeopleProvider()
    yield provider
    provider.close()
