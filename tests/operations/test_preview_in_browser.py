"""The preview of a file in a real browser: it follows the file as it is saved, through a fault and back."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import accessibility_violations
from tests.support.command import guidance
from tests.support.previews import preview_of
from tests.support.publishing import FIRST_EDITION, SLUG

pytestmark = [pytest.mark.slow, pytest.mark.any_database, pytest.mark.embedded]

WIDTH = 320


def save(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def expect_well_made(page: Page, name: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH, name
    assert accessibility_violations(page) == [], name


def test_a_preview_follows_the_file_shows_its_changes_and_leads_to_what_is_printed(
    browser: Browser, tmp_path: Path
) -> None:
    data_dir, path = tmp_path / "data", tmp_path / SLUG / "2.yaml"
    assert guidance("publish", FIRST_EDITION, "--data-dir", data_dir).returncode == 0
    assert guidance("new", SLUG, "--folder", tmp_path, "--data-dir", data_dir).returncode == 0
    with preview_of(path, data_dir) as address:
        page = browser.new_page(base_url=address, viewport={"width": WIDTH, "height": 640})
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto("/")
        expect(page.get_by_text("Preview: not published.")).to_be_visible()
        expect_well_made(page, "page")

        save(path, "Secrecy about", "Silence about")
        expect(page.get_by_text("Silence about")).to_be_visible()
        save(path, "text: child trafficking", "text:")
        expect(page.get_by_text(re.compile(r"line \d+: Linked risk 1 needs some text"))).to_be_visible()
        expect_well_made(page, "faults")
        save(path, "    text:\n", "    text: trafficking of children\n")
        expect(page.get_by_text("trafficking of children")).to_be_visible()

        page.get_by_role("link", name="Changes", exact=True).first.click()
        expect(page.locator("ins", has_text="Silence")).to_be_visible()
        expect_well_made(page, "changes")
        save(path, "Silence about", "Quiet about")
        expect(page.locator("ins", has_text="Quiet")).to_be_visible()
        sheets = [page.get_by_role("link", name=f"{name} (PDF)").first for name in ("Poster", "Large print")]
        answers = [page.request.get(str(sheet.get_attribute("href"))) for sheet in sheets]

        assert [answer.headers["content-type"] for answer in answers] == ["application/pdf"] * 2
        assert answers[0].body() != answers[1].body()
        assert broken == []
        page.context.close()
