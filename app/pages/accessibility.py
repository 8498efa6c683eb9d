"""The last axe test of every page, which the build records and the accessibility statement shows."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from app.pages.page import PAGES_DIR, STATIC_DIR, UNSEAL_SCRIPT

RUN_FILE = PAGES_DIR / "accessibility.json"
PARTS_OF_PAGES = ("*.html", "*.css", "*.js")


def find_last_run(file: Path = RUN_FILE) -> dt.date | None:
    """Return the day on which the current pages last passed, or None if they changed since or were never tested."""
    try:
        run = json.loads(file.read_bytes())
        return dt.date.fromisoformat(run["tested_on"]) if run["pages"] == digest_of_pages() else None
    except (OSError, ValueError, KeyError):
        return None


def write_run(day: dt.date, file: Path = RUN_FILE) -> None:
    """Record that the current pages passed on that day."""
    file.write_text(json.dumps({"tested_on": day.isoformat(), "pages": digest_of_pages()}) + "\n", encoding="utf-8")


@cache
def digest_of_pages() -> str:
    """Return the SHA-256 of the templates, styles and scripts of the pages."""
    digest = hashlib.sha256()
    for path in sorted(_parts()):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _parts() -> Iterator[Path]:
    for folder in (PAGES_DIR / "templates", STATIC_DIR):
        for pattern in PARTS_OF_PAGES:
            yield from (path for path in folder.glob(pattern) if path.stem != UNSEAL_SCRIPT.stem)
