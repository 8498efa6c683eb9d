"""Unsent text at the desk: it is there again after any way off the concern, and nowhere in clear."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.models.access.roles import Role
from app.models.concerns.examples import FULL_EXAMPLE
from tests.support.browsing import accessibility_violations, sign_out, unfold
from tests.support.canaries import CANARY
from tests.support.concerns import raise_concern
from tests.support.desk import DESKS, Served, served_desk
from tests.support.desk_states import SAM, act, session_of
from tests.support.loops import by_day, first_by_day
from tests.support.people import JO, accept_invitation, invited, virtual_authenticator
from tests.support.unsealing import need_script, unlock
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

LETTERS = 900
TYPED = (f"{CANARY} rang twice. " * LETTERS)[:LETTERS].strip()
NOTE, MESSAGE, CLOSING = "New note", "New message to the reporter", "Last message to the reporter"
REASON = "Reason. Recorded: do not name anyone"
BACK = "The text that you typed in this tab and did not send is back."
STORED = "JSON.stringify([{ ...sessionStorage }, { ...localStorage }])"
KEPT = "Object.keys(sessionStorage).filter((name) => name.startsWith('typed/')).length"
WITHOUT_STORAGE = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };"
"""The services. By day every test runs on the first, and what must not lose a word on the second too."""
on_both = pytest.mark.parametrize("served", first_by_day(DESKS), indirect=True)
SENTENCES = re.compile(r"[A-Z][a-z ]+\.")


@dataclass
class Tab:
    """A tab of a person who is signed in, with a concern, and what the browser asked."""

    page: Page
    served: Served
    reference: str
    asked: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/desk/concerns/{self.reference}"

    def field(self, label: str) -> Locator:
        found = self.page.get_by_label(label)
        unfold(found)
        return found

    def open(self) -> None:
        """Show the concern with its words."""
        self.page.goto(self.path)
        self.use_key()

    def use_key(self) -> None:
        """Open the concern that the page shows, if the service did not open it and no identity is held."""
        if self.served.identity is not None:
            expect(self.page.locator("[data-lock]")).to_have_text(re.compile("ocked"))
            if self.page.locator("[data-lock].unlocked").count() == 0:
                unlock(self.page, self.served.identity)
        expect(self.page.get_by_role("article")).to_be_visible()

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).first.press("Enter")

    def follow(self, link: str) -> None:
        self.page.get_by_role("link", name=link, exact=True).first.press("Enter")

    def kept(self) -> int:
        """Return of how many concerns something is kept."""
        count: int = self.page.evaluate(KEPT)
        return count


@pytest.fixture(scope="module", params=first_by_day(DESKS))
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    need_script()
    with served_desk(tmp_path_factory.mktemp("desk"), request.param) as served:
        yield served


@pytest.fixture
def tab(browser: Browser, served: Served) -> Iterator[Tab]:
    with httpx.Client(base_url=served.url, trust_env=False, timeout=30) as client:
        reference = raise_concern(client, **FULL_EXAMPLE)["reference"]
    context = browser.new_context(base_url=served.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    tab = Tab(page, served, reference)

    def answer(dialog: Any) -> None:
        tab.asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    with virtual_authenticator(context, page):
        accept_invitation(page, invited(served.service, JO, Role.LEAD))
        yield tab
    context.close()


def assign(tab: Tab) -> None:
    tab.press("Assign to me")
    expect(tab.page.get_by_text(f"Done: assigned to {JO}")).to_be_visible()


def acknowledge(tab: Tab) -> None:
    tab.press("Acknowledge")
    expect(tab.page.get_by_role("status").filter(has_text="Done: acknowledged")).to_be_visible()


def follow_links(tab: Tab) -> None:
    tab.follow("Inbox")
    tab.follow(tab.reference)


def go_back_and_forward(tab: Tab) -> None:
    tab.page.go_back()
    expect(tab.page.get_by_role("heading", name="Inbox")).to_be_visible()
    tab.page.go_forward()


def reload(tab: Tab) -> None:
    tab.page.reload()


def lose_session_and_sign_in(tab: Tab) -> None:
    """Send the note after the session has ended, and sign in again."""
    tab.page.context.clear_cookies()
    tab.press("Add the note")
    expect(tab.page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(tab.page.get_by_text("Signed in as")).to_have_count(0)
    expect(tab.page.get_by_text("It is back when you have signed in and opened the concern.")).to_be_visible()
    assert accessibility_violations(tab.page) == []
    assert TYPED not in tab.page.content()
    tab.follow("Sign in")
    tab.press("Sign in with a passkey")


def blank_and_continue(tab: Tab) -> None:
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("heading", name="Blank page")).to_be_attached()
    tab.follow("Continue")


WAYS: dict[str, Callable[[Tab], None]] = {
    "assign it": assign,
    "acknowledge it": acknowledge,
    "a link and back by another": follow_links,
    "Back and Forward": go_back_and_forward,
    "reload": reload,
    "the session ends, and a new sign-in": lose_session_and_sign_in,
    "Escape and Continue": blank_and_continue,
}


@on_both
@pytest.mark.parametrize("way", by_day(WAYS, ["a link and back by another"]))
def test_every_way_off_a_concern_keeps_the_words_typed(tab: Tab, way: str) -> None:
    tab.open()
    tab.field(NOTE).fill(TYPED)
    tab.field(MESSAGE).fill(f"{CANARY} asked.")

    WAYS[way](tab)
    expect(tab.page.get_by_role("heading", name=f"Concern {tab.reference}")).to_be_visible()
    tab.use_key()

    expect(tab.field(NOTE)).to_have_value(TYPED)
    expect(tab.field(MESSAGE)).to_have_value(f"{CANARY} asked.")
    assert tab.kept() == 1
    stored = tab.page.evaluate(STORED)
    assert [each for each in (CANARY, tab.reference, JO) if each in stored] == []
    assert tab.asked == []
    assert accessibility_violations(tab.page) == []


@on_both
def test_every_field_of_the_forms_is_put_back(tab: Tab) -> None:
    tab.open()
    acknowledge(tab)
    tab.page.get_by_text("Put on hold").press("Enter")
    tab.field(REASON).fill(f"{CANARY} in court.")
    tab.page.get_by_label("Early help").check()
    tab.field(CLOSING).fill(f"{CANARY} thank you.")

    reload(tab)
    tab.use_key()

    expect(tab.page.get_by_text(BACK)).to_be_visible()
    expect(tab.field(REASON)).to_be_visible()
    expect(tab.field(REASON)).to_have_value(f"{CANARY} in court.")
    expect(tab.page.get_by_label("Early help")).to_be_checked()
    expect(tab.field(CLOSING)).to_have_value(f"{CANARY} thank you.")


def test_what_was_sent_is_kept_no_more_and_the_rest_still_is(tab: Tab) -> None:
    tab.open()
    tab.field(NOTE).fill(TYPED)
    tab.field(MESSAGE).fill(f"{CANARY} asked.")
    reload(tab)
    tab.use_key()
    expect(tab.field(NOTE)).to_have_value(TYPED)

    tab.press("Add the note")
    expect(tab.page.get_by_role("heading", name=f"Note 1 by {JO}")).to_be_visible()
    expect(tab.field(MESSAGE)).to_have_value(f"{CANARY} asked.")
    tab.press("Send the message")
    expect(tab.page.get_by_text("Not read yet")).to_be_visible()

    assert tab.kept() == 0
    reload(tab)
    tab.use_key()
    assert [tab.field(label).input_value() for label in (NOTE, MESSAGE)] == ["", ""]


@pytest.mark.parametrize("button", first_by_day(["Sign out", "Sign out everywhere"]))
def test_signing_out_leaves_nothing_in_the_tab(tab: Tab, button: str) -> None:
    tab.open()
    tab.field(NOTE).fill(TYPED)
    wait_until(lambda: tab.kept() == 1)

    sign_out(tab.page, button)
    expect(tab.page.get_by_role("heading", name="Sign in to the desk")).to_be_visible()

    assert tab.page.evaluate(STORED) == "[{},{}]"
    assert tab.asked == []


def test_text_that_a_person_deletes_is_kept_no_more(tab: Tab) -> None:
    tab.open()
    tab.field(NOTE).fill(TYPED)
    wait_until(lambda: tab.kept() == 1)
    tab.field(NOTE).fill("")
    wait_until(lambda: tab.kept() == 0)
    tab.field(NOTE).fill(TYPED)
    reload(tab)
    tab.use_key()
    expect(tab.field(NOTE)).to_have_value(TYPED)

    tab.press("Delete my unsent text")

    expect(tab.field(NOTE)).to_have_value("")
    assert tab.kept() == 0


def test_another_person_in_the_same_tab_sees_no_words_of_the_first(tab: Tab) -> None:
    tab.open()
    tab.field(NOTE).fill(TYPED)
    (own,) = tab.page.context.cookies()
    other = {**own, "value": session_of(tab.served.service, SAM, Role.WORKER)}

    tab.page.context.add_cookies([other])  # type: ignore[list-item]  # as it was given
    tab.open()
    expect(tab.page.get_by_role("button", name=f"Signed in as {SAM}")).to_be_visible()
    assert (tab.field(NOTE).input_value(), tab.page.get_by_text(BACK).count()) == ("", 0)
    tab.field(NOTE).fill("Sam’s own words.")
    tab.page.context.add_cookies([own])  # type: ignore[list-item]
    tab.open()

    expect(tab.field(NOTE)).to_have_value(TYPED)


@pytest.mark.nightly
@on_both
def test_a_refused_act_keeps_the_words_in_form_and_tab(tab: Tab) -> None:
    sam = session_of(tab.served.service, SAM, Role.WORKER)
    tab.open()
    tab.field(NOTE).fill(TYPED)
    tab.field(MESSAGE).fill(f"{CANARY} asked.")
    with httpx.Client(base_url=tab.served.url, trust_env=False, timeout=30) as client:
        assert act(client, sam, f"{tab.path}/assignment", person=SAM) == [303]
        assert act(client, sam, f"{tab.path}/acknowledgement", up_to_addition="0") == [303]

    tab.press("Send the message")
    expect(tab.page.get_by_role("heading", name="Someone else changed this concern")).to_be_visible()
    expect(tab.field(MESSAGE)).to_have_value(f"{CANARY} asked.")
    tab.follow(f"Look at the concern {tab.reference} as it is now")
    tab.use_key()

    expect(tab.field(MESSAGE)).to_have_value(f"{CANARY} asked.")
    expect(tab.field(NOTE)).to_have_value(TYPED)


@on_both
def test_a_server_that_does_not_answer_loses_nothing(tab: Tab) -> None:
    tab.open()
    tab.field(NOTE).fill(TYPED)
    tab.page.route("**/notes", lambda route: route.fulfill(status=502, content_type="text/html", body="<h1>Away</h1>"))
    tab.press("Add the note")
    expect(tab.page.get_by_role("alert")).to_contain_text("What you typed is still on this page")

    reload(tab)
    tab.use_key()

    expect(tab.field(NOTE)).to_have_value(TYPED)


@pytest.mark.nightly
def test_a_note_whose_answer_was_lost_is_not_written_twice(tab: Tab) -> None:
    tab.open()
    tab.field(NOTE).fill(TYPED)

    def lose(route: Any) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    tab.page.route("**/notes", lose, times=1)
    tab.press("Add the note")
    expect(tab.page.get_by_role("alert")).to_contain_text("The service does not answer")
    reload(tab)
    tab.use_key()
    expect(tab.field(NOTE)).to_have_value(TYPED)
    tab.press("Add the note")

    done, refused = tab.page.locator("#done"), tab.page.get_by_text("You have already sent this form")
    expect(done.or_(refused)).to_be_visible()
    tab.open()
    expect(tab.page.get_by_role("heading", name=f"Note 1 by {JO}")).to_be_visible()
    expect(tab.page.get_by_role("heading", name=f"Note 2 by {JO}")).to_have_count(0)


def test_a_browser_that_keeps_nothing_says_so_and_asks_before_leaving(tab: Tab) -> None:
    tab.page.add_init_script(WITHOUT_STORAGE)
    tab.open()
    tab.field(NOTE).fill(TYPED)
    expect(tab.page.get_by_role("alert")).to_contain_text("This browser cannot keep what you type")
    assign(tab)
    expect(tab.field(NOTE)).to_have_value(TYPED)

    reload(tab)

    assert tab.asked == ["beforeunload"]


def test_without_the_script_the_page_asks_before_text_is_left(tab: Tab) -> None:
    tab.page.route("**/unseal.js", lambda route: route.abort())
    tab.page.goto(tab.path)
    tab.field(NOTE).fill(TYPED)

    reload(tab)

    assert tab.asked == ["beforeunload"]


def test_text_typed_before_the_key_is_chosen_joins_what_was_kept(tab: Tab) -> None:
    tab.open()
    tab.field(NOTE).fill("First words.")
    reload(tab)
    tab.field(NOTE).press_sequentially("Second words.")
    reload(tab)

    tab.use_key()

    wait_until(lambda: {"First words.", "Second words."} <= set(SENTENCES.findall(tab.field(NOTE).input_value())))


@pytest.mark.nightly
def test_a_tab_that_was_copied_does_not_write_the_note_twice(tab: Tab) -> None:
    tab.open()
    tab.field(NOTE).fill(TYPED)
    wait_until(lambda: tab.kept() == 1)
    with tab.page.expect_popup() as opened:
        tab.page.evaluate("void window.open(location.href)")
    copy = replace(tab, page=opened.value)
    tab.press("Add the note")
    expect(tab.page.get_by_role("heading", name=f"Note 1 by {JO}")).to_be_visible()

    copy.page.reload()
    copy.use_key()
    expect(copy.field(NOTE)).to_have_value(TYPED)
    copy.press("Add the note")
    expect(copy.page.locator("#done").or_(copy.page.get_by_text("You have already sent this form"))).to_be_visible()

    tab.open()
    expect(tab.page.get_by_role("heading", name=f"Note 2 by {JO}")).to_have_count(0)


def test_words_for_a_form_that_is_gone_are_shown(tab: Tab) -> None:
    tab.open()
    acknowledge(tab)
    tab.field(CLOSING).fill(TYPED)
    sam = session_of(tab.served.service, SAM, Role.WORKER)
    with httpx.Client(base_url=tab.served.url, trust_env=False, timeout=30) as client:
        assert act(client, sam, f"{tab.path}/outcome", outcome="early_help") == [303]

    reload(tab)
    tab.use_key()

    expect(tab.page.locator("p.as-typed", has_text=TYPED)).to_be_visible()
    assert accessibility_violations(tab.page) == []


def test_escape_closes_an_open_element_first_and_ignores_a_closed_list(tab: Tab) -> None:
    tab.open()
    heading, summary = tab.page.get_by_role("heading", name="Blank page"), tab.page.get_by_text("Put on hold")
    unfold(summary)
    summary.press("Enter")
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_label(REASON)).to_be_hidden()
    tab.page.evaluate(
        "document.body.append(Object.assign(document.createElement('dialog'), { id: 'any' })); any.showModal()"
    )
    tab.page.keyboard.press("Escape")
    expect(tab.page.locator("dialog")).to_be_hidden()
    assert tab.page.url.endswith(tab.path)

    tab.field("Person").focus()
    tab.page.keyboard.press("Escape")

    expect(heading).to_be_attached()
