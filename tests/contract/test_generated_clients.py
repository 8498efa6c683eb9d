"""Programs with generated clients work against a real service, and against a later release of it, without an edit.

Four generators make clients of the document: openapi-typescript and @hey-api/openapi-ts for TypeScript,
openapi-python-client and datamodel-code-generator for Python. The TypeScript compiler also compares the examples of a
concern with the types.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.models.clients import Scope
from app.models.form import FULL_EXAMPLE, SMALLEST_EXAMPLE
from tests.support.live import LiveServer
from tests.support.node import installed_copy, run_node
from tests.support.publishing import SLUG
from tests.support.python_packages import environment_with, run_python
from tests.support.releases import LATER, Proxy

CLIENTS = Path(__file__).parent / "clients"
EXAMPLES = {"smallest": SMALLEST_EXAMPLE, "full": FULL_EXAMPLE}
SECTIONS = ("definitions", "factors", "indicators", "linked_risks", "responsibilities", "contacts")
CONCERN_TYPES = {
    "openapi-typescript": "type Concern = import('./types/schema.js').components['schemas']['Concern'];",
    "hey-api": "import type { Concern } from './sdk/index.js';",
}
MODELS = (
    *("-m", "datamodel_code_generator", "--input", "openapi.json", "--input-file-type", "openapi"),
    *("--output", "models.py", "--output-model-type", "pydantic_v2.BaseModel"),
    *("--target-python-version", "3.11", "--formatters", "builtin"),
)
GENERATORS = (*CONCERN_TYPES, "openapi-python-client", "datamodel-code-generator")
ENVIRONMENT = "environment"
FUNCTIONS = (
    *("-m", "openapi_python_client", "generate", "--path", "openapi.json", "--config", "generator.yaml"),
    *("--output-path", "guidance_service", "--meta", "none", "--fail-on-warning"),
)

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

Report = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Start a service that soon says to a client that it sends too much."""
    server = LiveServer(
        tmp_path_factory.mktemp("service") / "data", limit_clients="2/minute", trusted_proxies="127.0.0.1"
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module", params=[False, True], ids=["this release", "a later release"])
def proxy(request: pytest.FixtureRequest, server: LiveServer) -> Iterator[Proxy]:
    """Start a proxy before the service, which is as it is, or as a later release."""
    proxy = Proxy(server.url, is_later=request.param)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def document(server: LiveServer) -> bytes:
    with server.client() as client:
        return client.get("/openapi.json").content


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory, document: bytes) -> Path:
    """Return a folder with both clients in TypeScript, and the programs that use them, compiled."""
    folder = installed_copy(CLIENTS, tmp_path_factory.mktemp("typescript") / "clients")
    (folder / "openapi.json").write_bytes(document)
    for name, imported in CONCERN_TYPES.items():
        constants = [f"export const {key}: Concern = {json.dumps(value)};" for key, value in EXAMPLES.items()]
        (folder / "src" / f"examples-{name}.ts").write_text("\n".join([imported, *constants]), encoding="utf-8")
    for script in ("generate:types", "generate:sdk", "build"):
        run_node(folder, "npm", "run", script)
    return folder


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory, document: bytes) -> Path:
    """Return a folder with the package of openapi-python-client, its program, and their environment."""
    folder = python_folder(tmp_path_factory.mktemp("functions"), document)
    run_python(folder, *FUNCTIONS, python=environment_with("generators", folder / ENVIRONMENT))
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, document: bytes) -> Path:
    """Return a folder with the models of datamodel-code-generator, and the program that uses them."""
    folder = python_folder(tmp_path_factory.mktemp("models"), document)
    run_python(folder, *MODELS)
    return folder


def python_folder(folder: Path, document: bytes) -> Path:
    """Fill the folder with the document, the examples and the programs in Python."""
    shutil.copytree(CLIENTS, folder, dirs_exist_ok=True)
    (folder / "openapi.json").write_bytes(document)
    (folder / "examples.json").write_text(json.dumps(EXAMPLES), encoding="utf-8")
    return folder


def run_program(request: pytest.FixtureRequest, generator: str, *arguments: str) -> Report:
    """Run the program with that generator's client, and return what it saw."""
    if generator in CONCERN_TYPES:
        folder: Path = request.getfixturevalue("typescript")
        printed = run_node(folder, "node", f"dist/{generator}.js", *arguments)
    elif generator == "openapi-python-client":
        folder = request.getfixturevalue("functions")
        python = folder / ENVIRONMENT / "bin" / "python"
        printed = run_python(folder, "use_functions.py", *arguments, "examples.json", python=python)
    else:
        printed = run_python(request.getfixturevalue("models"), "use_models.py", *arguments, "examples.json")
    report: Report = json.loads(printed)
    return report


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_generated_client_reads_every_section_raises_concerns_and_is_refused_in_words(
    request: pytest.FixtureRequest, server: LiveServer, proxy: Proxy, generator: str
) -> None:
    report = run_program(request, generator, proxy.url, server.new_key(Scope.EVENTS), SLUG)

    with server.client() as client:
        edition = client.get(f"/v1/guides/{SLUG}").json()
    assert report["sections"] == {name: [item["id"] for item in edition[name]] for name in SECTIONS}
    assert report["faults"] == ["#/guide unknown-guide"]
    seconds, problem = report["too_many"]
    assert problem == "/v1/problems/too-often"
    assert 0 < seconds <= 60
    received = "concern.received" + (LATER if proxy.is_later else "")
    assert len(set(report["raised"])) == 2
    assert [reference for kind, reference in report["events"] if kind == received][-2:] == report["raised"]
