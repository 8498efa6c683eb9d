"""Screenshots of the public pages, to look at: first screens, receipts and errors, in each look. `make screens`."""

import re
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page

from tests.pages.test_pages_in_browser import second_edition, states
from tests.support.browsing import launch_browser
from tests.support.publishing import publish_next
from tests.support.service import a_service
from tests.support.threaded import run_server

PHONE = {"width": 360, "height": 740}
LOOKS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": PHONE},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark"},
    "phone-forced-colours": {"viewport": PHONE, "forced_colors": "active"},
    "phone-large-text": {"viewport": PHONE},
}
LARGE_TEXT = "document.documentElement.style.fontSize = '200%'"


def welsh_states(page: Page) -> Iterator[str]:
    """Show the home page and the form in Welsh, and the form in danger, and yield the name of each."""
    for path in ("/cy/", "/cy/raise-a-concern"):
        page.goto(path)
        yield path
    page.locator("[name='immediate_danger'][value='yes']").check()
    yield "danger in Welsh"


def take(browser: Browser, url: str, look: str, folder: Path) -> None:
    """Write a picture of each page and state in `look` into `folder`: what the screen shows first."""
    folder.mkdir(parents=True, exist_ok=True)
    context = browser.new_context(base_url=url, reduced_motion="reduce", **LOOKS[look])
    page = context.new_page()
    for state in chain(states(page), welsh_states(page)):
        if look == "phone-large-text":
            page.evaluate(LARGE_TEXT)
        name = re.sub(r"[^a-z0-9]+", "-", state.lower()).strip("-") or "home"
        page.screenshot(path=folder / f"{name}.png")
    context.close()


def main(folder: Path) -> None:
    """Serve an invented council's pages, and take pictures of all of them in every look."""
    with TemporaryDirectory() as data, launch_browser() as browser:
        service = a_service(data_dir=Path(data) / "data", council_name="Example Council")
        with run_server(service) as url:
            publish_next(service, **dict(second_edition()))
            for look in LOOKS:
                take(browser, url, look, folder / look)
    print(f"The pictures are in {folder}.")  # noqa: T201  # a program


if __name__ == "__main__":
    main(Path(sys.argv[1]))
