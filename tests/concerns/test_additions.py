"""Additions: the reporter tells more, with the status token, under the same seal; no concern is less urgent by it."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from typing import Any

import pyrage
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import FaultCode, FieldError
from app.models.concerns.concern import FORM_VERSION
from app.services.concerns.keys import DEVELOPMENT_IDENTITY
from app.services.concerns.sealing import read_identities
from app.services.guides.reference_data import ReferenceData
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import raise_concern, token_of
from tests.support.databases import files_of, raw_connection
from tests.support.desk import Desk
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

CANARY = "Canary-Alex-Example-came-home"
LEVELS = ("no", "not_sure", "yes")

Receipt = dict[str, Any]


def more(words: str = "Alex Example came home.", **changes: Any) -> dict[str, Any]:
    return {"concern": {"narrative": words}} | changes


def add(http: Any, receipt: Receipt, told: dict[str, Any], **headers: str) -> Any:
    key = token_of(receipt)
    return http.post(f"{receipt['links']['self']}/additions", json=told, headers=key | headers)


@pytest.fixture
def rows(settings: Settings) -> Callable[[], list[Any]]:
    def read() -> list[Any]:
        with raw_connection(settings.data_dir) as connection:
            return list(
                connection.execute(
                    "SELECT reference, number, sealed FROM entries WHERE kind = 'addition' ORDER BY 1, 2"
                )
            )

    return read


def in_the_inbox(desk: Desk) -> Any:
    (entry,) = desk.get("/concerns").json()["concerns"]
    return entry


def test_the_answer_to_an_addition_has_its_time_state_and_contacts(
    client: TestClient, receipt: Receipt, clock: SettableClock
) -> None:
    clock.time = A_TUESDAY.replace(hour=18)

    answer = add(client, receipt, more())

    told = answer.json()
    assert answer.status_code == 201
    assert (told["reference"], told["state"]) == (receipt["reference"], "received")
    assert (told["received_at"], told["added_at"]) == ("2026-11-24T09:30:00Z", "2026-11-24T18:30:00Z")
    assert told["signposts"][0]["phones"][0]["number"] == "999"
    assert told["contacts"] == receipt["contacts"]
    assert "status_token" not in told
    assert answer.headers["Cache-Control"] == "no-store"


def test_only_the_concern_s_own_status_token_takes_an_addition(
    client: TestClient, desk: Desk, receipt: Receipt, rows: Callable[[], list[Any]]
) -> None:
    another = raise_concern(client)
    path = f"{receipt['links']['self']}/additions"
    headers = [
        {},
        *({"Authorization": f"Bearer {token}"} for token in (another["status_token"], "guessed")),
        desk.headers,
    ]

    answers = [client.post(path, json=more(), headers=each) for each in headers]

    assert [answer.status_code for answer in answers] == [401, 404, 404, 404]
    assert {answer.json()["signposts"][0]["phones"][0]["number"] for answer in answers} == {"999"}
    assert rows() == []


def test_an_addition_is_sealed_as_sent_with_its_reference_and_time(
    client: TestClient, receipt: Receipt, rows: Callable[[], list[Any]], settings: Settings
) -> None:
    told = more(immediate_danger="no")
    add(client, receipt, told)

    ((reference, number, sealed),) = rows()
    unsealer = read_identities(settings.data_dir / DEVELOPMENT_IDENTITY)
    assert (reference, number) == (receipt["reference"], 1)
    assert unsealer.open(sealed, reference=reference) == {
        "reference": reference,
        "received_at": "2026-11-24T09:30:00Z",
        "form_version": FORM_VERSION,
        "addition": told,
    }
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed, [pyrage.x25519.Identity.generate()])


def test_the_team_reads_additions_in_order_of_arrival_with_the_last_time(
    client: TestClient, desk: Desk, receipt: Receipt, clock: SettableClock
) -> None:
    for hour, words in ((10, "Second."), (11, "First."), (12, "Third.")):
        clock.time = A_TUESDAY.replace(hour=hour)
        add(client, receipt, more(words))

    opened = desk.get(f"/concerns/{receipt['reference']}").json()["additions"]

    assert [each["number"] for each in opened] == [1, 2, 3]
    assert [each["addition"]["concern"]["narrative"] for each in opened] == ["Second.", "First.", "Third."]
    assert [each["received_at"][11:13] for each in opened] == ["10", "11", "12"]
    assert in_the_inbox(desk)["added_at"] == "2026-11-24T12:30:00Z"


def test_a_retry_adds_nothing_and_another_concern_may_use_its_key(
    client: TestClient, receipt: Receipt, rows: Callable[[], list[Any]], clock: SettableClock
) -> None:
    another = raise_concern(client)
    first = add(client, receipt, more(), **{"Idempotency-Key": "a-key"})
    clock.time = A_TUESDAY.replace(hour=15)

    again = add(client, receipt, more(), **{"Idempotency-Key": "a-key"})
    reused = add(client, receipt, more("Other words."), **{"Idempotency-Key": "a-key"})
    elsewhere = add(client, another, more(), **{"Idempotency-Key": "a-key"})

    assert [answer.status_code for answer in (first, again, reused, elsewhere)] == [201, 201, 422, 201]
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert reused.json()["type"] == "/v1/problems/key-reused"
    assert [row[:2] for row in rows()] == sorted([(receipt["reference"], 1), (another["reference"], 1)])


def test_a_retry_gets_its_receipt_after_a_code_has_left_its_list(
    client: TestClient, receipt: Receipt, rows: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = add(client, receipt, more(), **{"Idempotency-Key": "a-key"})
    gone = FieldError(("concern",), "no longer a code", FaultCode.UNKNOWN_CODE)
    monkeypatch.setattr(ReferenceData, "faults_in_codes", lambda _self, _parsed: [gone])

    again = add(client, receipt, more(), **{"Idempotency-Key": "a-key"})
    refused = add(client, receipt, more("Other words."), **{"Idempotency-Key": "a-key"})

    assert (again.status_code, again.content) == (201, first.content)
    assert refused.json()["type"] == "/v1/problems/not-accepted"
    assert len(rows()) == 1


def test_a_retry_after_erasure_gets_its_receipt_and_new_additions_are_refused(
    client: TestClient, desk: Desk, receipt: Receipt, rows: Callable[[], list[Any]]
) -> None:
    first = add(client, receipt, more(), **{"Idempotency-Key": "a-key"})
    desk.act(receipt["reference"], "acknowledgement", up_to_addition=1)
    assert desk.act(receipt["reference"], "erasure", reason="A made-up reason.").status_code == 200

    again = add(client, receipt, more(), **{"Idempotency-Key": "a-key"})
    refused = [
        add(client, receipt, more("Other words."), **{"Idempotency-Key": "a-key"}),
        add(client, receipt, more(), **{"Idempotency-Key": "another-key"}),
        add(client, receipt, more()),
    ]

    assert (again.status_code, again.content) == (201, first.content)
    assert [answer.status_code for answer in refused] == [410] * 3
    assert {row[-1] for row in rows()} == {None}


@pytest.mark.slow
@for_each(("before", "added"), product(LEVELS, [*LEVELS, None]))
def test_an_addition_makes_a_concern_more_urgent_and_never_less(
    client: TestClient, desk: Desk, before: str, added: str | None
) -> None:
    receipt = raise_concern(client, immediate_danger=before)

    add(client, receipt, more() if added is None else more(immediate_danger=added))

    listed = {each["reference"]: each for each in desk.get("/concerns").json()["concerns"]}
    assert listed[receipt["reference"]]["immediate_danger"] == max(before, added or "no", key=LEVELS.index)


@contextmanager
def writer_at_rest(service: FastAPI) -> Iterator[Callable[[int], None]]:
    """The writer waits until the block ends; what is given waits until so many acts stand in its queue."""
    writer = service.state.context.writer
    released, begun = threading.Event(), threading.Event()

    def rest(_session: Any) -> None:
        begun.set()
        assert released.wait(60)

    def wait_for(count: int) -> None:
        wait_until(lambda: writer.waiting >= count)
        assert writer.waiting == count

    with ThreadPoolExecutor(1) as resting:
        resting.submit(writer.run, rest)
        assert begun.wait(60)
        try:
            yield wait_for
        finally:
            released.set()


def test_a_calmer_addition_at_the_same_moment_does_not_hide_danger(
    client: TestClient, service: FastAPI, desk: Desk, receipt: Receipt
) -> None:
    with ThreadPoolExecutor(2) as callers:
        with writer_at_rest(service) as wait_for:
            asked: list[Future[Any]] = []
            for danger in ("yes", "no"):
                asked.append(callers.submit(add, client, receipt, more(immediate_danger=danger)))
                wait_for(len(asked))
        answers = [each.result() for each in asked]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert in_the_inbox(desk)["immediate_danger"] == "yes"


def test_an_addition_that_meets_an_erasure_is_refused_and_leaves_no_words(
    client: TestClient, service: FastAPI, desk: Desk, receipt: Receipt, rows: Callable[[], list[Any]]
) -> None:
    desk.act(receipt["reference"], "acknowledgement")
    with ThreadPoolExecutor(2) as callers:
        with writer_at_rest(service) as wait_for:
            erased = callers.submit(desk.act, receipt["reference"], "erasure", reason="A made-up reason.")
            wait_for(1)
            added = callers.submit(add, client, receipt, more())
            wait_for(2)
        answers = [each.result() for each in (erased, added)]

    assert [answer.status_code for answer in answers] == [200, 410]
    assert rows() == []


@pytest.mark.parametrize(("section", "id_"), [("indicators", "prior-neglect-or-abuse"), ("factors", CANARY.lower())])
def test_an_id_that_the_edition_lacks_is_refused_with_its_place(
    client: TestClient, receipt: Receipt, rows: Callable[[], list[Any]], section: str, id_: str
) -> None:
    told = more(concern={"narrative": "Example.", section: [{"id": "missing-or-unexplained-absence"}, {"id": id_}]})
    del told["concern"][section][0 if section == "factors" else slice(0, 0)]

    answer = add(client, receipt, told)

    place = 0 if section == "factors" else 1
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"#/concern/{section}/{place}/id"]
    assert id_ not in answer.text
    assert answer.json()["signposts"][0]["phones"][0]["number"] == "999"
    assert rows() == []


def test_an_addition_to_an_erased_concern_is_told_who_to_call(
    client: TestClient, desk: Desk, receipt: Receipt, rows: Callable[[], list[Any]]
) -> None:
    add(client, receipt, more())
    desk.act(receipt["reference"], "acknowledgement", up_to_addition=1)
    desk.act(receipt["reference"], "erasure", reason="A made-up reason.")

    answer = add(client, receipt, more())

    assert answer.status_code == 410
    assert answer.json()["signposts"][0]["phones"][0]["number"] == "999"
    assert [contact["id"] for contact in answer.json()["contacts"]] == [each["id"] for each in receipt["contacts"]]
    assert [row[1:] for row in rows()] == [(1, None)]


@pytest.mark.slow
def test_no_word_of_an_addition_is_in_a_file_or_log(live: LiveServer) -> None:
    told = more(CANARY, concern={"narrative": CANARY, "hoped_for": CANARY, "how_known": ["first_hand"]})
    with live.client() as http:
        receipt = raise_concern(http)
        kept = [add(http, receipt, told, **{"Idempotency-Key": f"key-{number}"}) for number in (1, 1, 2)]
        refused = [
            add(http, receipt, told | {"misspelt": CANARY}),
            add(http, receipt, more(concern={"narrative": CANARY, "indicators": [{"id": CANARY.lower()}]})),
            add(http, receipt, told, **{"Idempotency-Key": f"{CANARY} with spaces"}),
            add(http, receipt | {"status_token": CANARY}, told),
            http.post(f"{receipt['links']['self']}/additions", content=json.dumps(told)[:-3]),
        ]
        shown = [http.get(path).text for path in ("/metrics", receipt["links"]["self"])]
    files = files_of(live.data_dir)
    live.stop()
    files |= files_of(live.data_dir) | {live.log: live.log.read_bytes()}

    assert [answer.status_code for answer in kept] == [201] * 3
    assert all(400 <= answer.status_code < 500 for answer in refused)
    assert CANARY.lower() not in "".join([*shown, *(answer.text for answer in [*kept, *refused])]).lower()
    assert [path.name for path, content in files.items() if CANARY.lower().encode() in content.lower()] == []
    assert len(files) >= 4
