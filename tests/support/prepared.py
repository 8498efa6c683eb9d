"""A data folder in which a service has started once: with its schema, its keys and the published seed.

To start in a copy of it takes a third of the time of a first start.
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from tests.support.clock import SettableClock
from tests.support.databases import copy_database


@lru_cache(maxsize=1)
def prepared_folder() -> Path:
    """Return the folder, which is made once in each process and removed at the end of that process."""
    parent = Path(tempfile.mkdtemp(prefix="prepared-"))
    atexit.register(shutil.rmtree, parent, ignore_errors=True)
    folder = parent / "data"
    with TestClient(create_app(Settings(data_dir=folder, deliver=False), SettableClock())):
        return folder


def copy_prepared(data_dir: Path) -> None:
    """Make the data folder a copy of the prepared one, unless another service of the test began it already."""
    if not data_dir.exists():
        copy_database(prepared_folder(), data_dir)


MAX_DOCUMENTS = 8
Build = Callable[[FastAPI, Settings], dict[str, Any]]


def built_once(build: Build) -> Build:
    """Return the function with a memory. Each caller gets a copy of the document."""
    documents: dict[
        tuple[str, ...], bytes
    ] = {}  # the last few: many tests have settings of their own, and half a megabyte each

    def read_or_build(app: FastAPI, settings: Settings) -> dict[str, Any]:
        paths = sorted(str(getattr(route, "path", "")) for route in app.routes)
        key = (settings.model_dump_json(exclude={"data_dir"}), *paths)
        if key not in documents:
            if len(documents) >= MAX_DOCUMENTS:
                del documents[next(iter(documents))]
            documents[key] = orjson.dumps(build(app, settings))
        copy: dict[str, Any] = orjson.loads(documents[key])
        return copy

    return read_or_build
