"""A provider on this machine where people sign in: OpenID Connect by code, as strict as a good one."""

import base64
import hashlib
import html
import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

from tests.support.openid import PUBLISHED, RSA

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
        self.refusals: list[str] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                document = provider.find_document(url.path)
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
