"""A worker's day in a real browser, by keyboard only: from the sign-in to the way out, and the reporter."""

import json
import re
from pathlib import Path
from typing import Any

import pyrage
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from app.models.access.roles import Role
from app.services.access.people import remove_person_access
from tests.support.browsing import Keyboard, sign_out
from tests.support.clock import A_TUESDAY
from tests.support.concerns import raise_at
from tests.support.people import JO, context_of_service, invited, virtual_authenticator
from tests.support.service import a_service

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

BODY = "Example Council"
WORDS = "Alex Example was collected from school by an adult whom staff do not know."
NOTE = "Spoke to Example School. Call again on Monday."
QUESTION = "Which school does Alex Example go to?"
ANSWER = "Example School, since September."
REASON = "The child lives there."
A4 = (0, 0, 595, 842)
PRESSES = 3


@pytest.fixture
def neighbour() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def service(tmp_path: Path, neighbour: pyrage.x25519.Identity) -> FastAPI:
    bodies = {BODY: str(neighbour.to_public())}
    return a_service(data_dir=tmp_path / "data", hand_over_bodies=bodies)


def answer_as_reporter(browser: Browser, url: str, receipt: dict[str, Any]) -> None:
    """Read the question on the status page, and answer it there."""
    page = browser.new_page(base_url=url)
    page.goto("/concerns")
    page.get_by_label("Reference").fill(receipt["reference"])
    page.get_by_label("Code").fill(receipt["status_token"])
    page.keyboard.press("Enter")
    expect(page.get_by_text(QUESTION)).to_be_visible()
    page.locator("textarea").fill(ANSWER)
    page.get_by_role("button", name="Send what you added").click()
    expect(page.get_by_text("added").first).to_be_visible()
    page.close()


def sign_in_and_open(page: Page, service: FastAPI, urgent: str) -> None:
    """Come from the sign-in to the words of the most urgent concern by three presses at most."""
    keys = Keyboard(page)
    page.goto(f"/desk/invitation#{invited(service, JO, Role.WORKER)}")
    keys.press("button", "Create a passkey and sign in")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    assert "#" not in page.url
    sign_out(page)
    keys.presses = 0
    keys.press("button", "Sign in with a passkey")
    expect(page.locator("[data-row]").first).to_contain_text("Danger")
    keys.press("link", urgent)
    expect(page.get_by_text(WORDS)).to_be_visible()
    assert keys.presses <= PRESSES


def acknowledge_note_and_ask(page: Page) -> None:
    """Acknowledge, write a note and send a question, which the desk cannot read again."""
    Keyboard(page).press("button", "Acknowledge")
    expect(page.get_by_role("status")).to_contain_text("Done: acknowledged")
    expect(page.get_by_role("status")).to_be_focused()
    Keyboard(page).write("New note", NOTE)
    Keyboard(page).press("button", "Add the note")
    expect(page.get_by_role("heading", name="Note 1 by Jo Example")).to_be_visible()
    Keyboard(page).write("New message to the reporter", QUESTION)
    Keyboard(page).press("button", "Send the message")
    expect(page.get_by_text("Not read yet")).to_be_visible()
    assert QUESTION not in page.content()


def find_the_answer(page: Page, urgent: str) -> None:
    """Send a second question without having seen the answer; see both."""
    Keyboard(page).write("New message to the reporter", "Who lives there?")
    Keyboard(page).press("button", "Send the message")
    expect(page.get_by_role("heading", name="Someone else changed this concern")).to_be_visible()
    expect(page.get_by_label("New message to the reporter")).to_have_value("Who lives there?")
    Keyboard(page).press("link", f"Look at the concern {urgent} as it is now")
    expect(page.get_by_text(ANSWER)).to_be_visible()
    expect(page.get_by_text("Answered by")).to_be_visible()
    Keyboard(page).press("button", "Acknowledge with addition 1")
    expect(page.get_by_text("Done: acknowledged")).to_be_visible()


def assign_and_hold(page: Page) -> None:
    """Assign the concern to oneself, and hold it."""
    Keyboard(page).press("button", "Assign to me")
    expect(page.get_by_text("Done: assigned to Jo Example")).to_be_visible()
    Keyboard(page).open_up("Put on hold")
    Keyboard(page).write("Reason. Recorded: do not name anyone", "Court proceedings.")
    Keyboard(page).press("button", "Hold")
    expect(page.get_by_text("Done: held")).to_be_visible()


def hand_over(page: Page, neighbour: pyrage.x25519.Identity) -> None:
    """Hand the concern over, open the file as the other body does, store its receipt."""
    Keyboard(page).open_up("Hand it over")
    Keyboard(page).write("Which organisation", BODY)
    Keyboard(page).write("Reason. Recorded, and sent to the organisation", REASON)
    Keyboard(page).press("button", "Hand it over")
    expect(page.get_by_role("heading", name="Hand-over recorded")).to_be_visible()
    with page.expect_download() as saved:
        Keyboard(page).press("link", "Save the file")
    package = json.loads(pyrage.decrypt(saved.value.path().read_bytes(), [neighbour]))
    assert package["additions"][0]["addition"]["concern"]["narrative"] == ANSWER
    Keyboard(page).press("link", "Back to the concern")
    Keyboard(page).write("Receipt that the organisation sent back", "Received by Example Council.")
    Keyboard(page).press("button", "Store the receipt")
    expect(page.get_by_text("Done: receipt from the other organisation stored")).to_be_visible()


def close_and_print(page: Page) -> None:
    """Close the concern, and print it on A4 without the notes and what is only for the screen."""
    Keyboard(page).choose("No further action")
    Keyboard(page).press("button", "Close the concern")
    expect(page.get_by_text("Done: closed")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_text(WORDS)).to_be_visible()
    expect(page.get_by_text("by Jo Example. Confidential: about a child.")).to_be_visible()
    expect(page.get_by_text(NOTE)).to_be_hidden()
    expect(page.get_by_role("button", name="Add the note")).to_be_hidden()
    boxes = re.findall(rb"/MediaBox \[([0-9. ]+)\]", page.pdf(prefer_css_page_size=True))
    assert {tuple(round(float(each)) for each in box.split()) for box in boxes} == {A4}
    page.emulate_media(media="screen")


def blank(page: Page) -> None:
    """Blank the screen, so that neither page nor title has the concern, and go on."""
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Continue")).to_be_visible()
    assert (page.title(), WORDS in page.content()) == ("Blank page", False)
    Keyboard(page).press("link", "Continue")


def look_around(page: Page) -> None:
    """Look at the day, filter the inbox, and say that one has looked."""
    page.locator(".to-desk-menu").press("Enter")
    Keyboard(page).press("link", "The team’s day")
    expect(page.get_by_role("region", name="Figures of each day")).to_be_visible()
    Keyboard(page).press("link", "Inbox")
    page.locator(".inbox-filters a", has_text="Mine").press("Enter")
    Keyboard(page).open_up("More lists and filters")
    page.get_by_label("Immediate danger in the first report").select_option("Yes")
    Keyboard(page).press("button", "Show")
    expect(page).to_have_url(re.compile(r"who=me&danger=yes"))
    Keyboard(page).open_up("More lists and filters: filtered")
    Keyboard(page).press("link", "New since I last looked")
    Keyboard(page).press("button", "I have looked at these")
    expect(page.get_by_text("New since you last looked")).to_be_visible()


def test_a_worker_does_a_day_s_work_by_keyboard(
    browser: Browser, service: FastAPI, url: str, neighbour: pyrage.x25519.Identity
) -> None:
    raise_at(url)
    receipt = raise_at(url, immediate_danger="yes")
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.set_default_timeout(30_000)
    page = context.new_page()
    with virtual_authenticator(context, page):
        sign_in_and_open(page, service, receipt["reference"])
        acknowledge_note_and_ask(page)
        answer_as_reporter(browser, url, receipt)
        find_the_answer(page, receipt["reference"])
        assign_and_hold(page)
        hand_over(page, neighbour)
        close_and_print(page)
        blank(page)
        look_around(page)

        context_of_service(service).writer.run(remove_person_access, JO, at=A_TUESDAY)
        Keyboard(page).press("link", "Inbox")
        expect(page.get_by_role("heading", name="Sign in to the desk")).to_be_visible()
    context.close()
