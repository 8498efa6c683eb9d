"""What all routes have in common."""

from typing import Annotated

import pytest
from fastapi import Body
from sqlalchemy import text
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import NoSuchGuide
from app.main import create_app
from app.store import contents
from app.web.context import ContextDep, NowDep, SessionDep
from app.web.router import GuidanceRouter
from tests.support.publishing import GUIDE


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


def test_a_route_gets_context_and_time_from_its_router_also_where_its_body_is_called_request(
    settings: Settings,
) -> None:
    def answer(request: Annotated[str, Body()], context: ContextDep, now: NowDep) -> list[str]:
        assert context.clock() >= now
        return [request, str(now.tzinfo)]

    routes = GuidanceRouter()
    routes.add_api_route("/made-up", answer, methods=["POST"])
    whole = create_app(settings)
    whole.router.routes[:0] = routes.routes
    with TestClient(whole) as client:
        response = client.post("/made-up", json="a made-up body")

    assert response.json() == ["a made-up body", "UTC"]


@pytest.mark.parametrize("body", ["{", '"\\u0000"'])
def test_an_unknown_query_parameter_is_refused_before_the_body_is_read(client: TestClient, body: str) -> None:
    response = client.post("/v1/concerns?made=up", content=body, headers={"Content-Type": "application/json"})

    assert response.status_code == 400
    assert response.json()["type"] == "/v1/problems/unknown-query"


@pytest.mark.parametrize("below", ["", "/indicators", "/indicators/secrecy", "/indicators.csv", ".md", "/editions/1"])
def test_an_edition_is_read_from_the_database_once(
    client: TestClient, below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    past_the_response_cache = {"Authorization": "made up"}
    first = client.get(GUIDE + below, headers=past_the_response_cache)
    monkeypatch.setattr(contents, "read_content", None)

    again = client.get(GUIDE + below, headers=past_the_response_cache)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
