"""The OpenAPI document of a service, built once for all services of a process with the same routes and settings."""

from collections.abc import Callable
from typing import Any

import orjson
from fastapi import FastAPI

from app.config import Settings

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
