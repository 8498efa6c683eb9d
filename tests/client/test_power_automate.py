"""The connector for Power Automate: OpenAPI 2.0, and every request and answer that it describes is the service's."""

import json
from typing import Any

import pytest
from jsonschema_rs import Draft4Validator
from starlette.testclient import TestClient

from app.models.access.clients import Scope
from tests.support.command import ROOT
from tests.support.concerns import raise_concern
from tests.support.formats import validate_openapi_2
from tests.support.publishing import SLUG, a_key

pytestmark = pytest.mark.any_database

CONNECTOR = json.loads((ROOT / "examples" / "power-automate" / "connector.json").read_text(encoding="utf-8"))
STATUS = {"get": 200, "post": 201}
QUERY = {"after": "MQ", "limit": "50"}
KEY = {"Idempotency-Key": "b1f0c2d3-0000-4000-8000-000000000001"}


def everything_in(schema: dict[str, Any], value: Any) -> bool:
    """Return True if the value has every member that the schema names, at every depth. Of a list one entry has them."""
    if schema["type"] == "array":
        return any(everything_in(schema["items"], each) for each in value)
    return all(
        name in value and everything_in(member, value[name]) for name, member in schema.get("properties", {}).items()
    )


@pytest.mark.slow
def test_the_connector_is_valid_openapi_2() -> None:
    validate_openapi_2(CONNECTOR)


def test_the_service_takes_and_answers_all_that_the_connector_describes(client: TestClient) -> None:
    known = {"get": a_key(client, Scope.EVENTS), "post": a_key(client, Scope.SUBMIT, name="a-test", test=True) | KEY}
    raise_concern(client)
    for path, methods in CONNECTOR["paths"].items():
        for method, operation in methods.items():
            parameters = {each["name"]: each for each in operation["parameters"]}
            body = parameters.get("concern", {}).get("schema", {}).get("example")
            query = {name: QUERY[name] for name, each in parameters.items() if each["in"] == "query"}
            answer = client.request(method, path.format(guide=SLUG), params=query, json=body, headers=known[method])

            assert answer.status_code == STATUS[method], answer.text
            described = operation["responses"][str(answer.status_code)]["schema"]
            assert list(Draft4Validator(described).iter_errors(answer.json())) == []
            assert everything_in(described, answer.json())
            assert body is None or everything_in(parameters["concern"]["schema"], body)
