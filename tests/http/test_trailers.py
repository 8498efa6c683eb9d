"""Fields after a chunked body (trailers) are not fields of the request (RFC 9110, section 6.5.1)."""

import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app.config import Settings
from app.main import create_app
from app.models.access.clients import Scope as ClientScope
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.server.connection import Connection
from app.services.access.clients import add_client
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.threaded import run_server
from tests.support.wire import (
    Address,
    address_of,
    body_of,
    bye,
    chunked,
    exchange,
    fields_of,
    request,
    statuses,
)

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

CONCERNS = "/v1/concerns"
BODY = json.dumps(SMALLEST_EXAMPLE).encode()
JSON = {"Content-Type": "application/json"}
CALLER, INVENTED = "203.0.113.1", "198.51.100.77"
TRAILERS = [
    f"X-Forwarded-For: {INVENTED}",
    "X-Forwarded-Proto: https",
    "Authorization: Bearer omg_nobody",
    "Idempotency-Key: a-key",
    "Host: elsewhere.example",
    "X-Request-ID: made-up",
    "Content-Type: text/plain",
    "Content-Length: 1",
    "Accept: text/html",
    "Origin: https://elsewhere.example",
]


@pytest.fixture
def proxied(settings: Settings, clock: SettableClock) -> FastAPI:
    """A service behind a proxy, with two submissions a minute for each caller."""
    changes = {"trusted_proxies": ("127.0.0.1",), "limit_concerns": "2/minute"}
    return create_app(settings.model_copy(update=changes), clock)


@pytest.fixture
def proxy(proxied: FastAPI, settings: Settings) -> Iterator[Address]:
    """The address at which the proxy calls the service."""
    with run_server(proxied, settings) as url:
        yield address_of(url)


def posted(path: str, *trailers: str, **fields: str) -> bytes:
    """A concern, as a proxy passes it on for a caller."""
    forwarded = {"X-Forwarded-For": CALLER, "Transfer-Encoding": "chunked", "Trailer": "X-Forwarded-For"}
    return request(path, "POST", **{**JSON, **forwarded, **fields}) + chunked(BODY, *trailers)


def test_no_trailer_is_among_the_fields_of_the_request(proxy: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    scopes: list[Scope] = []
    serve = Connection.serve

    async def watched(self: Connection, service: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await serve(self, service, scope, receive, send)
        scopes.append(scope)  # afterwards, when the trailers were read

    monkeypatch.setattr(Connection, "serve", watched)

    answers = exchange(proxy, posted(f"{CONCERNS}/check", *TRAILERS) + bye())

    assert statuses(answers) == [200, 200]
    assert [name for name, _ in scopes[0]["headers"]] == [
        b"host",
        b"content-type",
        b"x-forwarded-for",
        b"transfer-encoding",
        b"trailer",
    ]
    assert fields_of(answers[0])["x-request-id"] != "made-up"


def test_a_trailer_does_not_change_the_address_that_is_counted(proxy: Address) -> None:
    paths = [f"{CONCERNS}/check"] * 4

    answers = [
        exchange(proxy, posted(path, f"X-Forwarded-For: 198.51.100.{number}", Connection="close"))[0]
        for number, path in enumerate(paths)
    ]

    assert statuses(answers) == [200, 200, 429, 429]


def test_a_trailer_is_no_idempotency_key(proxy: Address) -> None:
    answers = exchange(proxy, posted(CONCERNS, TRAILERS[3]) + posted(CONCERNS, TRAILERS[3], Connection="close"))

    assert statuses(answers) == [201, 201]
    assert body_of(answers[0])["reference"] != body_of(answers[1])["reference"]
    assert [fields_of(answer).get("idempotency-replayed") for answer in answers] == [None, None]


@pytest.mark.parametrize("is_in_trailer", [False, True])
def test_a_trailer_neither_opens_the_desk_nor_changes_the_recorded_address(
    proxied: FastAPI, proxy: Address, is_in_trailer: bool
) -> None:
    context = proxied.state.context
    key = add_client(context.writer, name="example-desk", scopes=list(ClientScope), at=A_TUESDAY)
    credential = f"Bearer {key}"
    head = {"X-Forwarded-For": CALLER, "Transfer-Encoding": "chunked", "Connection": "close"}
    told = {} if is_in_trailer else {"Authorization": credential}
    trailers = [f"X-Forwarded-For: {INVENTED}", *([f"Authorization: {credential}"] if is_in_trailer else [])]

    [answer] = exchange(proxy, request("/v1/desk/concerns", **head, **told) + chunked(b"", *trailers))
    [record] = exchange(proxy, request("/v1/desk/disclosures", Connection="close", Authorization=credential))

    assert statuses([answer]) == [401 if is_in_trailer else 200]
    addresses = {each["address"] for each in body_of(record)["disclosures"] if each["client"] != "operator"}
    assert addresses <= {CALLER}
    assert bool(addresses) != is_in_trailer
