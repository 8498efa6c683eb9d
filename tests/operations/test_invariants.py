"""Invariants are checked beside the requests: when, and with which findings."""

import datetime as dt

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from app.models.audit.rows import Remnants
from app.services.audit.remnants import purge_remnants
from app.services.concerns.deadlines import append_overdue_events
from app.services.operations import invariants
from app.services.operations.invariants import Invariant, Invariants, find_broken
from tests.support.clock import SettableClock
from tests.support.concerns import a_concern, add, raise_concern
from tests.support.databases import drop_triggers, raw_connection
from tests.support.people import context_of_service
from tests.support.waiting import eventually


def engine_of(service: FastAPI) -> Engine:
    return context_of_service(service).engine


def test_the_record_is_checked_nightly_and_the_recipients_hourly(
    service: FastAPI, client: TestClient, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client
    checked: list[tuple[str, str]] = []

    def note(_engine: Engine, invariant: Invariant, **_: object) -> list[str]:
        checked.append((f"{clock.time:%d %H:%M}", invariant.value))
        return []

    monkeypatch.setattr(invariants, "find_broken", note)
    begun = clock.time
    found = Invariants(engine_of(service), ["a recipient"], clock)
    for minutes in range(0, 3 * 24 * 60, 10):
        clock.time = begun + dt.timedelta(minutes=minutes)
        found.check_due(lambda: None)

    assert [at for at, name in checked if name == "chains"] == ["25 02:00", "26 02:00", "27 02:00"]
    assert len([at for at, name in checked if name == "recipients"]) == 3 * 24
    assert len([at for at, name in checked if name == "overdue-events"]) == 3 * 24 * 6


def test_a_check_of_the_record_ends_if_the_process_stops(
    service: FastAPI, client: TestClient, clock: SettableClock
) -> None:
    class Ended(Exception):
        pass

    def stop() -> None:
        raise Ended

    client.post("/v1/concerns", json=a_concern())
    with pytest.raises(Ended):
        find_broken(engine_of(service), Invariant.CHAINS, recipients=(), at=clock.time, beat=stop)


@pytest.mark.embedded
def test_a_check_of_the_record_keeps_no_log_from_being_emptied(
    service: FastAPI, client: TestClient, clock: SettableClock
) -> None:
    client.post("/v1/concerns", json=a_concern())
    engine = engine_of(service)
    emptied: list[bool] = []

    def note() -> None:
        client.post("/v1/concerns", json=a_concern())
        # The service's own workers read too, each for a moment. A check that held the log would hold it all this time.
        emptied.append(eventually(lambda: purge_remnants(engine) is Remnants.NONE, patience_seconds=10))

    assert find_broken(engine, Invariant.CHAINS, recipients=(), at=clock.time, beat=note) == []

    assert emptied == [True, True]


@pytest.mark.slow
@pytest.mark.embedded
def test_a_position_that_is_missing_is_found_although_every_chain_is_whole(
    service: FastAPI, client: TestClient, clock: SettableClock
) -> None:
    for _ in range(2):
        add(client, raise_concern(client))
    with raw_connection(context_of_service(service).settings.data_dir) as database:
        drop_triggers(database)
        database.execute("UPDATE audit_entries SET position = 9 WHERE position = 2")

    found = find_broken(engine_of(service), Invariant.CHAINS, recipients=(), at=clock.time)

    assert found == ["record: it has 4 rows, and the last has the position 9"]


def test_what_waits_past_its_time_is_named_until_an_event_says_so(
    service: FastAPI, client: TestClient, clock: SettableClock
) -> None:
    receipt = raise_concern(client)
    for _ in range(2):
        add(client, receipt)
    clock.time += dt.timedelta(days=5)
    reference, writer = receipt["reference"], context_of_service(service).writer

    def unannounced() -> list[str]:
        return find_broken(engine_of(service), Invariant.OVERDUE_EVENTS, recipients=(), at=clock.time)

    before = unannounced()
    assert append_overdue_events(writer, now=clock.time, limit=10) == 3

    assert before == sorted([reference, f"addition 1 to {reference}", f"addition 2 to {reference}"])
    assert unannounced() == []
    assert append_overdue_events(writer, now=clock.time, limit=10) == 0
