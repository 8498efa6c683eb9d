"""Finding a guide in a real browser: with and without scripts, by the keyboard, at each width, and without a trace."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browsing import NEUTRAL_PAGE, accessibility_violations, browser_with_profile, serve_neutral_page
from tests.support.canaries import CANARY, forms_of
from tests.support.loops import first_by_day
from tests.support.publishing import publish_examples, publish_invented
from tests.support.service import a_service
from tests.support.threaded import run_server

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

WORDS = f"phone {CANARY}"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    service = a_service(data_dir=tmp_path_factory.mktemp("finding") / "data", exit_url=NEUTRAL_PAGE)
    with run_server(service) as address:
        publish_examples(service)
        publish_invented(service, 30)
        yield address


@pytest.mark.parametrize("has_scripts", first_by_day([True, False]))
def test_the_words_of_a_search_leave_no_trace_in_the_browser(
    browser: Browser, url: str, tmp_path: Path, *, has_scripts: bool
) -> None:
    sent: list[str] = []
    profile = tmp_path / "profile"
    with browser_with_profile(browser, profile, base_url=url, java_script_enabled=has_scripts) as context:
        context.route(f"{NEUTRAL_PAGE}**", serve_neutral_page)
        page = context.new_page()
        page.on("request", lambda request: sent.append(request.url + str(request.headers)))
        page.goto("/")
        page.get_by_label("Search the guides").fill(WORDS)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("People who can help")
        page.get_by_label("Search the guides").fill("phone")
        page.keyboard.press("Enter")
        page.locator("main h2 a").first.click()
        expect(page.locator("h1")).not_to_have_text("What we found")
        page.get_by_role("link", name="Exit this page").click()
        page.wait_for_url(NEUTRAL_PAGE)
    written = [path for path in profile.rglob("*") if path.is_file()]
    # Without scripts Chromium holds a form until its tab is closed, as /covering-your-tracks says.
    files = {path: path.read_bytes() for path in written if has_scripts or path.parent.name != "Sessions"}

    assert [text for text in sent if CANARY in text] == []
    assert len(files) > 10
    forms = (CANARY.encode(), *forms_of(CANARY))
    assert [path for path, content in files.items() if any(form in content for form in forms)] == []


@pytest.mark.parametrize("scheme", first_by_day(["light", "dark"]))
def test_the_ways_to_a_guide_have_no_barrier_at_any_width(browser: Browser, url: str, scheme: str) -> None:
    context = browser.new_context(base_url=url, color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    found = []
    for path in ("/", "/guides", "/subjects/neglect", "/search"):
        page.goto(path)
        if path == "/search":
            page.get_by_label("Search the guides").fill("phone")
            page.keyboard.press("Enter")
            expect(page.locator("mark").first).to_be_visible()
        found += accessibility_violations(page)
        for width in (320, 768, 1280):
            page.set_viewport_size({"width": width, "height": 640})
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found.append(f"{path} is wider than {width}")
    context.close()

    assert found == []
