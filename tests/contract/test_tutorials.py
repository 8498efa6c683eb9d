"""The tutorials of five minutes: short, and each ends with a picture of what its reader sees.

`make pictures` makes the pictures again: with `TUTORIAL_PICTURES` the tests here write them into that folder.
"""

import os
import re
import struct
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.origins import copy_example, point_at, serve_folder
from tests.support.samples import PREAMBLE, ROOT, run_sample, runnable

pytestmark = pytest.mark.any_database

FOLDER = "docs/tutorial"
NAMES = ("keep-indicators-up-to-date", "post-a-concern", "explore-the-api")
LONGEST = 700
"""Words that are read in three and a half minutes. The machine has the rest of the five."""
LARGEST_PICTURE = 60_000
WIDTH = 760
PICTURE = re.compile(r"!\[([^\]]{40,})\]\(([\w-]+\.png)\)\n\n(?:[^#]*\n\n)?## Go on\n")
FEW_COLOURS = """
() => {
  const each = (channel) => `<feFunc${channel} type="discrete" tableValues="0 0.25 0.5 0.75 1"/>`;
  const transfer = `<feComponentTransfer>${[..."RGB"].map(each).join("")}</feComponentTransfer>`;
  const filter = `<filter id="few" color-interpolation-filters="sRGB">${transfer}</filter>`;
  document.body.insertAdjacentHTML("beforeend", `<svg width="0" height="0">${filter}</svg>`);
  document.documentElement.style.filter = "url(#few)";
}
"""
"""Draws the page in few colours: the picture has less than half of the bytes, and looks the same."""
PNG = b"\x89PNG\r\n\x1a\n"


def text_of(name: str) -> str:
    return (ROOT / FOLDER / f"{name}.md").read_text(encoding="utf-8")


@for_each("name", NAMES)
def test_a_tutorial_is_read_in_five_minutes_and_begins_with_999(name: str) -> None:
    words = text_of(name).split()

    assert len(words) <= LONGEST
    assert "call 999" in text_of(name).splitlines()[2]
    assert "five minutes" in " ".join(words[:80])


@for_each("name", NAMES)
def test_a_tutorial_ends_with_a_small_picture_that_is_described(name: str) -> None:
    pictures = PICTURE.findall(text_of(name))
    picture = (ROOT / FOLDER / f"{name}.png").read_bytes()
    width, height = struct.unpack(">II", picture[16:24])

    assert [file for _, file in pictures] == [f"{name}.png"]
    assert picture.startswith(PNG)
    assert len(picture) <= LARGEST_PICTURE
    assert width == WIDTH
    assert height <= WIDTH


def take(page: Page, name: str, folder: Path) -> None:
    """Write the picture, into the folder of `TUTORIAL_PICTURES` if there is one."""
    target = Path(os.environ.get("TUTORIAL_PICTURES", folder)) / f"{name}.png"
    page.evaluate(FEW_COLOURS)
    page.screenshot(path=target, animations="disabled", caret="hide")

    assert target.stat().st_size <= LARGEST_PICTURE


def open_page(browser: Browser, height: int) -> Page:
    return browser.new_page(viewport={"width": WIDTH, "height": height}, color_scheme="light")


@pytest.mark.slow
@pytest.mark.nightly
def test_the_copy_of_another_system_looks_like_its_picture(tmp_path: Path, browser: Browser) -> None:
    (name, _, _), folder = NAMES, tmp_path / "clone"
    folder.mkdir()
    with LiveServer(folder / "data") as server:
        run_sample(["bash", "-c"], server, PREAMBLE + "\n".join(runnable(f"{FOLDER}/{name}.md", "sh")))
    page = open_page(browser, 400)
    page.goto((folder / "indicators.html").as_uri())

    shown = page.locator("body").inner_text()
    order = [shown.index(words) for words in ("call 999", "Poverty is not neglect", "hungry or tired", "Edition 1")]
    assert order == sorted(order)
    take(page, name, tmp_path)
    page.close()


@pytest.mark.slow
@pytest.mark.nightly
def test_the_page_of_a_front_end_looks_like_its_picture(tmp_path: Path, browser: Browser) -> None:
    (_, name, _), sample = NAMES, copy_example("javascript", tmp_path / "sample")
    with (
        serve_folder(sample) as origin,
        LiveServer(tmp_path / "data", allowed_origins=origin) as server,
    ):
        point_at(sample, server.url)
        page = open_page(browser, 720)
        page.goto(origin)
        page.get_by_label("Not sure", exact=True).check()
        page.get_by_label("Who are you?").select_option("member_of_public")
        page.get_by_label("What are you worried about?").fill("Alex Example is often at the bus station late at night.")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", name="We have your concern")).to_be_in_viewport()

        expect(page.locator(".emergency")).to_be_in_viewport()
        take(page, name, tmp_path)
        page.close()


@pytest.mark.slow
@pytest.mark.nightly
def test_the_page_of_the_documentation_looks_like_its_picture(tmp_path: Path, browser: Browser) -> None:
    (_, _, name) = NAMES
    with LiveServer(tmp_path / "data") as server:
        page = open_page(browser, 620)
        page.goto(f"{server.url}/docs")
        operation = page.locator(".opblock", has=page.locator('[data-path="/v1/concerns"]'))
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Execute").click()
        response = operation.locator(".live-responses-table")
        expect(response).to_contain_text('"test": true')
        response.scroll_into_view_if_needed()
        response.evaluate("element => scrollTo(0, element.getBoundingClientRect().top + scrollY - 140)")

        assert response.locator("tr.response .response-col_status").inner_text().startswith("201")
        take(page, name, tmp_path)
        page.close()
