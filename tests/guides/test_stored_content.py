"""What is stored is served as the models would write it, also what a version without some fields stored."""

from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from hypothesis import given
from pydantic import BaseModel
from starlette.testclient import TestClient

from app.models.guides.editions import EditionContent
from app.models.guides.guides import SECTION_RESPONSES, EditionResponse
from app.models.guides.renditions import RenditionResponse
from app.models.guides.sections import Section
from app.models.guides.stored_content import complete_stored, shape_of_content
from tests.support.generated_guides import generated_guides
from tests.support.publishing import GUIDE, publish_next
from tests.support.renditions import publish_a_rendition

SHAPE = shape_of_content(EditionContent)


@pytest.mark.any_database
@given(content=generated_guides())
def test_content_without_any_default_is_completed_to_what_the_model_writes(content: EditionContent) -> None:
    stored = content.model_dump(mode="json", exclude_defaults=True)

    complete_stored(SHAPE, [stored])

    assert orjson.dumps(stored).decode() == content.model_dump_json()


@pytest.mark.any_database
def test_a_completed_default_is_no_other_content_s() -> None:
    own = {"title": "T", "publisher": {"name": "P"}, "change_note": "C", "contacts": []}
    first: dict[str, Any] = {**own}
    second: dict[str, Any] = {**own}
    complete_stored(SHAPE, [first, second])

    first["introductions"]["factors"] = "Changed"
    first["factors"].append("Changed")

    assert second["introductions"]["factors"] is None
    assert second["factors"] == []


@pytest.mark.any_database
def test_content_without_a_required_field_is_refused() -> None:
    stored: dict[str, Any] = {"title": "T", "publisher": {"name": "P"}}

    with pytest.raises(KeyError, match="change_note"):
        complete_stored(SHAPE, [stored])


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("", EditionResponse),
        ("/editions/1", EditionResponse),
        ("/renditions/cy", RenditionResponse),
        ("/renditions/pl/1", RenditionResponse),
        *((f"{of}/{section.value}", SECTION_RESPONSES[section]) for section in Section for of in ("", "/editions/1")),
    ],
)
def test_a_response_has_the_bytes_that_its_documented_model_writes(
    service: FastAPI, client: TestClient, path: str, model: type[BaseModel]
) -> None:
    publish_a_rendition(service)
    publish_next(service, change_note='With "quotes", a \t tab, \x7f and é.')

    response = client.get(GUIDE + path)

    assert response.content.decode() == model.model_validate_json(response.content).model_dump_json()
