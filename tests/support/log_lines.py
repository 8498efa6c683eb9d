"""The log of the service, and a fixture that reads it."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.logs import set_up_logs

LIBRARIES = ("uvicorn", "uvicorn.error", "uvicorn.access", "fastapi", "sqlalchemy.engine")


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """Set up the log as the service does, and yield a function that returns the new lines. Restore it afterwards."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr(logging, "raiseExceptions", True)  # Python's own default
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = {name: (logging.getLogger(name).propagate, logging.getLogger(name).disabled) for name in LIBRARIES}
    set_up_logs("info")

    def read() -> list[dict[str, Any]]:
        entries = [json.loads(line) for line in written.getvalue().splitlines()]
        written.seek(0)
        written.truncate()
        return entries

    yield read
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, (propagate, disabled) in before.items():
        logging.getLogger(name).propagate, logging.getLogger(name).disabled = propagate, disabled
