"""The site of the documentation: it is built strictly, every link in it leads somewhere, and it asks no other host."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page

from app.config import Settings
from app.errors import FaultCode, all_problems
from docs_site.diagram import drawn
from tests.contract.test_questions import questions
from tests.support.command import every_command
from tests.support.openapi import operations

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

ROOT = Path(__file__).parents[2]
KINDS = ["tutorial", "how to", "reference", "explanation"]
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "audio": "src", "video": "src"}
LINKS_THAT_FETCH = {"stylesheet", "icon", "preload", "preconnect", "dns-prefetch", "modulepreload", "prefetch"}
OTHER_HOST = re.compile(r"(https?:)?//")


class Reader(HTMLParser):
    """Collects what a page links to, what it fetches by itself, and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and LINKS_THAT_FETCH & set(values.get("rel", "").split()):
            self.fetched.append(values["href"])
        elif FETCHED.get(tag, "") in values:
            self.fetched.append(values[FETCHED[tag]])


def read(page: Path) -> Reader:
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built as `make docs` builds it."""
    if importlib.util.find_spec("mkdocs") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mkdocs is not installed, and continuous integration must have it: make docs")
        pytest.skip("mkdocs is not installed: make docs")
    target = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict", "--site-dir", str(target)]
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return target


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Reader]:
    return {page: read(page) for page in site.rglob("*.html")}


def broken(page: Path, pages: dict[Path, Reader], site: Path) -> Iterator[str]:
    """Yield each link of the page that leads to no file of the site, or to no anchor of it."""
    for link in [*pages[page].links, *pages[page].fetched]:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        target = target / "index.html" if target.is_dir() else target
        known = pages[target].anchors if target in pages else set()
        if not target.is_relative_to(site) or not target.is_file() or (anchor and anchor not in known | {"__skip"}):
            yield link


def test_every_link_of_the_site_leads_to_an_existing_page_and_heading(site: Path, pages: dict[Path, Reader]) -> None:
    found = {
        page.relative_to(site).as_posix(): [*broken(page, pages, site)] for page in pages if page.name != "404.html"
    }

    assert len(found) > 60
    assert {page: links for page, links in found.items() if links} == {}


def test_a_broken_link_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<h1 id="a">A</h1><a href="page.html#a">1</a><a href="gone.html">2</a><a href="#gone">3</a>')

    assert list(broken(page, {page: read(page)}, tmp_path)) == ["gone.html", "#gone"]


def test_no_page_fetches_anything_from_another_host(site: Path, pages: dict[Path, Reader]) -> None:
    fetched = {each for reader in pages.values() for each in reader.fetched}
    styles = {
        url for css in site.rglob("*.css") for url in re.findall(r"url\(([^)]*)\)|@import ([^;]*)", css.read_text())
    }
    scripts = "".join(script.read_text(encoding="utf-8") for script in site.rglob("*.js"))

    assert fetched
    assert [each for each in fetched if OTHER_HOST.match(each)] == []
    assert [each for pair in styles for each in pair if OTHER_HOST.match(each.strip("\"'"))] == []
    assert re.findall(r"unpkg\.com|jsdelivr|googleapis\.com|gstatic|cdnjs", scripts) == []


def test_the_site_has_four_kinds_of_documents(site: Path) -> None:
    headings = re.findall(r"<th>([^<]+)</th>", (site / "index.html").read_text(encoding="utf-8"))

    assert [each for each in headings if each][: len(KINDS)] == KINDS


def text_of(page: Path) -> str:
    return unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


def test_the_reference_has_every_operation_and_every_schema(site: Path, service: FastAPI) -> None:
    document = service.openapi()
    api, schemas = text_of(site / "reference" / "api.html"), read(site / "reference" / "schemas.html").anchors

    assert [o.id for o in operations(document) if f"{o.method.upper()} {o.path}" not in api] == []
    assert {name.lower() for name in document["components"]["schemas"]} <= schemas


def test_the_reference_has_every_option(site: Path) -> None:
    listed = text_of(site / "reference" / "command-line.html")

    options = [option for _, command in every_command() for each in command.params for option in each.opts]
    assert [option for option in options if option.startswith("--") and option not in listed] == []


def test_the_reference_lists_every_setting_problem_and_code(site: Path) -> None:
    settings, problems = (text_of(site / "reference" / f"{name}.html") for name in ("settings", "problems"))
    rows = re.findall(r"<tr>(.*?)</tr>", (site / "reference" / "settings.html").read_text(), flags=re.DOTALL)
    (levels,) = [row for row in rows if "GUIDANCE_LOG_LEVEL" in row]

    assert [name for name in Settings.model_fields if f"GUIDANCE_{name.upper()}" not in settings] == []
    assert re.findall(r"<code>(\w+)</code>", levels)[1:] == ["debug", "info", "warning", "error", "info"]
    assert [each.slug for each in all_problems() if each.meaning.replace("`", "") not in problems] == []
    assert [code for code in FaultCode if code.value not in problems] == []


def test_a_flowchart_is_shown_without_a_script() -> None:
    chart = '```mermaid\nflowchart TB\n  a["<b>one</b><br>first"]\n  b[("<b>two</b>")]\n  a -- "calls" --> b\n```\n'

    assert drawn(chart).strip() == (
        '<div class="diagram"><ol><li><b>one</b> — first</li><li><b>two</b></li></ol>'
        "<ul><li>one → two: calls</li></ul></div>"
    )


def test_the_search_works_from_disk_without_a_request_to_another_host(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto((site / "index.html").as_uri())
    page.locator(".md-search__input").fill("Idempotency-Key")
    page.locator(".md-search-result__item").first.wait_for()

    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()


FIRST = 3


def found_first(page: Page, site: Path, question: str) -> list[str]:
    """Return the paths in `site` of the pages that its search lists first for the question."""
    page.goto(f"{(site / 'index.html').as_uri()}?q={quote(question)}")
    page.locator(".md-search-result__meta").filter(has_text=re.compile("document")).wait_for(state="attached")
    results = page.locator(".md-search-result__item")
    links = results.evaluate_all("items => items.map((item) => item.querySelector('a').href)")[:FIRST]
    return [Path(urlsplit(link).path).relative_to(site).as_posix() for link in links]


def test_the_search_finds_the_page_of_each_question_among_its_first_three(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    found = {each: found_first(page, site, each.question) for each in questions()}
    page.close()

    wanted = {each: each.page.removesuffix(".md") + ".html" for each in found}
    assert {each.question: pages for each, pages in found.items() if wanted[each] not in pages} == {}
