"""201 means that it is kept: through `kill -9`, through retries, and once."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import select
from starlette.testclient import TestClient

from app.models.concerns.examples import FULL_EXAMPLE
from app.models.concerns.rows import StoredReceiptRow
from app.services.concerns import submission
from tests.support.concerns import a_concern, token_of
from tests.support.databases import raw_connection
from tests.support.live import LiveServer
from tests.support.load import add_more
from tests.support.loops import for_each
from tests.support.publishing import publish_next

CALLERS = 8
AT_LEAST = 24


@dataclass
class Sent:
    """A burst of posts: each idempotency key that was used, and each whole receipt that came back.

    `added` holds the receipts of additions, by the key of their concern.
    """

    keys: list[str] = field(default_factory=list)
    told: dict[str, bytes] = field(default_factory=dict)
    added: dict[str, bytes] = field(default_factory=dict)
    enough: threading.Event = field(default_factory=threading.Event)


def post(client: httpx.Client | TestClient, told: dict[str, Any], key: str) -> Any:
    return client.post("/v1/concerns", json=told, headers={"Idempotency-Key": key})


def count(live: LiveServer, question: str) -> Any:
    with raw_connection(live.data_dir) as connection:
        return connection.execute(question).fetchone()[0]


def burst(live: LiveServer, told: dict[str, Any], name: str, sent: Sent) -> None:
    """Post, each time with a new key, until the server is no more."""
    with live.client() as client:
        for number in range(100_000):
            key = f"{name}-{number}"
            sent.keys.append(key)
            try:
                answer = post(client, told, key)
                if answer.status_code == 201:
                    sent.told[key] = answer.content
                    more = add_more(client, live.url, answer.json(), key)
                    assert more.status_code == 201
                    sent.added[key] = more.content
            except httpx.TransportError:
                return
            assert answer.status_code == 201
            if len(sent.told) >= AT_LEAST:
                sent.enough.set()


def status_of(client: httpx.Client, receipt: dict[str, Any]) -> Any:
    return client.get(receipt["links"]["self"], headers=token_of(receipt))


@pytest.mark.slow
def test_after_a_kill_a_retry_gets_the_same_receipt_and_no_duplicate(live: LiveServer) -> None:
    with live.client() as client:
        first = post(client, a_concern(), "a-key")

    live.kill()
    live.start()

    with live.client() as client:
        again = post(client, a_concern(), "a-key")
        status = status_of(client, first.json())
    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert status.json()["reference"] == first.json()["reference"]
    assert count(live, "SELECT count(*) FROM concerns") == 1


@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.parametrize("rounds", [2, pytest.param(10, marks=pytest.mark.nightly)])
def test_a_kill_during_a_burst_loses_and_doubles_no_acknowledged_concern(live: LiveServer, rounds: int) -> None:
    everything = Sent()
    for number in range(rounds):
        sent = Sent()
        with ThreadPoolExecutor(CALLERS) as callers:
            posting = [callers.submit(burst, live, a_concern(), f"{number}-{each}", sent) for each in range(CALLERS)]
            assert sent.enough.wait(60)
            live.kill()
        for each in posting:
            each.result()
        live.start()
        everything.keys += sent.keys
        everything.told |= sent.told
        everything.added |= sent.added

    with live.client() as client:
        statuses = [status_of(client, json.loads(told)) for told in everything.told.values()]
        more = {
            key: add_more(client, live.url, json.loads(everything.told[key]), key).content for key in everything.added
        }
        waiting = [status_of(client, json.loads(everything.told[key])).json()["additions"] for key in everything.added]
        again = {key: post(client, a_concern(), key) for key in everything.keys}
    assert len(everything.told) >= rounds * AT_LEAST
    assert {status.status_code for status in statuses} == {200}
    assert {answer.status_code for answer in again.values()} == {201}
    assert {key: again[key].content for key in everything.told} == everything.told
    assert more == everything.added
    assert {(len(additions), additions[0]["acknowledged_at"]) for additions in waiting} == {(1, None)}
    assert all(again[key].headers.get("Idempotency-Replayed") == "true" for key in everything.told)
    for table in ("concerns", "stored_receipts"):
        assert count(live, f"SELECT count(DISTINCT reference) FROM {table}") == len(everything.keys)  # noqa: S608  # a constant
    added = count(live, "SELECT count(*) FROM entries WHERE kind = 'addition'")
    assert (
        count(live, "SELECT count(DISTINCT reference) FROM entries WHERE kind = 'addition'")
        == added
        >= len(everything.added)
    )
    assert count(live, "SELECT count(*) FROM concerns") == len(everything.keys)
    assert count(live, "SELECT count(*) FROM stored_receipts") == len(everything.keys) + added


@pytest.mark.slow
@pytest.mark.parametrize("callers", [16, 60])
def test_retries_at_the_same_moment_make_one_concern_and_get_one_receipt(live: LiveServer, callers: int) -> None:
    together = threading.Barrier(callers, timeout=60)

    def retry() -> httpx.Response:
        with live.client() as client:
            client.get("/health/live")  # the connection is open before the others start
            together.wait()
            answer: httpx.Response = post(client, a_concern(), "the-same-key")
            return answer

    with ThreadPoolExecutor(callers) as pool:
        answers = [asked.result() for asked in [pool.submit(retry) for _ in range(callers)]]

    assert [answer.status_code for answer in answers] == [201] * callers
    assert len({answer.content for answer in answers}) == 1
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers].count(None) == 1
    assert count(live, "SELECT count(*) FROM concerns") == 1


@pytest.mark.embedded
def test_the_writer_s_connection_flushes_each_commit_to_the_disk(client: TestClient, service: FastAPI) -> None:
    assert client.get("/health/ready").is_success

    def pragma(name: str) -> Any:
        run = service.state.context.writer.run
        return run(lambda session: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar())

    assert pragma("synchronous") == 2  # FULL
    assert pragma("journal_mode") == "wal"


def test_a_key_is_the_same_with_quotes_and_without(client: TestClient) -> None:
    first = post(client, a_concern(), "a-key")

    again = post(client, a_concern(), '"a-key"')

    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]


def test_the_same_words_in_another_order_or_spacing_are_a_retry(client: TestClient) -> None:
    first = post(client, FULL_EXAMPLE, "a-key")
    backwards = json.dumps(dict(reversed(FULL_EXAMPLE.items())), indent=3, ensure_ascii=True)
    headers = {"Idempotency-Key": "a-key", "Content-Type": "application/json; charset=utf-8"}

    again = client.post("/v1/concerns", content=backwards, headers=headers)

    assert again.content == first.content


@pytest.mark.parametrize("changed", [{"immediate_danger": "yes"}, {"children": [{}, {}]}, {"police_informed": None}])
def test_a_key_with_other_words_is_refused_and_nothing_is_kept(
    client: TestClient, kept: Callable[[], int], changed: dict[str, Any]
) -> None:
    post(client, a_concern(), "a-key")

    refused = post(client, a_concern(**changed), "a-key")

    assert refused.status_code == 422
    assert refused.json()["type"] == "/v1/problems/key-reused"
    assert refused.json()["signposts"][0]["phones"][0]["number"] == "999"
    assert kept() == 1


def test_without_a_key_the_same_words_are_two_concerns(client: TestClient, kept: Callable[[], int]) -> None:
    answers = [client.post("/v1/concerns", json=a_concern()) for _ in range(2)]

    assert len({answer.json()["reference"] for answer in answers}) == 2
    assert kept() == 2


@for_each("key", ["", '""', '"', 'a"b', "two words", '"two words"', "é", "a\tb", "k" * 256, '"open'])
def test_a_key_that_is_none_is_told_and_nothing_is_kept(client: TestClient, kept: Callable[[], int], key: str) -> None:
    answer = client.post("/v1/concerns", json=a_concern(), headers={b"Idempotency-Key": key.encode("latin-1")})

    assert answer.status_code == 400
    assert answer.json()["signposts"][0]["phones"][0]["number"] == "999"
    assert kept() == 0


def test_a_retry_gets_its_receipt_although_a_second_guide_was_published_since(
    client: TestClient, service: FastAPI
) -> None:
    first = post(client, a_concern(), "a-key")
    publish_next(service, "another-guide")

    again = post(client, a_concern(), "a-key")

    assert again.status_code == 201
    assert again.content == first.content


def test_a_reference_that_is_taken_is_drawn_again(
    client: TestClient, kept: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(["4F7K-926W-0X3R", "4F7K-926W-0X3R", "02FK-926W-0X3R"])
    monkeypatch.setattr(submission, "new_reference", lambda: next(drawn))

    answers = [post(client, a_concern(), key) for key in ("one", "another")]

    assert [answer.json()["reference"] for answer in answers] == ["4F7K-926W-0X3R", "02FK-926W-0X3R"]
    assert kept() == 2


def test_the_database_holds_neither_key_nor_receipt_in_clear(client: TestClient, service: FastAPI) -> None:
    receipt = post(client, a_concern(), "a-key-that-can-be-found").json()

    rows = service.state.context.writer.run(
        lambda session: [row.model_dump() for row in session.exec(select(StoredReceiptRow))]
    )
    assert len(rows) == 1
    assert "a-key-that-can-be-found" not in str(rows)
    assert receipt["status_token"] not in str(rows)
