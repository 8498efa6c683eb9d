"""Extensions: that of the architecture's page joins, one that forgets a part does not, and one left out is unknown."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import SetupError
from app.extensions import installed, modules_of, switched_on
from app.extensions.operator_tools.services.doctor import examine
from app.main import create_app
from app.models.access.roles import Role
from tests.support.clock import A_TUESDAY
from tests.support.concerns import raise_concern
from tests.support.live import environment_for
from tests.support.openapi import operations
from tests.support.people import sign_in_as

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n# (\w+\.py).*?\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
FILES = dict(BLOCK.findall((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")))
"""Of the extension `hello`."""
PROGRAM = """
import json, os, sys
from pathlib import Path
import app.extensions
app.extensions.__path__.append(sys.argv[1])
from starlette.testclient import TestClient
from typer.testing import CliRunner
from app.cli.commands import app as commands
from app.config import parse_settings
from app.db.database import open_database
from app.main import create_app
from app.services.operations.verification import find_faults
from tests.support.waiting import wait_until

settings = parse_settings(os.environ)
service = create_app(settings)
with TestClient(service) as client:
    if service.state.context.extensions:
        wait_until(lambda: client.get("/v1/hello").json()["count"])
    found = {
        "answer": client.get("/v1/hello").status_code,
        "greetings": client.get("/v1/hello").json().get("count"),
        "document": "/v1/hello" in service.openapi()["paths"],
        "index": client.get("/v1").json()["links"].get("hello"),
        "command": CliRunner().invoke(commands, ["greet", "Jo"]).output,
        "help": CliRunner().invoke(commands, ["--help"]).output.count("Greet someone."),
        "jobs": [name for each in service.state.context.workers for name in each.names].count("hello"),
        "checks": CliRunner().invoke(commands, ["doctor", "--quick"]).output.count("it greets"),
    }
engine = open_database(settings.data_dir, settings.database_address)
found["verified"] = [each for each in find_faults(engine) if each[0] == "hello"]
with engine.begin() as connection:
    connection.exec_driver_sql("DELETE FROM greetings")
found["lost"] = [each for each in find_faults(engine) if each[0] == "hello"]
found["imported"] = sorted(name for name in sys.modules if name.startswith("app.extensions."))
print(json.dumps(found))
"""
"""A start of the service, and what it has of `hello`; the folder of extensions is its argument."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the extension of the architecture's page."""
    hello = tmp_path / "extensions" / "hello"
    hello.mkdir(parents=True)
    for name, text in FILES.items():
        (hello / name).write_text(text, encoding="utf-8")
    return hello.parent


def environment_in(data: Path, **settings: str) -> dict[str, str]:
    """Never the folder of the clone, which `make serve` fills."""
    return environment_for(data, **settings) | {"GUIDANCE_DATA_DIR": str(data)}


def start(folder: Path, data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    environment = environment_in(data, **settings)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False, text=True)


def started(folder: Path, data: Path, **settings: str) -> dict[str, Any]:
    ended = start(folder, data, **settings)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.mark.embedded
def test_the_extension_of_the_page_joins_with_all_its_parts_and_its_rows_outlive_being_left_out(
    folder: Path, tmp_path: Path
) -> None:
    lines = [line for text in FILES.values() for line in text.splitlines() if line.strip()]
    on = {
        "answer": 200,
        "greetings": 1,
        "document": True,
        "index": "/v1/hello",
        "command": "Hello Jo\n",
        "help": 1,
        "jobs": 1,
        "checks": 1,
    }
    off: dict[str, Any] = {"answer": 404, "document": False, "index": None, "help": 0, "jobs": 0, "checks": 0}

    first = started(folder, tmp_path / "data")
    left_out = started(folder, tmp_path / "data", extensions="none")
    again = started(folder, tmp_path / "data", extensions="hello, operator_tools")

    assert len(lines) < 50
    assert {name: first[name] for name in on} == on
    assert {name: left_out[name] for name in off} == off
    assert {name: again[name] for name in on} == on
    assert [each["verified"] for each in (first, again)] == [[], []]
    assert left_out["lost"] == [["hello", "it has never greeted"]]
    assert [name for name in left_out["imported"] if name.startswith("app.extensions.hello.")] == [
        "app.extensions.hello.tables",
        "app.extensions.hello.verification",
    ]


@pytest.mark.parametrize("part", ["routers", "jobs", "checks", "tables", "verification"])
def test_a_part_that_the_value_does_not_name_stops_the_start(folder: Path, tmp_path: Path, part: str) -> None:
    value = folder / "hello" / "__init__.py"
    value.write_text(value.read_text().replace(f'"{part}", ', "").replace(f', "{part}"', ""))

    ended = start(folder, tmp_path / "data")

    assert ended.returncode != 0
    assert f"the extension hello does not name its part {part}" in ended.stderr


def test_a_table_that_is_not_among_the_tables_stops_the_start(folder: Path, tmp_path: Path) -> None:
    hello = folder / "hello"
    (hello / "rows.py").write_text(
        (hello / "tables.py").read_text().replace("Greeting", "Parting").replace("eet", "art")
    )
    (hello / "jobs.py").write_text("import app.extensions.hello.rows\n" + (hello / "jobs.py").read_text())
    routers = hello / "routers.py"
    routers.write_text("import app.extensions.hello.rows\n" + routers.read_text())

    ended = start(folder, tmp_path / "data")

    assert ended.returncode != 0
    assert "an extension does not name its table grartings" in ended.stderr


def test_an_unknown_name_is_a_clear_error_of_the_setting(settings: Settings, tmp_path: Path) -> None:
    wrong = settings.model_copy(update={"extensions": ("terminal", "hello")})
    sentence = (
        "GUIDANCE_EXTENSIONS: hello is not one of editing, open_data, operator_tools, terminal, and not `none` alone"
    )

    with pytest.raises(SetupError) as refused:
        create_app(wrong)
    ended = subprocess.run(
        [sys.executable, "-m", "app.cli", "serve"],
        cwd=ROOT,
        env=environment_in(tmp_path / "data", extensions="terminal,hello"),
        capture_output=True,
        check=False,
        text=True,
    )
    told = [each.found for each in examine(wrong, at=A_TUESDAY, is_quick=True)]

    assert str(refused.value) == sentence
    assert (ended.returncode, ended.stderr) == (1, f"{sentence}\n")
    assert told == [sentence]


def test_none_cannot_stand_beside_a_name() -> None:
    assert switched_on(("none",)) == ()
    with pytest.raises(SetupError):
        switched_on(("none", "terminal"))


@pytest.fixture
def trunk(settings: Settings) -> FastAPI:
    return create_app(settings.model_copy(update={"extensions": ("none",)}))


def answer(client: TestClient, method: str, path: str, accept: str) -> tuple[int, dict[str, str], str]:
    """Without what differs from request to request, and the address."""
    found = client.request(method, path, headers={"Accept": accept}, json={} if method == "POST" else None)
    own = {"x-request-id", "date", "ratelimit", "content-length"}
    headers = {name: value for name, value in found.headers.items() if name not in own}
    text = re.sub(r'"instance":"[^"]*"', "", found.text).replace(path.removeprefix("/cy"), "/here")
    return found.status_code, headers, text


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_the_paths_of_an_extension_that_is_left_out_are_unknown_paths(trunk: FastAPI, accept: str) -> None:
    """Beside a path of `/v1`, which has no pages, or of no section at all."""
    everything = installed().values()
    routes = [route for part in modules_of("routers", everything) for router in part.ROUTERS for route in router.routes]
    assert len(routes) > 15
    with TestClient(trunk, client=("192.0.2.1", 50000)) as client:  # an address whose requests are counted
        for route in routes:
            method = min(route.methods)
            path = re.sub(r"{[^}]*}", "4652e5b3-450f-5494-a7ae-d5aef5575c5c", route.path)
            top = next((each for each in ("/v1/", "/.well-known/", "/desk/") if path.startswith(each)), "/")
            for before in ("", "/cy") if top == "/" else ("",):
                told = answer(client, method, before + path, accept)
                assert told == answer(client, method, f"{before}{top}made-up", accept), path
                assert told[0] == 404, path


def test_no_document_and_no_link_names_an_extension_that_is_left_out(service: FastAPI, trunk: FastAPI) -> None:
    paths = {each.path for each in operations(service.openapi())} - {each.path for each in operations(trunk.openapi())}
    with TestClient(trunk) as client:
        index, page = client.get("/v1").text, client.get("/guides/child-sexual-exploitation").text
        documents = [client.get(path).text for path in ("/openapi.json", "/openapi.public.json")]
    own = {*paths, *(path for each in installed().values() for path in each.links.values()), "Open Referral", "Feeds"}

    assert "/v1/feed.json" in paths
    assert [name for name in own for text in (index, page, *documents) if name in text] == []


def test_a_service_without_extensions_imports_none_of_their_code(tmp_path: Path) -> None:
    program = """
import os, sys
from app.config import parse_settings
from app.main import create_app
from app.cli.commands import app
from typer.main import get_command
create_app(parse_settings(os.environ)).openapi()
print(*(name for name in sys.modules if name.startswith("app.extensions.")))
found = get_command(app).commands
print(*found["desk"].commands)
print(*(name for name in ("setup", "import", "serve", "doctor", "copy", "verify", "backup", "health") if name in found))
"""
    environment = environment_in(tmp_path / "data", extensions="none")
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, check=True, text=True
    )

    imported, commands, operators = ended.stdout.splitlines()
    assert set(imported.split()) <= {
        "app.extensions.editing",
        "app.extensions.editing.tables",
        "app.extensions.open_data",
        "app.extensions.operator_tools",
        "app.extensions.terminal",
    }
    assert commands.split() == ["purge", "invite", "leave", "people"]
    assert operators.split() == ["serve", "verify", "backup", "health"]


def test_a_service_without_extensions_takes_concerns_and_its_desk_has_no_line_of_theirs(
    service: FastAPI, trunk: FastAPI
) -> None:
    lines = [path for each in installed().values() for path in (*each.menu, *each.oversight)]
    pages = {}
    for app in (service, trunk):
        with TestClient(app) as client:
            reference = raise_concern(client)["reference"]
            sign_in_as(app, client, "Lee Example", Role.LEAD)
            pages[app] = client.get(f"/desk/concerns/{reference}").text + client.get("/desk").text
            sign_in_as(app, client, "Ed Example", Role.EDITOR)
            pages[app] += client.get("/desk").text

    assert lines == ["/edit", "/desk/checks"]
    assert [path for path in lines if f'href="{path}"' not in pages[service]] == []
    assert [path for path in lines if f'href="{path}"' in pages[trunk]] == []
    assert "/desk/retention" in pages[trunk]
