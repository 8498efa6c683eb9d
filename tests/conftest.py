"""What many tests need: a service on a folder of its own, a clock that can be set, and a concern to send."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from tests.live import LiveServer

A_TUESDAY = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
GUIDE = "/v1/guides/child-sexual-exploitation"

Concern = Callable[..., dict[str, Any]]


class SettableClock:
    """The time that a test has set."""

    def __init__(self) -> None:
        self.time = A_TUESDAY

    def __call__(self) -> dt.datetime:
        return self.time


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def service(settings: Settings, clock: SettableClock) -> FastAPI:
    return create_app(settings, clock)


@pytest.fixture
def client(service: FastAPI) -> Iterator[TestClient]:
    with TestClient(service) as client:
        yield client


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
