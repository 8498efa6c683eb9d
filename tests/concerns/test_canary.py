"""A child's words go in and do not come out: a canary in every field, and every place where it must not be."""

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pyrage
import pytest
from pyrage import x25519

from app.models.access.clients import Scope
from app.services.concerns.keys import DEVELOPMENT_IDENTITY
from app.services.concerns.sealing import read_identities
from app.services.operations.backup import back_up
from tests.support.canaries import BIRTHDAYS, CANARY, Place, forms_of, planted, put, traces
from tests.support.concerns import token_of
from tests.support.databases import files_of, on_postgresql, raw_connection
from tests.support.live import LiveServer
from tests.support.publishing import SLUG

pytestmark = pytest.mark.slow  # processes, browsers or long work

CALLER = "127.0.0.77"
FORWARDED_FOR = "192.0.2.77"
MANY_HEADERS = {
    "User-Agent": CANARY,
    "Referer": f"https://a.example/{CANARY}",
    "Cookie": f"{CANARY}={CANARY}",
    "Origin": f"https://{CANARY}.example",
    "Accept-Language": CANARY,
    "If-None-Match": f'"{CANARY}"',
    "If-Match": f'"{CANARY}"',
    "X-Request-ID": CANARY,
    "Traceparent": CANARY,
    "X-Forwarded-For": FORWARDED_FOR,
    "Forwarded": f"for={FORWARDED_FOR}",
}


def raw(live: LiveServer, request: str) -> bytes:
    """Send a request that no HTTP library would send, and return the server's answer."""
    host, port = live.url.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=30)) as connection:
        connection.sendall(request.encode())
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def wherever_it_can_be_sent(client: httpx.Client, told: Any, free: list[Place]) -> Iterator[httpx.Response]:
    """Send the canary as a concern, as refused concerns, and in every part of every kind of request."""
    key = {"Idempotency-Key": CANARY}
    first = client.post("/v1/concerns", json=told, headers=key)
    assert first.status_code == 201
    token = token_of(first.json())
    own = first.json()["links"]["self"]
    yield first
    yield client.post("/v1/concerns", json=told, headers=key)
    yield client.post("/v1/concerns", json=put(told, free[0], "other words"), headers=key)
    yield client.post("/v1/concerns/check", json=told)
    yield client.post(f"{own}/additions", json={"concern": told["concern"]}, headers=token | key)
    yield client.get(own, headers=token)
    for place in free:
        yield client.post("/v1/concerns", json=put(told, place, [CANARY] * 40))  # type: ignore[arg-type]  # on purpose
        if isinstance(place[-1], str):
            yield client.post("/v1/concerns", json=put(told, (*place[:-1], CANARY), CANARY))
    for words in (CANARY, f'"{CANARY}"', f'["{CANARY}"', f'{{"{CANARY}": "\\ud800"}}', CANARY * 100_000):
        for path in ("/v1/concerns", "/v1/concerns/check", f"{own}/additions"):
            yield client.post(path, content=words, headers={"Content-Type": "application/json"} | token)
    yield client.post("/v1/concerns", json=told, headers={"Content-Type": CANARY})
    yield client.post("/v1/concerns", json=told, headers={"Authorization": f"Bearer {CANARY}"})
    yield client.post("/v1/concerns", json=told, headers={"Idempotency-Key": f"{CANARY} {CANARY}"})
    yield client.get(own, headers={"Authorization": f"Bearer {CANARY}"})
    for path, operations in client.get("/openapi.json", headers={"If-Match": "*"}).json()["paths"].items():
        for method in operations:
            filled = "/".join(CANARY if "{" in part else part for part in path.split("/"))
            for query in ({}, {CANARY: CANARY}, {"q": CANARY}, {"limit": CANARY}, {"cursor": CANARY}):
                headers = {"Authorization": f"Bearer {CANARY}", "Accept-Datetime": CANARY}
                concern = told if method == "post" else None
                yield client.request(method, filled, params=query, headers=headers, json=concern)
    yield client.options("/v1/concerns", headers={"Access-Control-Request-Method": CANARY})
    yield client.request(CANARY, "/v1/concerns")


def on_the_pages(client: httpx.Client) -> list[httpx.Response]:
    """Post the canary to every page that takes anything: only the answers show it, to the person who typed it."""
    form = f"/raise-a-concern/{SLUG}"
    told = {
        "immediate_danger": "no",
        "reporter.kind": "professional",
        "concern.narrative": CANARY,
        "others.0.name": CANARY,
        "count:others": "1",
        "key": "5d2f0c8e-7a8f-4e0e-9d55-0f7a3c0a9b11",
    }
    acts = ("check", "send", "send", "change:worry", "add:others", "remove:others.0", CANARY)
    own = {"Origin": str(client.base_url).rstrip("/")}
    answers = [client.post(form, data=told | {"do": act}, headers=own) for act in acts]
    answers += [client.post(form, data=told | {name: CANARY}, headers=own) for name in (*told, "edition", CANARY)]
    answers.append(client.post(form, data=told))  # with the canary as its origin
    answers.append(client.post(form, content=CANARY, headers=own))
    answers += [
        client.post(path, data=dict.fromkeys(("reference", "code", "receipt"), CANARY), headers=own)
        for path in ("/concerns", "/concerns/receipt")
    ]
    answers += [client.get(f"{path}/{CANARY}") for path in ("/guides", "/raise-a-concern", "/concerns", "/looks")]
    return answers


def reader_of(live: LiveServer) -> dict[str, str]:
    """The headers of a client that may read concerns."""
    return {"Authorization": f"Bearer {live.new_key(Scope.READ)}"}


def cards_opened(live: LiveServer, answer: bytes) -> bytes:
    """Every card of a page, opened with the identity of the trial."""
    unsealer = read_identities(live.data_dir / DEVELOPMENT_IDENTITY)
    return b"".join(unsealer.decrypt(base64.b64decode(each["card"])) for each in json.loads(answer)["cards"])


def read_at_the_desk(live: LiveServer) -> bytes:
    """Every concern, opened by a client that may."""
    key = reader_of(live)
    with live.client() as client:
        inbox = client.get("/v1/desk/concerns", headers=key).json()
        return b"".join(client.get(each["links"]["self"], headers=key).content for each in inbox["concerns"])


@pytest.fixture
def talkative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    """A server that logs all that it can, with a folder of its own for temporary files."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    with LiveServer(tmp_path / "data", log_level="debug") as server:
        yield server


def test_no_word_of_a_concern_is_anywhere_outside_the_seal(talkative: LiveServer, tmp_path: Path) -> None:
    told, free = planted()
    transport = httpx.HTTPTransport(local_address=CALLER)
    with httpx.Client(
        base_url=talkative.url, transport=transport, headers=MANY_HEADERS, timeout=60, trust_env=False
    ) as client:
        answers = list(wherever_it_can_be_sent(client, told, free))
        shown = on_the_pages(client)
        metrics = client.get("/metrics").content
    head = f"Host: {CANARY}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    strange = [
        raw(talkative, f"GET /v1/{CANARY}?{CANARY} HTTP/1.1\r\n{head}Sec-WebSocket-Key: {'A' * 22}==\r\n\r\n"),
        raw(talkative, f"{CANARY} {CANARY}\r\n\r\n"),
        raw(talkative, f"POST /v1/concerns HTTP/1.1\r\nContent-Length: {CANARY}\r\n\r\n{CANARY}"),
    ]
    opened = read_at_the_desk(talkative)
    with talkative.client() as reader:
        cards = reader.get("/v1/desk/cards", headers=reader_of(talkative)).content
    if not on_postgresql():
        back_up(talkative.data_dir, tmp_path / "backup.db", replace=False)
    running = files_of(tmp_path)
    talkative.stop()
    stopped = files_of(tmp_path)

    spoken = [answer.content + str(answer.headers).encode() for answer in answers]
    spoken += [answer.url.path.replace(CANARY, "").encode() + str(answer.headers).encode() for answer in shown]
    everything = [*spoken, *strange, metrics, cards, *running.values(), *stopped.values()]
    assert len(free) > 60
    assert CANARY.encode() in opened
    assert {CANARY.encode(), *BIRTHDAYS} <= set(traces(cards_opened(talkative, cards)))
    assert {answer.status_code for answer in answers} >= {200, 201, 400, 401, 404, 413, 415, 422}
    assert {answer.status_code for answer in shown} >= {200, 201, 403, 404, 415, 422}
    assert not [answer for answer in (*answers, *shown) if answer.status_code >= 500]
    assert talkative.log in running
    assert any(path.name.endswith("-wal") or path.parent.name == "pg_wal" for path in running)
    assert [found for content in everything if (found := traces(content))] == []
    for address in (CALLER, FORWARDED_FOR):
        assert not [content for content in everything if address.encode() in content]


def test_the_search_finds_the_canary_which_is_whole_under_the_seal(talkative: LiveServer) -> None:
    told, free = planted()
    with talkative.client() as client:
        assert client.post("/v1/concerns", json=told).status_code == 201
    lines = (talkative.data_dir / DEVELOPMENT_IDENTITY).read_text().splitlines()
    identity = x25519.Identity.from_str(next(line for line in lines if line.startswith("AGE-SECRET-KEY-")))

    with raw_connection(talkative.data_dir) as connection:
        ((sealed,),) = connection.execute("SELECT sealed FROM concerns").fetchall()
    opened = pyrage.decrypt(sealed, [identity])

    assert json.loads(opened)["submission"] == told
    assert opened.count(CANARY.encode()) == len(free)
    assert set(traces(opened)) == {CANARY.encode(), *BIRTHDAYS}
    assert [traces(b"x" * offset + form) for offset, form in enumerate(forms_of(CANARY))] == [
        [form] for form in forms_of(CANARY)
    ]
    assert all(traces(base64.b64encode(b"x" * offset + CANARY.encode() + b"yyy")) for offset in range(7))
