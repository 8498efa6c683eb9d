"""The hooks that mkdocs calls while it builds the site."""

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from app.build import VERSION, built_commit
from docs_site.diagram import drawn
from docs_site.navigation import navigation
from docs_site.outside import DOCUMENTS, ROOT, moved_links
from docs_site.reference import COMPLETED, generated_pages

TESTED = re.compile(r"^( *```[a-z]+) tested$", flags=re.MULTILINE)
LATER = "---\nsearch:\n  boost: 0.3\n---\n\n"
"""The head of a generated page: the search lists what people wrote before what was made from the program."""
ELSEWHERE = re.compile(rb"https://unpkg\.com/[^\"'`]*")
"""URLs on another host that the theme's scripts would load, for diagrams and old browsers. No page needs them."""
EACH_WORD_BEGINS = b".map(r=>/(^[+-]|[~^]\\d+$)/.test(r)?r:`${r}*`)"
LAST_WORD_BEGINS = (
    b'.map(r=>r.replace(/[?!.,;:]+$/,"")).filter(Boolean)'
    b".map((r,n,l)=>/(^[+-]|[~^]\\d+$)/.test(r)?r:n<l.length-1?r:`${r} ${r}*`)"
)
"""How the theme's search reads a query: 'a' of a question would find every word that begins with an a. Here only the
last word may be a beginning: stop words count for nothing, others are found in any form, and question marks go."""


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
    for place, text in generated_pages().items():
        files.append(File.generated(config, place, content=f"{LATER}{text}"))
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
    """Remove URLs of other hosts from the theme's scripts, delete their source maps, and let the search take questions.

    Raise `PluginError` if the theme's search has changed.
    """
    assets = Path(config.site_dir) / "assets"
    for source in assets.rglob("*.map"):
        source.unlink()
    for script in assets.rglob("*.js"):
        script.write_bytes(ELSEWHERE.sub(b"", script.read_bytes()))
    (search,) = (assets / "javascripts" / "workers").glob("search*.js")
    if EACH_WORD_BEGINS not in (found := search.read_bytes()):
        raise PluginError("The search of the theme has changed: see how it reads the words of a query.")
    search.write_bytes(found.replace(EACH_WORD_BEGINS, LAST_WORD_BEGINS))


def _read(name: str, place: str) -> str:
    """Return the document with its links adapted to the site. A text that is not Markdown is shown unchanged."""
    source = ROOT / name
    text = source.read_text(encoding="utf-8")
    return moved_links(text, source, place) if source.suffix == ".md" else f"# Licence\n\n```text\n{text}```\n"
