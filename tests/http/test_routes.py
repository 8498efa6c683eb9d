"""What all routes have in common."""

from urllib.parse import quote

import pytest
from sqlalchemy import text
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import NoSuchGuide
from app.main import create_app
from app.models.clients import Scope
from app.web.context import SessionDep
from app.web.router import GuidanceRouter
from tests.support.editions import a_key
from tests.support.openapi import examples_of, operations


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


def test_a_nul_in_any_path_or_query_is_the_caller_s_mistake_on_every_route(client: TestClient) -> None:
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
