"""Readiness: it is green only while a concern can be stored, and what it tries leaves nothing behind."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.db.database import DATABASE_FILE
from app.main import create_app
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.services.events.webhooks import insert_webhook
from app.services.operations import jobs
from tests.support.command import guidance
from tests.support.databases import fail_writes, on_postgresql, raw_connection
from tests.support.delivery import a_receiver

pytestmark = pytest.mark.slow

TABLES = ("concerns", "entries", "events", "deliveries", "audit_entries", "chains", "stored_receipts", "generation")
READY = "/health/ready"


@pytest.fixture
def trials(service: FastAPI, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The trials that were made: an entry each."""
    made: list[str] = []
    submissions = service.state.context.submissions
    rehearse: Callable[..., None] = type(submissions).rehearse

    def count(self: Any, **given: Any) -> None:
        made.append("trial")
        rehearse(self, **given)

    monkeypatch.setattr(type(submissions), "rehearse", count)
    return made


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every request be a trial."""
    monkeypatch.setattr(jobs, "SECONDS_BETWEEN_PROBES", 0)


def rows(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    with raw_connection(settings.data_dir) as database:
        return {table: database.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}  # noqa: S608  # own names


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    ("table", "operation"), [("concerns", "INSERT"), ("events", "INSERT"), ("generation", "UPDATE")]
)
def test_readiness_is_red_only_while_concerns_are_refused(
    client: TestClient, settings: Settings, table: str, operation: str
) -> None:
    before = client.get(READY)
    with raw_connection(settings.data_dir) as database:
        fail_writes(database, operation, table)

        during = client.get(READY)

        database.execute("DROP TRIGGER full_up" + (f" ON {table}" if on_postgresql() else ""))
    assert (before.status_code, before.json()["checks"]["concerns"]) == (200, "ok")
    assert (during.status_code, during.json()["checks"]["concerns"]) == (503, "cannot be stored")
    assert client.get(READY).status_code == 200


@pytest.mark.usefixtures("always")
@pytest.mark.embedded
def test_a_damaged_table_turns_readiness_red_and_verify_names_it(settings: Settings) -> None:
    with TestClient(create_app(settings)) as client:
        assert client.post("/v1/concerns", json=SMALLEST_EXAMPLE).status_code == 201
        assert client.get(READY).status_code == 200
    path = settings.data_dir / DATABASE_FILE
    with closing(sqlite3.connect(path)) as database:
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'concerns'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)

    with TestClient(create_app(settings)) as client:
        refused = client.post("/v1/concerns", json=SMALLEST_EXAMPLE)
        ready = client.get(READY)
    said = guidance("verify", "--data-dir", settings.data_dir)

    assert refused.status_code == 503
    assert (ready.status_code, ready.json()["checks"]["concerns"]) == (503, "cannot be stored")
    assert said.returncode == 1
    assert "database: " in said.stdout
    assert "Traceback" not in said.stderr


@pytest.mark.usefixtures("always")
def test_a_trial_leaves_no_row_no_event_and_no_delivery(
    client: TestClient, service: FastAPI, settings: Settings, trials: list[str]
) -> None:
    context = service.state.context
    context.writer.run(insert_webhook, a_receiver())
    client.post("/v1/concerns", json=SMALLEST_EXAMPLE)
    before = rows(settings)

    for _ in range(3):
        assert client.get(READY).status_code == 200

    assert len(trials) == 3
    assert before["deliveries"]
    assert rows(settings) == before


def test_many_requests_cost_one_trial_and_a_refused_concern_costs_another(
    client: TestClient, settings: Settings, trials: list[str]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(lambda _: client.get(READY).status_code, range(40)))
    many = len(trials)
    with raw_connection(settings.data_dir) as database:
        fail_writes(database, "INSERT", "events")
        refused = client.post("/v1/concerns", json=SMALLEST_EXAMPLE)

    assert statuses == {200}
    assert many == 1
    assert refused.status_code == 503
    assert client.get(READY).status_code == 503
    assert len(trials) == 2


@pytest.mark.any_database
def test_a_service_without_a_guide_is_ready_to_get_one(tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    seed.mkdir()
    for name in ("signposts.yaml", "legal-statements.yaml", "code-lists"):
        (seed / name).symlink_to(Settings().seed_dir / name)
    (seed / "guides").mkdir()

    with TestClient(create_app(Settings(data_dir=tmp_path / "data", seed_dir=seed, deliver=False))) as client:
        assert client.get(READY).status_code == 200
