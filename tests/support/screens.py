"""Screenshots of the public pages, and of the components of all pages, to look at in each look. `make screens`."""

import re
import sys
from collections.abc import Iterator
from itertools import chain, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize

from tests.pages.test_pages_in_browser import second_edition, states
from tests.support.browsing import launch_browser
from tests.support.components import Direction, show_components
from tests.support.publishing import publish_next
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.visible_words import BEFORE, council_words, look_at

PATIENCE = 180_000
"""In milliseconds: on a busy machine a page may take a minute."""
PHONE, DESKTOP = ViewportSize(width=360, height=740), ViewportSize(width=1280, height=800)
AS_SET: dict[str, Any] = {"color_scheme": "light", "forced_colors": "none"}
LOOKS: dict[str, tuple[ViewportSize, dict[str, Any], str]] = {
    "desktop": (DESKTOP, AS_SET, ""),
    "phone-dark": (PHONE, AS_SET | {"color_scheme": "dark"}, ""),
    "phone-forced-colours": (PHONE, AS_SET | {"forced_colors": "active"}, ""),
    "phone-large-text": (PHONE, AS_SET, "200%"),
    "phone": (PHONE, AS_SET, ""),
}
"""The size of the screen, the wishes of the reader, and the size of the letters. The last stays for the next page."""
SET_LETTERS = """async (size) => {
  const frame = () => new Promise(requestAnimationFrame);
  const focused = document.activeElement;
  document.documentElement.style.fontSize = size;
  for (let count = 0; count < 3; count += 1) await frame();
  if (focused.matches("h1, .problem")) scrollTo(0, 0);
  else if (focused.closest("main")) (focused.closest(".question") ?? focused).scrollIntoView();
}"""
"""Sets the size of the letters, lets the bar be measured, and shows again what has the focus as pages.js does."""


def welsh_states(page: Page) -> Iterator[str]:
    """Show the home page and the form in Welsh, and the form in danger, and yield the name of each."""
    for path in ("/cy/", "/cy/raise-a-concern"):
        page.goto(path)
        yield path
    page.locator("[name='immediate_danger'][value='yes']").check()
    yield "danger in Welsh"


def take(browser: Browser, url: str, folder: Path) -> None:
    """Write a picture of each page and state in every look into `folder`: what the screen shows first.

    Print how many words each shows on a phone, and how many it showed before.
    """
    page = browser.new_page(base_url=url, viewport=PHONE, reduced_motion="reduce")
    page.set_default_timeout(PATIENCE)
    council = council_words(page)
    for state in chain(states(page), welsh_states(page)):
        shown, before = look_at(page, council), BEFORE.get(state)
        print(f"{shown.words:5} words ({before.words if before else 'new'}): {state}")  # noqa: T201  # a program
        take_in_every_look(page, re.sub(r"[^a-z0-9]+", "-", state.lower()).strip("-") or "home", folder)
    directions: tuple[Direction, ...] = ("ltr", "rtl")
    for direction, is_desk in product(directions, (False, True)):
        show_components(page, direction, is_desk=is_desk)
        take_in_every_look(page, f"components-{'desk' if is_desk else 'public'}-{direction}", folder, full_page=True)
    page.close()


def take_in_every_look(page: Page, name: str, folder: Path, *, full_page: bool = False) -> None:
    for look, (size, wishes, letters) in LOOKS.items():
        page.set_viewport_size(size)
        page.emulate_media(**wishes)
        page.evaluate(SET_LETTERS, letters)
        page.screenshot(path=folder / look / f"{name}.png", full_page=full_page)


def main(folder: Path) -> None:
    """Serve an invented council's pages, and take pictures of all of them in every look."""
    with TemporaryDirectory() as data, launch_browser() as browser:
        service = a_service(data_dir=Path(data) / "data", council_name="Example Council")
        with run_server(service) as url:
            publish_next(service, **dict(second_edition()))
            take(browser, url, folder)
    print(f"The pictures are in {folder}.")  # noqa: T201  # a program


if __name__ == "__main__":
    main(Path(sys.argv[1]))
