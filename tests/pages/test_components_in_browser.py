"""The five components, on their page of samples: without a barrier in any look, in four sizes, large enough."""

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsing import accessibility_violations
from tests.support.components import Direction, show_components
from tests.support.screens import LOOKS, PATIENCE
from tests.support.service import a_service
from tests.support.threaded import run_server

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

NARROW = 320
TOUCHED = 44
"""The least height of what is pressed, in pixels, on the pages of the public."""
SIZES = """() => {
  const all = [...document.body.querySelectorAll(":not([type=radio], [type=checkbox], option)")];
  return [...new Set(all.map((each) => getComputedStyle(each).fontSize))];
}"""
PRESSED = """() => {
  const all = [...document.querySelectorAll("main :is(button:not(.clear), .button, .dial, select, input[type=text])")];
  return all.map((each) => [each.textContent || each.id, each.getBoundingClientRect().height]);
}"""
each_kind = pytest.mark.parametrize("is_desk", [False, True], ids=["public", "desk"])


@pytest.fixture(scope="module")
def samples(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with run_server(a_service(data_dir=tmp_path_factory.mktemp("components") / "data")) as url:
        page = browser.new_page(base_url=url, reduced_motion="reduce")
        page.set_default_timeout(PATIENCE)
        yield page
        page.close()


@each_kind
def test_no_component_has_a_barrier_in_any_look(samples: Page, is_desk: bool) -> None:
    found: dict[str, list[str]] = {}
    directions: tuple[Direction, ...] = ("ltr", "rtl")
    for direction, (look, (size, wishes, letters)) in product(directions, LOOKS.items()):
        samples.set_viewport_size(size)
        samples.emulate_media(**wishes)
        show_components(samples, direction, is_desk=is_desk)
        samples.evaluate("(size) => { document.documentElement.style.fontSize = size; }", letters)
        found[f"{look}, {direction}"] = accessibility_violations(samples)
        if samples.evaluate("document.documentElement.scrollWidth") > size["width"]:
            found[f"{look}, {direction}"].append("wider than the screen")

    assert len(found) == 2 * len(LOOKS)
    assert {look: faults for look, faults in found.items() if faults} == {}


@each_kind
def test_the_letters_of_the_components_have_four_sizes(samples: Page, is_desk: bool) -> None:
    samples.set_viewport_size({"width": 1280, "height": 800})
    show_components(samples, "ltr", is_desk=is_desk)

    assert len(samples.evaluate(SIZES)) == 4


def test_what_is_pressed_is_large_enough_to_touch(samples: Page) -> None:
    samples.set_viewport_size({"width": NARROW, "height": 740})
    show_components(samples, "ltr", is_desk=False)

    assert [(name, height) for name, height in samples.evaluate(PRESSED) if height < TOUCHED] == []
    assert samples.evaluate("document.documentElement.scrollWidth") <= NARROW


def test_the_page_of_samples_is_not_served(samples: Page) -> None:
    assert samples.request.get("/components").status == 404
