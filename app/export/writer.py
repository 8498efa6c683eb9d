"""Write every public read to a tree of files that any web server can serve."""

import asyncio
import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fastapi import FastAPI

from app.export.crawler import ExportedResponses, crawl, longest_page

INVENTORY = "export.json"
MADE_BY = "guidance export"
EXPORTED_HEADERS = ("content-type", "cache-control", "etag")


@dataclass(frozen=True)
class ExportResult:
    """The number of responses written, and the paths of lists that were left out: a file cannot be paginated."""

    answers: int
    left_out: tuple[str, ...]


def export_reads(app: FastAPI, folder: Path, *, public_url: str) -> ExportResult:
    """Write the tree to the folder. An earlier export there is replaced.

    The tree is written next to the folder and then renamed, so that a server never sees half of it. Raise
    `FileExistsError` if the folder holds anything else, and `NotExportable` if the service cannot answer.
    """
    folder = folder.resolve()
    if not _is_replaceable(folder):
        raise FileExistsError(folder)
    responses = asyncio.run(crawl(app, public_url=public_url))
    left_out = tuple(sorted(path for path, response in responses.items() if longest_page(response)))
    exported = {path: responses[path] for path in sorted(responses) if path not in left_out}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        tree = Path(temporary) / "new"
        _write(tree, exported)
        _replace(folder, tree, backup=Path(temporary) / "old")
    return ExportResult(len(exported), left_out)


def _is_replaceable(folder: Path) -> bool:
    """Return True if the folder is missing, empty or an earlier export."""
    if not folder.exists():
        return True
    try:
        inventory = json.loads((folder / INVENTORY).read_bytes())
    except (OSError, ValueError):
        return folder.is_dir() and not any(folder.iterdir())
    return isinstance(inventory, dict) and inventory.get("made_by") == MADE_BY


def _write(tree: Path, responses: ExportedResponses) -> None:
    """Write each response, and an inventory of their headers and digests for the server's configuration."""
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
    """Rename the tree to the folder; if that fails, put the earlier folder back."""
    if folder.exists():
        folder.rename(backup)
    try:
        tree.rename(folder)
    except OSError:
        if backup.exists():
            backup.rename(folder)
        raise
