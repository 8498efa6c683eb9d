"""The export: every public read as a file, and the same bytes from any web server."""

import functools
import hashlib
import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.errors import NotExportable
from app.models.guides.sections import Section
from app.server.export import INVENTORY, ExportResult, export_reads
from app.services.guides import pdf
from tests.support.command import guidance
from tests.support.pictures import publish_pictured, stored_jpeg
from tests.support.publishing import GUIDE, publish_next, withdraw
from tests.support.renditions import publish_a_rendition
from tests.support.service import a_service

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

NOT_EXPORTED = {
    "/v1/search": "it answers a question, and files do not hear one",
    "/v1/reviews-due.json": "it says what is due today",
    "/v1/reviews-due.atom": "it says what is due today",
    "/health/live": "it tells of the running service",
    "/health/ready": "it tells of the running service",
    "/metrics": "it tells of the running service",
}
SAY_NOW = {"/v1/signposts", "/v1/concerns/form"}
"""The answers that say who answers now, which a file cannot."""
PUBLIC_URL = "https://guidance.council.example"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Mirror(NamedTuple):
    """An export, the service that it was made of, and a plain web server that serves it."""

    folder: Path
    data: Path
    service: TestClient
    server: httpx.Client

    @property
    def answers(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = json.loads((self.folder / INVENTORY).read_text())["answers"]
        return told

    @property
    def paths(self) -> list[str]:
        return [answer["path"] for answer in self.answers]


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name in the base class
        """Say nothing."""


def make_service(data_dir: Path) -> FastAPI:
    return a_service(data_dir=data_dir, public_url=PUBLIC_URL, commit=COMMIT, deliver=True)


def export(service: FastAPI, folder: Path) -> ExportResult:
    return export_reads(service, folder, public_url=PUBLIC_URL)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """An export of a guide with three editions, of which the first is withdrawn."""
    folder, data = tmp_path_factory.mktemp("export"), tmp_path_factory.mktemp("data")
    service = make_service(data)
    with TestClient(service):
        publish_next(service, change_note="A second.")
        third = publish_next(service, change_note="A third.")
        of_third = {"edition": third.key.number, "digest": third.digest}
        publish_a_rendition(service, of=of_third)
        publish_pictured(service, stored_jpeg(), of=of_third)
        withdraw(service, 1)
    export(make_service(data), folder)
    handler = functools.partial(Silent, directory=str(folder))
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving,
        TestClient(make_service(data)) as asked,
        httpx.Client(
            base_url=f"http://127.0.0.1:{serving.server_port}", follow_redirects=True, timeout=60, trust_env=False
        ) as client,
    ):
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield Mirror(folder, data, asked, client)
        serving.shutdown()


@pytest.mark.nightly
def test_a_plain_web_server_answers_every_exported_path_as_the_service_does(mirror: Mirror) -> None:
    different = {path for path in mirror.paths if mirror.server.get(path).content != mirror.service.get(path).content}

    assert len(mirror.paths) > 200
    assert different == SAY_NOW


def test_no_file_says_who_answers_now(mirror: Mirror) -> None:
    """The seed's night team has hours: the service knows whether it is open."""
    teams = {path: json.loads(mirror.server.get(path).content)["teams"] for path in SAY_NOW}
    known = {path: mirror.service.get(path).json()["teams"] for path in SAY_NOW}

    assert {each["open_now"] for path in SAY_NOW for each in teams[path]} == {None}
    assert {each["open_now"] for path in SAY_NOW for each in known[path]} - {None}
    assert {each["name"] for path in SAY_NOW for each in teams[path]} == {
        each["name"] for path in SAY_NOW for each in known[path]
    }
    assert [path for path in mirror.paths if b'"open_now":true' in (mirror.server.get(path).content)] == []


def test_a_picture_is_exported(mirror: Mirror) -> None:
    (path,) = [each for each in mirror.paths if each.endswith(".jpg")]

    assert (mirror.folder / path.lstrip("/")).read_bytes() == stored_jpeg()


def test_every_public_read_is_exported(mirror: Mirror) -> None:
    document = mirror.service.get("/openapi.json").json()
    reads = [
        path
        for path, operations in document["paths"].items()
        if "get" in operations and not operations["get"]["security"] and path not in NOT_EXPORTED
    ]

    patterns = {path: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))) for path in reads}
    absent = [path for path in reads if not any(map(patterns[path].fullmatch, mirror.paths))]

    assert len(reads) > 30
    assert absent == []


def test_the_guide_is_exported_whole(mirror: Mirror) -> None:
    sections = [f"{edition}/{section.value}" for edition in (GUIDE, f"{GUIDE}/editions/3") for section in Section]
    items = [
        f"{path}/{item['id']}"
        for path in sections
        for item in mirror.service.get(path).json()[path.rpartition("/")[2].replace("-", "_")]
    ]

    expected = {*sections, *items, *(f"{path}.csv" for path in sections), f"{GUIDE}.md", f"{GUIDE}/editions.link"}

    assert len(items) > 60
    assert expected - set(mirror.paths) == set()


def test_links_leave_the_export_only_for_what_needs_the_service(mirror: Mirror) -> None:
    led_to = {
        path.partition("?")[0]
        for answer in mirror.answers
        if answer["headers"]["content-type"] == "application/json" and not answer["path"].startswith("/openapi.")
        for path in re.findall(r'"(/[^"]*)"', (mirror.folder / answer["file"]).read_text())
    }

    astray = {path for path in led_to - set(mirror.paths) if mirror.service.get(path).status_code == 200}

    assert astray - set(NOT_EXPORTED) == {"/", "/docs"}  # pages


def test_the_words_of_a_withdrawn_edition_are_not_exported(mirror: Mirror) -> None:
    withdrawn = [path for path in mirror.paths if path.startswith(f"{GUIDE}/editions/1")]

    assert withdrawn == []
    history = json.loads(mirror.server.get(f"{GUIDE}/editions").content)["editions"]
    assert [edition["status"] for edition in history] == ["current", "superseded", "withdrawn"]


def test_nothing_is_exported_that_may_not_be_kept_publicly(mirror: Mirror) -> None:
    caching = {answer["path"]: answer["headers"]["cache-control"] for answer in mirror.answers}

    assert {path for path, told in caching.items() if not told.startswith("public")} == set()
    assert [path for path in mirror.paths if path.startswith(("/v1/concerns", "/v1/desk"))] == ["/v1/concerns/form"]


def test_the_inventory_tells_of_each_file_what_the_service_told_of_it(mirror: Mirror) -> None:
    files = {str(file.relative_to(mirror.folder)) for file in mirror.folder.rglob("*") if file.is_file()}

    assert files == {answer["file"] for answer in mirror.answers} | {INVENTORY}
    for answer in (each for each in mirror.answers if each["path"] not in SAY_NOW):
        content = (mirror.folder / answer["file"]).read_bytes()
        told = mirror.service.get(answer["path"], headers={"Accept-Encoding": "identity"}).headers
        assert answer["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert answer["headers"] == {name: told[name] for name in ("content-type", "cache-control", "etag")}


def test_the_command_exports_the_same_guidance_as_the_same_bytes(mirror: Mirror, tmp_path: Path) -> None:
    site = tmp_path / "site"

    done = guidance("export", site, "--data-dir", mirror.data, PUBLIC_URL=PUBLIC_URL, COMMIT=COMMIT)

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(mirror.answers)} files written to {site}\n"
    assert (site / INVENTORY).read_bytes() == (mirror.folder / INVENTORY).read_bytes()


def test_an_edition_published_during_the_export_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_compile", lambda *_: b"%PDF-1.7")  # takes half of the time
    service = make_service(tmp_path / "data")

    async def publish_after_the_answer(scope: Scope, receive: Receive, send: Send) -> None:
        await asked(scope, receive, send)
        if scope["path"] == "/v1/signposts":
            publish_next(service, change_note="Meanwhile.")

    asked, service.middleware_stack = service.build_middleware_stack(), publish_after_the_answer
    with pytest.raises(NotExportable, match="Export again"):
        export(service, tmp_path / "site")

    assert not (tmp_path / "site").exists()


def test_the_command_refuses_a_folder_of_somebody_else_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")

    done = guidance("export", tmp_path, "--data-dir", tmp_path / "data")

    assert done.returncode == 2
    assert "choose an empty folder" in " ".join(done.stderr.split())
