"""Routes are built when they are first asked, once, whoever asks."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import NoSuchGuide
from app.main import create_app
from app.web.context import SessionDep, open_session
from app.web.late_routes import LateRoute
from app.web.router import GuidanceRouter


class Counted(LateRoute):
    """A route that counts how often it is built."""

    built = 0

    def get_route_handler(self):  # type: ignore[no-untyped-def]
        type(self).built += 1
        return super().get_route_handler()


@pytest.fixture
def service() -> FastAPI:
    Counted.built = 0
    routes = GuidanceRouter(route_class=Counted)
    routes.add_api_route("/one/{number}", lambda number: {"number": number}, methods=["GET"])
    routes.add_api_route("/two", lambda: None, methods=["GET"])
    return FastAPI(routes=routes.routes, openapi_url=None, docs_url=None, redoc_url=None)


@pytest.mark.any_database
def test_no_route_is_built_before_it_is_asked(service: FastAPI) -> None:
    with TestClient(service) as client:
        assert Counted.built == 0
        assert client.get("/nothing").status_code == 404
        assert client.post("/two").status_code == 405
        assert Counted.built == 0

        for _ in range(2):
            assert client.get("/one/1").json() == {"number": "1"}

        assert Counted.built == 1


@pytest.mark.any_database
def test_threads_that_ask_at_once_find_one_whole_route(service: FastAPI) -> None:
    route = service.routes[0]

    with ThreadPoolExecutor(8) as pool:
        apps = set(pool.map(lambda _: getattr(route, "app"), range(64)))  # noqa: B009  # no attribute of every route

    assert len(apps) == 1
    assert Counted.built == 1


@pytest.mark.any_database
def test_what_a_route_never_has_is_not_found(service: FastAPI) -> None:
    assert not hasattr(service.routes[0], "nothing")


@pytest.mark.any_database
@pytest.mark.parametrize("fails", [False, True])
def test_a_route_s_sessions_are_closed_when_its_function_ends_whatever_their_names(
    settings: Settings, *, fails: bool
) -> None:
    held: list[Session] = []

    def read(reading: SessionDep, other: Annotated[Session, Depends(open_session, use_cache=False)]) -> None:
        for session in (reading, other):
            session.connection()
            held.append(session)
        if fails:
            raise NoSuchGuide

    routes = GuidanceRouter()
    routes.add_api_route("/made-up", read)
    whole = create_app(settings)
    whole.router.routes[:0] = routes.routes
    with TestClient(whole) as client:
        assert client.get("/made-up").status_code == (404 if fails else 200)

    assert [session.in_transaction() for session in held] == [False, False]
    assert held[0] is not held[1]
