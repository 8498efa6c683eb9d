"""Every public read, written out as a tree of files that any web server can serve."""

import asyncio
import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fastapi import FastAPI

from app.export.crawler import Answers, crawl, is_cut_short

INVENTORY = "export.json"
MADE_BY = "guidance export"
HEADERS = ("content-type", "cache-control", "etag")


@dataclass(frozen=True)
class Exported:
    """What came of it: how many answers were written, and which lists are too long for a tree that has no pages."""

    answers: int
    left_out: tuple[str, ...]


def export_reads(app: FastAPI, folder: Path, *, public_url: str) -> Exported:
    """Write the tree into the folder, in place of an earlier export.

    It is written beside the folder and then put in its place, so that a server never sees half of it. Raises
    `FileExistsError` where the folder holds anything else, and `NotExportable` where the service cannot answer.
    """
    folder = folder.resolve()
    if not _is_ours(folder):
        raise FileExistsError(folder)
    answers = asyncio.run(crawl(app, public_url=public_url))
    left_out = tuple(sorted(path for path, answer in answers.items() if is_cut_short(answer)))
    kept = {path: answers[path] for path in sorted(answers) if path not in left_out}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
        tree = Path(beside) / "new"
        _write(tree, kept)
        _put_in_place(tree, folder, aside=Path(beside) / "old")
    return Exported(len(kept), left_out)


def _is_ours(folder: Path) -> bool:
    """Whether nothing stands there that was not made here."""
    if not folder.exists():
        return True
    try:
        told = json.loads((folder / INVENTORY).read_bytes())
    except (OSError, ValueError):
        return folder.is_dir() and not any(folder.iterdir())
    return isinstance(told, dict) and told.get("made_by") == MADE_BY


def _write(tree: Path, answers: Answers) -> None:
    """Write each answer, and the inventory: what a server may want to know beyond the bytes."""
    inventory = []
    folders = {str(folder) for path in answers for folder in PurePosixPath(path).parents}
    for path, answer in answers.items():
        place = path.lstrip("/") + ("/index.html" if path in folders else "")
        file = tree / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(answer.content)
        digest = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
        headers = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
        inventory.append({"path": path, "file": place, "digest": digest, "headers": headers})
    (tree / INVENTORY).write_text(json.dumps({"made_by": MADE_BY, "answers": inventory}, indent=1) + "\n")


def _put_in_place(tree: Path, folder: Path, *, aside: Path) -> None:
    if folder.exists():
        folder.rename(aside)
    try:
        tree.rename(folder)
    except OSError:
        if aside.exists():
            aside.rename(folder)
        raise
