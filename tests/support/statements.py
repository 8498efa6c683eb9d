"""The SQL statements of a service."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from sqlalchemy import event

from tests.support.people import context_of_service


@contextmanager
def counted(service: FastAPI) -> Iterator[list[str]]:
    """Yield a list to which each statement is added."""
    statements: list[str] = []

    def note(*given: Any) -> None:
        statements.append(given[2])

    engine = context_of_service(service).engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)
