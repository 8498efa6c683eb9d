"""Handing over: sealed to the other body's key, on the record before it leaves, with the receipts of both sides."""

import base64
import hashlib
import json
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pyrage
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.models.access.clients import Scope
from app.services.concerns.keys import create_identity
from app.services.concerns.receipt_signing import HAND_OVER, check_receipt
from app.services.concerns.sealing import read_identities
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY
from tests.support.command import guidance
from tests.support.concerns import add, raise_concern
from tests.support.databases import RawConnection, Unguarded, files_of
from tests.support.desk import Desk, desk_of
from tests.support.live import LiveServer
from tests.support.service import a_service

pytestmark = pytest.mark.slow

CANARY = "Canary-Alex-Example"


@pytest.fixture
def neighbour(tmp_path: Path) -> tuple[Path, str]:
    """The identity of another body, in a file, and its recipient."""
    path = tmp_path / "neighbour" / "identity.txt"
    return path, create_identity(path, at=A_TUESDAY)


@pytest.fixture
def receipt(client: TestClient) -> dict[str, Any]:
    receipt = raise_concern(client, concern={"narrative": CANARY})
    add(client, receipt, f"{CANARY} came home.")
    return receipt


def hand_over(desk: Desk, receipt: dict[str, Any], recipient: str, **changes: Any) -> Any:
    body = {"recipient": recipient, "body": "Example Council", "reason": "The child lives there."} | changes
    return desk.act(receipt["reference"], "hand-over", **body)


def chain_of(desk: Desk, receipt: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.get(f"/disclosures?chain={receipt['reference']}").json()["disclosures"]
    return found


def test_the_other_body_opens_the_concern_and_the_record_says_why(
    client: TestClient, desk: Desk, receipt: dict[str, Any], neighbour: tuple[Path, str], settings: Settings
) -> None:
    identity, recipient = neighbour

    answer = hand_over(desk, receipt, recipient)

    entry, chain = answer.json(), chain_of(desk, receipt)
    package = base64.b64decode(entry["package"])
    opened = json.loads(read_identities(identity).decrypt(package))
    claims = check_receipt(entry["receipt"], client.get("/.well-known/jwks.json").json(), kind=HAND_OVER)
    assert answer.status_code == 201
    assert opened["concern"]["submission"]["concern"]["narrative"] == CANARY
    assert [each["addition"]["concern"]["narrative"] for each in opened["additions"]] == [f"{CANARY} came home."]
    assert (opened["body"], opened["reason"]) == ("Example Council", "The child lives there.")
    assert entry["package_sha256"] == claims["package_sha256"] == hashlib.sha256(package).hexdigest()
    assert (claims["jti"], claims["recipient"], claims["additions"]) == (receipt["reference"], recipient, 1)
    assert chain[-1]["act"] == "handed_over"
    assert chain[-1]["detail"] == (
        f"hand-over 1 with additions 1 to 1 sha256:{entry['package_sha256']} to {recipient}; "
        "Example Council: The child lives there."
    )
    assert [path.name for path, content in files_of(settings.data_dir).items() if CANARY.encode() in content] == []


def test_nobody_else_opens_a_hand_over_and_the_concern_stays_open(
    desk: Desk, receipt: dict[str, Any], neighbour: tuple[Path, str]
) -> None:
    package = base64.b64decode(hand_over(desk, receipt, neighbour[1]).json()["package"])

    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(package, [pyrage.x25519.Identity.generate()])
    assert desk.get("/concerns").json()["concerns"][0]["state"] == "received"


def test_the_other_body_s_receipt_is_stored_once_and_recorded(
    desk: Desk, service: FastAPI, receipt: dict[str, Any], neighbour: tuple[Path, str]
) -> None:
    hand_over(desk, receipt, neighbour[1])
    path = "hand-over/1/receipt"

    answers = [desk.act(receipt["reference"], path, receipt=text) for text in ("a.b.c", "a.b.c", "d.e.f")]
    missing = desk.act(receipt["reference"], "hand-over/2/receipt", receipt="a.b.c")

    (entry,) = desk.get(f"/concerns/{receipt['reference']}/hand-over").json()["hand_overs"]
    acts = [each["act"] for each in chain_of(desk, receipt)]
    assert [each.status_code for each in (*answers, missing)] == [200, 200, 422, 404]
    assert (entry["their_receipt"], entry["confirmed_at"]) == ("a.b.c", "2026-11-24T09:30:00Z")
    assert acts == ["received", "added", "handed_over", "hand_over_confirmed", "listed"]
    assert list(find_faults(service.state.context.engine)) == []


def test_a_service_without_an_identity_records_a_digest_sealed_elsewhere(
    neighbour: tuple[Path, str], tmp_path: Path
) -> None:
    team = create_identity(tmp_path / "team.txt", at=A_TUESDAY)
    service = a_service(data_dir=tmp_path / "away", seal_to=(team,))
    with TestClient(service) as client:
        desk, receipt = desk_of(service, client), raise_concern(client)

        refused = hand_over(desk, receipt, neighbour[1])
        recorded = hand_over(desk, receipt, neighbour[1], package_sha256="a" * 64)

        assert (refused.status_code, refused.json()["type"]) == (406, "/v1/problems/not-opened-here")
        assert (recorded.status_code, recorded.json()["package"]) == (201, None)
        assert recorded.json()["package_sha256"] == "a" * 64
        assert len(desk.get(f"/concerns/{receipt['reference']}/hand-over").json()["hand_overs"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "age1rubbish"},
        {"recipient": ""},
        {"package_sha256": "A" * 64},
        {"reason": ""},
        {"body": "x" * 301},
    ],
)
def test_what_cannot_be_a_hand_over_is_refused_and_leaves_no_record(
    desk: Desk, receipt: dict[str, Any], neighbour: tuple[Path, str], changes: dict[str, str]
) -> None:
    answer = hand_over(desk, receipt, **({"recipient": neighbour[1]} | changes))

    assert answer.status_code == 422
    assert "rubbish" not in answer.text
    assert [each["act"] for each in chain_of(desk, receipt)] == ["received", "added"]


def test_an_erased_concern_is_not_handed_over(desk: Desk, receipt: dict[str, Any], neighbour: tuple[Path, str]) -> None:
    desk.act(receipt["reference"], "acknowledgement", up_to_addition=1)
    desk.act(receipt["reference"], "erasure", reason="A made-up reason.")

    answers = [hand_over(desk, receipt, neighbour[1], **more) for more in ({}, {"package_sha256": "a" * 64})]

    assert [each.status_code for each in answers] == [410, 410]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE hand_overs SET body = 'Another'",
        "UPDATE hand_overs SET their_receipt = 'forged'",
        "DELETE FROM hand_overs",
        "INSERT INTO hand_overs (reference, number, at, body, reason, recipient, package_sha256, additions, receipt) "
        "SELECT reference, 9, at, body, reason, recipient, package_sha256, additions, receipt FROM hand_overs",
    ],
)
def test_the_database_refuses_a_change_off_the_record_and_verify_finds_one(
    desk: Desk,
    service: FastAPI,
    receipt: dict[str, Any],
    neighbour: tuple[Path, str],
    database: RawConnection,
    change: str,
) -> None:
    hand_over(desk, receipt, neighbour[1])
    desk.get(f"/concerns/{receipt['reference']}/hand-over")

    with pytest.raises(Exception, match="a hand-over"):
        database.execute(change)
    if not change.startswith("UPDATE hand_overs SET their"):
        Unguarded(database).execute(change)
        assert [each for _, each in find_faults(service.state.context.engine) if "hand-over" in each]


@pytest.mark.slow
def test_the_command_seals_a_hand_over_that_plain_age_opens(tmp_path: Path, neighbour: tuple[Path, str]) -> None:
    team, out = tmp_path / "team.txt", tmp_path / "for-the-neighbour.age"
    with LiveServer(tmp_path / "data", seal_to=create_identity(team, at=A_TUESDAY)) as server:
        with server.client() as http:
            receipt = raise_concern(http, concern={"narrative": CANARY})
            add(http, receipt, "More.")
        reference, worker = receipt["reference"], server.new_key(Scope.READ, Scope.WRITE)
        command = [
            "desk",
            "hand-over",
            reference,
            "--to",
            neighbour[1],
            "--body",
            "Example Council",
            "--reason",
            "Moved.",
        ]
        command += ["--url", server.url, "--identity", str(team), "--out", str(out)]

        done, again = guidance(*command, DESK_KEY=worker), guidance(*command, DESK_KEY=worker)
        theirs = out.with_name("theirs.txt")
        theirs.write_text("a.b.c\n")
        confirmed = guidance("desk", "confirm", reference, "1", theirs, "--url", server.url, DESK_KEY=worker)

    opened = json.loads(read_identities(neighbour[0]).decrypt(out.read_bytes()))
    assert (done.returncode, again.returncode, confirmed.returncode) == (0, 2, 0), done.stderr + confirmed.stderr
    assert "the file exists" in again.stderr
    assert opened["concern"]["submission"]["concern"]["narrative"] == CANARY
    assert len(opened["additions"]) == 1
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert out.with_name(f"{out.name}.receipt").read_text().count(".") == 2
    assert [path for path, content in files_of(server.data_dir).items() if CANARY.encode() in content] == []
    age = shutil.which("age")
    if age is not None:
        plain = subprocess.run([age, "-d", "-i", neighbour[0], out], capture_output=True, check=True)
        assert json.loads(plain.stdout) == opened
