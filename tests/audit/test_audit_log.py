"""Every act at the desk is on the record, in the act's own transaction; and the record tells of tampering."""

# ruff: noqa: S608  # the statements are made of names of tables and columns that stand below

import datetime as dt
import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import jwt
import pytest
import rfc8785
from fastapi import FastAPI
from jwt import PyJWKSet
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app
from app.config import Settings
from app.http.visitors import SESSION_COOKIE
from app.models.access.clients import Scope
from app.models.access.roles import Role
from app.models.audit.details import (
    DETAILS,
    AcknowledgedDetails,
    AssignmentRefusedDetails,
    CheckpointDetails,
    ClientAddedDetails,
    ClosedDetails,
    Details,
    EventsConfirmedDetails,
    KeyAddedDetails,
    MessageReadDetails,
    SessionDetails,
    ShownDetails,
    ShownPage,
    SummaryDetails,
)
from app.models.audit.entry_kinds import EntryKind
from app.models.audit.rows import AUDIT, CARDS, INBOX, DeskAct
from app.models.concerns.entries import RECIPIENT
from app.services.access.people import remove_person_access
from app.services.operations.audit_verification import verify_audit_log
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import add, raise_concern
from tests.support.databases import RawConnection, Unguarded, drop_triggers, fail_writes, raw_connection
from tests.support.desk import Desk
from tests.support.loops import first_by_day, for_each
from tests.support.people import ADDRESS, JO, OWN_PAGE, acts_of_people, context_of_service, sign_in_as
from tests.support.publishing import a_key

CONCERN = "/v1/desk/concerns/{reference}"
REASON = {"reason": "A made-up reason."}
COLUMNS = ("chain", "number", "at", "client", "act", "address", "detail", "previous_sha256", "sha256")
MOVE = "UPDATE audit_entries SET number = {1} WHERE chain = :chain AND number = {0}"
MASKS = (0x01, 0x80)
Rows = Callable[[], list[Any]]


@dataclass(frozen=True)
class Call:
    """A call of one route, and the act that it must leave on the record; `chain` is None for the concern's own."""

    scope: Scope
    act: DeskAct
    chain: str | None = None
    body: dict[str, Any] = field(default_factory=dict)


CALLED_AGAIN = {
    "channel": "call",
    "came_at": "2026-11-24T09:30:00Z",
    "addition": {"immediate_danger": "no", "concern": {"narrative": "Alex Example is home."}},
}
HAND_OVER = {"recipient": RECIPIENT, "body": "Example Council", "reason": "The child lives there."}
CALLS = {
    ("get", "/v1/desk/concerns"): Call(Scope.READ, DeskAct.LISTED, INBOX),
    ("get", "/v1/desk/summary"): Call(Scope.READ, DeskAct.SUMMARY_READ, INBOX),
    ("get", "/v1/desk/figures"): Call(Scope.READ, DeskAct.SUMMARY_READ, INBOX),
    ("get", CONCERN): Call(Scope.READ, DeskAct.OPENED),
    ("get", f"{CONCERN}/additions"): Call(Scope.READ, DeskAct.OPENED),
    ("get", f"{CONCERN}/additions/{{number}}"): Call(Scope.READ, DeskAct.OPENED),
    ("post", f"{CONCERN}/additions/{{number}}/acknowledgement"): Call(Scope.WRITE, DeskAct.ACKNOWLEDGED),
    ("post", f"{CONCERN}/acknowledgement"): Call(Scope.WRITE, DeskAct.ACKNOWLEDGED),
    ("post", f"{CONCERN}/outcome"): Call(Scope.WRITE, DeskAct.CLOSED, body={"outcome": "early_help"}),
    ("post", f"{CONCERN}/reopening"): Call(Scope.WRITE, DeskAct.REOPENED, body=REASON),
    ("post", f"{CONCERN}/hold"): Call(Scope.WRITE, DeskAct.HELD, body=REASON | {"held": True}),
    ("post", f"{CONCERN}/erasure"): Call(Scope.WRITE, DeskAct.ERASED, body=REASON),
    ("get", f"{CONCERN}/assignment"): Call(Scope.READ, DeskAct.LISTED),
    ("put", f"{CONCERN}/assignment"): Call(Scope.WRITE, DeskAct.ASSIGNED),
    ("delete", f"{CONCERN}/assignment"): Call(Scope.WRITE, DeskAct.UNASSIGNED),
    ("post", f"{CONCERN}/notes"): Call(Scope.WRITE, DeskAct.NOTED, body={"text": "A made-up note."}),
    ("get", f"{CONCERN}/notes"): Call(Scope.READ, DeskAct.OPENED),
    ("get", f"{CONCERN}/notes/{{number}}"): Call(Scope.READ, DeskAct.OPENED),
    ("get", "/v1/desk/cards"): Call(Scope.READ, DeskAct.CARDS_GIVEN, CARDS),
    ("get", f"{CONCERN}/label"): Call(Scope.READ, DeskAct.OPENED),
    ("put", f"{CONCERN}/label"): Call(Scope.WRITE, DeskAct.LABELLED, body={"text": "A made-up label"}),
    ("post", f"{CONCERN}/additions"): Call(Scope.WRITE, DeskAct.ADDED, body=CALLED_AGAIN),
    ("get", f"{CONCERN}/look-again"): Call(Scope.READ, DeskAct.LISTED),
    ("put", f"{CONCERN}/look-again"): Call(Scope.WRITE, DeskAct.LOOK_AGAIN, body={"day": "2026-12-01"}),
    ("get", f"{CONCERN}/restriction"): Call(Scope.READ, DeskAct.LISTED),
    ("put", f"{CONCERN}/restriction"): Call(
        Scope.WRITE, DeskAct.RESTRICTED, body={"restricted": True, "reason": "A made-up reason."}
    ),
    ("get", f"{CONCERN}/messages"): Call(Scope.READ, DeskAct.LISTED),
    ("post", f"{CONCERN}/messages"): Call(Scope.WRITE, DeskAct.MESSAGE_SENT, body={"text": "Which school?"}),
    ("get", f"{CONCERN}/hand-over"): Call(Scope.READ, DeskAct.LISTED),
    ("post", f"{CONCERN}/hand-over"): Call(Scope.WRITE, DeskAct.HANDED_OVER, body=HAND_OVER),
    ("post", f"{CONCERN}/hand-over/{{number}}/receipt"): Call(
        Scope.WRITE, DeskAct.HAND_OVER_CONFIRMED, body={"receipt": "a.b.c"}
    ),
    ("get", f"{CONCERN}/export-statement"): Call(Scope.WRITE, DeskAct.LISTED),
    ("post", f"{CONCERN}/export"): Call(Scope.WRITE, DeskAct.EXPORTED, body={"file_sha256": "a" * 64, "notes": False}),
    ("get", "/v1/desk/statistics.csv"): Call(Scope.AUDIT, DeskAct.SUMMARY_READ, AUDIT),
    ("get", "/v1/desk/disclosures"): Call(Scope.AUDIT, DeskAct.DISCLOSURES_READ, AUDIT),
    ("get", "/v1/desk/disclosures.csv"): Call(Scope.AUDIT, DeskAct.DISCLOSURES_READ, AUDIT),
    ("get", "/v1/desk/disclosures/{chain}/statement"): Call(Scope.AUDIT, DeskAct.STATEMENT_SIGNED, AUDIT),
    ("get", "/v1/desk/checkpoint"): Call(Scope.AUDIT, DeskAct.CHECKPOINT_SIGNED, AUDIT),
}
BEGINS_A_CHAIN = ("post", "/v1/desk/concerns")
"""Where the row stands in the chain of a new concern: `tests/desk/test_writing_down.py` has its tests."""
SHOW_NO_CONCERN = ("/v1/desk/views", "/v1/desk/metrics", "/v1/desk/recipients")
NEEDS_NO_SCOPE = "/v1/desk/own-disclosures"
"""`tests/audit/test_log_search.py` has its test."""
OF_MANY_CONCERNS = "/v1/desk/bursts"
"""Where one call leaves a row for each concern: `test_bursts` has its tests."""
READS = [(method, path) for method, path in CALLS if method == "get"]
ONE_BY_ONE = [READS, *([each] for each in CALLS if each not in READS)]
"""The calls, of which those stand together that change no concern."""


PREPARED = ("notes/{number}", "label", "outcome", "reopening", "erasure", "{number}/acknowledgement", "/receipt")
"""How the paths end for which `AtWork.prepare` does something."""


def in_the_same_state() -> list[list[tuple[str, str]]]:
    """Return the calls in groups: what `prepare` does for one call of a group, it does for all."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for method, path in CALLS:
        ending = next((each for each in PREPARED if path.endswith(each)), "")
        groups.setdefault(ending, []).append((method, path))
    return list(groups.values())


@pytest.fixture
def reference(client: TestClient) -> str:
    """A concern with an addition."""
    receipt = raise_concern(client)
    added = add(client, receipt)
    assert added.status_code == 201
    return str(receipt["reference"])


@dataclass(frozen=True)
class AtWork:
    """The duty team and one concern."""

    desk: Desk
    reference: str

    def prepare(self, path: str) -> None:
        """Bring the concern into the state in which the route accepts it."""
        if path.endswith("notes/{number}"):
            assert self.desk.act(self.reference, "notes", text="A made-up note.").status_code == 201
        if path.endswith("label"):
            assert self.call("put", path).status_code == 200
        if path.endswith(("outcome", "reopening", "erasure", "{number}/acknowledgement")):
            seen = {"up_to_addition": 1} if path.endswith("erasure") else {}
            assert self.desk.act(self.reference, "acknowledgement", **seen).status_code == 200
        if path.endswith("reopening"):
            assert self.desk.act(self.reference, "outcome", outcome="early_help").status_code == 200
        if path.endswith("/receipt"):
            assert self.desk.act(self.reference, "hand-over", **HAND_OVER).status_code == 201

    def call(self, method: str, path: str, headers: dict[str, str] | None = None) -> Any:
        """Call the route about the concern; with the team's own key, if no headers are given."""
        told = CALLS[method, path].body if method == "post" else CALLS[method, path].body or None
        address = path.format(reference=self.reference, chain=self.reference, number=1)
        return self.desk.http.request(
            method, address, json=told, headers=self.desk.headers if headers is None else headers
        )


@pytest.fixture
def at_work(desk: Desk, reference: str) -> AtWork:
    return AtWork(desk, reference)


def everything(database: RawConnection) -> dict[str, list[Any]]:
    tables = ("concerns", "entries", "audit_entries", "chains")
    return {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


@pytest.mark.slow
def test_no_route_of_the_desk_is_left_out_here(service: FastAPI) -> None:
    paths = [path for path in service.openapi()["paths"] if path.startswith("/v1/desk")]
    methods = {
        path: service.openapi()["paths"][path]
        for path in paths
        if not path.startswith((*SHOW_NO_CONCERN, OF_MANY_CONCERNS, NEEDS_NO_SCOPE))
    }
    assert {(method, path) for path in methods for method in methods[path]} == {*CALLS, BEGINS_A_CHAIN}


@pytest.fixture
def without(client: TestClient) -> dict[Scope, dict[str, str]]:
    """For each scope the headers of a client that has every other."""
    return {
        scope: a_key(client, *(each for each in Scope if each is not scope), name=f"client-{place}")
        for place, scope in enumerate(Scope)
    }


@pytest.mark.slow
@for_each(("method", "path"), CALLS)
def test_each_route_needs_its_scope_and_records_nothing_without_it(
    at_work: AtWork, without: dict[Scope, dict[str, str]], database: RawConnection, method: str, path: str
) -> None:
    elsewhere = without[CALLS[method, path].scope]
    before = everything(database)

    answers = [at_work.call(method, path, sent) for sent in ({}, {"Authorization": "Bearer omg_invented"}, elsewhere)]

    assert [answer.status_code for answer in answers] == [401, 401, 403]
    assert f'scope="{CALLS[method, path].scope}"' in answers[2].headers["WWW-Authenticate"]
    assert everything(database) == before


@pytest.mark.slow
@pytest.mark.parametrize("calls", ONE_BY_ONE, ids=lambda calls: " ".join(calls[0]))
def test_each_route_leaves_exactly_one_row_with_client_act_time_and_address(
    at_work: AtWork, clock: SettableClock, database: RawConnection, calls: list[tuple[str, str]]
) -> None:
    for method, path in calls:
        at_work.prepare(path)
        before = everything(database)["audit_entries"]
        clock.time += dt.timedelta(hours=1)

        answer = at_work.call(method, path)

        assert answer.is_success, answer.text
        (row,) = [row for row in everything(database)["audit_entries"] if row not in before]
        chain, _, at, client, act, address, *_ = row
        call = CALLS[method, path]
        assert (chain, act) == (call.chain or at_work.reference, call.act)
        assert (client, str(at)[:19], address) == ("example-desk", f"{clock.time:%Y-%m-%d %H:%M:%S}", "testclient")


@pytest.mark.slow
@pytest.mark.parametrize("calls", in_the_same_state(), ids=lambda calls: " ".join(calls[-1]))
def test_an_act_that_cannot_be_recorded_does_not_happen_and_shows_nothing(
    at_work: AtWork, database: RawConnection, calls: list[tuple[str, str]]
) -> None:
    at_work.prepare(calls[0][1])
    before = everything(database)
    fail_writes(database, "INSERT", "audit_entries")

    for method, path in calls:
        answer = at_work.call(method, path)

        assert answer.status_code == 503, path
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert at_work.reference not in answer.text
        assert everything(database) == before, path


RECORD_ALONE = f"{CONCERN}/export"
"""It changes no row: what fails is the record itself."""


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for method, path in CALLS if method == "post" and path != RECORD_ALONE])
def test_an_act_that_fails_leaves_nothing_on_the_record(
    at_work: AtWork, clock: SettableClock, database: RawConnection, path: str
) -> None:
    at_work.prepare(path)
    clock.time = A_TUESDAY + dt.timedelta(hours=1)
    before = everything(database)
    table = "entries" if path.endswith("messages") else "hand_overs" if "hand-over" in path else "concerns"
    fail_writes(database, "INSERT" if table != "concerns" and not path.endswith("receipt") else "UPDATE", table)

    answer = at_work.call("post", path)

    assert answer.status_code == 503
    assert everything(database) == before


@pytest.fixture
def unguarded(desk: Desk, reference: str, database: RawConnection) -> Unguarded:
    """Five rows on the concern's chain, and a database whose rules somebody gets around."""
    desk.act(reference, "acknowledgement")
    desk.act(reference, "hold", held=True, reason="A made-up reason.")
    desk.get(f"/concerns/{reference}")
    desk.get("/concerns")
    return Unguarded(database)


def verify(data_dir: Path) -> tuple[int, str]:
    told = CliRunner().invoke(app, ["verify", "--data-dir", str(data_dir)])
    return told.exit_code, told.stdout


def flipped(stored: Any) -> Iterator[Any]:
    """The value with one byte of it changed, each in turn by another mask, or one bit of a number."""
    if isinstance(stored, int):
        for place in range(63):
            yield stored ^ (1 << place)
        return
    for place, mask in zip(range(len(stored)), cycle(MASKS), strict=False):
        yield stored[:place] + bytes([stored[place] ^ mask]) + stored[place + 1 :]


@pytest.mark.slow
@pytest.mark.embedded
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("step", first_by_day([9, 1]), ids=["some bytes of each row", "each byte"])
def test_one_byte_changed_in_any_row_is_reported_with_its_chain(
    unguarded: Unguarded, service: FastAPI, settings: Settings, column: str, step: int
) -> None:
    """By day each row has other bytes changed than the row before it, with either mask."""
    as_bytes = column if column == "number" else f"CAST({column} AS BLOB)"
    change = (
        f"UPDATE audit_entries SET {column} = CAST(? AS {'INTEGER' if column == 'number' else 'TEXT'}) WHERE rowid = ?"
    )
    unseen = []
    rows = unguarded.execute(f"SELECT rowid, chain, {as_bytes} FROM audit_entries").fetchall()
    with unguarded.without_rules() as database:
        for place, (rowid, chain, stored) in enumerate(rows):
            values = list(flipped(stored))
            for changed in values[place % min(step, len(values) or 1) :: step]:
                try:
                    database.execute(change, (changed, rowid))
                except sqlite3.IntegrityError:
                    continue  # another row has that place already
                if f"audit log of {chain}" not in dict(verify_audit_log(service.state.context.engine)):
                    unseen.append((chain, stored, changed))
            database.execute(change, (stored, rowid))

    assert unseen == []
    assert verify(settings.data_dir)[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("DELETE FROM audit_entries WHERE chain = :chain AND number = 1", "row 2 does not follow the row before it"),
        ("DELETE FROM audit_entries WHERE chain = :chain AND number = 2", "row 3 does not follow the row before it"),
        ("DELETE FROM audit_entries WHERE chain = :chain AND number = 5", "it should end at row 5, and does not"),
        ("DELETE FROM audit_entries WHERE chain = :chain", "it should end at row 5, and does not"),
        ("DELETE FROM chains WHERE name = :chain", "its end is missing"),
        (
            "; ".join((MOVE.format(1, 9), MOVE.format(2, 1), MOVE.format(9, 2))),
            "row 1 does not follow the row before it",
        ),
        (
            "; ".join((MOVE.format(2, 9), MOVE.format(3, 2), MOVE.format(9, 3))),
            "row 2 does not follow the row before it",
        ),
        ("UPDATE audit_entries SET client = 'nobody' WHERE chain = :chain AND number = 2", "row 2 was altered"),
        pytest.param(
            "UPDATE audit_entries SET detail = x'00ff' WHERE chain = :chain AND number = 2",
            "row 2 was altered",
            marks=pytest.mark.embedded,
        ),
        pytest.param(
            "UPDATE audit_entries SET at = replace(at, ' ', 'T') WHERE chain = :chain",
            "row 1 was altered",
            marks=pytest.mark.embedded,
        ),
    ],
)
def test_the_command_names_the_concern_whose_chain_was_cut_reordered_or_rewritten(
    unguarded: Unguarded, settings: Settings, reference: str, tampering: str, fault: str
) -> None:
    assert verify(settings.data_dir)[0] == 0
    for statement in tampering.split(";"):
        unguarded.execute(statement, {"chain": reference})

    code, told = verify(settings.data_dir)

    assert code == 1
    assert f"audit log of {reference}: {fault}" in told
    assert told.count("audit log of") == 1


@pytest.mark.slow
@pytest.mark.embedded
@pytest.mark.parametrize("table", ["audit_entries", "chains"])
def test_the_database_refuses_to_change_delete_or_replace_the_record(
    at_work: AtWork, database: RawConnection, table: str
) -> None:
    at_work.prepare("outcome")
    at_work.desk.get("/concerns")
    before = everything(database)
    key = {"audit_entries": "chain", "chains": "name"}[table]
    attempts = [
        f"DELETE FROM {table}",
        f"UPDATE {table} SET {key} = 'another'",
        *(f"UPDATE {table} SET {column} = {column}" for column in COLUMNS if table == "audit_entries"),
        "UPDATE chains SET length = length - 1",
        "UPDATE chains SET length = length, head_sha256 = 'another'",
        f"REPLACE INTO {table} SELECT * FROM {table}",
        f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        f"UPDATE OR REPLACE {table} SET rowid = (SELECT max(rowid) FROM {table})",
    ]

    refused = 0
    for attempt in attempts:
        with pytest.raises(sqlite3.IntegrityError, match=r"an? (audit log entry|chain)"):
            database.execute(attempt)
        refused += 1

    assert refused == len(attempts)
    assert everything(database) == before


@pytest.mark.slow
def test_a_signed_statement_checked_offline_reveals_a_cut_chain(
    unguarded: Unguarded, desk: Desk, settings: Settings, reference: str
) -> None:
    told = desk.get(f"/disclosures/{reference}/statement").json()
    keys = PyJWKSet.from_dict(desk.http.get("/.well-known/jwks.json").json())

    header = jwt.get_unverified_header(told["statement"])
    claims = jwt.decode(told["statement"], keys[header["kid"]], ["EdDSA"], options={"verify_iat": False})

    last = "FROM audit_entries WHERE chain = ? ORDER BY number DESC LIMIT 1"
    assert (header["alg"], header["typ"]) == ("EdDSA", "disclosure-statement+jws")
    assert (claims["sub"], claims["length"], claims["at"]) == (reference, 5, "2026-11-24T09:30:00Z")
    assert (claims["head_sha256"],) == unguarded.execute(f"SELECT sha256 {last}", (reference,)).fetchone()
    unguarded.execute(f"DELETE FROM audit_entries WHERE (chain, number) = (SELECT chain, number {last})", (reference,))
    unguarded.execute(
        f"UPDATE chains SET (length, head_sha256) = (SELECT number, sha256 {last}) WHERE name = ?",
        (reference, reference),
    )
    code, found = verify(settings.data_dir)
    assert (code, "audit log of" in found) == (1, False)
    assert "record: it has " in found
    assert desk.get(f"/disclosures/{reference}/statement").json()["length"] < claims["length"]


@pytest.mark.slow
def test_the_record_comes_page_by_page_and_by_chain_and_client(client: TestClient, at_work: AtWork) -> None:
    another = a_key(client, Scope.READ, name="another-client")
    client.get("/v1/desk/concerns", headers=another)
    for _ in range(4):
        at_work.call("get", CONCERN)

    def walk(query: str) -> Iterator[Any]:
        cursor = ""
        while cursor is not None:
            answer = at_work.desk.get(f"/disclosures?limit=3{query}{cursor}").json()
            yield from answer["disclosures"]
            cursor = answer["next_cursor"] and f"&cursor={answer['next_cursor']}"

    own = list(walk(f"&chain={at_work.reference}"))
    acts = ["received", "added", "opened", "opened", "opened", "opened"]
    assert [(row["chain"], row["number"], row["act"]) for row in own] == [
        (at_work.reference, number, act) for number, act in enumerate(acts, start=1)
    ]
    assert [(row["client"], row["act"]) for row in walk("&client=another-client")] == [("another-client", "listed")]
    whole = [(row["chain"], row["number"]) for row in walk("")]
    assert len(set(whole)) == len(whole)
    assert set(whole) >= {(at_work.reference, number) for number in range(1, 7)} | {(INBOX, 1), (AUDIT, 1)}
    assert at_work.desk.get("/disclosures?chians=inbox").status_code == 400


@pytest.mark.slow
def test_the_record_says_what_an_auditor_and_an_inbox_reader_saw(at_work: AtWork) -> None:
    at_work.desk.get("/concerns")
    at_work.desk.get(f"/disclosures?chain={at_work.reference}&client=example-desk")

    rows = at_work.desk.get("/disclosures").json()["disclosures"]
    shown = [(row["chain"], row["act"], row["detail"]) for row in rows if row["chain"] in (INBOX, AUDIT)]
    assert shown == [
        (INBOX, "listed", at_work.reference),
        (AUDIT, "disclosures_read", f"{at_work.reference} example-desk"),
    ]


SIGNED_IN = ("signed_in", f"passkey:desk/{JO}", ADDRESS, "")


def by_the_operator(act: str, detail: str) -> tuple[str, str, str, str]:
    return (act, "operator", "command line", detail)


@pytest.mark.slow
def test_every_invitation_role_and_sign_in_is_on_the_record(service: FastAPI, client: TestClient, desk: Desk) -> None:
    client.follow_redirects = False
    sign_in_as(service, client, JO, Role.WORKER)
    client.post("/desk/sign-out", headers=OWN_PAGE)
    client.post("/desk/sign-out", headers=OWN_PAGE)  # signs nobody out
    sign_in_as(service, client, JO, Role.LEAD)
    context_of_service(service).writer.run(remove_person_access, JO, at=context_of_service(service).clock())
    cookie = client.cookies[SESSION_COOKIE]
    client.post("/desk/sign-out", headers=OWN_PAGE | {"Cookie": f"{SESSION_COOKIE}={cookie}"})  # nor a person who left

    assert acts_of_people(service) == [
        by_the_operator("invited", f"{JO} as worker"),
        SIGNED_IN,
        ("signed_out", f"passkey:desk/{JO}", "testclient", ""),
        by_the_operator("invited", f"{JO} as lead"),
        by_the_operator("role_changed", f"{JO} from worker to lead"),
        SIGNED_IN,
        by_the_operator("left", JO),
    ]
    shown = desk.get("/disclosures?chain=people").json()["disclosures"]
    assert [each["act"] for each in shown] == ["client_added", *(act for act, *_ in acts_of_people(service))]
    assert list(find_faults(context_of_service(service).engine)) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_entries SET client = 'passkey:desk/Sam Example' WHERE chain = 'people' AND act = 'signed_in'",
        "DELETE FROM audit_entries WHERE chain = 'people' AND act = 'signed_in'",
    ],
)
def test_verify_finds_a_sign_in_that_was_altered_or_taken_out(
    service: FastAPI, client: TestClient, tampering: str
) -> None:
    sign_in_as(service, client, JO)

    with raw_connection(context_of_service(service).settings.data_dir) as database:
        Unguarded(database).execute(tampering)

    assert {about for about, _ in find_faults(context_of_service(service).engine)} >= {"audit log of people"}


@pytest.mark.slow
def test_a_caller_computes_the_hash_of_an_entry_from_the_answer(at_work: AtWork) -> None:
    at_work.desk.get("/concerns")
    for entry in at_work.desk.get("/disclosures").json()["disclosures"]:
        hashed = {name: value for name, value in entry.items() if name not in ("details", "sha256")}
        hashed["detail"] = rfc8785.dumps(entry["details"]).decode()

        assert hashlib.sha256(rfc8785.dumps(hashed)).hexdigest() == entry["sha256"]


@pytest.mark.slow
@pytest.mark.parametrize("stored", ["words", "[]", '{"person":1}', '{"invented":"x"}', ""])
def test_altered_details_are_shown_as_they_are_stored(at_work: AtWork, database: RawConnection, stored: str) -> None:
    drop_triggers(database)
    database.execute("UPDATE audit_entries SET detail = ? WHERE act = 'received'", (stored,))

    shown = at_work.desk.get(f"/disclosures?chain={at_work.reference}").json()["disclosures"]

    assert {row["detail"] for row in shown if row["act"] == "received"} == {stored}


SENTENCES: dict[str, Details] = {
    "": AcknowledgedDetails(),
    "with additions 1 to 2": AcknowledgedDetails(up_to_addition=2),
    "addition 2": AcknowledgedDetails(addition=2),
    "with additions 1 to 2; together, 6 of 4F7K": AcknowledgedDetails(up_to_addition=2, together=6, burst="4F7K"),
    "early_help, not shared with the reporter": ClosedDetails(outcome="early_help", shared=False),
    "to nobody": AssignmentRefusedDetails(),
    "opened here, additions 1 to 3, no notes": ShownDetails(
        what="opened here",
        pages=(ShownPage(kind=EntryKind.ADDITION, first=1, last=3), ShownPage(kind=EntryKind.NOTE)),
    ),
    "sealed file of note 2": ShownDetails(what="sealed file", kind=EntryKind.NOTE, number=2),
    "message 1": MessageReadDetails(messages=(1,)),
    "messages 1 2": MessageReadDetails(messages=(1, 2)),
    "no events": CheckpointDetails(),
    "5 by case-system": EventsConfirmedDetails(client="case-system", event=5),
    "figures of 7 days": SummaryDetails(days=7),
    "every session": SessionDetails(),
    "desk: key ab, ends never; older keys end 2026-11-24T09:30:00Z": KeyAddedDetails(
        client="desk", key="ab", older_keys_end=A_TUESDAY
    ),
    "desk: key ab, ends 2026-11-24T09:30:00Z, for tests may concerns:submit; person Jo": ClientAddedDetails(
        client="desk", key="ab", ends=A_TUESDAY, scopes=("concerns:submit",), test=True, person="Jo"
    ),
}


def test_each_sentence_is_made_of_the_details_that_were_stored() -> None:
    for sentence, details in SENTENCES.items():
        assert str(type(details).model_validate_json(details.stored)) == sentence


def test_every_act_has_a_model_of_its_details() -> None:
    assert set(DETAILS) == set(DeskAct)
