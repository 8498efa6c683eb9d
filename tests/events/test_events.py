"""Events by pull: what happened, in order, offered again until it is confirmed."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.models.access.clients import Scope
from app.models.events.rows import EventKind
from app.routers.events import events
from app.services.access.row_signing import open_access_keys
from app.services.access.sealed_cursors import Place, seal_cursor
from app.services.cursors import encode_key
from app.services.events.outbox import append_event, events_after
from tests.support.clock import A_TUESDAY
from tests.support.concerns import a_concern, raise_concern, token_of
from tests.support.databases import fail_writes, raw_connection
from tests.support.desk import desk_of
from tests.support.publishing import a_key, publish_next, withdraw
from tests.support.waiting import LONG_ENOUGH

pytestmark = pytest.mark.slow

DESK = (Scope.READ, Scope.WRITE)
OF_THE_SEED = ("edition.published", "rendition.published", "rendition.published")


def pull(client: TestClient, headers: dict[str, str], **query: Any) -> dict[str, Any]:
    """One page of events."""
    answer = client.get("/v1/events", headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def kinds(page: dict[str, Any]) -> list[str]:
    return [event["type"] for event in page["events"]]


@pytest.fixture
def follower(client: TestClient) -> dict[str, str]:
    return a_key(client, Scope.EVENTS, name="case-system")


def test_every_act_tells_its_event_once(client: TestClient, service: FastAPI, follower: dict[str, str]) -> None:
    desk = a_key(client, *DESK, name="example-desk")
    receipt = raise_concern(client)
    reference = receipt["reference"]
    token = token_of(receipt)
    client.post(f"/v1/concerns/{reference}/additions", json={"concern": {"narrative": "More."}}, headers=token)
    for _ in range(2):
        client.post(f"/v1/desk/concerns/{reference}/acknowledgement", json={}, headers=desk)
        client.post(f"/v1/desk/concerns/{reference}/outcome", json={"outcome": "early_help"}, headers=desk)
    publish_next(service, change_note="Second.")
    withdraw(service, 2)

    page = pull(client, follower)

    assert kinds(page) == [
        *OF_THE_SEED,
        "concern.received",
        "concern.added",
        "concern.acknowledged",
        "concern.closed",
        "edition.published",
        "rendition.behind",
        "rendition.behind",
        "edition.withdrawn",
    ]


def test_a_refused_act_tells_nothing(client: TestClient, follower: dict[str, str]) -> None:
    before = pull(client, follower)["events"]

    client.post("/v1/concerns", json=a_concern(children=[]))

    assert pull(client, follower)["events"] == before


def test_an_event_holds_no_word_of_the_concern(client: TestClient, follower: dict[str, str], service: FastAPI) -> None:
    client.post("/v1/concerns", json=a_concern(concern={"narrative": "Canary-Wren told me."}))

    page = pull(client, follower)

    with Session(service.state.context.engine) as session:
        rows = json.dumps([event.data for event in events_after(session, after=0, limit=50)])
    assert kinds(page)[-1] == "concern.received"
    assert "Wren" not in rows + json.dumps(page)


def test_unconfirmed_events_are_offered_again_and_confirmed_ones_are_not(
    client: TestClient, follower: dict[str, str]
) -> None:
    client.post("/v1/concerns", json=a_concern())
    first = pull(client, follower, limit=len(OF_THE_SEED))

    again = pull(client, follower, limit=len(OF_THE_SEED))
    following = client.get(first["links"]["next"], headers=follower).json()
    afterwards = pull(client, follower)

    assert again == first
    assert kinds(following) == ["concern.received"]
    assert afterwards["events"] == following["events"]  # the first was confirmed, the second not yet


def test_two_clients_do_not_take_each_others_events(client: TestClient, follower: dict[str, str]) -> None:
    other = a_key(client, Scope.EVENTS, name="another-system")
    client.post("/v1/concerns", json=a_concern())
    page = pull(client, follower)
    pull(client, follower, after=page["next_cursor"])

    seen_by_the_other = pull(client, other)

    assert pull(client, follower)["events"] == []
    assert seen_by_the_other == page


def test_a_waiting_client_is_told_as_soon_as_something_happens(
    client: TestClient, follower: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = pull(client, follower)["next_cursor"]
    has_looked, read = threading.Event(), events._read

    def read_then_say_so(*context: Any, **query: Any) -> Any:
        found = read(*context, **query)
        has_looked.set()
        return found

    def post_once_it_waits() -> None:
        assert has_looked.wait(LONG_ENOUGH)
        client.post("/v1/concerns", json=a_concern())

    monkeypatch.setattr("app.routers.events.events._read", read_then_say_so)
    later = threading.Thread(target=post_once_it_waits)
    later.start()

    page = pull(client, follower, after=cursor, wait=30)

    later.join()
    assert kinds(page) == ["concern.received"]


@pytest.mark.parametrize("query", [{"after": "rubbish"}, {"wait": 31}, {"wiat": 1}])
def test_a_read_of_events_with_a_wrong_parameter_is_refused(
    client: TestClient, follower: dict[str, str], query: dict[str, Any]
) -> None:
    assert client.get("/v1/events", headers=follower, params=query).status_code == 400


def test_only_the_scope_opens_events(client: TestClient) -> None:
    other = a_key(client, *DESK, name="example-desk")

    assert client.get("/v1/events").status_code == 401
    assert client.get("/v1/events", headers=other).status_code == 403


def test_nothing_is_skipped_while_many_write_at_once(client: TestClient, service: FastAPI) -> None:
    follower = a_key(client, Scope.EVENTS, name="case-system")
    writer = service.state.context.writer
    done = threading.Event()

    def write(number: int) -> None:
        data = {"reference": str(number)}
        writer.run(append_event, EventKind.CONCERN_RECEIVED, at=A_TUESDAY, data=data)

    def follow() -> Iterator[str]:
        cursor = None
        while True:
            ended = done.is_set()
            page = pull(client, follower, limit=7, **({"after": cursor} if cursor else {}))
            cursor = page["next_cursor"]
            yield from (event["data"].get("reference", "") for event in page["events"])
            if ended and not page["events"]:
                return

    with ThreadPoolExecutor(9) as pool:
        followed = pool.submit(lambda: list(follow()))
        list(pool.map(write, range(300)))
        done.set()

    assert sorted(followed.result()) == sorted([*("" for _ in OF_THE_SEED), *map(str, range(300))])


@pytest.mark.parametrize("place", [Place(6), Place(2**31 - 1), Place(5), Place(5, b"restored")])
def test_a_cursor_of_an_event_that_is_not_stored_is_refused_and_confirms_nothing(
    client: TestClient, service: FastAPI, follower: dict[str, str], place: Place
) -> None:
    """After a restored backup the number can be missing, or belong to another event."""
    for _ in range(2):
        client.post("/v1/concerns", json=a_concern())
    cursor = seal_cursor(service.state.context.engine, "events", place)

    refused = client.get("/v1/events", headers=follower, params={"after": cursor})

    assert (refused.status_code, refused.json()["type"]) == (409, "/v1/problems/cursor-ahead")
    assert len(pull(client, follower)["events"]) == 5
    last = pull(client, follower)["next_cursor"]
    assert pull(client, follower, after=last)["events"] == []


@pytest.mark.parametrize("number", [1, 4, 2**31 - 1])
def test_a_plain_cursor_of_an_earlier_version_goes_on_after_what_was_confirmed(
    client: TestClient, follower: dict[str, str], number: int
) -> None:
    """Nothing is skipped, and whoever tries numbers gets the same page for each."""
    cursor = pull(client, follower)["next_cursor"]
    pull(client, follower, after=cursor)
    client.post("/v1/concerns", json=a_concern())

    page = pull(client, follower, after=encode_key(number))

    assert kinds(page) == ["concern.received"]
    assert kinds(pull(client, follower, after=encode_key(0))) == [*OF_THE_SEED, "concern.received"]
    assert pull(client, follower, after=page["next_cursor"])["events"] == []


@pytest.mark.parametrize("wrong", ["x" * 43, "é" * 43, "x" * 42 + "="])
def test_a_cursor_that_this_service_did_not_seal_is_refused(
    client: TestClient, follower: dict[str, str], wrong: str
) -> None:
    refused = client.get("/v1/events", headers=follower, params={"after": wrong})

    assert (refused.status_code, refused.json()["type"]) == (400, "/v1/problems/invalid-cursor")


def test_a_cursor_of_one_list_opens_no_other(service: FastAPI, client: TestClient, follower: dict[str, str]) -> None:
    auditor = a_key(client, Scope.AUDIT, name="example-auditor")
    of_events = pull(client, follower)["next_cursor"]
    of_the_log = seal_cursor(service.state.context.engine, "audit", Place(1))

    refused = [
        client.get("/v1/events", headers=follower, params={"after": of_the_log}),
        client.get("/v1/desk/disclosures", headers=auditor, params={"cursor": of_events}),
    ]

    assert [each.json()["type"] for each in refused] == ["/v1/problems/invalid-cursor"] * 2
    followed = client.get("/v1/desk/disclosures", headers=auditor, params={"cursor": of_the_log})
    assert followed.status_code == 200


def test_a_cursor_opens_after_the_access_key_was_rotated(
    client: TestClient, follower: dict[str, str], settings: Settings
) -> None:
    """Another process adds the key, so this one reads the file again."""
    cursor = pull(client, follower)["next_cursor"]
    other = open_access_keys(settings, create_engine("sqlite://"))
    other.read()
    other.add()
    sealed_elsewhere = seal_cursor(create_engine("sqlite://").execution_options(access_keys=other), "events", Place(0))

    assert pull(client, follower, after=cursor)["events"] == []
    assert kinds(pull(client, follower, after=sealed_elsewhere)) == [*OF_THE_SEED]


def test_a_client_that_confirmed_unknown_events_gets_every_event_again(
    client: TestClient, follower: dict[str, str], settings: Settings
) -> None:
    client.post("/v1/concerns", json=a_concern())
    with raw_connection(settings.data_dir) as database:
        database.execute("INSERT INTO event_readers VALUES ('case-system', 2147483647)")

    page = pull(client, follower)
    afterwards = pull(client, follower, after=page["next_cursor"])
    client.post("/v1/concerns", json=a_concern())

    assert kinds(page) == [*OF_THE_SEED, "concern.received"]
    assert afterwards["events"] == []
    assert kinds(pull(client, follower)) == ["concern.received"]


def test_each_read_that_shows_concerns_is_on_the_record_with_their_references(
    client: TestClient, service: FastAPI, follower: dict[str, str]
) -> None:
    desk = desk_of(service, client)
    shown = [raise_concern(client)["reference"] for _ in range(2)]
    pull(client, follower, limit=1)  # only an edition
    page = pull(client, follower)
    pull(client, follower, after=page["next_cursor"])  # nothing

    record = desk.get("/disclosures?chain=events").json()["disclosures"]

    assert [(row["client"], row["act"], row["detail"]) for row in record] == [
        ("case-system", "events_read", " ".join(shown)),
        ("case-system", "events_confirmed", f"{len(OF_THE_SEED) + 2} by case-system"),
    ]


def test_events_that_cannot_be_recorded_are_not_shown(
    client: TestClient, follower: dict[str, str], settings: Settings
) -> None:
    reference = raise_concern(client)["reference"]
    with raw_connection(settings.data_dir) as database:
        fail_writes(database, "INSERT", "audit_entries")

        refused = client.get("/v1/events", headers=follower)

    assert refused.status_code == 503
    assert reference not in refused.text
