"""A database of every release, and of every revision, is migrated with all that callers were promised."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyrage
import pytest
from sqlalchemy import Engine

from app.about import VERSION
from app.store.database import DATABASE_FILE, for_writing
from app.store.schema import MIGRATIONS, find_schema_faults, migrate_schema, run_revisions
from tests.support.command import guidance
from tests.support.live import LiveServer
from tests.support.revisions import NEWEST
from tests.support.schema import an_empty

pytestmark = pytest.mark.slow

RELEASES = sorted((Path(__file__).parent / "released").iterdir())
REVISIONS = sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of either kind."""
    engine = an_empty(request.param, "empty", tmp_path)
    yield engine
    engine.dispose()


@pytest.mark.any_database
@pytest.mark.parametrize("revision", REVISIONS)
def test_the_schema_of_every_revision_becomes_the_declared_one(empty: Engine, tmp_path: Path, revision: str) -> None:
    with for_writing(empty).begin() as connection:
        run_revisions(connection, revision)

    assert migrate_schema(empty, tmp_path) == (revision, NEWEST)

    with empty.connect() as connection:
        assert find_schema_faults(connection) == []


@pytest.mark.any_database
def test_every_release_before_this_version_has_its_database_here() -> None:
    headings = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    here = {each.name for each in RELEASES}

    assert set(headings) - {VERSION} <= here <= set(headings)


def made_of(release: Path, data_dir: Path) -> dict[str, Any]:
    """Make the database of the release, and return what its callers have of it."""
    data_dir.mkdir()
    (data_dir / DATABASE_FILE).write_bytes(gzip.decompress((release / f"{DATABASE_FILE}.gz").read_bytes()))
    callers: dict[str, Any] = json.loads((release / "callers.json").read_text())
    (data_dir / "development-identity.txt").write_text(callers["identity"] + "\n")
    return callers


def statuses_of(client: httpx.Client, callers: dict[str, Any]) -> list[dict[str, Any]]:
    tokens = [
        (each["links"]["self"], {"Authorization": f"Bearer {each['status_token']}"})
        for each in callers["receipts"].values()
    ]
    return [client.get(path, headers=token).raise_for_status().json() for path, token in tokens]


@pytest.mark.embedded
@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_a_database_of_a_release_is_migrated_with_every_concern_receipt_token_key_and_record(
    release: Path, tmp_path: Path
) -> None:
    callers = made_of(release, tmp_path / "data")
    migrated = guidance("migrate", "--data-dir", tmp_path / "data")
    assert migrated.returncode == 0, migrated.stderr
    (tmp_path / "jwks.json").write_text(json.dumps(callers["jwks"]))
    identity = pyrage.x25519.Identity.from_str(callers["identity"])
    key = {"Authorization": f"Bearer {callers['client_key']}"}

    server = LiveServer(tmp_path / "data")
    server.start()
    try:
        with server.client() as client:
            statuses = statuses_of(client, callers)
            again = [
                client.post("/v1/concerns", json=callers["concern"], headers={"Idempotency-Key": name}).json()
                for name in callers["receipts"]
            ]
            sealed = [
                client.get(f"/v1/desk/concerns/{each['reference']}", headers=key | {"Accept": "application/age"})
                for each in callers["receipts"].values()
            ]
    finally:
        server.stop()

    assert [each["state"] for each in statuses] == ["received", "acknowledged"]
    assert [len(each["additions"]) for each in statuses] == [1, 0]
    assert again == list(callers["receipts"].values())
    assert all(b"Alex Example" in pyrage.decrypt(each.content, [identity]) for each in sealed)
    for receipt in callers["receipts"].values():
        (tmp_path / "receipt.json").write_text(json.dumps(receipt))
        checked = guidance("receipts", "verify", tmp_path / "receipt.json", "--jwks", tmp_path / "jwks.json")
        assert checked.returncode == 0, checked.stderr
    verified = guidance("verify", "--data-dir", tmp_path / "data")
    assert verified.returncode == 0, verified.stdout + verified.stderr
