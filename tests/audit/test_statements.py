"""Each act asks a fixed number of SQL statements: if the number grows, somebody added a query without a need."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from app.db.database import WRITES
from app.models.access.clients import Scope
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.services.workers import stop_workers
from tests.support.concerns import raise_concern, token_of
from tests.support.desk import Desk
from tests.support.publishing import GUIDE, a_key

NOT_COUNTED = ("BEGIN", "SAVEPOINT", "RELEASE", "SELECT set_config", "VACUUM")
DAYS = "from=2026-11-01&to=2026-11-30&order=newest"
MORE = {"concern": {"narrative": "An invented addition."}}

STATEMENTS = {
    "a cold guide": 2,
    "a concern": 8,
    "a concern with a key": 9,
    "a status": 3,
    "an addition": 15,
    "the inbox": 6,
    "open": 9,
    "acknowledge": 12,
    "acknowledge again": 7,
    "acknowledge an addition": 15,
    "assign": 9,
    "note": 9,
    "message": 10,
    "hold": 8,
    "release": 8,
    "close": 12,
    "reopen": 12,
    "erase": 11,
    "the log of a person between two days": 8,
    "the log of a concern": 12,
}
"""The most statements of each act: one for the client's key, one for what the audit log says of clients since, for a
concern one for whether it is restricted, with an event two for the chain of events, and with a card one.

What begins or ends a transaction is not counted, nor what PostgreSQL does after an erasure.
"""


@contextmanager
def counted(engine: Any, *, in_lock: bool = False) -> Iterator[list[str]]:
    """Collect the statements that the engine is asked in the block, or those asked while all writers wait."""
    asked: list[str] = []

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(NOT_COUNTED) and (WRITES in connection.get_execution_options() or not in_lock):
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.slow
def test_each_act_asks_the_statements_that_it_needs(service: FastAPI, client: TestClient, desk: Desk) -> None:
    stop_workers(service.state.context.workers)
    engine = service.state.context.engine
    client.get("/v1/guides")  # the edition is read once in each process
    receipt = raise_concern(client, **SMALLEST_EXAMPLE)
    desk.get("/concerns")  # the client is known from here
    reference, token = receipt["reference"], token_of(receipt)
    acts: dict[str, Callable[[], Any]] = {
        "a cold guide": lambda: client.get(f"{GUIDE}/editions/1/contacts"),
        "a concern": lambda: client.post("/v1/concerns", json=SMALLEST_EXAMPLE),
        "a concern with a key": lambda: client.post(
            "/v1/concerns", json=SMALLEST_EXAMPLE, headers={"Idempotency-Key": "a-key"}
        ),
        "a status": lambda: client.get(f"/v1/concerns/{reference}", headers=token),
        "the inbox": lambda: desk.get("/concerns"),
        "open": lambda: desk.get(f"/concerns/{reference}"),
        "acknowledge": lambda: desk.act(reference, "acknowledgement"),
        "acknowledge again": lambda: desk.act(reference, "acknowledgement"),
        "an addition": lambda: client.post(f"/v1/concerns/{reference}/additions", json=MORE, headers=token),
        "acknowledge an addition": lambda: desk.act(reference, "additions/1/acknowledgement"),
        "assign": lambda: client.put(
            f"/v1/desk/concerns/{reference}/assignment", json={"person": "A. Example"}, headers=desk.headers
        ),
        "note": lambda: desk.act(reference, "notes", text="An invented note."),
        "message": lambda: desk.act(reference, "messages", text="An invented question?"),
        "hold": lambda: desk.act(reference, "hold", held=True, reason="An invented reason."),
        "release": lambda: desk.act(reference, "hold", held=False, reason="An invented reason."),
        "close": lambda: desk.act(reference, "outcome", outcome="early_help"),
        "reopen": lambda: desk.act(reference, "reopening", reason="An invented reason."),
        "erase": lambda: desk.act(reference, "erasure", reason="An invented reason."),
        "the log of a person between two days": lambda: desk.get(f"/disclosures?person=example-desk&{DAYS}"),
        "the log of a concern": lambda: desk.get(f"/disclosures?chain={reference}&order=newest"),
    }
    found = {}
    for name, act in acts.items():
        with counted(engine) as asked:
            answer = act()
        assert answer.status_code < 300, (name, answer.text)
        found[name] = len(asked)

    assert {name: number for name, number in found.items() if number > STATEMENTS[name]} == {}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/desk/concerns",
        "/v1/desk/concerns?state=received&danger=yes",
        "/v1/desk/summary",
        "/v1/desk/disclosures?client=duty-system",
        "/v1/desk/disclosures?person=example-desk&from=2026-11-01",
        "/v1/events",
        "/v1/desk/figures",
        "/v1/desk/statistics.csv",
    ],
)
def test_what_reads_many_rows_reads_them_outside_the_lock(
    service: FastAPI, client: TestClient, desk: Desk, path: str
) -> None:
    stop_workers(service.state.context.workers)
    client.post("/v1/concerns", json=SMALLEST_EXAMPLE)
    headers = a_key(client, Scope.EVENTS) if path == "/v1/events" else desk.headers
    client.get(path, headers=headers)  # the client is known from here

    with counted(service.state.context.engine, in_lock=True) as asked:
        answer = client.get(path, headers=headers)

    assert answer.status_code == 200, answer.text
    assert any(each.startswith("INSERT INTO audit_entries") for each in asked)
    assert [each for each in asked if each.startswith("SELECT") and "FROM chains" not in each] == []


@pytest.mark.embedded  # PostgreSQL reads a small table whole
@pytest.mark.parametrize("path", ["/v1/desk/summary", "/metrics", "/v1/desk/figures", "/v1/desk/metrics"])
def test_no_count_of_the_desk_reads_every_concern(service: FastAPI, client: TestClient, path: str) -> None:
    engine, headers = service.state.context.engine, a_key(client, Scope.READ, Scope.METRICS)
    stop_workers(service.state.context.workers)
    asked: list[Any] = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))

    assert client.get(path, headers=headers).status_code == 200

    plans = []
    with engine.connect() as connection:
        for statement, parameters in [each for each in asked if "FROM concerns" in each[0]]:
            plans += connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    assert plans != []
    everything = ("SCAN concerns", "SEARCH concerns USING INDEX ix_concerns_received (received_at<?)")
    assert [row.detail for row in plans if row.detail.startswith(everything)] == []
