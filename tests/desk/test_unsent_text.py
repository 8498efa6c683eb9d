"""The service opens what a person typed and did not send: for that person, about that concern, and nothing else."""

import base64
import json
from typing import Any

import pyrage
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.access.roles import Role
from tests.support.concerns import raise_concern
from tests.support.desk import press
from tests.support.loops import for_each
from tests.support.people import JO, context_of_service, sign_in_as

pytestmark = pytest.mark.any_database

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def jo(service: FastAPI, client: TestClient) -> TestClient:
    sign_in_as(service, client, JO)
    return client


@pytest.fixture
def reference(client: TestClient) -> str:
    return str(raise_concern(client)["reference"])


def sealed(service: FastAPI, document: Any) -> str:
    """Return the document as the browser seals it to the team's keys."""
    recipients = list(context_of_service(service).submissions.sealer.recipients)
    return base64.b64encode(pyrage.encrypt(json.dumps(document).encode(), recipients)).decode()


def test_a_person_gets_the_key_of_what_they_typed(service: FastAPI, jo: TestClient, reference: str) -> None:
    document = {"reference": reference, "person": JO, "key_of_typed": KEY}

    answer = press(jo, reference, "typed", sealed=sealed(service, document))

    assert (answer.status_code, answer.json()) == (200, {"key": KEY})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.slow
@for_each(
    "other", [{"person": "Sam Example"}, {"reference": "4F7K-926W-0X3R"}, {"key_of_typed": None}, {"person": None}]
)
def test_what_another_typed_or_about_another_concern_is_refused(
    service: FastAPI, jo: TestClient, reference: str, other: dict[str, Any]
) -> None:
    document = {"reference": reference, "person": JO, "key_of_typed": KEY} | other
    whole = {name: value for name, value in document.items() if value is not None}

    answer = press(jo, reference, "typed", sealed=sealed(service, whole))

    assert answer.status_code == 422
    assert KEY not in answer.text


@for_each("text", ["", "no base64", base64.b64encode(b"no age file").decode()])
def test_what_is_no_sealed_text_is_refused(jo: TestClient, reference: str, text: str) -> None:
    assert press(jo, reference, "typed", sealed=text).status_code in (406, 422)


def test_no_other_sealed_text_is_opened(service: FastAPI, jo: TestClient, reference: str) -> None:
    note = {"reference": reference, "person": JO, "note": {"text": "Alex Example"}}

    answer = press(jo, reference, "typed", sealed=sealed(service, note))

    assert (answer.status_code, "Alex" in answer.text) == (422, False)


def test_only_someone_who_may_write_gets_a_key(service: FastAPI, client: TestClient, reference: str) -> None:
    sign_in_as(service, client, JO, Role.READER)
    document = {"reference": reference, "person": JO, "key_of_typed": KEY}

    assert press(client, reference, "typed", sealed=sealed(service, document)).status_code == 403
