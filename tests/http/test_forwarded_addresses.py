"""The address that a proxy forwards: it is counted and recorded if it is one, and is `unknown` if it cannot be read."""

from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.config import Settings
from app.http.hosts import ForwardedAddresses
from app.main import create_app
from app.models.access.clients import Scope as ClientScope
from app.services.access.limits import UNKNOWN_ADDRESS
from tests.support.clock import A_TUESDAY
from tests.support.concerns import a_concern
from tests.support.doors import door_of
from tests.support.publishing import a_key

CHECK = "/v1/concerns/check"
FORM = "/raise-a-concern/child-sexual-exploitation"
PROXY, STRANGER = "192.0.2.1", "192.0.2.99"
UNREADABLE = ["unknown", "_hidden", "evil spoof é", "", ",", "203.0.113.1, evil", "300.0.0.1", "1.2.3", "[::1"]
READABLE = {
    "203.0.113.5": "203.0.113.5",
    "203.0.113.5:4711": "203.0.113.5",
    "evil, 203.0.113.5": "203.0.113.5",
    "2001:DB8::1": "2001:db8::1",
    "[2001:db8::1]:443": "2001:db8::1",
    "fe80::1%evil words": "fe80::1",
    f"203.0.113.5, {PROXY}": "203.0.113.5",
}


@pytest.fixture
def service(settings: Settings) -> FastAPI:
    changes = {"trusted_proxies": (PROXY,), "limit_concerns": "3/minute"}
    return create_app(settings.model_copy(update=changes), lambda: A_TUESDAY)


@pytest.fixture
def proxy(service: FastAPI) -> Iterator[TestClient]:
    with TestClient(service, client=(PROXY, 50_000)) as client:
        yield client


def forwarded(*addresses: str, **more: str) -> list[tuple[bytes, bytes]]:
    """Header fields of a proxy that forwards those addresses, a field for each."""
    fields = [*(("X-Forwarded-For", address) for address in addresses), *more.items()]
    return [(name.encode(), value.encode()) for name, value in fields]


def recorded(client: TestClient, *addresses: str) -> str:
    """The address on the record of a look at the record."""
    headers = forwarded(*addresses, **a_key(client, ClientScope.AUDIT))
    for _ in range(2):  # the first look is on the record that the second reads
        answer = client.get("/v1/desk/disclosures?chain=audit", headers=headers)
    address: str = answer.json()["disclosures"][0]["address"]
    return address


@pytest.mark.parametrize("address", UNREADABLE)
def test_an_invalid_address_is_recorded_as_unknown(proxy: TestClient, address: str) -> None:
    assert recorded(proxy, address) == UNKNOWN_ADDRESS == "unknown"


@pytest.mark.parametrize(("address", "expected"), READABLE.items())
def test_an_address_is_recorded_in_its_usual_form(proxy: TestClient, address: str, expected: str) -> None:
    assert recorded(proxy, address) == expected


def test_the_last_of_several_fields_counts(proxy: TestClient) -> None:
    assert recorded(proxy, "203.0.113.5", "203.0.113.6") == "203.0.113.6"


@pytest.mark.parametrize(("peer", "scheme"), [(PROXY, "https"), (STRANGER, "http")])
def test_a_proxy_gives_the_scheme_also_without_an_address(peer: str, scheme: str) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    door: Any = door_of(app, ForwardedAddresses([PROXY]).read_forwarded_address)
    headers = [(b"x-forwarded-proto", b"https")]
    given = {"type": "http", "method": "GET", "client": (peer, 50_000), "scheme": "http", "headers": headers}

    anyio.run(door, given, None, None)

    assert (seen[0]["scheme"], seen[0]["client"]) == (scheme, (peer, 50_000))


def test_callers_whose_address_cannot_be_read_are_counted_as_one(proxy: TestClient) -> None:
    addresses = [*UNREADABLE[:4], "203.0.113.5"]

    answers = [proxy.post(CHECK, json=a_concern(), headers=forwarded(address)) for address in addresses]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 200]


def test_what_a_stranger_forwards_changes_nothing(service: FastAPI) -> None:
    with TestClient(service, client=(STRANGER, 50_000)) as stranger:
        answers = [stranger.post(CHECK, json=a_concern(), headers=forwarded(f"203.0.113.{n}")) for n in range(4)]

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert recorded(stranger, "evil") == STRANGER


@pytest.mark.parametrize(("peer", "warnings"), [(PROXY, {}), (STRANGER, {"proxy": "not trusted"})])
def test_readiness_warns_only_callers_through_an_untrusted_proxy(
    service: FastAPI, peer: str, warnings: dict[str, str]
) -> None:
    with TestClient(service, client=(peer, 50_000)) as caller:
        through = caller.get("/health/ready", headers=forwarded("203.0.113.5"))
        direct = caller.get("/health/ready")

    assert (through.status_code, through.json()["warnings"]) == (200, warnings)
    assert direct.json()["warnings"] == {}


def test_without_any_trusted_proxy_readiness_says_the_same(settings: Settings) -> None:
    with TestClient(create_app(settings, lambda: A_TUESDAY), client=(PROXY, 50_000)) as caller:
        through = caller.get("/health/ready", headers=forwarded("203.0.113.5"))

    assert through.json()["warnings"] == {"proxy": "not trusted"}


@pytest.mark.slow
def test_a_page_s_submissions_have_a_count_of_their_own(proxy: TestClient) -> None:
    answers = [proxy.post(FORM, data={"do": "check"}, headers=forwarded("203.0.113.5")) for _ in range(3)]
    saved = proxy.post(FORM, data={"do": "save"}, headers=forwarded("203.0.113.5", Accept="text/html"))
    by_api = proxy.post(CHECK, json=a_concern(), headers=forwarded("203.0.113.5"))

    assert {answer.status_code for answer in answers} == {422}
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"forms";q=3;w=60'}
    assert [saved.status_code, by_api.status_code] == [429, 200]
    assert saved.headers["Content-Type"].startswith("text/html")
    assert "999" in saved.text
    assert int(saved.headers["Retry-After"]) > 0
