"""Sweeps: what must hold for every route, setting, command and log line, and would otherwise be forgotten once."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic.fields import FieldInfo
from starlette.testclient import TestClient

from app.build import VERSION
from app.config import PREFIX, Settings
from app.errors import all_problems
from app.http.auth import allow_anyone, require_client, require_status_token, require_submitter
from app.http.context import AppContext
from app.http.visitors import require_person
from app.logs import ALLOWED
from app.main import create_app
from app.models.access.clients import Scope
from app.models.events.rows import EventKind
from app.services.access.clients import add_client
from docs_site.api import operations_page
from tests.support.command import every_command, guidance
from tests.support.loops import for_each
from tests.support.openapi import Operation, examples_of, operations

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
SOURCES = sorted((ROOT / "app").rglob("*.py"))

DECLARATIONS = {allow_anyone, require_client, require_person, require_status_token, require_submitter}
LOG_METHODS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "failure", "survive"}
SET_UP_OF_LOGS = "logs.py"


def routes(service: FastAPI) -> list[RouteContext]:
    return list(iter_route_contexts(service.routes))


def callables(dependant: Dependant) -> Iterator[Any]:
    """Everything that is asked before the route itself."""
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from callables(dependency)


def declared(route: RouteContext) -> set[Any]:
    """The callers that the route allows, as it declares them."""
    dependant = getattr(route, "dependant", None)
    return set() if dependant is None else DECLARATIONS & set(callables(dependant))


def undeclared(service: FastAPI) -> list[str]:
    return [f"{route.methods} {route.path}" for route in routes(service) if len(declared(route)) != 1]


def test_every_route_declares_who_may_call_it(service: FastAPI) -> None:
    assert len(routes(service)) > 50
    assert undeclared(service) == []


def test_a_route_that_declares_nobody_would_be_found(service: FastAPI) -> None:
    careless = APIRouter()
    careless.add_api_route("/careless", lambda: None, methods=["GET"])
    service.include_router(careless)

    assert undeclared(service) == ["{'GET'} /careless"]


@pytest.mark.slow
def test_every_cached_read_reads_no_credential(service: FastAPI) -> None:
    """The response cache answers with and without a credential alike."""
    cached = {each.path for each in operations(service.openapi()) if "304" in each.definition["responses"]}
    theirs = [route for route in routes(service) if route.path in cached and route.methods == {"GET"}]

    assert len(theirs) > 15
    assert [route.path for route in theirs if declared(route) != {allow_anyone}] == []


OF_EVERY_CLIENT = {("get", "/v1/desk/own-disclosures")}
"""Shows a client nothing but its own entries, and needs no scope."""


def for_clients(service: FastAPI) -> dict[str, tuple[Operation, str]]:
    """Each operation that is for clients, with the one scope that it needs."""
    found = {}
    for told in operations(service.openapi()):
        scopes = [scope for each in told.definition.get("security", []) for scope in each.get("ClientKey", [])]
        if scopes:
            (scope,) = scopes
            found[told.id] = (told, scope)
    return found


@pytest.mark.slow
def test_every_route_for_clients_names_its_scope(service: FastAPI) -> None:
    paths = {
        (method.lower(), r.path) for r in routes(service) if require_client in declared(r) for method in r.methods or ()
    }

    assert {(told.method, told.path) for told, _ in for_clients(service).values()} == paths - OF_EVERY_CLIENT


def key_without(context: AppContext, scope: Scope) -> str:
    """The key of a client that may do all but that."""
    name = f"all-but-{scope.value.replace(':', '-')}"
    others = [other for other in Scope if other is not scope]
    return add_client(context.writer, name=name, scopes=others, at=context.clock())


def call(client: TestClient, told: Operation, key: str | None) -> int:
    """The status of an answer to a call with that key."""
    parameters = told.definition.get("parameters", [])
    given = {each["name"]: examples_of(each)[0] for each in parameters if each["in"] == "path"}
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body: dict[str, Any] | None = {} if told.method in ("post", "put") else None
    return client.request(told.method, told.path.format_map(given), headers=headers, json=body).status_code


@pytest.mark.slow
def test_no_route_for_clients_answers_without_its_scope(service: FastAPI, client: TestClient) -> None:
    keys = {scope.value: key_without(service.state.context, scope) for scope in Scope}
    for told, needed in for_clients(service).values():
        assert call(client, told, None) == 401, told.id
        assert call(client, told, "omg_unknown") == 401, told.id
        assert call(client, told, keys[needed]) == 403, told.id


def table(name: str) -> list[list[str]]:
    """Return the rows of the reference's table of that name, cell by cell."""
    document = (REFERENCE / f"{name}.md").read_text(encoding="utf-8")
    section = re.split(rf"^## Table of {name}$", document, flags=re.MULTILINE)[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


@pytest.mark.slow
def test_the_reference_lists_every_route_once_and_no_other(service: FastAPI) -> None:
    written = [route for row in table("routes") for route in re.findall(r"`([A-Z]+ /[^`]*)`", row[0])]
    made = re.findall(r"^`([A-Z]+ /[^`]*)`", operations_page(service.openapi()), flags=re.MULTILINE)
    there = {f"{method} {(r.path or '').rstrip('/') or '/'}" for r in routes(service) for method in r.methods or ()}

    assert sorted([*written, *made]) == sorted(there - {f"HEAD {path.removeprefix('GET ')}" for path in there})


def test_the_reference_names_the_scope_of_every_route_for_clients(service: FastAPI) -> None:
    lines = operations_page(service.openapi()).splitlines()
    for told, scope in for_clients(service).values():
        (line,) = [line for line in lines if line.startswith(f"`{told.method.upper()} {told.path}`, ")]

        assert line.endswith(f"for clients with the scope `{scope}`"), line


def test_the_reference_names_every_scope() -> None:
    (named,) = re.findall(r"^Scopes: (.*)$", (REFERENCE / "commands.md").read_text(), flags=re.MULTILINE)

    assert set(re.findall(r"`([a-z:]+)`", named)) == set(Scope)


def default_of(field: FieldInfo) -> str | None:
    """The default as the reference writes it, or None where it says so in words."""
    value = field.default
    if value is None or value == () or (isinstance(value, Path) and value.is_absolute()):
        return None
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def test_the_reference_lists_every_setting_with_its_default() -> None:
    rows = {row[0]: row for row in table("settings")}
    settings = {f"`GUIDANCE_{name.upper()}`": default_of(field) for name, field in Settings.model_fields.items()}

    assert set(rows) == set(settings)
    assert {name: rows[name][1] for name, default in settings.items() if default} == {
        name: default for name, default in settings.items() if default
    }
    assert all(len(row) == 3 and row[2] for row in rows.values())


def test_the_reference_lists_every_command_and_no_other() -> None:
    listed = [re.sub(r"( [A-Z.]+| --.*)+`$", "", row[0].lstrip("`")).rstrip("`") for row in table("commands")]

    assert sorted(listed) == sorted(f"guidance {name}" for name, _ in every_command())


def test_the_reference_lists_every_problem_with_its_status_and_title() -> None:
    assert [row[:3] for row in table("problems")] == [
        [f"`{each.slug}`", str(each.status), f"`{each.title}`"] for each in all_problems()
    ]
    assert all(len(row) == 4 and row[3] for row in table("problems"))


def test_the_reference_lists_every_event() -> None:
    assert [row[0] for row in table("events")] == [f"`{kind}`" for kind in EventKind]


def test_every_command_and_every_option_has_a_help_text() -> None:
    silent = [
        f"{name} {getattr(parameter, 'name', '')}"
        for name, told in every_command()
        for parameter in (told, *told.params)
        if not parameter.help
    ]

    assert silent == []


@cache
def calls() -> list[tuple[Path, ast.Call]]:
    """Return each call of the service, with its module."""
    trees = ((source, ast.parse(source.read_text(encoding="utf-8"))) for source in SOURCES)
    return [(source, node) for source, tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]


def named(source: Path, node: ast.AST) -> str:
    return f"{source.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def log_lines() -> Iterator[tuple[Path, ast.Call]]:
    """Each call that writes a log line."""
    for source, node in calls():
        match node.func:
            case ast.Attribute(value=ast.Name(id="log" | "logger" | "logging"), attr=attr) if attr in LOG_METHODS:
                yield source, node


@pytest.mark.slow
def test_no_module_of_the_service_prints() -> None:
    printing = [
        named(source, node)
        for source, node in calls()
        if isinstance(node.func, ast.Name) and node.func.id in {"print", "pprint"}
    ]

    assert printing == []


@pytest.mark.slow
def test_every_log_line_has_fixed_words_and_named_fields() -> None:
    lines = list(log_lines())
    loose = [
        named(source, node)
        for source, node in lines
        if len(node.args) != 1
        or not isinstance(node.args[0], ast.Constant)
        or not re.fullmatch(r"[a-z_]+", str(node.args[0].value))
        or any(keyword.arg is None for keyword in node.keywords)
    ]

    assert len(lines) > 5
    assert loose == []


@pytest.mark.slow
def test_every_field_of_a_log_line_is_allowed() -> None:
    lost = [
        f"{named(source, node)}: {keyword.arg}"
        for source, node in log_lines()
        for keyword in node.keywords
        if keyword.arg not in ALLOWED
    ]

    assert lost == []


def test_only_the_set_up_of_logs_reaches_for_the_standard_library_s() -> None:
    reaching = [
        str(source.relative_to(ROOT))
        for source in SOURCES
        if re.search(r"^(import logging|from logging)", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]

    assert reaching == [f"app/{SET_UP_OF_LOGS}"]


@pytest.mark.slow
@for_each("words", [r"\bTODO\b", r"\bFIXME\b", r"\bXXX\b", r"datetime\.now\(\)", r"utcnow\("])
def test_no_source_has_an_open_task_or_reads_the_clock(words: str) -> None:
    found = [
        str(source.relative_to(ROOT)) for source in SOURCES if re.search(words, source.read_text(encoding="utf-8"))
    ]

    assert found == []


@pytest.mark.slow
def test_every_place_that_names_the_program_names_its_version_and_commit(settings: Settings) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    with TestClient(create_app(settings.model_copy(update={"commit": commit}))) as client:
        said = {
            "/v1": client.get("/v1").json(),
            "/health/live": client.get("/health/live").json(),
            "/health/ready": client.get("/health/ready").json(),
        }
        documents = [client.get(path).json()["info"] for path in ("/openapi.json", "/openapi.public.json")]
        pages = {path: client.get(path).text for path in ("/docs", "/docs/getting-started", "/metrics")}
    printed = guidance("--version", COMMIT=commit).stdout

    assert {path: (each["version"], each["commit"]) for path, each in said.items()} == dict.fromkeys(
        said, (VERSION, commit)
    )
    assert [(each["version"], each["x-commit"]) for each in documents] == [(VERSION, commit)] * 2
    assert [path for path, text in pages.items() if VERSION not in text or commit[:12] not in text] == []
    assert printed == f"guidance {VERSION} ({commit})\n"


def strings_of(path: Path) -> Iterator[tuple[int, str]]:
    """Each text of the file with its line; of one with values in braces, with the prefix of settings in its place."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            told = [part.value if isinstance(part, ast.Constant) else ast.unparse(part.value) for part in node.values]  # type: ignore[attr-defined]  # the only two kinds
            yield node.lineno, "".join(map(str, told)).replace("PREFIX", PREFIX)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield node.lineno, node.value


@pytest.mark.slow
def test_every_sentence_names_a_setting_with_its_prefix() -> None:
    names = "|".join(name.upper() for name in Settings.model_fields if "_" in name)
    bare = re.compile(rf"(?<![A-Z_])(?:{names})(?![A-Z_])")
    texts = [(f"{path}:{line}", text) for path in SOURCES for line, text in strings_of(path)]
    shown = [*ROOT.glob("app/**/*.html"), *ROOT.glob("docs/**/*.md"), ROOT / "CHANGELOG.md"]
    texts += [(str(path), path.read_text(encoding="utf-8")) for path in shown]

    assert [(place, bare.findall(text)) for place, text in texts if bare.search(text)] == []
