"""The hooks that mkdocs calls while it builds the site."""

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from app.build import VERSION, built_commit
from docs_site.diagram import drawn
from docs_site.navigation import navigation
from docs_site.outside import DOCUMENTS, PICTURES, ROOT, moved_links
from docs_site.reference import COMPLETED, generated_pages

TESTED = re.compile(r"^( *```[a-z]+) tested$", flags=re.MULTILINE)
ELSEWHERE = re.compile(rb"https://unpkg\.com/[^\"'`]*")
"""URLs on another host that the theme's scripts would load, for diagrams and old browsers. No page needs them."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Set the navigation of the site, and the version and commit at the foot of every page."""
    config.nav = navigation()
    version, commit = os.environ.get("RELEASED_VERSION", VERSION), built_commit()
    config.copyright = f"Version {version}" + (f", commit {commit[:12]}" if commit else "")
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents that are outside `docs/`, and the pages that are generated from the program."""
    for name, place in DOCUMENTS.items():
        files.append(File.generated(config, place, content=_read(name, place)))
    for name, place in PICTURES.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    for place, text in generated_pages().items():
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001  # mkdocs names them
    """Return the Markdown of a page as the site shows it.

    Complete it from the program, adapt its links, draw its diagrams, and remove marks for tests.
    """
    if page.file.src_uri in COMPLETED:
        markdown = COMPLETED[page.file.src_uri](markdown)
    if page.file.generated_by is None:
        markdown = moved_links(markdown, Path(page.file.abs_src_path or ""), page.file.src_uri)
    return TESTED.sub(r"\1", drawn(markdown))


def on_post_build(config: MkDocsConfig) -> None:
    """Remove URLs of other hosts from the theme's scripts, and delete the source maps of these scripts."""
    assets = Path(config.site_dir) / "assets"
    for source in assets.rglob("*.map"):
        source.unlink()
    for script in assets.rglob("*.js"):
        script.write_bytes(ELSEWHERE.sub(b"", script.read_bytes()))


def _read(name: str, place: str) -> str:
    """Return the document with its links adapted to the site. A text that is not Markdown is shown unchanged."""
    source = ROOT / name
    text = source.read_text(encoding="utf-8")
    return moved_links(text, source, place) if source.suffix == ".md" else f"# Licence\n\n```text\n{text}```\n"
