"""Rules for all routes."""

import re
from typing import Annotated
from urllib.parse import quote

import pytest
from fastapi import Body, FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import text
from sqlmodel import Session
from starlette.routing import BaseRoute, Match
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import NoSuchGuide
from app.extensions import installed, modules_of
from app.http.context import AppContext, ContextDep, NowDep, SessionDep
from app.http.routes import GuidanceRouter
from app.main import ROUTERS, create_app, routes_of
from app.models.access.clients import Scope
from app.services.guides import editions
from tests.support.openapi import examples_of, operations
from tests.support.publishing import GUIDE, a_key

pytestmark = pytest.mark.slow

EVERY_ROUTER = [*ROUTERS, *(each for part in modules_of("routers", installed().values()) for each in part.ROUTERS)]


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


def test_only_loops_over_sections_make_route_functions() -> None:
    """A search for any other path finds its function beside it. The forms of the desk are sent by one function."""
    endpoints = [getattr(each, "endpoint", None) for each in routes_of(EVERY_ROUTER)]

    made = {each.__module__ for each in endpoints if each is not None and "<locals>" in each.__qualname__}

    assert None not in endpoints
    assert made == {
        "app.routers.guides.catalogue",
        "app.routers.guides.editions",
    }


def test_no_route_depends_on_its_place_in_the_list(service: FastAPI) -> None:
    examples = {
        "/v1/concerns/form": "read_concern_form",
        "/v1/guides/a.md": "read_guide_as_markdown",
        "/concerns/saved": "read_code_form",
    }

    def first_for(routes: list[BaseRoute], method: str, path: str) -> str:
        scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
        return next(str(getattr(each, "name", "")) for each in routes if each.matches(scope)[0] is Match.FULL)

    forwards, backwards = routes_of(EVERY_ROUTER), routes_of(reversed(EVERY_ROUTER))
    paths = {
        (method, re.sub(r"{[^}]*}", "1", str(each.path)))
        for each in iter_route_contexts(service.routes)
        for method in each.methods or ()
    }

    assert len(paths) > 150
    assert [at for at in sorted(paths) if first_for(forwards, *at) != first_for(backwards, *at)] == []
    assert {path: first_for(backwards, "GET", path) for path in examples} == examples


@pytest.mark.slow
def test_a_nul_in_a_path_or_query_is_refused_on_every_route(client: TestClient) -> None:
    """PostgreSQL has no text with a NUL, so a NUL that reached it would look like a fault of the service."""
    headers = a_key(client, *Scope)
    seen = set()

    for operation in operations(client.get("/openapi.json").json()):
        parameters = [each for each in operation.definition.get("parameters", []) if each["in"] in ("path", "query")]
        for spoilt in parameters:
            path, query = operation.path, ""
            for each in parameters:
                value = "a%00b" if each is spoilt else quote(str(examples_of(each)[0]), safe="")
                if each["in"] == "path":
                    path = path.replace(f"{{{each['name']}}}", value)
                elif each is spoilt:
                    query = f"?{each['name']}={value}"
            answer = client.request(operation.method, path + query, headers=headers, json={})
            seen.add((operation.id, spoilt["name"]))
            assert answer.status_code in (400, 404, 422), (operation.id, spoilt["name"], answer.text)

    assert ("list_disclosures", "client") in seen
    assert len(seen) > 80


def test_a_route_gets_context_and_time_beside_a_body_called_request(
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
    service: FastAPI, client: TestClient, below: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context: AppContext = service.state.context
    first = client.get(GUIDE + below)
    monkeypatch.setattr(editions, "read_content", None)
    context.response_cache.clear()

    again = client.get(GUIDE + below)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
