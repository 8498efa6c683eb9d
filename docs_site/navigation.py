"""The navigation of the site, from the tables of `docs/README.md`, which are the only list of documents."""

import re

from docs_site.outside import DOCS, DOCUMENTS, moved_links

Navigation = list[dict[str, str | list[dict[str, str]]]]
TABLE = re.compile(r"^\| ([a-z ]+) \| \|\n\|---\|---\|\n((?:\|.*\n)+)", flags=re.MULTILINE)
ROW = re.compile(r"^\| \[([^\]]+)\]\(([^)]+)\)", flags=re.MULTILINE)

GENERATED = [
    {"Every operation": "reference/api.md"},
    {"Every schema": "reference/schemas.md"},
    {"Every option": "reference/command-line.md"},
    {"Dependencies and licences": "reference/dependencies.md"},
]
PROJECT = {
    "Read me": "README.md",
    "Changes": "CHANGELOG.md",
    "Contributing": "CONTRIBUTING.md",
    "Governance": "GOVERNANCE.md",
    "Report a weakness": "SECURITY.md",
    "Notice": "NOTICE.md",
    "Licence": "LICENSE",
}


def navigation() -> Navigation:
    """Return the navigation: the home page, a section for each table, and a section about the project."""
    index = DOCS / "README.md"
    text = moved_links(index.read_text(encoding="utf-8"), index, "README.md")
    found: Navigation = [{"Home": "README.md"}]
    for title, rows in TABLE.findall(text):
        pages = [{name: path} for name, path in ROW.findall(rows)]
        found.append({title.capitalize(): pages + (GENERATED if title == "reference" else [])})
    return [*found, {"Project": [{name: DOCUMENTS[source]} for name, source in PROJECT.items()]}]
