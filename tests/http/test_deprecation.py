"""A deprecated route says so in every response, and goes on working."""

import datetime as dt
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.testclient import TestClient

from app.errors import NotFound
from app.web.auth import PUBLIC
from app.web.deprecation import Deprecation, deprecate
from app.web.router import GuidanceRouter
from tests.support.publishing import GUIDE

SINCE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ENDS = dt.datetime(2027, 6, 30, 23, 59, 59, tzinfo=dt.UTC)
READ = "https://council.example/changes"


def add_route(service: FastAPI, deprecation: Deprecation) -> None:
    """Add a route that answers `?missing=1` with a problem."""
    router = GuidanceRouter(dependencies=[PUBLIC])

    @router.get("/v1/former", summary="A former route")
    @deprecate(deprecation)
    def read_former(missing: bool = False) -> dict[str, str]:
        if missing:
            raise NotFound
        return {"still": "here"}

    service.router.routes[:0] = router.routes


@pytest.fixture
def former(service: FastAPI, client: TestClient) -> TestClient:
    add_route(service, Deprecation(SINCE, ENDS, READ))
    return client


@pytest.mark.parametrize("query", ["", "?missing=1", "?misspelt=1"])
def test_every_response_says_since_when_until_when_and_what_to_read(former: TestClient, query: str) -> None:
    answer = former.get(f"/v1/former{query}", headers={"Origin": "https://forms.example"})

    assert answer.status_code == {"": 200, "?missing=1": 404, "?misspelt=1": 400}[query]
    assert answer.headers["Deprecation"] == "@1767225600"  # RFC 9745: a date of structured fields
    assert answer.headers["Sunset"] == "Wed, 30 Jun 2027 23:59:59 GMT"  # RFC 8594: an HTTP date
    assert f'<{READ}>; rel="deprecation"' in answer.headers["Link"]
    assert f'<{READ}>; rel="sunset"' in answer.headers["Link"]


def test_head_says_so_too_and_browsers_may_read_it(former: TestClient) -> None:
    answer = former.head("/v1/former")

    assert answer.headers["Deprecation"] == "@1767225600"
    exposed = former.get(GUIDE).headers["Access-Control-Expose-Headers"]
    assert {"Deprecation", "Sunset"} <= {name.strip() for name in exposed.split(",")}


def test_a_route_whose_end_is_not_decided_has_no_sunset(service: FastAPI, client: TestClient) -> None:
    add_route(service, Deprecation(SINCE, None, READ))

    answer = client.get("/v1/former")

    assert answer.headers["Deprecation"] == "@1767225600"
    assert "Sunset" not in answer.headers
    assert 'rel="sunset"' not in answer.headers["Link"]


def test_the_document_marks_it(service: FastAPI, former: TestClient) -> None:
    document: dict[str, Any] = get_openapi(title="Example", version="1", routes=service.router.routes[:1])

    assert former
    assert document["paths"]["/v1/former"]["get"]["deprecated"] is True


def test_other_routes_say_nothing(former: TestClient) -> None:
    assert not {"deprecation", "sunset"} & set(former.get(GUIDE).headers)


def test_less_notice_than_a_year_is_refused() -> None:
    with pytest.raises(ValueError, match="a year"):
        Deprecation(SINCE, SINCE + dt.timedelta(days=100), READ)
