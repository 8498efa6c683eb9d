"""The log, as the service sets it up, and a way to read it."""

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
    """The log as the service sets it up, and a way to read what it wrote; afterwards it is as it was."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr(logging, "raiseExceptions", True)  # Python's own default
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = {name: (logging.getLogger(name).propagate, logging.getLogger(name).disabled) for name in LIBRARIES}
    set_up_logs("info")

    def read() -> list[dict[str, Any]]:
        told = [json.loads(line) for line in written.getvalue().splitlines()]
        written.seek(0)
        written.truncate()
        return told

    yield read
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, (propagate, disabled) in before.items():
        logging.getLogger(name).propagate, logging.getLogger(name).disabled = propagate, disabled
