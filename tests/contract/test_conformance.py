"""The endpoint for assistants passes the conformance suite of the Model Context Protocol."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import LiveServer
from tests.support.node import finished_node, installed_copy

CONFORMANCE = Path(__file__).parent / "conformance"
PASSED = {
    "server-initialize": 2,
    "server-stateless": 21,
    "ping": 2,
    "tools-list": 3,
    "dns-rebinding-protection": 2,
    "http-header-validation": 14,
    "server-session-lifecycle": 0,  # there are no sessions, and the suite says so
    "caching": 4,
}
"""The scenarios that fit a server with tools alone, and how many checks of each must pass."""
NOT_TESTABLE = re.compile(r"Not testable: server does not list the diagnostic tool")
NOT_OFFERED = re.compile(r"(prompts|resources)/[a-z/]+ returned JSON-RPC error -32601")

pytestmark = [pytest.mark.slow, pytest.mark.any_database]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed_copy(CONFORMANCE, tmp_path_factory.mktemp("conformance") / "suite")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("service") / "data") as server:
        yield server


def checks_of(suite: Path, url: str, scenario: str, results: Path) -> list[dict[str, Any]]:
    """Run the scenario against that address, and return its checks."""
    ended = finished_node(suite, "conformance", "server", "--url", url, "--scenario", scenario, "-o", str(results))
    reports = list(results.rglob("checks.json"))
    assert len(reports) == 1, ended.stdout + ended.stderr
    checks: list[dict[str, Any]] = json.loads(reports[0].read_text(encoding="utf-8"))
    return checks


def is_accepted(check: dict[str, Any], scenario: str) -> bool:
    """Return True for a check that needs what the service does not offer: the suite itself says which."""
    message = check.get("errorMessage", "")
    return bool(NOT_TESTABLE.match(message) or (scenario == "caching" and NOT_OFFERED.match(message)))


@pytest.mark.nightly
@pytest.mark.parametrize("scenario", PASSED)
def test_a_server_with_only_tools_passes_every_check_that_fits(
    suite: Path, server: LiveServer, tmp_path: Path, scenario: str
) -> None:
    checks = checks_of(suite, f"{server.url}/mcp", scenario, tmp_path)

    failed = [each for each in checks if each["status"] in ("FAILURE", "WARNING") and not is_accepted(each, scenario)]
    assert failed == []
    assert len([each for each in checks if each["status"] == "SUCCESS"]) >= PASSED[scenario]


def test_the_service_offers_tools_and_neither_prompts_nor_resources(server: LiveServer) -> None:
    versions = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": versions}
    with server.client() as client:
        offered = client.post("/mcp", json=message).json()["result"]["capabilities"]

    assert list(offered) == ["tools"]


@pytest.mark.nightly
def test_the_suite_would_find_a_server_that_does_not_speak_the_protocol(
    suite: Path, server: LiveServer, tmp_path: Path
) -> None:
    checks = checks_of(suite, f"{server.url}/v1", "tools-list", tmp_path)

    assert [each for each in checks if each["status"] == "FAILURE" and not is_accepted(each, "tools-list")]
