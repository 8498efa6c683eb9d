"""Every act at the desk stands on the record, in the transaction of the act itself; and the record tells of tampering."""

# ruff: noqa: S608  # the statements are made of names of tables and columns that stand below
import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
from fastapi import FastAPI
from jwt import PyJWKSet
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli import app
from app.config import Settings
from app.models.clients import Scope
from app.models.disclosure_tables import AUDIT, INBOX, DeskAct
from app.services.verifying import verify_disclosures
from app.store.database import DATABASE_FILE
from tests.conftest import A_TUESDAY, Concern, Desk, SettableClock
from tests.editions import a_key

CONCERN = "/v1/desk/concerns/{reference}"
REASON = {"reason": "A made-up reason."}
COLUMNS = ("chain", "number", "at", "client", "act", "address", "detail", "previous_sha256", "sha256")
MASKS = (0x01, 0x20, 0x80, 0xFF)

Rows = Callable[[], list[Any]]


@dataclass(frozen=True)
class Call:
    """How one route is called, and what that must leave on the record; `chain` is None for the concern's own."""

    scope: Scope
    act: DeskAct
    chain: str | None = None
    body: dict[str, Any] = field(default_factory=dict)


CALLS = {
    ("get", "/v1/desk/concerns"): Call(Scope.READ, DeskAct.LISTED, INBOX),
    ("get", "/v1/desk/summary"): Call(Scope.READ, DeskAct.SUMMARY_READ, INBOX),
    ("get", CONCERN): Call(Scope.READ, DeskAct.OPENED),
    ("get", f"{CONCERN}/additions/{{number}}"): Call(Scope.READ, DeskAct.OPENED),
    ("post", f"{CONCERN}/acknowledgement"): Call(Scope.WRITE, DeskAct.ACKNOWLEDGED),
    ("post", f"{CONCERN}/outcome"): Call(Scope.WRITE, DeskAct.CLOSED, body={"outcome": "early_help"}),
    ("post", f"{CONCERN}/hold"): Call(Scope.WRITE, DeskAct.HELD, body=REASON | {"held": True}),
    ("post", f"{CONCERN}/erasure"): Call(Scope.WRITE, DeskAct.ERASED, body=REASON),
    ("get", "/v1/desk/disclosures"): Call(Scope.AUDIT, DeskAct.DISCLOSURES_READ, AUDIT),
    ("get", "/v1/desk/disclosures/{chain}/statement"): Call(Scope.AUDIT, DeskAct.STATEMENT_SIGNED, AUDIT),
}
every_call = pytest.mark.parametrize(("method", "path"), CALLS)


@pytest.fixture
def database(settings: Settings) -> Iterator[sqlite3.Connection]:
    """The database as somebody else opens it, with none of this service's settings."""
    with closing(sqlite3.connect(settings.data_dir / DATABASE_FILE, isolation_level=None)) as connection:
        yield connection


@pytest.fixture
def reference(client: TestClient, desk: Desk, a_concern: Concern) -> str:
    """A concern with an addition."""
    receipt = client.post("/v1/concerns", json=a_concern()).json()
    added = client.post(
        f"{receipt['links']['self']}/additions",
        json={"concern": {"narrative": "Alex Example came home."}},
        headers={"Authorization": f"Bearer {receipt['status_token']}"},
    )
    assert added.status_code == 201
    return str(receipt["reference"])


@pytest.fixture
def ask(client: TestClient, desk: Desk, reference: str) -> Callable[..., Any]:
    """Call a route about the concern, in the state in which the route accepts it."""

    def call(method: str, path: str, headers: dict[str, str]) -> Any:
        told = CALLS[method, path].body if method == "post" else None
        return client.request(
            method, path.format(reference=reference, chain=reference, number=1), json=told, headers=headers
        )

    return call


@pytest.fixture
def ready(desk: Desk, reference: str) -> Callable[[str], None]:
    """Bring the concern into the state in which the route accepts it."""

    def prepare(path: str) -> None:
        if path.endswith(("outcome", "erasure")):
            assert desk.act(reference, "acknowledgement").status_code == 200

    return prepare


def everything(database: sqlite3.Connection) -> dict[str, list[Any]]:
    tables = ("concerns", "additions", "disclosures", "chains")
    return {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


def test_no_route_of_the_desk_is_left_out_here(service: FastAPI) -> None:
    paths = service.openapi()["paths"]
    assert {(method, path) for path in paths if path.startswith("/v1/desk") for method in paths[path]} == set(CALLS)


@every_call
def test_each_route_needs_a_token_and_its_scope_and_leaves_nothing_on_the_record_without(
    client: TestClient, ask: Callable[..., Any], database: sqlite3.Connection, method: str, path: str
) -> None:
    scopes = [scope for scope in Scope if scope is not CALLS[method, path].scope]
    elsewhere = a_key(client, *scopes, name="another-client")
    before = everything(database)

    answers = [ask(method, path, headers) for headers in ({}, {"Authorization": "Bearer omg_invented"}, elsewhere)]

    assert [answer.status_code for answer in answers] == [401, 401, 403]
    assert f'scope="{CALLS[method, path].scope}"' in answers[2].headers["WWW-Authenticate"]
    assert everything(database) == before


@every_call
def test_each_route_leaves_exactly_one_row_with_client_act_time_and_address(
    desk: Desk,
    ask: Callable[..., Any],
    ready: Callable[[str], None],
    reference: str,
    clock: SettableClock,
    database: sqlite3.Connection,
    method: str,
    path: str,
) -> None:
    ready(path)
    before = everything(database)["disclosures"]
    clock.time = A_TUESDAY + dt.timedelta(hours=1)

    answer = ask(method, path, desk.headers)

    assert answer.status_code == 200, answer.text
    (row,) = [row for row in everything(database)["disclosures"] if row not in before]
    chain, _, at, client, act, address, *_ = row
    call = CALLS[method, path]
    assert (chain, act) == (call.chain or reference, call.act)
    assert (client, at, address) == ("example-desk", "2026-11-24 10:30:00.000000", "testclient")


@every_call
def test_an_act_that_cannot_be_recorded_does_not_happen_and_shows_nothing(
    desk: Desk,
    ask: Callable[..., Any],
    ready: Callable[[str], None],
    reference: str,
    database: sqlite3.Connection,
    method: str,
    path: str,
) -> None:
    ready(path)
    before = everything(database)
    database.execute("CREATE TRIGGER full BEFORE INSERT ON disclosures BEGIN SELECT RAISE(ABORT, 'full'); END")

    answer = ask(method, path, desk.headers)

    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert reference not in answer.text
    assert everything(database) == before


@pytest.mark.parametrize("path", [path for method, path in CALLS if method == "post"])
def test_an_act_that_fails_leaves_nothing_on_the_record(
    desk: Desk,
    ask: Callable[..., Any],
    ready: Callable[[str], None],
    database: sqlite3.Connection,
    path: str,
) -> None:
    ready(path)
    before = everything(database)
    database.execute("CREATE TRIGGER full BEFORE UPDATE ON concerns BEGIN SELECT RAISE(ABORT, 'full'); END")

    answer = ask("post", path, desk.headers)

    assert answer.status_code == 503
    assert everything(database) == before


@pytest.fixture
def unguarded(desk: Desk, reference: str, database: sqlite3.Connection) -> sqlite3.Connection:
    """Three rows on the concern's chain, and a database whose triggers somebody has dropped."""
    desk.act(reference, "acknowledgement")
    desk.act(reference, "hold", held=True, reason="A made-up reason.")
    desk.get(f"/concerns/{reference}")
    desk.get("/concerns")
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f"DROP TRIGGER {name}")
    database.execute("PRAGMA synchronous = OFF")
    return database


def verify(data_dir: Path) -> tuple[int, str]:
    told = CliRunner().invoke(app, ["verify", "--data-dir", str(data_dir)])
    return told.exit_code, told.stdout


def flipped(stored: Any) -> Iterator[Any]:
    """The value with one byte of it changed: each byte in turn, in several ways; a number has eight."""
    if isinstance(stored, int):
        for place in range(63):
            yield stored ^ (1 << place)
        return
    for place in range(len(stored)):
        for mask in MASKS:
            yield stored[:place] + bytes([stored[place] ^ mask]) + stored[place + 1 :]


@pytest.mark.parametrize("column", COLUMNS)
def test_one_byte_changed_in_any_row_is_reported_with_the_chain_s_name(
    unguarded: sqlite3.Connection, service: FastAPI, settings: Settings, reference: str, column: str
) -> None:
    as_bytes = column if column == "number" else f"CAST({column} AS BLOB)"
    change = (
        f"UPDATE disclosures SET {column} = CAST(? AS {'INTEGER' if column == 'number' else 'TEXT'}) WHERE rowid = ?"
    )
    unseen = []
    for rowid, chain, stored in unguarded.execute(f"SELECT rowid, chain, {as_bytes} FROM disclosures").fetchall():
        for changed in flipped(stored):
            try:
                unguarded.execute(change, (changed, rowid))
            except sqlite3.IntegrityError:
                continue  # another row has that place already
            if chain not in dict(verify_disclosures(service.state.parts.engine)):
                unseen.append((chain, stored, changed))
        unguarded.execute(change, (stored, rowid))

    assert unseen == []
    assert verify(settings.data_dir)[0] == 0
