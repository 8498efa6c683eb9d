"""Ways to leave form, receipt and status page, in danger and on a phone: nothing is lost, and nothing is asked."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route, ViewportSize, expect
from starlette.testclient import TestClient

from tests.support.browsing import NEUTRAL_PAGE, accessibility_violations, press, serve_neutral_page
from tests.support.form_answers import KEY, NARRATIVE, check, fill_in
from tests.support.journeys import SENT
from tests.support.loops import first_by_day, some_by_day

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

PHONE = ViewportSize(width=360, height=740)
FORMS = ("/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend")
SENTENCE = "Canary: he is at the door."
OUTSIDE = re.compile(r"^https://(999bsl|www\.emergencysms|www\.childline|www\.ceop)")
Dialogs = list[str]


def serve_help(route: Route) -> None:
    """Serve a plain page in place of the site that helps."""
    route.fulfill(status=200, content_type="text/html", body="<title>Help</title><h1>Help</h1>")


@pytest.fixture
def context(browser: Browser, url: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=url, viewport=PHONE, permissions=["clipboard-read", "clipboard-write"])
    context.route(f"{NEUTRAL_PAGE}**", serve_neutral_page)
    context.route(OUTSIDE, serve_help)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/health/live")  # what Back comes to
    return page


@pytest.fixture
def asked(page: Page) -> Dialogs:
    """Return a list that grows with each question of the browser. Each is answered with no."""
    asked: Dialogs = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    return asked


def tell(page: Page, form: str) -> None:
    """Say that there is danger, and write a sentence."""
    page.goto(form)
    page.locator("[name='immediate_danger'][value='yes']").click()
    page.locator("[data-continue]:visible").click()
    page.locator("[name='concern.narrative']").fill(SENTENCE)


def send_in_danger(page: Page, form: str) -> None:
    """Send that sentence. The receipt is shown."""
    tell(page, form)
    page.locator("[data-back]:visible").click()
    press(page, "Send what you have now")
    expect(page.locator("h1")).to_have_text(SENT)


def call_999(page: Page) -> None:
    for number in page.locator("a[href='tel:999']:visible").all():
        number.click()


def follow_help(page: Page) -> None:
    """Press each link to help on another site. Each opens beside the page."""
    links = page.locator("a[target='_blank']:visible")
    assert links.count() >= 2
    for link in links.all():
        assert link.inner_text().endswith("(opens in a new tab)")
        assert set((link.get_attribute("rel") or "").split()) == {"noopener", "noreferrer"}
        with page.expect_popup() as opened:
            link.click()
        assert OUTSIDE.match(opened.value.url)
        assert opened.value.evaluate("window.opener") is None


def go_back_from_the_page_to_check(page: Page) -> None:
    check_from_anywhere(page)
    page.go_back()


def check_from_anywhere(page: Page) -> None:
    page.locator("[data-check]").dispatch_event("click")
    expect(page.locator("main[aria-busy]")).to_have_count(0)


def go_back_from_send_now(page: Page) -> None:
    """Write the sentence on the page that asks only for one."""
    page.locator("[name='concern.narrative']").fill("")
    page.locator("[data-back]:visible").click()
    press(page, "Send what you have now")
    page.locator("textarea").fill(SENTENCE)
    page.go_back()
    expect(page.locator("[data-step]:visible h2").first).to_contain_text("Step 1 of")


FROM_THE_FORM: dict[str, Callable[[Page], None]] = {
    "999": call_999,
    "help on another site": follow_help,
    "Back from the page to check": go_back_from_the_page_to_check,
    "Back from the page to send now": go_back_from_send_now,
    "Back by the button of the page": lambda page: page.locator("[data-back]:visible").click(),
}


@some_by_day(way=FROM_THE_FORM, form=FORMS)
def test_no_way_out_of_the_form_in_danger_loses_a_word(page: Page, asked: Dialogs, form: str, way: str) -> None:
    tell(page, form)

    FROM_THE_FORM[way](page)

    assert asked == []
    expect(page.locator("[name='concern.narrative']")).to_have_value(SENTENCE)
    expect(page.locator("[name='immediate_danger'][value='yes']")).to_be_checked()


@some_by_day(way=["button", "keys"], where=["form", "receipt", "status"], form=FORMS)
def test_the_exit_leaves_at_once_in_danger_also_beside_open_help(
    page: Page, asked: Dialogs, url: str, form: str, where: str, way: str
) -> None:
    if where == "form":
        tell(page, form)
    else:
        send_in_danger(page, form)
    if where == "status":
        page.locator("form[action='/concerns'] button").click()
        page.locator("textarea").fill(SENTENCE)
    with page.expect_popup():
        page.locator("a[target='_blank']:visible").first.click()
    page.bring_to_front()

    if way == "button":
        page.get_by_role("link", name="Exit this page").click()
    else:
        for _ in range(3):
            page.keyboard.press("Shift")

    page.wait_for_url(NEUTRAL_PAGE)
    assert asked == []
    page.go_back()
    assert page.url == f"{url}/health/live"


def go_back(page: Page) -> None:
    page.go_back()


def follow_link_within(page: Page) -> None:
    page.get_by_role("link", name="Check your concern").last.click()


FROM_THE_RECEIPT: dict[str, tuple[Callable[[Page], None], bool]] = {
    "999": (call_999, False),
    "help on another site": (follow_help, False),
    "Back": (go_back, True),
    "a link within the site": (follow_link_within, True),
}
"""Each way to leave, and whether the page itself asks for the code."""


@some_by_day(way=FROM_THE_RECEIPT, form=FORMS)
def test_only_the_page_asks_for_the_code_of_a_receipt(page: Page, asked: Dialogs, form: str, way: str) -> None:
    send_in_danger(page, form)
    leave, is_asked = FROM_THE_RECEIPT[way]

    leave(page)

    expect(page.locator("[data-question] h2")).to_be_visible(visible=is_asked)
    expect(page.locator(".reference").last).to_be_visible()
    assert asked == []
    if is_asked:
        expect(page.locator("[data-question] h2")).to_be_focused()
        expect(page.locator("[data-question] .code")).to_contain_text(page.locator(".reference").last.inner_text())
        expect(page.locator("[data-question] button").last).to_be_in_viewport(ratio=1)
        page.evaluate("window.scrollTo(0, 0)")  # what is half beneath the bar is too small for axe
        assert accessibility_violations(page) == []
        page.get_by_role("button", name="Stay on this page").click()
        expect(page.locator("[data-code]")).to_be_focused()
        leave(page)
        page.wait_for_url("**/health/live" if way == "Back" else "**/concerns")
        assert asked == []


@pytest.mark.parametrize("way", first_by_day(["Back", "a link within the site"]))
def test_leaving_leads_where_the_person_was_going(page: Page, asked: Dialogs, way: str) -> None:
    send_in_danger(page, "/worried-about-yourself")
    FROM_THE_RECEIPT[way][0](page)

    page.get_by_role("button", name="Leave this page").click()

    page.wait_for_url("**/health/live" if way == "Back" else "**/concerns")
    assert asked == []


def save_as_file(page: Page) -> None:
    with page.expect_download():
        press(page, "Keep a copy")


def copy_code(page: Page) -> None:
    page.locator("summary", has_text="Other ways to keep it").click()
    press(page, "Copy the reference and the code")


KEEPS: dict[str, Callable[[Page], None]] = {
    "copied": copy_code,
    "saved": save_as_file,
    "ticked": lambda page: page.get_by_label("I have written both down").check(),
}


@some_by_day(way=["Back", "a link within the site"], kept=KEEPS)
def test_a_code_that_was_kept_is_not_asked_about(page: Page, asked: Dialogs, kept: str, way: str) -> None:
    send_in_danger(page, "/raise-a-concern")
    KEEPS[kept](page)
    if kept == "copied":
        reference, code = page.locator(".reference").all_inner_texts()
        expect(page.locator("[data-copied]")).to_have_text("Copied.")
        assert page.evaluate("navigator.clipboard.readText()") == f"Reference {reference}, code {code}"

    FROM_THE_RECEIPT[way][0](page)

    page.wait_for_url("**/health/live" if way == "Back" else "**/concerns")
    assert asked == []


def test_a_code_that_was_not_copied_is_asked_about(page: Page, asked: Dialogs) -> None:
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('forbidden'))")
    send_in_danger(page, "/raise-a-concern")
    copy_code(page)
    expect(page.locator("[data-copied]")).to_have_text("It could not be copied. Please write it down.")

    follow_link_within(page)

    expect(page.locator("[data-question] h2")).to_be_focused()
    assert asked == []


def test_a_receipt_is_reloaded_and_closed_without_a_question(page: Page, asked: Dialogs) -> None:
    send_in_danger(page, "/raise-a-concern")

    page.reload()
    expect(page.locator("h1")).to_have_text("Tell us about a child")
    send_in_danger(page, "/raise-a-concern")
    page.close(run_before_unload=True)

    assert asked == []


def save_copy(page: Page, name: str) -> None:
    with page.expect_download() as copy:
        press(page, name)
    assert copy.value.suggested_filename.endswith(".pdf")


def test_a_copy_is_saved_without_a_question(page: Page, asked: Dialogs) -> None:
    page.goto("/raise-a-concern")
    fill_in(page)
    check(page)

    save_copy(page, "Save a copy of your answers (PDF)")

    expect(page.get_by_text(NARRATIVE)).to_be_visible()
    expect(page.get_by_role("button", name="Save a copy of your answers (PDF)")).to_be_focused()
    press(page, "Send")
    save_copy(page, "Save a copy of what you sent (PDF)")
    follow_link_within(page)
    expect(page.locator("[data-question] h2")).to_be_focused()  # a copy has no code
    assert asked == []


def test_a_file_that_cannot_be_saved_leaves_the_page(page: Page, asked: Dialogs, context: BrowserContext) -> None:
    page.goto("/raise-a-concern")
    fill_in(page)
    check(page)
    context.set_offline(True)

    press(page, "Save a copy of your answers (PDF)")

    expect(page.locator("[data-alert]")).to_have_text("The file could not be saved. Nothing is lost: try again.")
    expect(page.get_by_text(NARRATIVE)).to_be_visible()
    assert asked == []


@pytest.mark.parametrize("path", first_by_day(FORMS))
def test_what_could_not_be_sent_names_the_number_to_call(page: Page, context: BrowserContext, path: str) -> None:
    tell(page, path)
    context.set_offline(True)

    check_from_anywhere(page)

    expect(page.locator("[data-alert]")).to_contain_text("Nothing is lost: try again, or call 01225 396312")
    expect(page.locator("[data-alert] a[href^='tel:']").first).to_be_visible()
    expect(page.locator("[name='concern.narrative']")).to_have_value(SENTENCE)


def test_a_failure_is_shown_apart_from_what_was_sent(page: Page, context: BrowserContext) -> None:
    send_in_danger(page, "/raise-a-concern")
    context.set_offline(True)

    page.get_by_role("button", name="Check what is happening, or add more").click()

    expect(page.locator(".panel + [data-alert]")).to_be_focused()
    assert accessibility_violations(page) == []


def open_status(page: Page) -> None:
    page.get_by_role("button", name=re.compile("what is happening")).click()
    expect(page.locator("h1")).to_have_text(re.compile("^What is happening"))


@pytest.mark.parametrize("form", first_by_day(FORMS))
def test_the_status_page_has_the_code_until_it_was_kept(page: Page, asked: Dialogs, form: str) -> None:
    send_in_danger(page, form)
    code = page.locator(".reference").last.inner_text()
    open_status(page)
    expect(page.locator("[data-code]")).to_contain_text(code)
    assert accessibility_violations(page) == []
    press(page, "Send what you added")
    expect(page.locator(".problem")).to_be_focused()

    page.get_by_label("I have written both down").check()
    page.locator("textarea").fill(SENTENCE)
    press(page, "Send what you added")

    expect(page.locator("h1")).to_have_text("We have what you added")
    expect(page.locator("[data-code]")).to_have_count(0)
    follow_link_within(page)
    page.wait_for_url("**/concerns")
    assert asked == []


def test_a_status_page_asks_only_if_words_were_typed(page: Page, asked: Dialogs) -> None:
    send_in_danger(page, "/worried-about-yourself")
    page.get_by_label("I have written both down").check()
    open_status(page)
    page.locator("[name='immediate_danger'][value='yes']").click()

    expect(page.locator(".alarm:visible h2")).to_be_focused()
    expect(page.locator(".alarm:visible a[href='tel:999']")).to_be_in_viewport()
    page.locator("textarea").fill(SENTENCE)
    follow_link_within(page)

    expect(page.locator("textarea")).to_have_value(SENTENCE)
    assert asked == ["beforeunload"]
    page.locator("textarea").fill("")
    follow_link_within(page)
    page.wait_for_url("**/concerns")
    assert asked == ["beforeunload"]


def test_an_answer_taken_back_closes_the_band_at_the_top(page: Page) -> None:
    tell(page, "/worried-about-yourself")
    check_from_anywhere(page)
    page.get_by_role("button", name="Change your safety").click()
    expect(page.locator(".alarm:visible")).to_have_count(1)

    page.locator("[name='immediate_danger'][value='no']").click()

    expect(page.locator(".alarm:visible")).to_have_count(0)
    page.locator("[name='immediate_danger'][value='yes']").click()
    expect(page.locator(".alarm:visible h2")).to_be_focused()


def test_without_scripts_the_receipt_warns_of_back_and_status_shows_the_code(
    client: TestClient,
) -> None:
    told = {"immediate_danger": "no", "concern.narrative": NARRATIVE, "reporter.kind": "family", "key": KEY}
    receipt = client.post("/raise-a-concern", data=told | {"do": "send"}).text
    form = receipt.rpartition('action="/concerns"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="([^"]*)" value="([^"]*)"', form))

    status = client.post("/concerns", data=fields).text
    typed = client.post("/concerns", data={name: fields[name] for name in ("reference", "code")}).text

    assert "<noscript><p>If you go back, your browser may show an error." in receipt
    assert f'<span class="code">{fields["code"]}</span>' in status
    assert f'<span class="code">{fields["code"]}</span>' not in typed


@pytest.mark.parametrize("path", ["/", "/raise-a-concern", "/worried-about-yourself", "/covering-your-tracks"])
@pytest.mark.parametrize("language", ["", "/cy"])
def test_each_link_to_help_elsewhere_opens_in_a_new_tab(client: TestClient, path: str, language: str) -> None:
    page = client.get(language + path).text

    links = re.findall(r'<a href="https://[^>]*>.*?</a>', page)
    helps = [each for each in links if "data-exit" not in each]
    assert len(helps) >= 2
    for link in helps:
        assert 'target="_blank" rel="noopener noreferrer"' in link
        assert ("(opens in a new tab)" in link) == (language == "")
