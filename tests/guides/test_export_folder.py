"""The folder of an export, and what prevents one, with a service that is quick to export."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Response

from app.errors import NotExportable
from app.server.export import INVENTORY, ExportResult, export_reads

pytestmark = pytest.mark.any_database


@pytest.fixture(autouse=True)
def _nothing_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small service has no database, and no team."""
    monkeypatch.setattr("app.server.export.read_generation", lambda _: 1)
    monkeypatch.setattr("app.server.export._timeless", lambda context: context)


def export(service: FastAPI, folder: Path) -> ExportResult:
    return export_reads(service, folder, public_url="https://guidance.council.example")


def make_small_service(**reads: Callable[..., Any]) -> FastAPI:
    """A service that is quick to export: an index, a feed, and those reads besides."""
    service = FastAPI()
    service.state.context = SimpleNamespace(engine=None)
    links = [f"/v1/{name}" for name in reads]
    told: dict[str, Callable[..., Any]] = {"/v1": lambda: {"links": links}, "/v1/feed.json": lambda: {"items": []}}
    for path, read in (told | {f"/v1/{name}": read for name, read in reads.items()}).items():
        service.get(path, name=path, dependencies=[Depends(may_be_kept)])(read)
    return service


def may_be_kept(response: Response) -> None:
    response.headers["Cache-Control"] = "public"


def make_list(entries: int) -> Callable[[int], Any]:
    """A list with pages: without `limit`, of 50."""

    def read(limit: int = 50) -> dict[str, Any]:
        return {"entries": list(range(entries))[:limit], "next_cursor": "more" if limit < entries else None}

    return read


def test_a_web_server_of_another_user_can_read_an_export(tmp_path: Path) -> None:
    export(make_small_service(), tmp_path / "site")

    paths = [tmp_path / "site", *(tmp_path / "site").rglob("*")]
    assert [path for path in paths if not path.stat().st_mode & 0o004] == []


def test_an_earlier_export_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    site = tmp_path / "public" / "site"
    export(make_small_service(), site)
    (site / "v1" / "stale").write_text("of an earlier version")

    export(make_small_service(), site)

    assert (site / "v1" / "index.html").exists()
    assert not (site / "v1" / "stale").exists()
    assert [path.name for path in site.parent.iterdir()] == ["site"]


@pytest.mark.parametrize("name", ["index.html", INVENTORY])
def test_a_folder_that_holds_something_else_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    mine = tmp_path / "site" / name
    mine.parent.mkdir()
    mine.write_text('{"mine": true}')

    with pytest.raises(FileExistsError):
        export(make_small_service(), mine.parent)

    assert mine.read_text() == '{"mine": true}'
    assert list(mine.parent.iterdir()) == [mine]


def test_a_file_is_not_taken_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")

    with pytest.raises(FileExistsError):
        export(make_small_service(), tmp_path / "site")

    assert (tmp_path / "site").read_text() == "mine"


def test_an_export_that_cannot_be_put_in_place_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    export(make_small_service(), site)

    def rename_all_but_the_new(path: Path, target: Path) -> None:
        if path.name == "new":
            raise OSError("no space left")
        os.rename(path, target)

    monkeypatch.setattr(Path, "rename", rename_all_but_the_new)
    with pytest.raises(OSError, match="no space left"):
        export(make_small_service(other=lambda: {}), site)

    assert sorted(path.name for path in (site / "v1").iterdir()) == ["feed.json", "index.html"]


def test_a_service_that_fails_is_not_exported(tmp_path: Path) -> None:
    def broken() -> Response:
        return Response(status_code=503)

    with pytest.raises(NotExportable, match="/v1/broken answers 503"):
        export(make_small_service(broken=broken), tmp_path / "site")

    assert list(tmp_path.iterdir()) == []


def test_a_list_longer_than_a_page_is_exported_as_its_longest_page(tmp_path: Path) -> None:
    exported = export(make_small_service(long=make_list(200)), tmp_path / "site")

    assert json.loads((tmp_path / "site/v1/long").read_bytes()) == {"entries": [*range(200)], "next_cursor": None}
    assert exported == ExportResult(answers=3, left_out=())


def test_a_list_longer_than_any_page_is_left_out_and_told(tmp_path: Path) -> None:
    exported = export(make_small_service(longer=make_list(201)), tmp_path / "site")

    assert not (tmp_path / "site/v1/longer").exists()
    assert exported == ExportResult(answers=2, left_out=("/v1/longer",))
