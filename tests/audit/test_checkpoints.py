"""Checkpoints: the end of the record, signed and sent, in formats that other tools read."""

import base64
import datetime as dt
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from typer.testing import CliRunner

from app.cli.commands import app
from app.config import Settings
from app.errors import CheckpointNotGenuine, SetupError
from app.http.context import AppContext
from app.models.access.clients import Scope
from app.models.events.rows import EventKind
from app.services.events.address_guard import SsrfGuard
from app.services.events.dispatcher import build_dispatcher
from app.services.events.webhook_keys import add_webhook, open_webhook_keys
from app.services.operations import checkpoints
from app.services.operations.checkpoints import (
    CHECKPOINT_INTERVAL,
    MerkleTree,
    NoteSigner,
    Verifier,
    open_checkpoint,
    origin_at,
    parse_verifier_key,
)
from app.services.operations.event_verification import verify_events
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.databases import raw_connection
from tests.support.delivery import deliver_due
from tests.support.desk import Desk
from tests.support.publishing import a_key
from tests.support.receiver import Receiver

pytestmark = pytest.mark.slow

# The leaves and roots of the tests of Certificate Transparency, where this tree comes from.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_the_tree_follows_rfc_6962() -> None:
    tree = MerkleTree()
    roots = [tree.root.hex()]
    for leaf in LEAVES:
        tree.append(bytes.fromhex(leaf))
        roots.append(tree.root.hex())

    assert roots == ROOTS
    assert len(tree.frontier) == 1  # eight leaves are one complete tree


def opened_by_the_specification(note: str, verifier_key: str) -> list[str]:
    """Check a note with only the text of the specification (c2sp.org/signed-note); return the lines of its text."""
    text, signature_line = note.split("\n\n")
    name, _, encoded_key = verifier_key.split("+", 2)
    key = base64.b64decode(encoded_key)
    dash, signer, encoded = signature_line.rstrip("\n").split(" ")
    signature = base64.b64decode(encoded)
    assert (dash, signer, key[0]) == ("—", name, 1)
    assert signature[:4] == hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], f"{text}\n".encode())
    return text.split("\n")


def test_an_auditor_gets_a_checkpoint_in_the_transparency_log_format(
    desk: Desk, settings: Settings, reference: str
) -> None:
    desk.get(f"/concerns/{reference}")

    answer = desk.get("/checkpoint").json()

    with raw_connection(settings.data_dir) as database:
        hashes = database.execute("SELECT sha256 FROM audit_entries ORDER BY position").fetchall()
        last = database.execute("SELECT chain, act FROM audit_entries ORDER BY at DESC, chain DESC").fetchall()
    tree = MerkleTree()
    tree.extend(bytes.fromhex(sha256) for (sha256,) in hashes)
    assert opened_by_the_specification(answer["checkpoint"], answer["verifier_key"]) == [
        "127.0.0.1:8000/disclosures",
        str(len(hashes)),
        base64.b64encode(tree.root).decode(),
    ]
    assert (answer["size"], answer["root_sha256"]) == (len(hashes), tree.root.hex())
    assert ("audit", "checkpoint_signed") in last
    assert desk.http.get("/v1/desk/checkpoint", headers=a_key(desk.http, Scope.READ)).status_code == 403


def test_one_process_makes_a_checkpoint_each_day_after_the_first_entry(
    context: AppContext, clock: SettableClock, reference: str
) -> None:
    assert reference
    made = []
    for hours in (0, 23, 24, 25, 47, 48, 96):
        clock.time = A_TUESDAY + dt.timedelta(hours=hours)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda _: context.checkpoints.make_if_due(at=clock()), range(4)))
        with raw_connection(context.settings.data_dir) as database:
            made.append(database.execute("SELECT count(*) FROM checkpoints").fetchone()[0])

    assert made == [0, 0, 1, 1, 1, 2, 3]
    assert dt.timedelta(days=1) == CHECKPOINT_INTERVAL


def test_a_checkpoint_is_due_on_the_same_day_after_many_entries(
    context: AppContext, desk: Desk, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "MOST_BETWEEN", 5)
    due = []
    for number in range(10):
        desk.get(f"/concerns/{reference}")
        due += [number] if context.checkpoints.make_if_due(at=A_TUESDAY) else []

    assert [later - earlier for earlier, later in pairwise(due)] == [5]


def test_a_checkpoint_continued_from_the_last_equals_one_of_the_whole(
    context: AppContext, desk: Desk, reference: str
) -> None:
    for _ in range(5):
        context.checkpoints.make(at=A_TUESDAY)
        desk.get(f"/concerns/{reference}")
    row = context.checkpoints.make(at=A_TUESDAY)

    with raw_connection(context.settings.data_dir) as database:
        hashes = database.execute("SELECT sha256 FROM audit_entries ORDER BY position").fetchall()
    tree = MerkleTree()
    tree.extend(bytes.fromhex(sha256) for (sha256,) in hashes)
    assert (row.size, row.root_sha256) == (len(hashes), tree.root.hex())


def test_checkpoint_numbers_have_no_gap_if_the_database_skips_one(context: AppContext) -> None:
    """PostgreSQL goes on further along after it crashed, and `verify` compares each checkpoint with its event."""
    first = context.checkpoints.make(at=A_TUESDAY)
    if context.engine.dialect.name == "postgresql":
        with raw_connection(context.settings.data_dir) as database:
            database.execute("SELECT setval(pg_get_serial_sequence('checkpoints', 'number'), 33)")
    second = context.checkpoints.make(at=A_TUESDAY)

    assert (first.number, second.number) == (1, 2)
    assert [each for each in verify_events(context.engine) if each[0].startswith("checkpoint")] == []


def test_the_second_party_gets_each_checkpoint_and_finds_deleted_entries(
    context: AppContext, settings: Settings, clock: SettableClock, reference: str, tmp_path: Path
) -> None:
    receiver = Receiver()
    guard = SsrfGuard(frozenset({"127.0.0.1"}))
    kinds, keys = [EventKind.AUDIT_CHECKPOINT], open_webhook_keys(settings)
    add_webhook(
        context.writer,
        name="second-party",
        url=receiver.url,
        kinds=kinds,
        guard=guard,
        keys=keys,
        at=clock(),
    )
    context.checkpoints.make(at=clock())

    callable_hosts = settings.model_copy(update={"webhook_allowed_hosts": ("127.0.0.1",)})
    deliver_due(build_dispatcher(callable_hosts, context.writer, clock))
    receiver.close()

    (notice,) = receiver.notices
    stored = tmp_path / "notice.json"
    stored.write_bytes(notice.body)
    event = json.loads(notice.body)
    key = context.checkpoints.signer.verifier_key
    assert event["type"] == "audit.checkpoint"
    assert event["data"]["checkpoint"].split("\n")[1] == "3"  # the concern, the receiver, and the signing
    assert reference not in notice.body.decode()
    options = ["verify", "--data-dir", str(settings.data_dir), "--checkpoint", str(stored), "--key", key]
    assert CliRunner().invoke(app, options).exit_code == 0


def test_the_command_prints_the_checkpoint_that_is_stored_and_sent(
    context: AppContext, settings: Settings, reference: str
) -> None:
    assert reference

    made = CliRunner().invoke(app, ["audit", "checkpoint", "--data-dir", str(settings.data_dir)])

    with raw_connection(settings.data_dir) as database:
        ((note,),) = database.execute("SELECT note FROM checkpoints").fetchall()
    assert (made.exit_code, made.stdout) == (0, note)
    opened_by_the_specification(made.stdout, context.checkpoints.signer.verifier_key)


def test_a_checkpoint_misshapen_or_signed_by_no_known_key_is_refused() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    signer = NoteSigner(origin_at("https://council.example"), key)
    verifier = parse_verifier_key(signer.verifier_key)
    note = signer.sign(3, bytes(32))
    text, _, signatures = note.partition("\n\n")
    foreign = NoteSigner("other.example/disclosures", other).sign(3, bytes(32)).partition("\n\n")[2]
    changes = [
        "",
        text,
        note.replace("\n3\n", "\n4\n"),
        note.replace("council", "counsel"),
        note.replace("— ", "- "),
        f"{text}\n\n{foreign}",
        f"{text}\n\n{signatures}{signatures[:-10]}\n",
        note * 2000,
    ]

    assert open_checkpoint(note, [verifier]).size == 3
    assert open_checkpoint(f"{text}\n\n{foreign}{signatures}", [verifier]).size == 3  # others may sign it too
    for changed in changes:
        with pytest.raises(CheckpointNotGenuine):
            open_checkpoint(changed, [verifier])
    with pytest.raises(CheckpointNotGenuine):
        open_checkpoint(note, [Verifier(other.public_key())])
    with pytest.raises(SetupError):
        parse_verifier_key(signer.verifier_key.replace("council", "counsel"))
    with pytest.raises(InvalidSignature):
        opened_by_the_specification(note.replace("\n3\n", "\n4\n"), signer.verifier_key)
