"""Fixtures of the tests of concerns."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from sqlalchemy import func
from sqlmodel import Session, select

from app.models.concerns.rows import ConcernRow


@pytest.fixture
def kept(service: FastAPI) -> Callable[[], int]:
    """Return a function that counts the concerns in the database."""

    def count_concerns(session: Session) -> int:
        return session.exec(select(func.count()).select_from(ConcernRow)).one()

    return lambda: int(service.state.context.writer.run(count_concerns))
