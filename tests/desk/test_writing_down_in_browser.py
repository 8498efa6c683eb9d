"""A call written down on the page: in three presses, sealed where the service cannot read, and never lost."""

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from app.models.access.roles import Role
from app.models.concerns.examples import FULL_EXAMPLE
from app.services.concerns.sealing import read_identities
from app.services.operations.verification import find_faults
from tests.support.browsing import accessibility_violations, unfold
from tests.support.canaries import CANARY
from tests.support.concerns import raise_concern
from tests.support.desk import DESKS, Served
from tests.support.desk_states import SAM, session_of
from tests.support.loops import first_by_day
from tests.support.people import JO, accept_invitation, context_of_service, invited, virtual_authenticator
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.unsealing import unlock

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

SAID = f"{CANARY} rang twice."
BACK = "The text that you typed in this tab and did not send is back."
STORED = "JSON.stringify([{ ...sessionStorage }, { ...localStorage }])"
on_both = pytest.mark.parametrize("served", first_by_day(DESKS), indirect=True)
TEXT, WRITE = "What was said", "Write it down"


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    context = browser.new_context(base_url=served.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    with virtual_authenticator(context, page):
        accept_invitation(page, invited(served.service, JO, Role.LEAD))
        yield page
    context.close()


@pytest.fixture
def reference(served: Served) -> str:
    with httpx.Client(base_url=served.url, trust_env=False, timeout=30) as client:
        found: str = raise_concern(client, **FULL_EXAMPLE)["reference"]
    return found


def write(page: Page, text: str = SAID, danger: str = "No") -> None:
    """Go from the inbox to the page, and fill in what it needs."""
    link = page.get_by_role("link", name="Write down a call")
    if not link.is_visible():
        page.locator(".to-desk-menu").click()
    link.click()
    expect(page.get_by_label(TEXT)).to_be_focused()
    page.keyboard.type(text)
    page.get_by_role("radio", name=danger, exact=True).check()


def send(page: Page) -> str:
    """Send the form, and return the reference that the page shows."""
    page.get_by_role("button", name=WRITE).click()
    expect(page.locator("#done .reference").first).to_be_visible()
    return page.locator("#done .reference").first.inner_text()


def open_here(page: Page, served: Served) -> None:
    """Open the encrypted texts of the page with the team's identity, if this service does not open them."""
    if served.identity is not None:
        unlock(page, served.identity)


@on_both
def test_a_call_is_written_in_three_presses_and_opens(page: Page, served: Served) -> None:
    bodies = list[str]()
    page.on("request", lambda request: bodies.append(f"{request.url} {request.post_data or ''}"))

    write(page)
    reference = send(page)
    page.get_by_role("link", name="Open it").click()
    open_here(page, served)

    expect(page.get_by_role("article")).to_contain_text(SAID)
    author = page.get_by_text(f"by {JO}").first
    unfold(author)
    expect(author).to_be_visible()
    expect(page.get_by_text("By telephone", exact=False).first).to_be_visible()
    assert reference in page.title()
    assert any(CANARY in body for body in bodies) is (served.identity is None)
    assert list(find_faults(context_of_service(served.service).engine)) == []


def test_what_was_typed_is_in_the_sealed_text_and_card(page: Page, served: Served) -> None:
    posts = list[str]()
    page.on("request", lambda request: posts.append(request.post_data or "") if request.method == "POST" else None)
    write(page)
    page.get_by_label("Caller’s name").fill("Robin Example")
    page.get_by_label("Caller’s number").fill("01632 960001")
    page.get_by_text("The child", exact=True).click()
    page.get_by_label("First names").fill("Alex")
    page.get_by_label("Age in years").fill("14")
    reference = send(page)

    fields = parse_qs(next(each for each in posts if "sealed=" in each))
    assert served.identity is not None
    unsealer = read_identities(served.identity)
    text = unsealer.open(base64.b64decode(fields["sealed"][0]), reference=reference)
    card = unsealer.open(base64.b64decode(fields["card"][0]), reference=reference)["card"]
    lengths = [len(unsealer.decrypt(base64.b64decode(fields[name][0]))) for name in ("card", "sealed")]
    assert text["submission"] == {
        "immediate_danger": "no",
        "reporter": {"name": "Robin Example", "phone": "01632 960001", "kind": "member_of_public"},
        "children": [{"given_names": "Alex", "estimated_age": 14}],
        "concern": {"narrative": SAID},
    }
    assert card["children"] == [{"names": ["Alex"], "age": 14}]
    assert (card["reporter"]["phones"], card["words"]) == (["01632 960001"], SAID)
    assert lengths == [512, 1024]


@on_both
def test_danger_says_999_first_and_stands_on_top_of_the_inbox(page: Page, reference: str) -> None:
    write(page, danger="Yes")
    expect(page.get_by_role("heading", name="A child is in danger: call now")).to_be_focused()
    written = send(page)

    headings = page.locator("main").get_by_role("heading")
    expect(headings.first).to_have_text("A child is in danger: call now")
    page.get_by_role("link", name="Inbox", exact=True).last.click()
    first = page.locator(".inbox tbody tr").first
    expect(first).to_contain_text("Danger")
    expect(first).to_contain_text("waiting")
    assert reference not in first.inner_text(), written


@on_both
def test_a_code_is_shown_once_to_read_aloud(page: Page, served: Served) -> None:
    write(page)
    page.get_by_text("More about the caller").click()
    page.get_by_label("The caller wants a code").check()
    reference = send(page)
    code = page.locator(".code-words").inner_text()
    assert accessibility_violations(page) == []

    answer = httpx.get(
        f"{served.url}/v1/concerns/{reference}", headers={"Authorization": f"Bearer {code}"}, trust_env=False
    )
    assert answer.status_code == 200


@pytest.mark.nightly
@on_both
def test_a_further_call_is_added_with_all_that_was_typed(page: Page, served: Served, reference: str) -> None:
    write(page, danger="Not sure")
    page.get_by_label("Caller’s name").fill("Robin Example")
    page.get_by_text("Add it to a concern that is there").click()
    page.get_by_label("Reference", exact=True).fill(reference.lower().replace("-", " "))
    assert send(page) == reference
    page.get_by_role("link", name="Open it").click()
    open_here(page, served)

    addition = page.get_by_role("region", name="Addition 1")
    expect(addition).to_contain_text(SAID)
    expect(addition).to_contain_text("From: Robin Example")
    expect(addition).to_contain_text(f"By telephone. Written down by {JO}")
    expect(addition).to_contain_text("Danger: not sure")


@on_both
def test_typed_words_survive_escape_and_an_error(page: Page, served: Served) -> None:
    write(page)
    page.get_by_label("Letter").check()
    page.get_by_label("Time").fill("07:45")
    page.get_by_text("Add it to a concern that is there").click()
    page.get_by_label("Reference", exact=True).fill("0000")
    page.get_by_role("button", name=WRITE).click()
    expect(page.locator("#fault-to_concern")).to_have_text("No concern has this reference: check it for a mistake")
    expect(page.get_by_label(TEXT)).to_have_value(SAID)
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Blank page")).to_be_attached()
    assert CANARY not in page.evaluate(STORED)
    page.get_by_role("link", name="Continue").click()
    open_here(page, served)

    expect(page.get_by_role("status").filter(has_text=BACK)).to_be_visible()
    expect(page.get_by_label(TEXT)).to_have_value(SAID)
    expect(page.get_by_label("Letter")).to_be_checked()
    expect(page.get_by_label("Time")).to_have_value("07:45")


@pytest.mark.nightly
@on_both
def test_typed_words_survive_the_end_of_the_session(page: Page, served: Served) -> None:
    write(page)
    expect(page.get_by_label(TEXT)).to_have_value(SAID)
    page.context.clear_cookies()
    page.get_by_role("button", name=WRITE).click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.goto("/desk/new")
    page.get_by_role("button", name="Sign in").first.click()
    expect(page.get_by_label(TEXT)).to_be_visible()
    open_here(page, served)

    expect(page.get_by_label(TEXT)).to_have_value(SAID)
    assert CANARY not in page.evaluate(STORED)


@pytest.mark.nightly
def test_a_lost_response_does_not_store_it_twice(page: Page) -> None:
    lost = list[str]()

    def lose_first(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.request.post_data or "")
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/desk/new", lose_first)
    write(page)
    page.get_by_role("button", name=WRITE).click()
    expect(page.get_by_role("alert")).to_contain_text("Try again")
    reference = send(page)

    assert f"reference={reference}" in lost[0]


def test_the_page_works_without_scripts_where_the_service_reads(browser: Browser, tmp_path: Path) -> None:
    service = a_service(data_dir=tmp_path / "data")
    with run_server(service) as address:
        url = address.replace("127.0.0.1", "localhost")
        context = browser.new_context(base_url=url, java_script_enabled=False)
        context.add_cookies([{"name": "desk", "value": session_of(service, SAM), "url": url}])
        page = context.new_page()
        page.goto("/desk/new")
        page.get_by_label(TEXT).fill(SAID)
        page.get_by_role("radio", name="Yes", exact=True).check()
        expect(page.get_by_role("heading", name="A child is in danger: call now")).to_be_visible()
        page.get_by_role("button", name=WRITE).click()

        expect(page.get_by_role("heading", name="Written down")).to_be_visible()
        context.close()


@pytest.mark.parametrize("size", first_by_day([(1280, 800), (390, 844), (320, 640)]))
def test_every_size_is_accessible_and_scrolls_one_way(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    write(page, danger="Yes")
    for summary in page.locator("main summary").all():
        summary.click()

    assert accessibility_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    send(page)
    assert accessibility_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_button_in_reach_leaves_the_child_in_sight(page: Page) -> None:
    page.goto("/desk/new")

    bar, child = page.locator(".act-bar").bounding_box(), page.locator("summary", has_text="The child").bounding_box()
    assert bar is not None
    assert child is not None
    assert child["y"] + child["height"] <= bar["y"]
