"""Faults that a program can map: each has a code and its place, and each kind of bad query has a type."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from app.errors import FaultCode
from app.http.context import AppContext
from app.http.field_errors import DEFAULT_FAULT, FAULTS
from app.models.access.clients import Scope
from app.models.concerns.examples import FULL_EXAMPLE
from app.models.guides.editions import EDITION_EXAMPLE
from app.services.access.clients import add_client
from app.services.concerns.edition_resolver import EditionResolver
from docs_site.problems import with_meanings
from tests.support.concerns import a_concern, raise_concern
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
    """The JSON body that the operation takes, if any."""
    content = told.definition.get("requestBody", {}).get("content", {})
    return [content["application/json"]] if "application/json" in content else []


def codes(answer: Any) -> set[tuple[str, str]]:
    """Return the place and the code of each fault."""
    return {(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]}


def test_the_service_and_the_site_list_every_code_with_its_meaning(client: TestClient) -> None:
    listed = client.get("/v1/problems").json()["codes"]

    assert listed == [{"code": code.value, "meaning": code.meaning} for code in FaultCode]
    table = with_meanings(REFERENCE.read_text(encoding="utf-8")).partition("## Table of codes")[2]
    assert re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", table, flags=re.MULTILINE) == [
        (code.value, code.meaning) for code in FaultCode
    ]


def test_every_fault_that_models_find_has_a_known_code() -> None:
    assert {code for code, _ in FAULTS.values()} <= set(FaultCode)
    assert DEFAULT_FAULT[0] is FaultCode.INVALID


@pytest.mark.parametrize("path", ["/v1/concerns", "/v1/concerns/check"])
def test_all_faults_of_query_headers_and_fields_come_together(client: TestClient, path: str) -> None:
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
def test_all_unknown_ids_and_codes_of_a_concern_come_together(client: TestClient, path: str) -> None:
    detail = {
        "narrative": "x",
        "indicators": [{"id": "secrecy"}, {"id": "canary-id"}, {"id": "canary-other"}],
        "linked_risks": [{"id": "canary-risk"}],
    }

    answer = client.post(path, json=a_concern(children=[{"ethnicity": "CanaryCode"}, {}], concern=detail))

    assert answer.status_code == 422
    assert codes(answer) == {
        ("#/children/0/ethnicity", "unknown-code"),
        ("#/concern/indicators/1/id", "unknown-item"),
        ("#/concern/indicators/2/id", "unknown-item"),
        ("#/concern/linked_risks/0/id", "unknown-item"),
    }
    assert "anary" not in answer.text


@for_each(
    ("named", "fault"),
    [
        ({"guide": "no-such-guide"}, ("#/guide", "unknown-guide")),
        ({"guide": "child-sexual-exploitation", "edition": 999}, ("#/edition", "unknown-edition")),
    ],
)
def test_an_unknown_guide_or_edition_comes_with_unknown_codes(
    client: TestClient, named: dict[str, Any], fault: tuple[str, str]
) -> None:
    answer = client.post("/v1/concerns", json=a_concern(children=[{"sex": "X"}], **named))

    assert codes(answer) == {("#/children/0/sex", "unknown-code"), fault}


def test_all_unknown_ids_of_an_addition_come_together(client: TestClient) -> None:
    receipt = raise_concern(client)
    detail = {
        "narrative": "x",
        "indicators": [{"id": "secrecy"}, {"id": "canary-id"}],
        "linked_risks": [{"id": "canary-risk"}],
    }

    answer = client.post(
        f"/v1/concerns/{receipt['reference']}/additions",
        json={"concern": detail},
        headers={"Authorization": f"Bearer {receipt['status_token']}"},
    )

    assert answer.status_code == 422
    assert codes(answer) == {
        ("#/concern/indicators/1/id", "unknown-item"),
        ("#/concern/linked_risks/0/id", "unknown-item"),
    }
    assert "anary" not in answer.text


def test_unknown_ids_and_codes_wait_until_each_field_is_right(client: TestClient) -> None:
    detail = {"narrative": "x", "indicators": [{"id": "canary-id"}]}
    concern = a_concern(children=[{"ethnicity": "CanaryCode"}], concern=detail)

    first = client.post("/v1/concerns/check", json=concern | {"immediate_danger": "perhaps"})
    second = client.post("/v1/concerns/check", json=concern)

    assert codes(first) == {("#/immediate_danger", "not-listed")}
    assert codes(second) == {("#/children/0/ethnicity", "unknown-code"), ("#/concern/indicators/0/id", "unknown-item")}


def cost_of_refusing(client: TestClient, concern: dict[str, Any]) -> float:
    """Return the least processor time in seconds of five refusals of the concern."""
    times = []
    for _ in range(5):
        began = time.process_time()
        assert client.post("/v1/concerns/check", json=concern).status_code == 422
        times.append(time.process_time() - began)
    return min(times)


def test_thousands_of_empty_children_cost_little_to_refuse(client: TestClient) -> None:
    few, many = a_concern(children=[{}] * 80), a_concern(children=[{}] * 8_000)

    assert cost_of_refusing(client, many) < 30 * cost_of_refusing(client, few)


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
    key = add_client(context.writer, "all-scopes", list(Scope), at=context.clock())
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


@pytest.mark.slow
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


def test_a_faulty_field_is_told_without_the_store(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("select", {}, OSError())

    monkeypatch.setattr(EditionResolver, "resolve", fail)

    assert codes(client.post("/v1/concerns/check", json=FULL_EXAMPLE | {"colour": 7})) == {("#", "unknown-field")}


def test_all_faults_of_a_query_come_together(client: TestClient) -> None:
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


def test_what_the_service_finds_has_codes_too(client: TestClient) -> None:
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


def test_rules_over_several_members_follow_once_each_member_is_right(client: TestClient) -> None:
    content, key = content_of(client), a_key(client, Scope.PUBLISH)
    first, second, *rest = content["indicators"]
    twice = second | {"id": first["id"]}
    contact = content["contacts"][0] | {"phones": []}
    wrong_members = {
        "title": "",
        "indicators": [first | {"text": ""}, twice, *rest],
        "contacts": [contact | {"name": ""}],
    }
    wrong_rules = {"cautions": [], "indicators": [first, twice, *rest], "contacts": [contact]}

    in_members = publish(client, content | wrong_rules | wrong_members, key)
    in_entries = publish(client, content | wrong_rules, key)
    in_sections = publish(client, content | {"cautions": []}, key)

    assert codes(in_members) == {
        ("#/title", "blank"),
        ("#/indicators/0/text", "blank"),
        ("#/contacts/0/name", "blank"),
    }
    assert codes(in_entries) == {
        ("#/indicators/1/id", "duplicate-id"),
        ("#/contacts/0", "not-reachable"),
    }
    assert codes(in_sections) == {("#/cautions", "too-few")}
