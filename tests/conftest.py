"""What many tests need: a service on a folder of its own, a clock that can be set, and a concern to send."""

import gc
import sys
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from app import main
from app.config import Settings
from app.db import database as database_module
from app.http.context import AppContext
from app.http.openapi import build_document
from app.main import create_app
from app.models.guides.edition_files import read_edition_file, read_rendition_file
from app.services.clock import working_days
from app.services.guides.reference_data import read_reference_data
from tests.support.browsing import launch_browser
from tests.support.clock import SettableClock
from tests.support.command import logs_as_before
from tests.support.compiled_once import create_engine_with_shared_statements
from tests.support.concerns import raise_concern
from tests.support.databases import RawConnection, on_postgresql, postgresql, raw_connection, use_postgresql
from tests.support.desk import Desk, desk_of, worker_of
from tests.support.live import LiveServer
from tests.support.log_lines import lines  # noqa: F401  # a fixture of every test
from tests.support.openapi import REPORTED
from tests.support.prepared import built_once, copy_prepared, prepared_folder


def read_once(read: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with a memory of what it read, for as long as nobody changes the file or folder."""
    remembered = lru_cache(lambda path, more, *_: read(path, *more))
    return lambda path, *more: remembered(path, more, *_stamps(path))


def _stamps(path: Path) -> Iterator[tuple[str, int, int]]:
    """Yield the name, time and size of the file, or of each file in the folder."""
    for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if each.is_file():
            told = each.stat()
            yield str(each), told.st_mtime_ns, told.st_size


# The seed is the same in every test: read once in each process, whoever reads it. So are the bank holidays.
for reader in (read_reference_data, read_edition_file, read_rendition_file):
    remembered = read_once(reader)
    for module in [each for name, each in sys.modules.items() if name.startswith("app.")]:
        if vars(module).get(reader.__name__) is reader:
            setattr(module, reader.__name__, remembered)
setattr(working_days, "_read_country", cache(vars(working_days)["_read_country"]))  # noqa: B010  # private

# So is each statement of the database.
setattr(database_module, "create_engine", create_engine_with_shared_statements)  # noqa: B010  # not a method

# So is the OpenAPI document of the same routes and settings. Each caller gets a copy.
setattr(main, "build_document", built_once(build_document))  # noqa: B010  # as above


# The budget of each property: by day a few examples, the same ones in every run, and by night many, always others
# (`make nightly`). A busy machine is no fault.
BUDGET: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
hypothesis_settings.register_profile("day", max_examples=25, derandomize=True, **BUDGET)
hypothesis_settings.register_profile("night", max_examples=500, derandomize=False, print_blob=True, **BUDGET)
hypothesis_settings.load_profile("day")


LEFT_OUT_ON_POSTGRESQL = {
    "embedded": "is about the file of the embedded database",
    "any_database": "says nothing about the database, and is run on SQLite",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=("sqlite", "postgresql"), default="sqlite", help="the database of every service"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--database") == "postgresql":
        use_postgresql()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if on_postgresql():
        for item in items:
            for marker, reason in LEFT_OUT_ON_POSTGRESQL.items():
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=reason))


def pytest_collection_finish() -> None:
    """Keep the garbage collector from walking through modules and tests again and again: a fifth of a worker's time."""
    gc.freeze()
    gc.set_threshold(10_000)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print in one table what tests reported about the OpenAPI document: sizes, linters, generated clients."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    rows = [value for report in reports for name, value in report.user_properties if name == REPORTED]
    if rows:
        terminalreporter.section(REPORTED)
    for row in sorted(set(rows)):
        terminalreporter.write_line(row)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    with logs_as_before():
        yield


@pytest.fixture(autouse=True)
def _one_test_s_databases() -> Iterator[None]:
    """Drop what the test made; what wider fixtures made stays."""
    before: set[str] = set()
    if on_postgresql():
        prepared_folder()  # so that its database is not one of the test
        before = postgresql().created
    yield
    if on_postgresql():
        postgresql().drop(postgresql().created - before)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The seed is published already. Nothing is pushed in the background: a test that delivers does so by hand."""
    copy_prepared(tmp_path / "data")
    return Settings(data_dir=tmp_path / "data", deliver=False)


@pytest.fixture
def service(settings: Settings, clock: SettableClock) -> Iterator[FastAPI]:
    service = create_app(settings, clock)
    yield service
    service.state.context.engine.dispose()  # also of a service that was never started


@pytest.fixture
def client(service: FastAPI) -> Iterator[TestClient]:
    with TestClient(service) as client:
        yield client


@pytest.fixture
def context(service: FastAPI, client: TestClient) -> AppContext:
    """What the running service is made of."""
    assert client
    context: AppContext = service.state.context
    return context


@pytest.fixture
def database(client: TestClient, settings: Settings) -> Iterator[RawConnection]:
    """The database as somebody else opens it, with none of this service's settings."""
    assert client.get("/health/ready").is_success
    with raw_connection(settings.data_dir) as connection:
        yield connection


@pytest.fixture
def desk(service: FastAPI, client: TestClient) -> Desk:
    return desk_of(service, client)


@pytest.fixture
def robin(service: FastAPI, client: TestClient) -> Desk:
    """The desk as one of its workers sees it."""
    return worker_of(service, client, "Robin Example")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a module: each test opens a context of its own."""
    with launch_browser() as browser:
        yield browser


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveServer]:
    """A server of its own, started by the command that the README gives. The seed is published already."""
    copy_prepared(tmp_path / "data")
    with LiveServer(tmp_path / "data") as server:
        yield server


@pytest.fixture
def receipt(client: TestClient) -> dict[str, Any]:
    """The receipt of a concern with which there is no immediate danger."""
    return raise_concern(client)


@pytest.fixture
def reference(receipt: dict[str, Any]) -> str:
    return str(receipt["reference"])
