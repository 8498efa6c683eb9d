"""The date of the last accessibility test of all pages (with axe), recorded with a digest of the tested pages."""

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
    """Return the last run of the test, or None if the pages have changed since."""
    try:
        run = json.loads(file.read_bytes())
        return dt.date.fromisoformat(run["tested_on"]) if run["pages"] == digest_of_pages() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


@cache
def digest_of_pages() -> str:
    """Return the digest of all files of the pages that are not built."""
    digest = hashlib.sha256()
    for path in sorted(_parts()):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _parts() -> Iterator[Path]:
    for folder in (PAGES_DIR / "templates", STATIC_DIR, *PAGES_DIR.parent.glob("extensions/*/templates")):
        for pattern in PARTS_OF_PAGES:
            yield from (path for path in folder.glob(pattern) if path.stem != UNSEAL_SCRIPT.stem)
