"""Faults that a program can map: each has a code, all come in one round, and each kind of bad query has a type."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from app.errors import FaultCode
from app.http.problems import DEFAULT_FAULT, FAULTS
from app.models.clients import Scope
from app.models.editions import EDITION_EXAMPLE
from app.models.form import FULL_EXAMPLE
from app.services.concerns import EditionResolver
from docs_site.problems import with_meanings
from tests.support.concerns import Concern
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, a_key, content_of, publish

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "problems.md"
EVERY_PLACE = {
    ("query", "colour", "unknown-parameter"),
    ("header", "Idempotency-Key", "wrong-form"),
    (None, "#/immediate_danger", "not-listed"),
    (None, "#/children", "too-few"),
    (None, "#/concern/narrative", "required"),
    (None, "#/reporter", "wrong-type"),
}


def codes(answer: Any) -> set[tuple[str, str]]:
    """Return the place and the code of each fault."""
    return {(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]}


def test_every_code_is_listed_with_its_meaning_by_the_service_and_on_the_site(client: TestClient) -> None:
    listed = client.get("/v1/problems").json()["codes"]

    assert listed == [{"code": code.value, "meaning": code.meaning} for code in FaultCode]
    table = with_meanings(REFERENCE.read_text(encoding="utf-8")).partition("## Table of codes")[2]
    assert re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", table, flags=re.MULTILINE) == [
        (code.value, code.meaning) for code in FaultCode
    ]


def test_every_kind_of_fault_that_models_find_has_a_code_of_its_own_meaning() -> None:
    assert {code for code, _ in FAULTS.values()} <= set(FaultCode)
    assert DEFAULT_FAULT[0] is FaultCode.INVALID


@pytest.mark.parametrize("path", ["/v1/concerns", "/v1/concerns/check"])
def test_every_fault_comes_in_one_round(client: TestClient, path: str) -> None:
    body = {"immediate_danger": "perhaps", "reporter": "me", "children": [], "concern": {}}
    headers = {"Idempotency-Key": "two words"} if path == "/v1/concerns" else {}

    answer = client.post(path, params={"colour": "CanaryAlex"}, json=body, headers=headers)

    assert answer.status_code == 422
    found = {
        (fault.get("source"), fault.get("parameter") or fault["pointer"], fault["code"])
        for fault in answer.json()["errors"]
    }
    expected = {each for each in EVERY_PLACE if each[0] != "header" or headers} - {
        ("query", "colour", "unknown-parameter")
    } | {("query", "#", "unknown-parameter")}
    assert found == expected
    assert "CanaryAlex" not in answer.text


@pytest.mark.parametrize("path", ["/v1/concerns", "/v1/concerns/check"])
def test_unknown_ids_and_codes_come_in_the_same_round(client: TestClient, path: str) -> None:
    body = {
        "reporter": {"kind": "professional"},
        "children": [{"ethnicity": "CanaryCode"}, {"colour": 7}],
        "concern": {
            "indicators": [{"id": "secrecy"}, {"id": "canary-id"}, {}],
            "linked_risks": "canary-risks",
        },
    }

    answer = client.post(path, json=body)

    assert answer.status_code == 422
    assert codes(answer) == {
        ("#/immediate_danger", "required"),
        ("#/concern/narrative", "required"),
        ("#/children/0/ethnicity", "unknown-code"),
        ("#/children/1/colour", "unknown-field"),
        ("#/concern/indicators/1/id", "unknown-item"),
        ("#/concern/indicators/2/id", "required"),
        ("#/concern/linked_risks", "wrong-type"),
    }
    assert "anary" not in answer.text


@for_each(
    ("named", "fault"),
    [
        ({"guide": "no-such-guide"}, ("#/guide", "unknown-guide")),
        ({"guide": "child-sexual-exploitation", "edition": 999}, ("#/edition", "unknown-edition")),
        ({"edition": -1}, ("#/edition", "too-small")),
        ({"guide": ["x"], "edition": 1}, ("#/guide", "wrong-type")),
    ],
)
def test_an_unknown_guide_and_edition_come_in_the_same_round(
    client: TestClient, named: dict[str, Any], fault: tuple[str, str]
) -> None:
    body = {"immediate_danger": "no", "reporter": {"kind": "professional"}, "children": [{}], "concern": {}} | named

    assert codes(client.post("/v1/concerns", json=body)) == {("#/concern/narrative", "required"), fault}


def test_unknown_ids_and_codes_of_an_addition_come_in_the_same_round(client: TestClient, a_concern: Concern) -> None:
    receipt = client.post("/v1/concerns", json=a_concern()).json()
    headers = {"Authorization": f"Bearer {receipt['status_token']}"}
    body = {
        "immediate_danger": "perhaps",
        "concern": {
            "indicators": [{"id": "secrecy"}, {"id": "canary-id"}, {}],
            "linked_risks": [{"id": "canary-risk"}],
        },
    }

    answer = client.post(f"/v1/concerns/{receipt['reference']}/additions", json=body, headers=headers)

    assert answer.status_code == 422
    assert codes(answer) == {
        ("#/immediate_danger", "not-listed"),
        ("#/concern/narrative", "required"),
        ("#/concern/indicators/1/id", "unknown-item"),
        ("#/concern/indicators/2/id", "required"),
        ("#/concern/linked_risks/0/id", "unknown-item"),
    }
    assert "anary" not in answer.text


def test_a_store_that_cannot_be_read_hides_no_fault_that_is_known_without_it(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("select", {}, OSError())

    monkeypatch.setattr(EditionResolver, "unknown_ids_in", fail)

    assert codes(client.post("/v1/concerns", json=FULL_EXAMPLE | {"colour": 7})) == {("#/colour", "unknown-field")}


def test_every_fault_of_a_query_comes_in_one_round(client: TestClient) -> None:
    answer = client.get("/v1/indicators?colour=red&limit=0&limit=1&guide=No%20Guide&code=")

    assert answer.status_code == 400
    found = {(fault.get("parameter"), fault["code"]) for fault in answer.json()["errors"]}
    assert found == {
        (None, "unknown-parameter"),
        ("limit", "repeated-parameter"),
        ("guide", "wrong-form"),
        ("code", "wrong-form"),
    }


@for_each(
    ("path", "headers", "slug"),
    [
        ("/v1/guides?colour=red", {}, "unknown-query"),
        ("/v1/guides?limit=1&limit=2", {}, "repeated-query"),
        ("/v1/guides?limit=many", {}, "invalid-query"),
        ("/v1/guides?cursor=mine", {}, "invalid-cursor"),
        (f"{GUIDE}?as_of=yesterday", {}, "invalid-moment"),
        (GUIDE, {"Accept-Datetime": "yesterday"}, "invalid-moment"),
        (f"{GUIDE}/editions/1/changes", {}, "invalid-query"),
    ],
)
def test_every_kind_of_bad_query_has_a_type(client: TestClient, path: str, headers: dict[str, str], slug: str) -> None:
    answer = client.get(path, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["type"] == f"/v1/problems/{slug}"
    assert client.get(answer.json()["type"]).json()["title"] == answer.json()["title"]
    assert all(fault["code"] and fault["pointer"] == "#" for fault in answer.json()["errors"])


def test_what_the_service_finds_has_codes_too(client: TestClient, a_concern: Concern) -> None:
    known = {"narrative": "Alex Example.", "indicators": [{"id": "no-such-indicator"}]}
    answers = [
        (a_concern(guide="no-such-guide"), ("#/guide", "unknown-guide")),
        (a_concern(edition=9), ("#/edition", "unknown-edition")),
        (a_concern(concern=known), ("#/concern/indicators/0/id", "unknown-item")),
        (a_concern(children=[{"sex": "X"}]), ("#/children/0/sex", "unknown-code")),
        (a_concern(children=[{"date_of_birth": "2012"}]), ("#/children/0/date_of_birth", "not-a-date")),
        (a_concern(concern={"narrative": " "}), ("#/concern/narrative", "blank")),
        (FULL_EXAMPLE | {"colour": "red"}, ("#/colour", "unknown-field")),
    ]
    for concern, expected in answers:
        assert codes(client.post("/v1/concerns/check", json=concern)) == {expected}


def test_an_edition_s_faults_have_codes(client: TestClient) -> None:
    content = content_of(client)
    twice = [EDITION_EXAMPLE["cautions"][0]] * 2
    second = content["indicators"][1] | {"position": 7}
    contact = content["contacts"][0] | {"phones": []}
    faulty = content | {
        "cautions": twice,
        "indicators": [content["indicators"][0], second],
        "contacts": [contact],
        "change_note": "x" * 5000,
    }

    answer = publish(client, faulty, a_key(client, Scope.PUBLISH))

    assert codes(answer) == {
        ("#/cautions/1/id", "duplicate-id"),
        ("#/indicators/1/position", "out-of-order"),
        ("#/contacts/0", "not-reachable"),
        ("#/change_note", "too-long"),
    }


def test_the_rules_of_an_edition_do_not_wait_until_each_of_its_members_is_right(client: TestClient) -> None:
    content = content_of(client)
    first, second, *rest = content["indicators"]
    faulty = content | {
        "title": "",
        "cautions": [],
        "indicators": [first | {"text": ""}, second | {"id": first["id"], "position": 7}, *rest],
        "contacts": [content["contacts"][0] | {"name": "", "phones": []}],
    }

    answer = publish(client, faulty, a_key(client, Scope.PUBLISH))

    assert codes(answer) == {
        ("#/title", "blank"),
        ("#/cautions", "too-few"),
        ("#/indicators/0/text", "blank"),
        ("#/indicators/1/id", "duplicate-id"),
        ("#/indicators/1/position", "out-of-order"),
        ("#/contacts/0/name", "blank"),
        ("#/contacts/0", "not-reachable"),
    }
