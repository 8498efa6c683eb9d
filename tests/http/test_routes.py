"""What all routes have in common."""

import pytest
from sqlalchemy import text
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import NoSuchGuide
from app.main import create_app
from app.web.context import SessionDep
from app.web.router import GuidanceRouter


@pytest.mark.any_database
@pytest.mark.parametrize("fails", [False, True])
def test_a_route_s_session_is_closed_when_its_function_ends(settings: Settings, *, fails: bool) -> None:
    held: list[Session] = []

    def read(session: SessionDep) -> None:
        session.execute(text("SELECT 1"))
        held.append(session)
        if fails:
            raise NoSuchGuide

    routes = GuidanceRouter()
    routes.add_api_route("/made-up", read)
    whole = create_app(settings)
    whole.router.routes[:0] = routes.routes
    with TestClient(whole) as client:
        assert client.get("/made-up").status_code == (404 if fails else 200)

    assert not held[0].in_transaction()
