"""Each tick box and radio button stands on the line on which its words begin, on a phone and on a wide screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from app.models.access.roles import Role
from tests.support.browsing import press
from tests.support.concerns import raise_at
from tests.support.desk import ask_for_file
from tests.support.desk_states import sign_in
from tests.support.form_answers import FORM, check, fill_in, send
from tests.support.service import a_service
from tests.support.threaded import run_server

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

WIDTHS = {"a phone": 360, "a narrow phone": 320, "a wide screen": 1280}
FORMS = (
    "/raise-a-concern",
    FORM,
    "/worried-about-yourself",
    "/worried-about-a-friend",
    "/concerns",
    "/pl",
    "/ur",
    "/bsl",
)
DESK = (
    "/desk",
    "/desk/new",
    "/desk/record",
    "/desk/person-file",
    "/desk/person-file/1",
    "/desk/people",
    "/desk/figures",
)
EVERYTHING_OPEN = ".more, .remark, [data-step], .save-later { display: block !important }"
APART = """
() => {
  for (const each of document.querySelectorAll("details")) each.open = true;
  for (const each of document.querySelectorAll("[data-step], p[hidden]:has(label)")) each.hidden = false;
  const labels = [...document.querySelectorAll("label:has(input[type=checkbox], input[type=radio])")];
  const found = labels.filter((label) => label.offsetParent).map((label) => {
    const box = label.querySelector("input").getBoundingClientRect();
    const words = document.createRange();
    words.selectNodeContents(label);
    const isBox = (line) => line.left === box.left && line.top === box.top && line.width === box.width;
    const lines = [...words.getClientRects()].filter((line) => line.width > 1 && !isBox(line));
    const first = lines.reduce((a, b) => (b.top < a.top ? b : a));
    const middle = (box.top + box.bottom) / 2;
    const isBeside = first.left >= box.right || first.right <= box.left;
    return [label.textContent.trim(), isBeside && first.top <= middle && middle <= first.bottom + box.height / 2];
  });
  return [found.length, found.filter(([, isOnItsLine]) => !isOnItsLine).map(([words]) => words)];
}
"""
"""Opens whatever is folded. Returns how many labels have a box, and the words that do not begin beside their box."""


@pytest.fixture
def screen(browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(base_url=url, bypass_csp=True)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    context.close()


def apart(page: Page) -> dict[str, list[str]]:
    """Return the words that do not begin beside their box, by the width of the screen. The page must have a box."""
    page.add_style_tag(content=EVERYTHING_OPEN)
    found: dict[str, list[str]] = {}
    for name, width in WIDTHS.items():
        page.set_viewport_size(ViewportSize(width=width, height=800))
        count, words = page.evaluate(APART)
        assert count > 0, page.url
        found |= {f"{page.url} on {name}": words} if words else {}
    return found


def test_every_box_of_a_public_form_is_beside_its_words(screen: Page) -> None:
    found: dict[str, list[str]] = {}
    for path in FORMS:
        screen.goto(path)
        found |= apart(screen)

    assert found == {}


def test_every_box_of_a_saved_form_a_receipt_and_a_status_is_beside_its_words(screen: Page) -> None:
    found: dict[str, list[str]] = {}
    screen.goto("/raise-a-concern")
    fill_in(screen)
    press(screen, "Save and finish later")
    found |= apart(screen)
    code = screen.locator(".code-words").inner_text()
    screen.goto("/concerns/saved")
    screen.get_by_label("Code").fill(code)
    press(screen, "Go on")
    found |= apart(screen)
    screen.goto("/raise-a-concern")
    fill_in(screen)
    check(screen)
    send(screen)
    found |= apart(screen)
    press(screen, "Check what is happening, or add more")
    found |= apart(screen)

    assert found == {}


def test_every_box_of_the_desk_is_beside_its_words(browser: Browser, tmp_path: Path) -> None:
    service = a_service(data_dir=tmp_path / "data")
    with run_server(service) as url:
        reference = raise_at(url)["reference"]
        context = browser.new_context(base_url=url, bypass_csp=True)
        page = context.new_page()
        sign_in(page, service, Role.LEAD)
        found: dict[str, list[str]] = {}
        ask_for_file(service)
        for path in (*DESK, f"/desk/concerns/{reference}"):
            page.goto(path)
            if page.locator("input[type=checkbox], input[type=radio]").count():
                found |= apart(page)
        context.close()

    assert found == {}
