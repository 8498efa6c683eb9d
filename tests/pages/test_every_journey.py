"""Each person's journey in every condition that a browser can combine. It takes long: `make journeys`.

`JOURNEY_PICTURES` is a folder for a picture of each view.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsing import accessibility_violations, check_unanswered
from tests.support.journeys import HAS_EDGE, IN_VIEW, PEOPLE, Condition, open_page, views
from tests.support.service import a_service
from tests.support.threaded import run_server

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.any_database,
    pytest.mark.slow,
    pytest.mark.skipif("JOURNEYS" not in os.environ, reason="takes half an hour: make journeys"),
]

SCREENS = {"320 px": (320, 640, 1), "768 px": (768, 1024, 1), "1280 px": (1280, 800, 1), "400 % zoom": (320, 256, 4)}
SCHEMES = ("light", "dark")
SCRIPTS = {"scripts": True, "no scripts": False}
COLOURS = {"own colours": "none", "forced colours": "active"}
SCRIPT = re.compile("<script.*?</script>", re.DOTALL)
PICTURES = os.environ.get("JOURNEY_PICTURES", "")


def conditions() -> Iterator[tuple[str, Condition]]:
    """Yield each screen, scheme, setting of scripts and of colours, and a slow network on a phone; with its name."""
    for screen, scheme, scripts, colours in product(SCREENS, SCHEMES, SCRIPTS, COLOURS):
        width, height, scale = SCREENS[screen]
        options = {"color_scheme": scheme, "forced_colors": COLOURS[colours], "device_scale_factor": scale}
        yield f"{screen}, {scheme}, {scripts}, {colours}", Condition(width, height, options, SCRIPTS[scripts])
    for scheme, scripts in product(SCHEMES, SCRIPTS):
        options = {"color_scheme": scheme}
        yield f"50 kbit/s, {scheme}, {scripts}", Condition(320, 640, options, SCRIPTS[scripts], kilobits=50)


CONDITIONS = dict(conditions())


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_server(
        a_service(data_dir=tmp_path_factory.mktemp("journeys") / "data", limit_concerns="100000/minute")
    ) as address:
        yield address


def states(page: Page, person: str) -> Iterator[str]:
    """Go from the home page to the receipt, then send an empty form. Yield at each view a name for it."""
    start, answers = PEOPLE[person]
    yield from views(page, start, answers)
    yield "receipt"
    page.goto(start)
    check_unanswered(page)
    expect(page.locator("[role=alert]").first).to_be_visible()
    page.wait_for_load_state()  # on a slow network the alert comes before its heading
    yield "faults"


def barriers(browser: Browser, page: Page, condition: Condition) -> list[str]:
    """Return what axe finds. Axe is a script: where scripts are off, it looks at a copy without the page's own."""
    if condition.has_scripts:
        return accessibility_violations(page)
    markup = SCRIPT.sub("", page.content())
    copy = open_page(browser, page.url, replace(condition, has_scripts=True, kilobits=None))
    copy.route(page.url, lambda route: route.fulfill(body=markup, content_type="text/html; charset=utf-8"))
    copy.goto(page.url)
    found = accessibility_violations(copy)
    copy.context.close()
    return found


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("name", CONDITIONS)
def test_a_person_sends_a_concern_in_every_condition_and_meets_no_barrier(
    browser: Browser, url: str, name: str, person: str
) -> None:
    condition = CONDITIONS[name]
    page = open_page(browser, url, condition)
    found = []
    for number, place in enumerate(states(page, person)):
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name} - {person} - {number}.png".replace("/", "-"))
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > condition.width:
            found.append((place, f"{width} px wide"))
        if not page.evaluate(IN_VIEW):
            found.append((place, "999 or the exit is out of view"))
        if "forced colours" in name and place.startswith(("[", "#")) and not page.locator(place).evaluate(HAS_EDGE):
            found.append((place, "no edge"))
        if place == "receipt" and page.evaluate("scrollY"):
            found.append((place, "its top is out of view"))
        found += [(place, fault) for fault in barriers(browser, page, condition)]
    page.context.close()

    assert found == []
