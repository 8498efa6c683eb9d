"""Documents outside `docs/` that the site includes, and the links from and to these documents."""

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DOCUMENTS = {
    "README.md": "project/read-me.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/security.md",
    "GOVERNANCE.md": "project/governance.md",
    "NOTICE.md": "project/notice.md",
    "LICENSE": "project/licence.md",
    "client/README.md": "project/client.md",
    "web_client/README.md": "project/web-client.md",
    "app/extensions/editing/README.md": "project/editing.md",
    "app/extensions/open_data/README.md": "project/open-data.md",
    "app/extensions/operator_tools/README.md": "project/operator-tools.md",
    "app/extensions/terminal/README.md": "project/terminal.md",
}
"""Each document outside `docs/`, with its path on the site."""
LINK = re.compile(r"(\[[^\]]*\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
EXTERNAL = re.compile(r"[a-z]+:")


def moved_links(markdown: str, source: Path, place: str) -> str:
    """Return the text with each link to a file of the repository changed to the path of that file on the site.

    `source` is the file that contains the text, and `place` is the path of this file on the site.
    """

    def moved(link: re.Match[str]) -> str:
        target = link[2]
        if EXTERNAL.match(target):
            return link[0]
        there = _place_of((source.parent / target).resolve())
        return f"{link[1]}{os.path.relpath(there, Path(place).parent)}{link[3]}" if there else link[0]

    return LINK.sub(moved, markdown)


def _place_of(file: Path) -> str | None:
    """Return the path of `file` on the site, or None if the site does not include it."""
    if file.is_relative_to(DOCS):
        return file.relative_to(DOCS).as_posix()
    name = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else ""
    return DOCUMENTS.get(name)
