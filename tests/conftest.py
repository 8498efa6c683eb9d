"""What many tests need: a service on a folder of its own, a clock that can be set, and a concern to send."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser
from sqlmodel import Session
from starlette.testclient import TestClient

from app import main
from app.config import SEED_DIR, Settings
from app.main import create_app
from app.models.clients import Scope
from app.models.guidance.editions import EditionContent
from app.models.guidance.seed_files import read_seed_file
from app.services.access.clients import add_client
from app.services.guidance import seeding
from app.services.guidance.publishing import Published, publish_edition, withdraw_edition
from app.store.editions import EditionKey, find_history
from app.web.context import AppContext
from tests.support.browsing import launched
from tests.support.databases import on_postgresql, postgresql, stand_on_postgresql
from tests.support.live import LiveServer

A_TUESDAY = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
SLUG = "child-sexual-exploitation"
GUIDE = f"/v1/guides/{SLUG}"
FIRST_EDITION = SEED_DIR / "guides" / SLUG / "1.yaml"

Concern = Callable[..., dict[str, Any]]

# The seed is the same in every test: read once in each process.
read_seed_file = lru_cache(read_seed_file)
for module, reader in ((main, "read_reference_data"), (seeding, "read_seed_file")):
    setattr(module, reader, lru_cache(getattr(module, reader)))


LEFT_OUT_ON_POSTGRESQL = {
    "embedded": "is about the file of the embedded database",
    "any_database": "says nothing about the database, and is run on SQLite",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite", help="what services stand on")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--database") == "postgresql":
        stand_on_postgresql()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if on_postgresql():
        for item in items:
            for marker, reason in LEFT_OUT_ON_POSTGRESQL.items():
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Undo what a command that ran in this process set up for the logs."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before


@pytest.fixture(autouse=True)
def _one_test_s_databases() -> Iterator[None]:
    """Drop what the test made; what wider fixtures made stays."""
    before = postgresql().made if on_postgresql() else set()
    yield
    if on_postgresql():
        postgresql().forget(postgresql().made - before)


def an_edition(**changes: Any) -> EditionContent:
    """The words of the seed's first edition, with whatever the test changes."""
    return EditionContent.model_validate(read_seed_file(FIRST_EDITION, EditionContent).model_dump() | changes)


def publish_next(service: FastAPI, guide: str = SLUG, **changes: Any) -> Published:
    """Publish a guide's next edition by the door that every publisher uses, with whatever the test changes."""
    context: AppContext = service.state.context
    with Session(context.engine) as session:
        number = len(find_history(session, guide=guide)) + 1
    return publish_edition(
        context.writer,
        context.reference_data,
        guide=guide,
        number=number,
        content=an_edition(**changes),
        at=context.clock(),
    )


def withdraw(service: FastAPI, number: int, reason: str = "A number was wrong.", guide: str = SLUG) -> None:
    """Withdraw an edition by the door that everybody uses."""
    context: AppContext = service.state.context
    withdraw_edition(context.writer, EditionKey(guide, number), reason=reason, at=context.clock())


class SettableClock:
    """The time that a test has set."""

    def __init__(self) -> None:
        self.time = A_TUESDAY

    def __call__(self) -> dt.datetime:
        return self.time


@dataclass(frozen=True)
class Desk:
    """The duty team: a client with every scope that the desk knows."""

    http: Any
    headers: dict[str, str]

    def get(self, path: str, **headers: str) -> Any:
        """Read at the desk, with more headers where the test needs any."""
        return self.http.get(f"/v1/desk{path}", headers=self.headers | headers)

    def act(self, reference: str, what: str, **told: Any) -> Any:
        """Act on a concern."""
        return self.http.post(f"/v1/desk/concerns/{reference}/{what}", json=told, headers=self.headers)


def desk_of(service: FastAPI, http: Any) -> Desk:
    """A duty team that works with the service."""
    context: AppContext = service.state.context
    scopes = (Scope.READ, Scope.WRITE, Scope.AUDIT)
    key = add_client(context.writer, name="example-desk", scopes=scopes, at=A_TUESDAY)
    return Desk(http, {"Authorization": f"Bearer {key}"})


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Nothing is pushed in the background: a test that delivers does so by hand."""
    return Settings(data_dir=tmp_path / "data", deliver=False)


@pytest.fixture
def service(settings: Settings, clock: SettableClock) -> FastAPI:
    return create_app(settings, clock)


@pytest.fixture
def client(service: FastAPI) -> Iterator[TestClient]:
    with TestClient(service) as client:
        yield client


@pytest.fixture
def desk(service: FastAPI, client: TestClient) -> Desk:
    return desk_of(service, client)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a module: each test opens a context of its own."""
    with launched() as browser:
        yield browser


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveServer]:
    """A server of its own, started by the command that the README gives."""
    server = LiveServer(tmp_path / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def a_concern() -> Concern:
    """The four required parts, with whatever the test changes."""

    def make(**changes: Any) -> dict[str, Any]:
        told: dict[str, Any] = {
            "immediate_danger": "no",
            "reporter": {"kind": "professional"},
            "children": [{}],
            "concern": {"narrative": "Alex Example was collected from school by an adult whom staff do not know."},
        }
        return told | changes

    return make
