"""The pages in a real browser: read, raise a concern, see its status, leave. With scripts, without, and by keyboard."""

import datetime as dt
import http.server
import io
import re
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pypdf import PdfReader
from starlette.routing import Route

from app.http.context import AppContext
from app.main import ROUTERS, routes_of
from app.models.guides.editions import EditionContent
from app.pages import accessibility
from app.pages.accessibility import find_last_run
from app.pages.languages import SHORT_LANGUAGES, SIGN_LANGUAGE, language_of
from tests.support.accessibility import write_run
from tests.support.browsing import (
    NEUTRAL_PAGE,
    accessibility_violations,
    browser_with_profile,
    check_unanswered,
    go_to_last_step,
    open_part,
    places_in_profile,
    press,
    reach,
    serve_neutral_page,
)
from tests.support.form_answers import FORM, NARRATIVE, fill_in
from tests.support.loops import first_by_day
from tests.support.publishing import SLUG, an_edition, publish_next
from tests.support.service import a_service
from tests.support.threaded import run_server

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

NARROW_WIDTH = 320


class Site(NamedTuple):
    url: str
    service: FastAPI
    embedder: str
    """The address of a site that may embed the pages. Under the name `localhost` the same site may not."""


class Embedder(http.server.BaseHTTPRequestHandler):
    """A site with a page that shows another page in a frame."""

    def do_GET(self) -> None:
        """Return a page with a frame of the address in the query."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f'<iframe src="{self.path.partition("?")[2]}"></iframe>'.encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name in the base class
        """Log nothing."""


@pytest.fixture(scope="module")
def embedder() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Embedder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def second_edition() -> EditionContent:
    """Return the edition with one indicator reworded and one linked risk removed."""
    first = an_edition()
    reworded = first.indicators[1].model_copy(update={"text": "Secrecy about whereabouts and online friends"})
    return first.model_copy(
        update={
            "change_note": "A test's second edition.",
            "indicators": (first.indicators[0], reworded, *first.indicators[2:]),
            "linked_risks": first.linked_risks[:-1],
        }
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, embedder: str) -> Iterator[Site]:
    """Yield a service with two editions, and a site that may embed its pages."""
    service = a_service(
        data_dir=tmp_path_factory.mktemp("pages") / "data",
        exit_url=NEUTRAL_PAGE,
        council_name="Example Council",
        embedding_origins=(embedder,),
    )
    with run_server(service) as url:
        publish_next(service, **dict(second_edition()))
        yield Site(url, service, embedder)


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=site.url)
    context.route(f"{NEUTRAL_PAGE}**", serve_neutral_page)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def scriptless(browser: Browser, site: Site) -> Iterator[Page]:
    """Yield a page in a browser without scripts."""
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.fixture(params=first_by_day([True, False]), ids=["with scripts", "without scripts"])
def either(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    """Yield a page in a browser with scripts, and one in a browser without."""
    context = browser.new_context(base_url=site.url, java_script_enabled=request.param)
    yield context.new_page()
    context.close()


def check(page: Page) -> None:
    go_to_last_step(page)
    press(page, "Check your answers")


def send(page: Page) -> None:
    press(page, "Send")


def raise_concern(page: Page) -> str:
    """Raise a concern, and return its reference."""
    page.goto(FORM)
    fill_in(page)
    check(page)
    send(page)
    return page.locator(".reference").first.inner_text()


def count_concerns(site: Site) -> int:
    """Return the number of stored concerns."""
    context: AppContext = site.service.state.context
    with context.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM concerns").scalar_one())


def test_a_reader_sees_what_changed_since_an_older_edition(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="One Minute Guide").last.click()
    expect(page.locator("h1")).to_contain_text("Child Sexual Exploitation")
    assert page.locator("a[href^='tel:']").first.inner_text() == "Call 999"
    page.get_by_role("link", name="Edition 1").click()
    expect(page.get_by_text("This is an older edition.")).to_be_visible()

    page.get_by_role("link", name="see what has changed since").click()

    expect(page).to_have_title(re.compile("editions 1 and 2"))
    assert "significant relationships" in " ".join(page.locator("del").all_inner_texts())
    assert "online friends" in " ".join(page.locator("ins").all_inner_texts())
    assert "modern day slavery" in " ".join(page.locator("del").all_inner_texts())


def test_a_concern_goes_from_the_form_to_its_status(either: Page, site: Site) -> None:
    before = count_concerns(site)
    either.goto(FORM)
    either.locator("[name='immediate_danger'][value='no']").check()
    reach(either, "[name='concern.narrative']").fill(NARRATIVE)
    reach(either, "[name='children.0.given_names']")
    press(either, "Add another child")
    either.locator("[name='children.1.given_names']").fill("Billie")
    reach(either, "[name='reporter.kind'][value='professional']").check()
    open_part(either, "guide-items")
    either.locator("[name='concern.indicators'][value='secrecy']").check()
    either.locator("[name='concern.indicators.secrecy:note']").fill("A new telephone")
    check(either)
    for text in (NARRATIVE, "A new telephone", "Billie", "Secrecy about whereabouts and online friends"):
        expect(either.get_by_text(text).first).to_be_visible()

    send(either)

    expect(either).to_have_title("Concern sent - Example Council")
    reference = either.locator(".reference").first.inner_text()
    press(either, "Check what is happening, or add more")
    expect(either.locator(".box h2").first).to_have_text("Received, but not read yet")
    expect(either.get_by_text(reference).first).to_be_visible()
    assert count_concerns(site) == before + 1


def test_a_receipt_is_one_sheet_of_paper(page: Page) -> None:
    page.goto("/raise-a-concern")
    fill_in(page)
    check(page)
    send(page)
    expect(page).to_have_title("Concern sent - Example Council")

    (sheet,) = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages

    for shown in ("Your reference", "Your code", "What happens next"):
        assert shown in sheet.extract_text()
    for left_out in ("Foxtrot", "Say them on the phone"):
        assert left_out not in sheet.extract_text()


def test_who_to_call_begins_beside_the_title_of_a_guide_on_a_wide_screen(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(f"/guides/{SLUG}")

    title, aside = (page.locator(each).bounding_box() for each in ("main h1", "main aside"))

    assert title is not None
    assert aside is not None
    assert aside["y"] <= title["y"]
    assert aside["x"] > title["x"] + title["width"]
    context.close()


def test_a_follow_up_question_appears_with_its_answer_without_scripts(scriptless: Page) -> None:
    scriptless.goto(FORM)
    open_part(scriptless, "calls")
    open_part(scriptless, "guide-items")
    expect(scriptless.get_by_label("Police reference")).to_be_hidden()
    expect(scriptless.locator("[name='concern.indicators.secrecy:note']")).to_be_hidden()

    scriptless.locator("[name='police_informed'][value='yes']").check()

    expect(scriptless.get_by_label("Police reference")).to_be_visible()


WRONG_ANSWERS = {
    "concern.narrative": ("", "Write what you are worried about"),
    "children.0.estimated_age": ("about ten", "enter a whole number"),
    "concern.latest_event:month": ("13", "must be a real date"),
}


def test_three_kinds_of_error_are_shown_twice_and_nothing_typed_is_lost(either: Page) -> None:
    either.goto(FORM)
    either.locator("[name='immediate_danger'][value='no']").check()
    reach(either, "[name='reporter.kind'][value='professional']").check()
    either.get_by_label("Your name").fill("Robin Example")
    open_part(either, "known")
    either.locator("[name='concern.latest_event:month']").fill("13")
    for name, value in (("concern.narrative", ""), ("children.0.estimated_age", "about ten")):  # of steps before
        either.locator(f"[name='{name}']").evaluate("(field, value) => { field.value = value; }", value)
    check(either)

    expect(either).to_have_title("Error: Tell us about a child - Example Council")
    expect(either.locator(".problem")).to_be_focused()
    links = either.locator(".problem a")
    messages = links.all_text_contents()
    assert [text in message for message, (_, text) in zip(messages, WRONG_ANSWERS.values(), strict=True)] == [True] * 3
    assert either.locator(".fault").all_text_contents() == [f"Error: {message}" for message in messages]
    assert either.locator("[name='reporter.name']").input_value() == "Robin Example"
    for number, (field, (typed, _)) in enumerate(WRONG_ANSWERS.items()):
        assert either.locator(f"[name='{field}']").input_value() == typed
        links.nth(number).click()
        assert either.evaluate("document.activeElement.name").startswith(field.partition(":")[0])


def test_pressing_twice_makes_one_concern(page: Page, site: Site) -> None:
    before = count_concerns(site)
    page.goto(FORM)
    fill_in(page)
    check(page)

    page.get_by_role("button", name="Send", exact=True).dblclick()

    expect(page.locator("h1")).to_have_text("We have your concern")
    assert count_concerns(site) == before + 1


def test_the_status_needs_reference_and_code(page: Page) -> None:
    reference = raise_concern(page)
    code = page.locator(".reference").last.inner_text()
    page.goto(f"/concerns/{reference}")
    page.get_by_label("Code").fill("a wrong code")
    press(page, "Check")
    expect(page).to_have_title("Error: Check what is happening with your concern - Example Council")
    expect(page.locator(".problem")).to_be_focused()

    page.get_by_label("Reference").fill(reference.lower().replace("-", " "))
    page.get_by_label("Code").fill(code)
    press(page, "Check")

    expect(page.locator("h1")).to_have_text("What is happening with your concern")
    assert code not in page.url


PAGES = (
    "/",
    f"/guides/{SLUG}",
    FORM,
    "/concerns",
    "/guides",
    "/search",
    "/covering-your-tracks",
    "/accessibility",
    "/privacy",
    "/docs/getting-started",
    "/status",
    "/docs",
)


@pytest.mark.parametrize("method", first_by_day(["button", "keys"]))
def test_every_page_can_be_left_and_not_found_by_going_back(page: Page, site: Site, method: str) -> None:
    for path in PAGES if method == "button" else (FORM, "/docs"):
        page.goto("/health/live")
        page.goto(path)
        if method == "button":
            page.get_by_role("link", name="Exit this page").click()
        else:
            if path == "/docs":  # while it is drawn, the driver of the browser cannot press keys in time
                page.locator(".opblock").first.wait_for()
            for _ in range(3):
                page.keyboard.press("Shift")
        page.wait_for_url(NEUTRAL_PAGE)

        page.go_back()

        assert page.url == f"{site.url}/health/live", path


def test_without_scripts_the_exit_is_a_link(scriptless: Page) -> None:
    scriptless.route(f"{NEUTRAL_PAGE}**", serve_neutral_page)
    scriptless.goto(FORM)

    scriptless.get_by_role("link", name="Exit this page").click()

    assert scriptless.url == NEUTRAL_PAGE


ADDRESSES = (
    *PAGES[:-1],
    "/draft-preview",
    "/who-can-help",
    f"/guides/{SLUG}/editions/1",
    f"/guides/{SLUG}/editions/2/changes?since=1",
    f"/guides/{SLUG}/renditions/en-GB-simple",
    f"/guides/{SLUG}/renditions/en-GB-simple/1",
    "/guides/no-such",
    "/subjects/other",
    "/raise-a-concern",
    "/worried-about-yourself",
    "/worried-about-a-friend",
    "/concerns/saved",
    "/concerns/4F7K-926W-0X3R",
    "/in-your-language",
    *(each.prefix for each in (*SHORT_LANGUAGES, SIGN_LANGUAGE)),
    "/pl/concerns",
)
"""Every page of the public, for axe. The accessibility statement speaks of these; `/docs` has a test of its own."""
OTHER_ADDRESSES = ("/desk", "/edit", "/looks", "/openapi", "/docs", "/v1")
"""The beginnings of the addresses that are not pages of the public."""


def test_the_statement_has_the_day_these_pages_were_last_tested(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = tmp_path / "accessibility.json"
    assert find_last_run(run) is None
    run.write_text("[]")
    assert find_last_run(run) is None
    write_run(dt.date(2026, 11, 24), run)
    assert find_last_run(run) == dt.date(2026, 11, 24)

    monkeypatch.setattr(accessibility, "digest_of_pages", lambda: "a page was changed since")

    assert find_last_run(run) is None


def test_axe_looks_at_every_page_of_the_public() -> None:
    routes = (each for each in routes_of(ROUTERS) if isinstance(each, Route))
    pages = [each for each in routes if each.endpoint.__module__.startswith("app.pages.")]
    public = [each for each in pages if "GET" in (each.methods or ()) and not each.path.startswith(OTHER_ADDRESSES)]
    public = [each for each in public if not each.path.endswith(".jpg")]
    visited = [address.partition("?")[0] for address in ADDRESSES]

    assert len(public) > 15
    assert [each.path for each in public if not any(map(each.path_regex.match, visited))] == []


OPEN_ALL = "document.querySelectorAll('details').forEach((details) => { details.open = true; })"
HEADINGS = "[...document.querySelectorAll('main h1, main h2, main h3')].map((heading) => Number(heading.tagName[1]))"
LANDMARKS = "['header', 'main', 'footer'].map((name) => document.querySelectorAll(name).length)"


def states(page: Page) -> Iterator[str]:
    """Show every page and state, one after the other, and yield the name of each."""
    for path in ADDRESSES:
        page.goto(path)
        yield path
    page.goto("/worried-about-yourself")
    page.locator("[name='immediate_danger'][value='yes']").check()
    yield "in danger"
    press(page, "Send what you have now")
    yield "send what you have now"
    page.locator("[name='concern.narrative']").fill("Alex Example frightens me.")
    press(page, "Send")
    yield "receipt of a child"
    page.goto(FORM)
    page.locator("[name='children.0.estimated_age']").evaluate("(field) => { field.value = 'about ten'; }")
    check_unanswered(page)
    expect(page.locator(".problem")).to_be_focused()
    yield "errors"
    page.locator("[name='children.0.estimated_age']").evaluate("(field) => { field.value = '10'; }")
    fill_in(page)
    yield "you"
    open_part(page, "calls")
    page.locator("[name='police_informed'][value='yes']").check()
    page.evaluate(OPEN_ALL)
    press(page, "Add a parent or carer")
    page.evaluate(OPEN_ALL)
    yield "everything open"
    check(page)
    yield "answers to check"
    send(page)
    yield "receipt"
    press(page, "Check what is happening, or add more")
    yield "status"
    press(page, "Send what you added")
    yield "nothing added"
    page.get_by_label("What do you want to add?").fill("The car was red.")
    press(page, "Send what you added")
    yield "added"
    page.goto("/concerns")
    press(page, "Check")
    yield "unknown concern"
    page.goto("/search")
    press(page, "Search")
    yield "nothing to look for"
    for words in ("missing", "i want to die", "she hides her phone", "vunerable", "universal credit"):
        page.get_by_label("Search the guides").fill(words)
        press(page, "Search")
        yield f"results for '{words}'"
    yield from states_in_urdu(page)


def states_in_urdu(page: Page) -> Iterator[str]:
    """Show the states of the short pages in a language that is written from right to left."""
    page.goto("/ur")
    page.locator("[name='do'][value='send']").click()
    expect(page.locator(".problem")).to_be_focused()
    yield "errors in Urdu"
    page.locator("[name='immediate_danger'][value='yes']").check()
    yield "danger in Urdu"
    page.locator("[name='concern.narrative']").fill("میں پریشان ہوں۔")
    page.locator("[name='reporter.kind'][value='family']").check()
    page.locator("[name='do'][value='send']").click()
    expect(page.locator(".reference").first).to_be_visible()
    yield "receipt in Urdu"
    page.locator("form[action='/ur/concerns'] button").click()
    expect(page.locator("#narrative")).to_be_visible()
    yield "status in Urdu"


def find_faults(page: Page) -> list[str]:
    """Return the faults of a page: from axe, in headings, landmarks or language, or in its width on a narrow screen."""
    page.evaluate("scrollTo(0, 0)")  # what lies behind the fixed bar is reached by scrolling, and axe does not scroll
    faults = accessibility_violations(page)
    levels = page.evaluate(HEADINGS)
    if levels.count(1) != 1 or any(after - before > 1 for before, after in pairwise(levels)):
        faults.append(f"headings: {levels}")
    if page.evaluate(LANDMARKS) != [1, 1, 1]:
        faults.append("landmarks")
    if page.evaluate("document.documentElement.lang") != language_of(urlsplit(page.url).path)[0].tag:
        faults.append("language")
    if page.evaluate("document.documentElement.scrollWidth") > NARROW_WIDTH:
        faults.append("wider than the screen")
    return faults


def test_no_page_or_state_has_a_barrier_or_contacts_another_host(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url, viewport={"width": NARROW_WIDTH, "height": 640})
    page = context.new_page()
    requests: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))

    found = {state: find_faults(page) for state in states(page)}

    assert len(found) == len(ADDRESSES) + 22
    assert {state: faults for state, faults in found.items() if faults} == {}
    assert {url for url in requests if not url.startswith((site.url, "data:"))} == set()
    assert [text for text in messages if "status of" not in text] == []  # an error page has an error status
    context.close()


def test_the_dark_pages_have_enough_contrast(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url, color_scheme="dark")
    page = context.new_page()
    page.goto(FORM)
    check(page)
    found = accessibility_violations(page)
    for path in (f"/guides/{SLUG}/editions/2/changes?since=1", f"/guides/{SLUG}/editions/1"):
        page.goto(path)
        found += accessibility_violations(page)

    assert found == []
    context.close()


def test_a_concern_can_be_sent_with_only_the_keyboard(page: Page) -> None:
    page.goto(FORM)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.keyboard.press("Enter")
    for _ in range(200):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.name || document.activeElement.textContent")
        match focused:
            case "immediate_danger":
                page.keyboard.press("ArrowDown")
            case "concern.narrative":
                page.keyboard.type(NARRATIVE)
            case "reporter.kind":
                page.keyboard.press("Space")
            case "Continue":
                page.keyboard.press("Enter")
            case "do":
                if page.evaluate("document.activeElement.value") == "check":
                    break
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Check your answers")
    page.get_by_role("button", name="Send", exact=True).focus()
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text("We have your concern")


def test_enter_in_a_text_field_goes_to_the_next_step(page: Page) -> None:
    page.goto(FORM)
    fill_in(page)

    page.get_by_label("Your name").press("Enter")

    expect(page.get_by_role("heading", name="Anything else")).to_be_focused()


def test_enter_in_a_text_field_checks_the_answers_without_scripts(scriptless: Page) -> None:
    scriptless.goto(FORM)
    fill_in(scriptless)

    scriptless.get_by_label("Your name").press("Enter")

    expect(scriptless.locator("h1")).to_have_text("Check your answers")


@pytest.mark.parametrize(("name", "is_allowed"), [("127.0.0.1", True), ("localhost", False)])
def test_a_frame_shows_the_form_only_on_the_configured_site(
    page: Page, site: Site, name: str, is_allowed: bool
) -> None:
    page.goto(f"{site.embedder.replace('127.0.0.1', name)}/?{site.url}{FORM}")

    frame = page.frames[1]
    frame.wait_for_load_state()

    assert (frame.get_by_text("Tell us about a child").count() > 0) is is_allowed


def test_nothing_typed_comes_back_after_leaving(page: Page, site: Site) -> None:
    page.goto(FORM)
    fill_in(page)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/covering-your-tracks")

    page.go_back()

    assert page.url == site.url + FORM
    expect(page.locator("h2:visible").first).to_contain_text("Danger now")
    assert page.locator("[name='concern.narrative']").input_value() == ""


CANARY = "QuetzalAlex"


def test_no_typed_word_is_in_any_address_history_cache_or_storage(site: Site, tmp_path: Path, browser: Browser) -> None:
    sent: list[str] = []
    with browser_with_profile(browser, tmp_path / "profile", base_url=site.url) as context:
        context.route(f"{NEUTRAL_PAGE}**", serve_neutral_page)
        page = context.new_page()
        page.on("request", lambda request: sent.append(request.url + str(request.headers)))
        page.goto(FORM)
        page.locator("[name='immediate_danger'][value='no']").check()
        reach(page, "[name='concern.narrative']").fill(f"{CANARY} was here.")
        page.locator("[name='informed_and_basis.childs_own_words']").fill(CANARY)
        reach(page, "[name='reporter.kind'][value='professional']").check()
        page.locator("[name='reporter.name']").fill(CANARY)
        page.locator("[name='reporter.phone']").fill(CANARY)
        # its own step would refuse it
        page.locator("[name='children.0.estimated_age']").evaluate("(field, value) => { field.value = value; }", CANARY)
        check(page)
        expect(page.locator(".problem")).to_be_visible()
        reach(page, "[name='children.0.estimated_age']").fill("")
        check(page)
        page.go_back()
        expect(page.get_by_role("heading", name="Anything else")).to_be_focused()
        page.go_back()
        expect(page.get_by_role("heading", name="About you")).to_be_focused()
        page.go_forward()
        check(page)
        send(page)
        expect(page.locator("h1")).to_have_text("We have your concern")
        stored = page.evaluate(
            "async () => [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie, "
            "JSON.stringify(history.state), JSON.stringify(window.caches ? await caches.keys() : [])]"
        )
        assert context.cookies() == []
        page.get_by_role("link", name="Exit this page").click()
        page.wait_for_url(NEUTRAL_PAGE)

    assert stored == ["{}", "{}", "", "1", "[]"]
    assert [text for text in sent if CANARY in text] == []
    assert places_in_profile(tmp_path / "profile", CANARY.encode(), CANARY.encode("utf-16-le")) == []
