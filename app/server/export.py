"""An export of all public responses of the service to files.

A crawler begins at the index and at each documented public path without parameters, and follows links, within this
process. Only responses that a shared cache may store are exported, and no HTML pages: they need a running service.
"""

import asyncio
import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import httpx
from fastapi import FastAPI
from pydantic import JsonValue

from app.errors import NotExportable
from app.http.context import AppContext
from app.models.base import OnStep, show_no_progress
from app.services.workers import read_generation

INDEX = "/v1"
ANYWHERE = "http://service"
LONGEST_PAGE = {"limit": 200}
LONGEST_DIRECTORY_PAGE = {"per_page": 1000}
ExportedResponses = dict[str, httpx.Response]
INVENTORY = "export.json"
MADE_BY = "guidance export"
EXPORTED_HEADERS = ("content-type", "cache-control", "etag")


async def crawl(app: FastAPI, *, public_url: str, on_step: OnStep = show_no_progress) -> ExportedResponses:
    """Start `app`, and return every response to export, by its path. `public_url` begins absolute links.

    `on_step` gets the number of paths read, and of those found so far.

    Raise `NotExportable` for a server error, or if an edition was published or withdrawn meanwhile.
    """
    exported: ExportedResponses = {}
    app.state.context = _timeless(app.state.context)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=ANYWHERE, headers={"Accept-Encoding": "identity"}) as client,
    ):
        before = read_generation(app.state.context.engine)
        documented = app.openapi()["paths"].items()
        open_reads = [path for path, each in documented if "get" in each and not each["get"].get("security")]
        queue = [INDEX, *(path for path in open_reads if "{" not in path)]  # no link leads to some of these paths
        seen = set(queue)
        while queue:
            path = queue.pop()
            response = await _read(client, path)
            on_step(len(seen) - len(queue), len(seen))
            if _is_exportable(response):
                exported[path] = response
                found = set(_linked_paths(path, response, public_url)) - seen
                seen |= found
                queue += sorted(found)
        after = read_generation(app.state.context.engine)
    if before != after:
        raise NotExportable("An edition was published or withdrawn meanwhile. Export again.")
    return exported


def _timeless(context: AppContext) -> AppContext:
    """A file is read at any hour, so none says which team is open now."""
    submissions, receipts = context.submissions, context.submissions.receipts
    receipts = replace(receipts, duty_hours=replace(context.duty_hours, says_now=False))
    return replace(context, submissions=replace(submissions, receipts=receipts))


def media_type(response: httpx.Response) -> str:
    content_type: str = response.headers.get("content-type", "")
    return content_type.partition(";")[0]


async def _read(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """For a list with pages, read the longest possible page."""
    response = await client.get(path)
    longest = _longest_page(response)
    if longest is not None:
        response = await client.get(path, params=longest)
    if response.is_server_error:
        raise NotExportable(f"{path} answers {response.status_code}.")
    return response


def _is_exportable(response: httpx.Response) -> bool:
    is_public = "public" in response.headers.get("cache-control", "")
    return response.status_code == httpx.codes.OK and is_public and media_type(response) != "text/html"


def _linked_paths(path: str, response: httpx.Response, public_url: str) -> Iterator[str]:
    """Yield the paths in the Link header, in the JSON body, and of each entry of a list, without queries."""
    links = re.findall("<(/[^<>]*)>", response.headers.get("link", "").replace(f"<{public_url}/", "</"))
    body = _json(response)
    links += _paths_in(body)
    links += [f"{path}/{id_}" for id_ in _ids_in(body, path.rpartition("/")[2])]
    yield from (each.partition("?")[0] for each in links)


def _paths_in(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("/"):
        yield value
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _paths_in(member)


def _ids_in(body: JsonValue, name: str) -> Iterator[JsonValue]:
    """The list is the field `name`, or else `contents` (Open Referral)."""
    if isinstance(body, dict):
        items = body.get(name.replace("-", "_"), body.get("contents"))
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and "id" in item:
                yield item["id"]


def _longest_page(response: httpx.Response) -> dict[str, int] | None:
    """Return the query for the longest page of a list that does not fit in `response`, otherwise None."""
    body = _json(response)
    if isinstance(body, dict):
        if body.get("next_cursor"):
            return LONGEST_PAGE
        if body.get("total_pages", 1) not in (0, 1):
            return LONGEST_DIRECTORY_PAGE
    return None


def _json(response: httpx.Response) -> JsonValue:
    body: JsonValue = response.json() if media_type(response) == "application/json" else None
    return body


@dataclass(frozen=True)
class ExportResult:
    """`left_out` are lists that do not fit on the longest page: a file cannot be paginated."""

    answers: int
    left_out: tuple[str, ...]


def export_reads(app: FastAPI, folder: Path, *, public_url: str, on_step: OnStep = show_no_progress) -> ExportResult:
    """Write each public response to a file in `folder`, in place of an earlier export, never half of one.

    Raise `FileExistsError` if `folder` has files but no inventory of an export, `NotExportable` as `crawl`, and
    `OSError`.
    """
    folder = folder.resolve()
    if not _is_replaceable(folder):
        raise FileExistsError(folder)
    responses = asyncio.run(crawl(app, public_url=public_url, on_step=on_step))
    left_out = tuple(sorted(path for path, response in responses.items() if _longest_page(response)))
    exported = {path: responses[path] for path in sorted(responses) if path not in left_out}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        tree = Path(temporary) / "new"
        _write(tree, exported)
        _replace(folder, tree, backup=Path(temporary) / "old")
    return ExportResult(len(exported), left_out)


def _is_replaceable(folder: Path) -> bool:
    if not folder.exists():
        return True
    try:
        inventory = json.loads((folder / INVENTORY).read_bytes())
    except (OSError, ValueError):
        return folder.is_dir() and not any(folder.iterdir())
    return isinstance(inventory, dict) and inventory.get("made_by") == MADE_BY


def _write(tree: Path, responses: ExportedResponses) -> None:
    """`INVENTORY` has the path, digest and headers of each file, to configure a web server."""
    inventory = []
    folders = {str(folder) for path in responses for folder in PurePosixPath(path).parents}
    for path, response in responses.items():
        name = path.lstrip("/") + ("/index.html" if path in folders else "")
        file = tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(response.content)
        digest = f"sha256:{hashlib.sha256(response.content).hexdigest()}"
        headers = {header: response.headers[header] for header in EXPORTED_HEADERS if header in response.headers}
        inventory.append({"path": path, "file": name, "digest": digest, "headers": headers})
    (tree / INVENTORY).write_text(json.dumps({"made_by": MADE_BY, "answers": inventory}, indent=1) + "\n")


def _replace(folder: Path, tree: Path, *, backup: Path) -> None:
    """Move `backup` back if `tree` cannot be renamed."""
    if folder.exists():
        folder.rename(backup)
    try:
        tree.rename(folder)
    except OSError:
        if backup.exists():
            backup.rename(folder)
        raise
