"""The export: every public read as a file, and the same bytes from any web server."""

import functools
import hashlib
import http.server
import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app import exporting
from app.cli import app as command
from app.config import Settings
from app.crawling import LONGEST_PAGE
from app.errors import NotExportable
from app.exporting import INVENTORY, export_reads
from app.main import create_app
from app.models.guide_answers import Section
from tests.conftest import GUIDE, SettableClock, publish_next, withdraw

NOT_EXPORTED = {
    "/v1/search": "it answers a question, and files do not hear one",
    "/health/live": "it tells of the running service",
    "/health/ready": "it tells of the running service",
    "/metrics": "it tells of the running service",
}


class Mirror(NamedTuple):
    """An export, the service that it was made of, and a plain web server that serves it."""

    folder: Path
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
    return create_app(Settings(data_dir=data_dir), SettableClock())


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """Of a guide with three editions, of which the second is withdrawn."""
    folder, data = tmp_path_factory.mktemp("export"), tmp_path_factory.mktemp("data")
    service = make_service(data)
    with TestClient(service):
        publish_next(service, change_note="A second.")
        publish_next(service, change_note="A third.")
        withdraw(service, 2)
    export_reads(make_service(data), folder)
    handler = functools.partial(Silent, directory=str(folder))
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving,
        TestClient(make_service(data)) as asked,
        httpx.Client(
            base_url=f"http://127.0.0.1:{serving.server_port}", follow_redirects=True, trust_env=False
        ) as client,
    ):
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield Mirror(folder, asked, client)
        serving.shutdown()


def test_a_plain_web_server_answers_every_exported_path_as_the_service_does(mirror: Mirror) -> None:
    different = [path for path in mirror.paths if mirror.server.get(path).content != mirror.service.get(path).content]

    assert len(mirror.paths) > 200
    assert different == []


def test_every_public_read_is_exported(mirror: Mirror) -> None:
    document = mirror.service.get("/openapi.json").json()
    reads = [
        path
        for path, operations in document["paths"].items()
        if "security" not in operations.get("get", {"security": []}) and path not in NOT_EXPORTED
    ]

    absent = [
        path
        for path in reads
        if not any(
            re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}")), each)
            for each in mirror.paths
        )
    ]

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


def test_no_link_leads_out_of_the_export_except_to_what_needs_the_service(mirror: Mirror) -> None:
    led_to = {
        path.partition("?")[0]
        for answer in mirror.answers
        for path in re.findall(r'"(/[^"]*)"', (mirror.folder / answer["file"]).read_text())
        if answer["headers"]["content-type"] == "application/json" and answer["path"] != "/openapi.json"
    }

    astray = {path for path in led_to - set(mirror.paths) if mirror.service.get(path).status_code == 200}

    assert astray == {"/docs"}


def test_the_words_of_a_withdrawn_edition_are_not_exported(mirror: Mirror) -> None:
    withdrawn = [path for path in mirror.paths if path.startswith(f"{GUIDE}/editions/2")]

    assert withdrawn == []
    history = json.loads(mirror.server.get(f"{GUIDE}/editions").content)["editions"]
    assert [edition["status"] for edition in history] == ["current", "withdrawn", "superseded"]


def test_nothing_is_exported_that_may_not_be_kept_publicly(mirror: Mirror) -> None:
    caching = {path: mirror.service.get(path).headers["Cache-Control"] for path in mirror.paths}

    assert {path for path, told in caching.items() if not told.startswith("public")} == set()
    assert [path for path in mirror.paths if path.startswith(("/v1/concerns", "/v1/desk"))] == ["/v1/concerns/form"]


def test_the_inventory_tells_of_each_file_what_the_service_told_of_it(mirror: Mirror) -> None:
    files = {str(file.relative_to(mirror.folder)) for file in mirror.folder.rglob("*") if file.is_file()}

    assert files == {answer["file"] for answer in mirror.answers} | {INVENTORY}
    for answer in mirror.answers:
        content = (mirror.folder / answer["file"]).read_bytes()
        told = mirror.service.get(answer["path"]).headers
        assert answer["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert answer["headers"] == {name: told[name] for name in ("content-type", "cache-control", "etag")}


def test_an_export_can_be_read_by_a_web_server_that_is_somebody_else(tmp_path: Path) -> None:
    export_reads(make_service(tmp_path / "data"), tmp_path / "site")

    closed = [file for file in (tmp_path / "site").rglob("*") if not file.stat().st_mode & 0o004]
    assert closed == []
    assert (tmp_path / "site").stat().st_mode & 0o005 == 0o005


def test_the_same_guidance_is_exported_as_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in ("one", "other"):
        export_reads(make_service(tmp_path / "data"), tmp_path / name)
        made.append((tmp_path / name / INVENTORY).read_bytes())

    assert made[0] == made[1]


def test_an_earlier_export_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    service = make_service(tmp_path / "data")
    site = tmp_path / "public" / "site"
    export_reads(service, site)
    (site / "v1" / "stale").write_text("of an earlier version")

    export_reads(service, site)

    assert not (site / "v1" / "stale").exists()
    assert [path.name for path in site.parent.iterdir()] == ["site"]


@pytest.mark.parametrize("name", ["index.html", INVENTORY])
def test_a_folder_that_holds_something_else_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    mine = tmp_path / "site" / name
    mine.parent.mkdir()
    mine.write_text('{"mine": true}')

    with pytest.raises(FileExistsError):
        export_reads(make_service(tmp_path / "data"), mine.parent)

    assert mine.read_text() == '{"mine": true}'
    assert list(mine.parent.iterdir()) == [mine]


def test_a_file_is_not_taken_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")

    with pytest.raises(FileExistsError):
        export_reads(make_service(tmp_path / "data"), tmp_path / "site")

    assert (tmp_path / "site").read_text() == "mine"


def test_an_export_that_cannot_be_put_in_place_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    export_reads(make_service(tmp_path / "data"), site)
    before = (site / INVENTORY).read_bytes()

    def fail(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise OSError("no space left")
        os.rename(path, target)
        return target

    monkeypatch.setattr(exporting.Path, "rename", fail)
    with pytest.raises(OSError, match="no space left"):
        export_reads(make_service(tmp_path / "data"), site)

    assert (site / INVENTORY).read_bytes() == before


def test_a_service_that_fails_is_not_exported(tmp_path: Path) -> None:
    service = make_service(tmp_path / "data")

    @service.get("/v1/broken")
    def broken() -> None:
        raise RuntimeError

    with pytest.raises(NotExportable, match="/v1/broken answers 500"):
        export_reads(service, tmp_path / "site")

    assert not (tmp_path / "site").exists()


def test_an_edition_that_is_published_meanwhile_stops_the_export(tmp_path: Path) -> None:
    service = make_service(tmp_path / "data")

    @service.get("/v1/meanwhile")
    def meanwhile() -> None:
        publish_next(service, change_note="Meanwhile.")

    with pytest.raises(NotExportable, match="Export again"):
        export_reads(service, tmp_path / "site")

    assert not (tmp_path / "site").exists()


def test_a_list_longer_than_a_page_is_exported_as_its_longest_page(tmp_path: Path) -> None:
    service = make_service(tmp_path / "data")
    with TestClient(service) as client:
        for number in range(60):
            publish_next(service, guide=f"guide-{number}")
        longest = client.get("/v1/guides", params=LONGEST_PAGE).content
    exported = export_reads(make_service(tmp_path / "data"), tmp_path / "site")

    listed = (tmp_path / "site/v1/guides/index.html").read_bytes()

    assert listed == longest
    assert len(json.loads(listed)["guides"]) == 61
    assert exported.left_out == ("/v1/factors", "/v1/indicators")  # 61 guides have more than 200 of each
    assert not (tmp_path / "site/v1/indicators").exists()


def test_the_command_exports_and_says_how_much(tmp_path: Path) -> None:
    site = tmp_path / "site"

    done = CliRunner().invoke(command, ["export", str(site), "--data-dir", str(tmp_path / "data")])

    assert done.exit_code == 0, done.output
    answers = json.loads((site / INVENTORY).read_text())["answers"]
    assert done.stdout == f"{len(answers)} answers written to {site}\n"


def test_the_command_refuses_a_folder_of_somebody_else_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")

    done = CliRunner().invoke(command, ["export", str(tmp_path), "--data-dir", str(tmp_path / "data")])

    assert done.exit_code == 2
    assert "it is left as it is" in " ".join(done.stderr.split())
