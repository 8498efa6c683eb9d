"""The pages of `examples/`, each alone in an empty folder: they take a concern once, and leave nothing behind."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.support.browsing import (
    NEUTRAL_PAGE,
    browser_that_keeps_left_pages,
    page_faults,
    serve_neutral_page,
)
from tests.support.command import ROOT
from tests.support.live import LiveServer
from tests.support.loops import for_each
from tests.support.node import finished_node, install, run_node
from tests.support.origins import copy_example, point_at, serve_folder

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

REACT = pytest.param("react", marks=pytest.mark.nightly)
NARRATIVE = "Alex Example is often at the bus station late at night."
CONCERNS = "**/v1/concerns"


class Site(NamedTuple):
    """The samples on an origin of their own, and the service that they call."""

    folder: Path
    origin: str
    server: LiveServer


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Start a service that takes concerns from the origin of the samples, and write its address into them."""
    folder = tmp_path_factory.mktemp("pages")
    for name in ("javascript", "react"):
        copy_example(name, folder / f"{name}-alone")
    data_dir = tmp_path_factory.mktemp("service") / "data"
    with serve_folder(folder) as origin, LiveServer(data_dir, allowed_origins=origin) as server:
        point_at(folder, server.url)
        yield Site(folder, origin, server)


@pytest.fixture(scope="module", params=["javascript", REACT])
def address(request: pytest.FixtureRequest, site: Site) -> str:
    """Return the address of each page. The React form is built first, of the form that the service has."""
    folder = site.folder / f"{request.param}-alone"
    if request.param == "react":
        install(folder)
        with site.server.client() as client:
            (folder / "form.json").write_bytes(client.get("/v1/concerns/form").content)
        run_node(folder, "npm", "run", "build")
    return f"{site.origin}/{folder.name}/index.html"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(address)
    page.get_by_label("What are you worried about?").wait_for()
    yield page
    page.close()


def answer(page: Page) -> None:
    """Answer what is required."""
    page.get_by_label("No", exact=True).check()
    page.get_by_label("Who are you?").select_option(index=2)
    page.get_by_label("What are you worried about?").fill(NARRATIVE)


def send(page: Page) -> None:
    page.get_by_role("button", name="Send").click()


def receipt_of(page: Page) -> str:
    """Return the reference, once the page shows it."""
    expect(page.get_by_role("heading", name="We have your concern")).to_be_focused()
    return page.locator("strong").inner_text()


def test_both_samples_have_the_same_client_and_style() -> None:
    plain, react = ROOT / "examples" / "javascript", ROOT / "examples" / "react"

    assert (react / "src" / "guidance.js").read_bytes() == (plain / "guidance.js").read_bytes()
    assert (react / "page.css").read_bytes() == (plain / "page.css").read_bytes()


@for_each("name", ["javascript", "react"])
def test_no_sample_needs_unsafe_code(name: str) -> None:
    policy = (
        (ROOT / "examples" / name / "index.html").read_text(encoding="utf-8").partition("Content-Security-Policy")[2]
    )

    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


@pytest.mark.nightly
def test_the_page_shows_999_first_and_the_receipt_with_whom_to_call(page: Page) -> None:
    answer(page)
    send(page)
    reference = receipt_of(page)

    shown = page.locator("main").inner_text()
    assert shown.startswith("If a child is in immediate danger, call 999")
    assert len(reference) == len("4F7K-926W-0X3R")
    assert "If a child is in immediate danger" in shown.partition(reference)[2]
    assert page.locator("a[href='tel:999']").count() == 2
    assert len(page.locator(".code").inner_text()) == len("7K3M-9QXT-2W8R-VB5N")


@pytest.mark.nightly
def test_a_concern_whose_answer_is_lost_arrives_once(page: Page) -> None:
    sent: list[tuple[str, str]] = []

    def lose_the_first_answer(route: Route) -> None:
        response = route.fetch()
        sent.append((route.request.headers["idempotency-key"], response.json()["reference"]))
        route.abort() if len(sent) == 1 else route.fulfill(response=response)

    page.route(CONCERNS, lose_the_first_answer)
    answer(page)
    send(page)
    reference = receipt_of(page)

    assert len(sent) == 2
    assert set(sent) == {(sent[0][0], reference)}


@pytest.mark.nightly
def test_changes_after_a_lost_answer_are_sent_too(page: Page) -> None:
    """The service has the first version under the key already. The second one comes with a key of its own."""
    keys: list[str] = []

    def lose_the_first_version(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        response = route.fetch()
        if "bus station" in (route.request.post_data or "") and len(set(keys)) == 1:
            route.abort()
        else:
            route.fulfill(response=response)

    page.route(CONCERNS, lose_the_first_version)
    answer(page)
    send(page)
    expect(page.locator("#message")).to_contain_text("We got no answer.")
    page.get_by_label("What are you worried about?").fill("Alex Example is safe at home now.")
    send(page)
    expect(page.locator("#message")).to_contain_text("What you sent before has arrived.")
    send(page)
    receipt_of(page)

    assert len(set(keys)) == 2


@pytest.mark.nightly
def test_a_busy_service_keeps_typed_words_and_shows_the_numbers(page: Page) -> None:
    busy = {"type": "/v1/problems/busy", "title": "Busy", "status": 503, "detail": "Busy.", "signposts": [POLICE]}
    page.route(CONCERNS, lambda route: route.fulfill(status=503, headers=ALLOWED, body=json.dumps(busy)))
    answer(page)
    send(page)

    expect(page.locator("#message")).to_contain_text("Nothing was sent yet.")
    expect(page.locator("#message a[href='tel:999']")).to_be_visible()
    assert page.get_by_label("What are you worried about?").input_value() == NARRATIVE


POLICE = {"id": "police-emergency", "name": "Police", "phones": [{"number": "999", "display": "999", "option": None}]}
ALLOWED = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After", "Retry-After": "0"}


def requests_of(page: Page) -> list[Request]:
    """Return the list to which every request of the page is added from now on."""
    requests: list[Request] = []

    def add(request: Request) -> None:
        requests.append(request)

    page.on("request", add)
    return requests


@pytest.mark.nightly
def test_typed_words_are_in_no_address_or_browser_storage(page: Page) -> None:
    requests = requests_of(page)
    answer(page)
    send(page)
    receipt_of(page)

    assert [each.method for each in requests if "/v1/concerns" in each.url]
    assert [each.url for each in requests if "bus" in each.url] == []
    assert "?" not in page.url
    assert page.context.storage_state(indexed_db=True) == {"cookies": [], "origins": []}


def leave_and_return(page: Page) -> bool:
    """Go to another website and back. Return whether the page was restored from memory."""
    page.evaluate("window.isStillThere = true")
    page.route(NEUTRAL_PAGE, serve_neutral_page)
    page.goto(NEUTRAL_PAGE)
    page.go_back(wait_until="commit")
    page.get_by_label("What are you worried about?").wait_for()
    return bool(page.evaluate("window.isStillThere === true"))


@for_each("is_kept", [True, False])
def test_neither_what_was_typed_nor_the_receipt_comes_back(browser: Browser, address: str, is_kept: bool) -> None:
    with browser_that_keeps_left_pages(browser) if is_kept else nullcontext(browser) as leaving:
        page = leaving.new_page()
        page.goto(address)
        answer(page)
        was_restored = leave_and_return(page)
        typed = page.get_by_label("What are you worried about?").input_value()
        chosen = page.locator("input:checked").count()
        kind = page.get_by_label("Who are you?").input_value()
        answer(page)
        send(page)
        first = receipt_of(page)
        leave_and_return(page)

        assert (was_restored, typed, chosen, kind) == (is_kept, "", 0, "")
        assert first not in page.locator("body").inner_text()
        assert page.get_by_label("What are you worried about?").input_value() == ""
        answer(page)
        send(page)
        assert receipt_of(page) != first
        page.close()


@for_each("word", ["The child", "friend"])
def test_a_child_is_led_to_the_form_for_young_people(page: Page, site: Site, word: str) -> None:
    kinds = page.get_by_label("Who are you?").locator("option").all_inner_texts()

    link = page.get_by_role("link", name="Use the form for young people")
    assert link.get_attribute("href") == f"{site.server.url}/worried-about-yourself"
    assert len(kinds) > 3
    assert [kind for kind in kinds if word.lower() in kind.lower()] == []


@pytest.mark.nightly
def test_the_page_meets_nobody_with_a_barrier(page: Page) -> None:
    faults = page_faults(page, walks=True)
    send(page)
    page.locator(".fault:not(:empty), .error-detail").first.wait_for()
    faults += page_faults(page, walks=False)
    answer(page)
    send(page)
    receipt_of(page)

    assert faults + page_faults(page, walks=False) == []


def beside(page: Page, label: str) -> str:
    """Return the fault that is shown beside the field."""
    described = page.get_by_label(label).first.get_attribute("aria-describedby") or ""
    places = [page.locator(f"[id='{each}']") for each in described.split() if each.endswith(("fault", "error"))]
    return " ".join(each.inner_text() for each in places if each.count())


def test_each_fault_is_beside_its_field_and_typed_words_stay(page: Page) -> None:
    page.get_by_label("What are you worried about?").fill(NARRATIVE)
    send(page)
    page.locator(".fault:not(:empty), .error-detail").first.wait_for()

    assert beside(page, "Who are you?")
    assert not beside(page, "What are you worried about?")
    assert page.get_by_label("What are you worried about?").input_value() == NARRATIVE


@pytest.mark.nightly
def test_the_page_without_its_script_sends_nothing_and_keeps_its_address(browser: Browser, site: Site) -> None:
    page = browser.new_context(bypass_csp=True).new_page()
    page.route("**/page.js", lambda route: route.abort())
    page.goto(f"{site.origin}/javascript-alone/index.html")
    before = page.url
    answer(page)
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    page.locator("button").evaluate("button => { button.disabled = false; }")
    send(page)

    assert page.locator("form").evaluate("form => form.method") == "dialog"  # which leads nowhere outside a dialog
    assert page.url == before
    assert page.get_by_label("What are you worried about?").input_value() == NARRATIVE
    page.context.close()


@pytest.mark.nightly
def test_the_plain_page_shows_the_indicators_with_their_cautions_or_neither(browser: Browser, site: Site) -> None:
    page = browser.new_page()
    page.goto(f"{site.origin}/javascript-alone/index.html")
    page.locator("#indicators li").nth(9).wait_for()
    cautions = page.locator("#cautions li").count()
    page.route(f"{site.server.url}/v1/guides/**", lambda route: route.abort())
    page.reload()
    page.get_by_text("The guide cannot be shown now.").wait_for()

    assert cautions == 2
    assert page.locator("#guide li").count() == 0
    assert page.get_by_role("button", name="Send").is_enabled()
    page.close()


@pytest.mark.nightly
def test_the_types_of_the_plain_page_are_those_of_the_document(site: Site) -> None:
    folder = install(site.folder / "javascript-alone")
    with site.server.client() as client:
        (folder / "openapi.json").write_bytes(client.get("/openapi.json").content)
    run_node(folder, "npm", "run", "types")
    run_node(folder, "npm", "run", "check")
    page = folder / "page.js"
    page.write_text(page.read_text().replace("receipt.status_token", "receipt.status_tokem"))

    assert "status_tokem" in finished_node(folder, "npm", "run", "check").stdout


@pytest.mark.nightly
@pytest.mark.parametrize("address", [pytest.param("react")], indirect=True)
def test_the_react_form_places_what_only_the_service_can_judge(page: Page) -> None:
    requests = requests_of(page)
    page.get_by_label("No", exact=True).check()
    page.get_by_label("Who are you?").select_option(index=2)
    send(page)
    page.locator(".error-detail").first.wait_for()
    unsent = [each for each in requests if each.method == "POST"]
    page.get_by_label("What are you worried about?").fill(NARRATIVE)
    page.get_by_role("button", name="Add one more").last.click()
    page.get_by_label("When it began").fill("2026-02-30")
    send(page)
    expect(page.locator("#message a[href='tel:999']")).to_be_visible()

    assert unsent == []
    assert "Must be a date such as" in beside(page, "When it began")
    assert page.get_by_label("When it began").input_value() == "2026-02-30"
    page.get_by_label("When it began").fill("2026-02")
    send(page)
    assert receipt_of(page)
