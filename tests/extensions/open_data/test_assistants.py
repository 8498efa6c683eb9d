"""Assistants read the guidance by the Model Context Protocol: 999, cautions and edition first, no word of a child."""

import base64
import json
import re
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema_rs import Draft202012Validator, meta
from starlette.testclient import TestClient

from app.extensions.open_data.routers.assistants import STATELESS, SUPPORTED, WITH_HANDSHAKE
from app.extensions.open_data.services import assistants
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, SLUG, publish_invented, publish_next

FIRST_MEMBERS = ["emergency", "cautions", "editions"]
CALLS: dict[str, dict[str, Any]] = {
    "who_to_call": {},
    "read_guide": {"guide": SLUG},
    "read_section": {"section": "indicators"},
    "search_guidance": {"words": "missing school"},
    "compare_editions": {"edition": 2, "since": 1},
}
META = {
    "io.modelcontextprotocol/protocolVersion": STATELESS,
    "io.modelcontextprotocol/clientCapabilities": {},
}


def send(client: TestClient, method: str, params: dict[str, Any] | None = None, **headers: str) -> Any:
    """Send a message of a revision with a handshake."""
    message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params or {}}
    return client.post("/mcp", json=message, headers=headers)


def send_stateless(client: TestClient, method: str, params: dict[str, Any] | None = None, **headers: str) -> Any:
    """Send a message of the stateless revision, with the header fields that it needs."""
    needed = {"MCP-Protocol-Version": STATELESS, "Mcp-Method": method, "Mcp-Name": (params or {}).get("name", "-")}
    return send(client, method, {"_meta": META} | (params or {}), **(needed | headers))


def call(client: TestClient, tool: str, **arguments: Any) -> dict[str, Any]:
    result: dict[str, Any] = send(client, "tools/call", {"name": tool, "arguments": arguments}).json()["result"]
    return result


@pytest.fixture
def two_editions(service: FastAPI, client: TestClient) -> TestClient:
    publish_next(service, change_note="Another title.", title="Another title")
    return client


@for_each("tool", CALLS)
def test_every_result_begins_with_999_the_cautions_and_the_edition(two_editions: TestClient, tool: str) -> None:
    result = call(two_editions, tool, **CALLS[tool])
    current = two_editions.get(GUIDE).json()

    found = result["structuredContent"]
    assert list(found)[:3] == FIRST_MEMBERS
    assert "999" in found["emergency"]
    assert found["cautions"] == current["cautions"]
    assert found["editions"][0]["digest"] == current["digest"]
    assert found["editions"][0]["url"].endswith(f"{GUIDE}/editions/2")
    assert json.loads(result["content"][0]["text"]) == found


def test_the_calls_of_these_tests_are_those_of_every_tool(client: TestClient) -> None:
    tools = send(client, "tools/list").json()["result"]["tools"]

    assert {tool["name"] for tool in tools} == set(CALLS)
    assert all(tool["annotations"]["readOnlyHint"] for tool in tools)


def test_a_tool_that_names_guides_says_how_many_at_most(
    service: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = {tool["name"]: tool["description"] for tool in send(client, "tools/list").json()["result"]["tools"]}
    most = assistants.MAX_GUIDES_NAMED
    monkeypatch.setattr(assistants, "MAX_GUIDES_NAMED", 1)
    publish_invented(service, 1)

    guides = call(client, "read_guide")["structuredContent"]["guides"]

    assert f"the first {most} guides" in described["read_guide"]
    assert len(guides) == 1


def test_every_result_is_what_the_tool_s_schema_says(two_editions: TestClient) -> None:
    for tool in send(two_editions, "tools/list").json()["result"]["tools"]:
        meta.validate(tool["inputSchema"])
        assert tool["outputSchema"]["required"][:3] == FIRST_MEMBERS
        result = call(two_editions, tool["name"], **CALLS[tool["name"]])
        Draft202012Validator(tool["outputSchema"]).validate(result["structuredContent"])


def test_no_tool_takes_more_than_names_numbers_and_a_few_words(client: TestClient) -> None:
    arguments = {
        name: schema
        for tool in send(client, "tools/list").json()["result"]["tools"]
        for name, schema in tool["inputSchema"]["properties"].items()
    }

    assert set(arguments) == {"guide", "language", "section", "words", "limit", "edition", "since"}
    assert arguments["words"]["maxLength"] == 80


def test_a_section_is_word_for_word_that_of_the_guide(client: TestClient) -> None:
    section = call(client, "read_section", section="indicators")["structuredContent"]

    assert section["items"] == client.get(f"{GUIDE}/indicators").json()["indicators"]


@pytest.mark.parametrize("tool", ["read_guide", "read_section"])
def test_a_guide_in_another_language_begins_with_999_cautions_and_notices(two_editions: TestClient, tool: str) -> None:
    welsh = call(two_editions, tool, **CALLS[tool], language="cy")["structuredContent"]
    current, rendition = two_editions.get(GUIDE).json(), two_editions.get(f"{GUIDE}/renditions/cy").json()

    assert list(welsh)[:4] == [*FIRST_MEMBERS, "rendition"]
    assert "999" in welsh["emergency"]
    assert welsh["cautions"] == current["cautions"]  # a machine's words, which nobody checked, are beside them
    assert [each["edition"] for each in welsh["editions"]] == [1, 2]
    facts = welsh["rendition"]
    assert facts["behind"] is True
    assert len(facts["notices"]) == 2
    assert facts["unchecked_cautions"] == rendition["rendition"]["unchecked_cautions"] != []
    items = welsh["items"] if tool == "read_section" else welsh["content"]["indicators"]
    assert items == rendition["indicators"]
    assert "/cautions/0/text" in facts["in_guide_language"]


def test_a_missing_language_gives_an_error_result_that_says_so(client: TestClient) -> None:
    guide = call(client, "read_guide", language="en")["structuredContent"]
    result = call(client, "read_guide", language="fr")

    assert guide["rendition"] is None
    assert guide["languages"] == ["en-GB", "cy", "en-GB-simple"]
    assert result["isError"] is True
    assert "no version in this language" in result["content"][0]["text"]


@pytest.mark.any_database
def test_an_assistant_is_told_of_tools_and_never_of_paths(client: TestClient) -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("read_guide", {"guide": "another-guide"}),
        ("read_guide", {"language": "fr"}),
        ("compare_editions", {"edition": 9}),
        ("who_to_call", {"guide": "another-guide"}),
    ]
    refused = [call(client, tool, **arguments)["content"][0]["text"] for tool, arguments in wrong]
    listed = json.dumps(assistants.tool_list())

    assert all("`read_guide`" in each or "`languages`" in each for each in refused)
    assert [
        each for each in (*refused, *assistants.IN_TOOLS.values(), listed) if re.search(r"GET|/v1|`detail`", each)
    ] == []


def test_the_changes_are_those_between_the_editions(two_editions: TestClient) -> None:
    changes = call(two_editions, "compare_editions")["structuredContent"]

    assert (changes["since"], changes["edition"]) == (1, 2)
    assert [each["field"] for each in changes["fields"]] == ["title"]


def test_a_search_without_results_still_says_999(client: TestClient) -> None:
    found = call(client, "search_guidance", words="zebra")["structuredContent"]

    assert found["results"] == []
    assert "999" in found["emergency"]


def test_words_of_a_crisis_lead_an_assistant_to_who_helps_and_no_words_to_an_indicator(client: TestClient) -> None:
    crisis = call(client, "search_guidance", words="wants to end it all")["structuredContent"]
    seen = call(client, "search_guidance", words="hides her phone")["structuredContent"]
    misspelt = call(client, "search_guidance", words="groming")["structuredContent"]

    assert [each["id"] for each in crisis["signposts"]] == ["police-emergency", "childline", "samaritans"]
    assert (seen["results"], seen["leads_to"]) == ([], [])
    assert (misspelt["nearest"], misspelt["results"][0]["section"]) == (["grooming"], "definitions")


@for_each(
    ("tool", "arguments", "named"),
    [
        ("read_section", {"section": "children"}, "section"),
        ("read_section", {}, "section"),
        ("search_guidance", {"words": "an account " * 20}, "words"),
        ("read_guide", {"story": "made-up words of a child"}, "not known"),
        ("read_guide", {"guide": "another-guide"}, "guide"),
        ("compare_editions", {"edition": 1}, "edition"),
        ("compare_editions", {"since": 9}, "edition"),
    ],
)
def test_what_an_assistant_can_put_right_is_a_result_that_says_so(
    client: TestClient, tool: str, arguments: dict[str, Any], named: str
) -> None:
    result = call(client, tool, **arguments)

    assert result["isError"]
    sentence = result["content"][0]["text"]
    assert named in sentence.lower()
    assert "made-up" not in sentence
    assert "account" not in sentence


@pytest.mark.any_database
def test_the_handshake_is_answered_in_the_caller_s_revision_or_the_newest(client: TestClient) -> None:
    for revision in WITH_HANDSHAKE:
        result = send(client, "initialize", {"protocolVersion": revision}).json()["result"]
        assert result["protocolVersion"] == revision
    assert (
        send(client, "initialize", {"protocolVersion": "1999-01-01"}).json()["result"]["protocolVersion"]
        == (WITH_HANDSHAKE[0])
    )
    assert send(client, "ping").json()["result"] == {}
    notification = client.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (notification.status_code, notification.content) == (202, b"")


@pytest.mark.any_database
def test_the_stateless_revision_needs_no_handshake(client: TestClient) -> None:
    discovered = send_stateless(client, "server/discover").json()["result"]
    name = base64.b64encode(b"who_to_call").decode()
    called = send_stateless(client, "tools/call", {"name": "who_to_call"}, **{"Mcp-Name": f"=?base64?{name}?="})

    assert discovered["supportedVersions"] == list(SUPPORTED)
    assert called.json()["result"]["resultType"] == "complete"


@pytest.mark.any_database
@for_each(
    ("headers", "params", "code"),
    [
        ({"Mcp-Method": "tools/list"}, {}, -32020),
        ({"Mcp-Name": "read_guide"}, {}, -32020),
        ({"Mcp-Name": "=?base64?!?="}, {}, -32020),
        ({"MCP-Protocol-Version": "2025-11-25"}, {}, -32020),
        ({"MCP-Protocol-Version": "1999-01-01"}, {"_meta": META | {next(iter(META)): "1999-01-01"}}, -32022),
        ({}, {"_meta": {}}, -32602),
        ({}, {"_meta": {next(iter(META)): STATELESS}}, -32602),
        ({"Mcp-Name": "steal"}, {"name": "steal"}, -32602),
    ],
)
def test_a_message_that_differs_from_its_header_fields_is_refused(
    client: TestClient, headers: dict[str, str], params: dict[str, Any], code: int
) -> None:
    response = send_stateless(client, "tools/call", {"name": "who_to_call"} | params, **headers)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == code
    assert response.json()["id"] == 7


@pytest.mark.any_database
@for_each(
    "message",
    [
        {},
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": None, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1.5, "method": "ping"},
        {"jsonrpc": "2.0", "id": True, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1, "method": 5},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []},
    ],
)
def test_an_invalid_message_is_refused(client: TestClient, message: dict[str, Any]) -> None:
    response = client.post("/mcp", json=message)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == -32600


@pytest.mark.any_database
@pytest.mark.parametrize("method", ["resources/list", "concerns/create", "prompts/list"])
def test_nothing_but_tools_is_served(client: TestClient, method: str) -> None:
    for response in (send(client, method), send_stateless(client, method)):
        assert response.status_code == 404
        assert response.json()["error"]["code"] == -32601


@pytest.mark.any_database
def test_a_page_of_another_origin_is_refused(client: TestClient) -> None:
    assert send(client, "ping", Origin="https://other.example").status_code == 403
    assert send(client, "ping", Origin="http://testserver").status_code == 200


@for_each("origin", ["http://[evil", "null", "", "http://", "http://testserver@evil.example", "//testserver", "["])
def test_an_invalid_origin_is_refused_without_a_server_error(client: TestClient, origin: str) -> None:
    assert send(client, "ping", Origin=origin).status_code == 403


@pytest.mark.any_database
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_there_is_no_session_and_no_stream(client: TestClient, method: str) -> None:
    assert client.request(method, "/mcp").status_code == 405


@pytest.mark.any_database
def test_a_list_of_messages_is_a_problem(client: TestClient) -> None:
    response = client.post("/mcp", json=[{"jsonrpc": "2.0", "id": 1, "method": "ping"}])

    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
