"""The examples of the reference make sense together."""

from typing import Any

import pytest
from fastapi import FastAPI

from docs_site.api import resolved

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

Document = dict[str, Any]


@pytest.fixture
def document(service: FastAPI) -> Document:
    return resolved(service.openapi())


def operations(document: Document) -> list[Document]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def test_no_answer_is_called_a_successful_response_and_statuses_are_in_order(document: Document) -> None:
    for operation in operations(document):
        assert list(operation["responses"]) == sorted(operation["responses"]), operation["operationId"]
        for response in operation["responses"].values():
            assert response["description"] not in ("", "Successful Response"), operation["operationId"]


def test_no_example_is_acknowledged_at_the_moment_in_which_it_came(document: Document) -> None:
    def look(value: Any) -> None:
        if isinstance(value, list):
            for each in value:
                look(each)
        if isinstance(value, dict):
            received = value.get("received_at", value.get("added_at"))
            assert "acknowledge_by" not in value or value["acknowledge_by"] != received
            for each in value.values():
                look(each)

    look(document)
