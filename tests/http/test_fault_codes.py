"""Faults that a program can map: each has a code, all come in one round, and each kind of bad query has a type."""

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from app.errors import FaultCode
from app.http.context import AppContext
from app.http.problems import DEFAULT_FAULT, FAULTS
from app.models.clients import Scope
from app.models.editions import EDITION_EXAMPLE
from app.models.form import FULL_EXAMPLE
from app.services.clients import NewClient, add_client
from app.services.concerns import EditionResolver
from docs_site.problems import with_meanings
from tests.support.concerns import Concern, token_of
from tests.support.loops import for_each
from tests.support.openapi import Operation, examples_of, operations
from tests.support.publishing import GUIDE, a_key, content_of, publish

UNKNOWN = "alex_was_hurt_by"
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "problems.md"
EVERY_PLACE = {
    ("query", "colour", "unknown-parameter"),
    ("header", "Idempotency-Key", "wrong-form"),
    (None, "#/immediate_danger", "not-listed"),
    (None, "#/children", "too-few"),
    (None, "#/concern/narrative", "required"),
    (None, "#/reporter", "wrong-type"),
}


def contents_of(told: Operation) -> list[dict[str, Any]]:
    """What the operation takes as JSON, if anything."""
    content = told.definition.get("requestBody", {}).get("content", {})
    return [content["application/json"]] if "application/json" in content else []


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
        ("#/children/1", "unknown-field"),
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
    headers = token_of(receipt)
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


@for_each(
    ("body", "pointer", "detail"),
    [
        ({"alex_was_hurt_by": 1}, "#", "Unknown field here. Check the spelling of the names."),
        ({"concern": {"narative": "x"}}, "#/concern", "Unknown field here. Did you mean 'narrative'?"),
        ({"children": [{}, {"othre_names": "x"}]}, "#/children/1", "Unknown field here. Did you mean 'other_names'?"),
        ({"reporter": {"children": []}}, "#/reporter", "Unknown field here. Check the spelling of the names."),
        ({"children": [{"a b": 1, "Alex": 2}]}, "#/children/0", "Unknown field here. Check the spelling of the names."),
    ],
)
def test_an_unknown_field_is_told_at_its_object(
    client: TestClient, body: dict[str, Any], pointer: str, detail: str
) -> None:
    answer = client.post("/v1/concerns/check", json=body)

    unknown = [each for each in answer.json()["errors"] if each["code"] == "unknown-field"]
    assert unknown == [{"pointer": pointer, "detail": detail, "code": "unknown-field"}]


def with_unknown_names(value: Any) -> Any:
    """The value with a field more in each of its objects."""
    if isinstance(value, dict):
        return {name: with_unknown_names(member) for name, member in value.items()} | {UNKNOWN: 1}
    return [with_unknown_names(each) for each in value] if isinstance(value, list) else value


@pytest.mark.slow
def test_no_operation_repeats_an_unknown_name(client: TestClient, context: AppContext) -> None:
    key = add_client(context.writer, NewClient("all-scopes", list(Scope)), at=context.clock())
    told = list(operations(client.get("/openapi.json").json()))
    bodies = {each.id: examples_of(content) for each in told for content in contents_of(each)}
    repeating = []
    for each in told:
        path = each.path.format_map(
            {part["name"]: examples_of(part)[0] for part in each.definition.get("parameters", ())}
        )
        for body in bodies.get(each.id, ()):
            answer = client.request(
                each.method,
                path,
                json=with_unknown_names(body),
                headers={"Authorization": f"Bearer {key}", UNKNOWN: "1"},
            )
            repeating += [each.id] if UNKNOWN in answer.text or answer.status_code >= 500 else []

    assert len(bodies) > 15
    assert repeating == ["save_draft"]  # it answers the draft as it was saved, faults and all, to who wrote it


def test_no_page_repeats_an_unknown_name(client: TestClient) -> None:
    pages = ("/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend", "/desk/sign-in", "/search")

    answers = [client.post(path, data={UNKNOWN: "1"}) for path in pages]
    answers += [client.get(path, params={UNKNOWN: "1"}) for path in pages]

    assert all(answer.status_code < 500 for answer in answers)
    assert [str(answer.url) for answer in answers if UNKNOWN in answer.text.replace(str(answer.url), "")] == []


def test_no_tool_of_an_assistant_repeats_an_unknown_name(client: TestClient) -> None:
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "list_guides", "arguments": {UNKNOWN: 1}},
    }
    sent = (
        call,
        call | {UNKNOWN: 1},
        call | {"method": UNKNOWN},
        call | {"params": {"name": UNKNOWN, "arguments": {}}},
    )

    answers = [
        client.post("/mcp", json=each, headers={"Accept": "application/json, text/event-stream"}) for each in sent
    ]

    assert [answer.text for answer in answers if UNKNOWN in answer.text] == []


def test_a_store_that_cannot_be_read_hides_no_fault_that_is_known_without_it(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("select", {}, OSError())

    monkeypatch.setattr(EditionResolver, "unknown_ids_in", fail)

    assert codes(client.post("/v1/concerns", json=FULL_EXAMPLE | {"colour": 7})) == {("#", "unknown-field")}


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
        (FULL_EXAMPLE | {"colour": "red"}, ("#", "unknown-field")),
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
