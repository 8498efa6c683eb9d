"""Programs with generated clients work against a real service, and against a later release of it, without an edit.

Five generators make clients of the document in six languages: openapi-typescript and @hey-api/openapi-ts for
TypeScript, openapi-python-client and datamodel-code-generator for Python, OpenAPI Generator for Java, C#, Go and PHP.
The TypeScript compiler also compares the examples of a concern with the types. The client in C# is compiled by Mono
against the libraries of .NET, without what registers it with a host, and runs in the runtime of .NET.
"""

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.models.access.clients import Scope
from app.models.concerns.examples import FULL_EXAMPLE, SMALLEST_EXAMPLE
from tests.support.command import ROOT, guidance
from tests.support.live import LiveServer
from tests.support.node import installed_copy, need_program, run_node
from tests.support.openapi import REPORTED, operations
from tests.support.publishing import EXAMPLES as GUIDES_WITHOUT_SOURCE
from tests.support.publishing import SLUG

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

SECONDS = 300


def environment_with(requirements: str, target: Path) -> Path:
    """Make an environment with what `requirements/NAME.txt` locks, and return its Python."""
    run_python(ROOT, "-m", "uv", "venv", "--quiet", "--python", sys.executable, str(target))
    python = target / "bin" / "python"
    locked = ROOT / "requirements" / f"{requirements}.txt"
    install = ("-m", "uv", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:")
    run_python(ROOT, *install, "--python", str(python), "--requirement", str(locked))
    return python


def run_python(folder: Path, *arguments: str, python: Path | str = sys.executable) -> str:
    """Run that Python there, and return its output. A command that fails is a failed test."""
    ended = subprocess.run(
        [str(python), *arguments], cwd=folder, capture_output=True, check=False, text=True, timeout=SECONDS
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


ADDED = {"added_later": "what nobody knows yet"}
CALLER = "192.0.2.1"  # requests of this machine itself are not counted
LATER = ".later"
PASSED_ON = ("authorization", "content-type", "accept", "idempotency-key")
RETURNED = ("content-type", "retry-after")


class Proxy:
    """Listens on a free port, and passes each request to the service at `url`, in the name of a caller elsewhere."""

    def __init__(self, url: str, *, is_later: bool) -> None:
        self.is_later = is_later
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                proxy._answer(self, url)

            def do_POST(self) -> None:
                proxy._answer(self, url)

            def log_message(self, *_: Any) -> None:
                """Write nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, request: BaseHTTPRequestHandler, url: str) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in request.headers.items() if name.lower() in PASSED_ON}
        headers["x-forwarded-for"] = CALLER
        answer = httpx.request(
            request.command, url + request.path, headers=headers, content=body, timeout=60, trust_env=False
        )
        content = json.dumps(_later(answer.json())).encode() if self.is_later else answer.content
        request.send_response(answer.status_code)
        for name in RETURNED:
            if name in answer.headers:
                request.send_header(name, answer.headers[name])
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


def _later(value: Any) -> Any:
    """Return the content as a later release may send it."""
    if isinstance(value, list):
        return [_later(each) for each in value]
    if not isinstance(value, dict):
        return value
    members = {name: _later(inner) for name, inner in value.items()}
    if {"type", "data", "timestamp"} <= set(members):
        members["type"] += LATER
    return members | ADDED


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
    *("--target-python-version", "3.11", "--formatters", "builtin", "--collapse-root-models"),
)
NO_DOCUMENTS = ("--global-property", "apiTests=false,modelTests=false,apiDocs=false,modelDocs=false")
OPTIONS = {
    "java": ("--library", "native", "--additional-properties", "openApiNullable=false,useJakartaEe=true"),
    "csharp": (
        *("--library", "generichost"),
        *("--additional-properties", "targetFramework=netstandard2.1,nullableReferenceTypes=false"),
    ),
    "go": (
        "--additional-properties",
        "packageName=guidance,withGoMod=false,enumClassPrefix=true,disallowAdditionalPropertiesIfNotPresent=false",
    ),
    "php": (),
}
"""The languages of OpenAPI Generator, with its options for each."""
GENERATORS = (*CONCERN_TYPES, "openapi-python-client", "datamodel-code-generator", *OPTIONS)
DOTNET = Path(__file__).parent / "clients_in_csharp"
RUNTIME = {
    "runtimeOptions": {
        "framework": {"name": "Microsoft.AspNetCore.App", "version": "3.1.0"},
        "configProperties": {"System.Globalization.Invariant": True},
    }
}
MANAGED = re.compile(r"(Microsoft|System|mscorlib|netstandard)\.(?!Runtime\.WindowsRuntime)")
SET_UP_FOR_HOSTS = ("Extensions/", "HostConfiguration.cs")
"""What registers the client with a host: it needs Polly, and overloads by constraint, which Mono does not know."""
ANNOTATIONS = Path("/usr/share/java/jakarta-annotation-api.jar")
GUZZLE = Path("/usr/share/php/GuzzleHttp/autoload.php")
WRITTEN = {
    "openapi-typescript": ("src/types/schema.ts", r"(?s)export interface operations \{.*", r"(?m)^    (\w+): \{"),
    "hey-api": ("src/sdk/sdk.gen.ts", r"(?s).*", r"export const (\w+) = "),
    "openapi-python-client": ("guidance_service/api/*/*.py", r"(?s).*", r"(?m)^def _get_kwargs"),
    "java": ("client/src/main/java/**/api/*.java", r"(?s).*", r"public [\w<>., ]+ (\w+)\("),
    "csharp": ("client/src/**/Api/*.cs", r"(?s).*", r"> (\w+)Async\("),
    "go": ("client/api_*.go", r"(?s).*", r"func \(a \*\w+\) (\w+)\("),
    "php": ("client/lib/Api/*.php", r"(?s).*", r"public function (\w+)\("),
}
"""Where each generator writes the operations, in which part, and how an operation looks."""
ENVIRONMENT = "environment"
FUNCTIONS = (
    *("-m", "openapi_python_client", "generate", "--path", "openapi.json", "--config", "generator.yaml"),
    *("--output-path", "guidance_service", "--meta", "none", "--fail-on-warning"),
)
FOLDERS = {
    "openapi-typescript": "typescript",
    "hey-api": "typescript",
    "openapi-python-client": "functions",
    "datamodel-code-generator": "models",
}
"""The fixture of each generator, if it has another name."""
Report = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Start a service that soon says to a client that it sends too much."""
    with LiveServer(
        tmp_path_factory.mktemp("service") / "data", limit_clients="2/minute", trusted_proxies="127.0.0.1"
    ) as server:
        for path in GUIDES_WITHOUT_SOURCE:
            digest = re.findall(r"sha256:\w+", guidance("approve", path).stdout)[0]
            published = guidance("publish", path, "--digest", digest, "--new", "--data-dir", server.data_dir)
            assert published.returncode == 0, published.stderr
        yield server


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


@pytest.fixture(scope="module")
def openapi_generator(functions: Path) -> Path:
    """Return the program, which a package of that environment holds. It needs Java."""
    need_program("javac", "default-jdk-headless with libjakarta-annotation-api-java", ANNOTATIONS)
    (program,) = (functions / ENVIRONMENT).glob("lib/*/site-packages/openapi_generator_cli/openapi-generator.jar")
    return program


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory, document: bytes, openapi_generator: Path) -> Path:
    """Return a folder with the client in Java, and the program that uses it, compiled."""
    folder = generated(tmp_path_factory.mktemp("java"), document, openapi_generator, "java")
    sources = [str(path) for path in (folder / "client" / "src" / "main").rglob("*.java")]
    run_node(folder, "javac", "-d", "classes", "-cp", class_path(openapi_generator), *sources, "java/UseJava.java")
    return folder


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory, document: bytes, openapi_generator: Path) -> Path:
    """Return a folder with the client in Go, and the program `use_go` that uses it, compiled without the network."""
    need_program("go", "golang-go")
    folder = generated(tmp_path_factory.mktemp("go"), document, openapi_generator, "go")
    run_node(folder, "go", "build", "-o", "use_go", "./go")
    return folder


@pytest.fixture(scope="module")
def php(tmp_path_factory: pytest.TempPathFactory, document: bytes, openapi_generator: Path) -> Path:
    """Return a folder with the client in PHP, and the program that uses it."""
    need_program("php", "php-cli with php-guzzlehttp-guzzle", GUZZLE)
    return generated(tmp_path_factory.mktemp("php"), document, openapi_generator, "php")


@pytest.fixture(scope="module")
def csharp(tmp_path_factory: pytest.TempPathFactory, document: bytes, openapi_generator: Path) -> Path:
    """Return a folder with the client in C#, and the program `use.exe` that uses it, compiled for `dotnet`."""
    need_program("mcs", "mono-mcs")
    folder = generated(tmp_path_factory.mktemp("csharp"), document, openapi_generator, "csharp")
    installed_copy(DOTNET, folder / "dotnet")
    written = [str(path) for path in (folder / "client" / "src" / "Org.OpenAPITools").rglob("*.cs")]
    sources = [path for path in written if not any(part in path for part in SET_UP_FOR_HOSTS)]
    libraries = [path for path in folder.glob("dotnet/node_modules/*/shared/*/*/*.dll") if MANAGED.match(path.name)]
    arguments = ["-target:exe", "-langversion:latest", "-noconfig", "-nostdlib", "-out:use.exe"]
    arguments += [f"-r:{path}" for path in libraries] + [*sources, "dotnet/JsonConstructor.cs", "csharp/UseCsharp.cs"]
    (folder / "arguments").write_text("\n".join(arguments), encoding="utf-8")
    run_node(folder, "mcs", "@arguments")
    (folder / "use.runtimeconfig.json").write_text(json.dumps(RUNTIME), encoding="utf-8")
    return folder


def generated(folder: Path, document: bytes, program: Path, language: str) -> Path:
    """Write the client in that language into `client` of the folder, beside the programs. Return the folder.

    Two operations in one file are an error.
    """
    python_folder(folder, document)
    command = ("generate", "-i", "openapi.json", "-g", language, "-o", "client", *OPTIONS[language], *NO_DOCUMENTS)
    assert "COLLISION" not in run_node(folder, "java", "-jar", str(program), *command)
    return folder


def class_path(program: Path) -> str:
    """Return where the client's libraries are: the generator brings Jackson, Debian the annotations."""
    return f"classes:{program}:{ANNOTATIONS}"


def python_folder(folder: Path, document: bytes) -> Path:
    """Fill the folder with the document, the examples and the programs in Python."""
    shutil.copytree(CLIENTS, folder, dirs_exist_ok=True)
    (folder / "openapi.json").write_bytes(document)
    (folder / "examples.json").write_text(json.dumps(EXAMPLES), encoding="utf-8")
    return folder


def run_program(request: pytest.FixtureRequest, generator: str, *arguments: str) -> Report:
    """Run the program with that generator's client, and return what it saw."""
    folder: Path = request.getfixturevalue(FOLDERS.get(generator, generator))
    command = [f"{folder / ENVIRONMENT}/bin/python", "use_functions.py"]
    match generator:
        case "openapi-typescript" | "hey-api":
            command = ["node", f"dist/{generator}.js"]
        case "datamodel-code-generator":
            command = [sys.executable, "use_models.py"]
        case "java":
            command = ["java", "-cp", class_path(request.getfixturevalue("openapi_generator")), "UseJava"]
        case "csharp":
            (dotnet,) = folder.glob("dotnet/node_modules/dotnet-sdk-*/dotnet")
            command = [str(dotnet), "use.exe"]
        case "go":
            command = ["./use_go"]
        case "php":
            command = ["php", "-d", "display_errors=stderr", "php/use_php.php"]
    report: Report = json.loads(run_node(folder, *command, *arguments, "examples.json"))
    return report


def written_operations(folder: Path, generator: str) -> set[str]:
    """Return the names of the operations that the generator wrote, in small letters only."""
    pattern, part, operation = WRITTEN[generator]
    found = set()
    for path in folder.glob(pattern):
        text = re.findall(part, path.read_text(encoding="utf-8"))[0]
        names = re.findall(operation, text)
        found |= {path.stem} if generator == "openapi-python-client" and names else set(names)
    return {re.sub(r"[^a-z]", "", name.lower()) for name in found}


@pytest.mark.parametrize("generator", WRITTEN)
def test_a_generator_loses_no_operation(
    request: pytest.FixtureRequest, document: bytes, generator: str, record_property: Callable[[str, object], None]
) -> None:
    wanted = {told.id.replace("_", "") for told in operations(json.loads(document))}

    written = written_operations(request.getfixturevalue(FOLDERS.get(generator, generator)), generator)

    assert wanted - written == set()
    record_property(REPORTED, f"{generator}: {len(wanted & written)} of {len(wanted)} operations")


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_generated_client_reads_raises_follows_verifies_and_reports_refusals(
    request: pytest.FixtureRequest,
    server: LiveServer,
    proxy: Proxy,
    generator: str,
    record_property: Callable[[str, object], None],
) -> None:
    report = run_program(request, generator, proxy.url, server.new_key(Scope.EVENTS), SLUG)

    with server.client() as client:
        edition = client.get(f"/v1/guides/{SLUG}").json()
        guides = [each["guide"] for each in client.get("/v1/guides").json()["guides"]]
        sourced = {name: client.get(f"/v1/guides/{name}").json()["source"] is not None for name in guides}
    assert report["guides"] == sourced
    assert set(sourced.values()) == {True, False}
    assert report["sections"] == {name: [item["id"] for item in edition[name]] for name in SECTIONS}
    assert report["faults"] == ["#/guide unknown-guide"]
    seconds, problem = report["too_many"]
    assert problem == "/v1/problems/too-often"
    assert 0 < seconds <= 60
    received = "concern.received" + (LATER if proxy.is_later else "")
    assert len(set(report["raised"])) == 2
    assert report["followed"] == ["received", "received"]
    assert report["verified"] == [*report["raised"], None]
    assert [reference for kind, reference in report["events"] if kind == received][-2:] == report["raised"]
    release = "a later release" if proxy.is_later else "this release"
    record_property(
        REPORTED,
        f"{generator}: {release}: {len(sourced)} guides read, {len(report['raised'])} concerns raised and verified",
    )


def test_the_digest_of_an_edition_is_computed_in_java(live: LiveServer, openapi_generator: Path) -> None:
    printed = run_node(ROOT, "java", "-cp", str(openapi_generator), "examples/java/DigestOf.java", live.url)

    edition = httpx.get(f"{live.url}/v1/guides/{SLUG}/editions/1", timeout=30, trust_env=False).json()
    assert printed.strip() == edition["digest"]
