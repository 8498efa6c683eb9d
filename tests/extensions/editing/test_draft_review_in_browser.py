"""A corrected number, a translation, a plan and a link in a real browser, by keyboard, with and without scripts."""

import csv
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.models.access.roles import Role
from tests.extensions.editing.test_edit_in_browser import expect_well_made, status_of
from tests.extensions.editing.test_rendition_drafts import reword
from tests.support.browsing import accessibility_violations
from tests.support.drafts import Running, page_of, press, press_and_arrive
from tests.support.loops import first_by_day
from tests.support.publishing import SLUG
from tests.support.waiting import eventually

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

A_WRONG_ROW = b"Key,English text,Translation,Version\nnone-such,Words,Geiriau,\n"
OLD, NEW = "396312", "396314"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    service = Running(tmp_path / "data")
    yield service
    service.stop()


def follow(page: Page, name: str) -> None:
    """Follow the link by the keyboard alone."""
    with page.expect_navigation():
        page.get_by_role("link", name=name, exact=True).first.press("Enter")


def correct_number(page: Page) -> None:
    for field in page.locator(f'input[value*="{OLD}"]').all():
        field.fill(field.input_value().replace(OLD, NEW))


def correct_welsh(page: Page) -> None:
    with page.expect_navigation():
        page.locator("li#cy button").press("Enter")


def begin_next_edition(page: Page) -> None:
    page.goto("/edit")
    with page.expect_navigation():
        page.locator(f'form[action="/edit/{SLUG}/begin"] button').press("Enter")


def offer_next_edition(page: Page) -> None:
    begin_next_edition(page)
    follow(page, "Contacts")
    correct_number(page)
    press_and_arrive(page, "Save")
    follow(page, f"Draft of {SLUG}")
    press_and_arrive(page, "Ask a second person to publish it")


def test_a_number_is_corrected_in_four_presses_and_two(browser: Browser, running: Running) -> None:
    ann = page_of(browser, running, "Ann Example", Role.EDITOR)
    ben = page_of(browser, running, "Ben Example", Role.PUBLISHER)

    begin_next_edition(ann)  # 1
    follow(ann, "Contacts")  # 2
    correct_number(ann)
    expect(status_of(ann)).to_contain_text("Saved ")
    expect(ann.locator("[data-changes]")).to_contain_text(f"01225 {NEW}")
    expect_well_made(ann, "compared")
    follow(ann, f"Draft of {SLUG}")  # 3
    expect(ann.get_by_label("Change note")).to_have_value(f"Duty and Assessment Team: 01225 {OLD} is now 01225 {NEW}.")
    expect_well_made(ann, "to-offer")
    press_and_arrive(ann, "Ask a second person to publish it")  # 4
    ben.goto("/edit")
    expect(ben.get_by_role("link", name="Guides 1 waiting for you")).to_be_visible()
    ben.get_by_role("main").get_by_role("link").first.press("Enter")  # 1
    ben.wait_for_url(f"**/edit/{SLUG}")
    expect_well_made(ben, "offered")
    press_and_arrive(ben, "I have read the changes: publish edition 2 now")  # 2

    expect(ben.get_by_role("heading", name="Edition 2 is published")).to_be_visible()
    ben.goto(f"/edit/{SLUG}/history")
    expect(ben.get_by_text(f"01225 {NEW}").first).to_be_visible()
    expect_well_made(ben, "history")
    follow(ben, "Withdraw edition 2")
    ben.get_by_label("Reason").fill("The number was wrong.")
    press_and_arrive(ben, "Look at what readers will get")
    expect_well_made(ben, "withdrawal")
    press_and_arrive(ben, "Withdraw edition 2 now")
    ben.goto(f"/guides/{SLUG}")
    expect(ben.get_by_text(f"01225 {OLD}").first).to_be_visible()


def upload_table(page: Page, data: bytes) -> None:
    page.get_by_label("The filled table").set_input_files(
        {"name": "filled.csv", "mimeType": "text/csv", "buffer": data}
    )
    press_and_arrive(page, "Upload the table")


def fill_table(page: Page, words: str) -> None:
    """Download the table, put the words into the row whose English text changed, and upload it."""
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Download the table").press("Enter")
    rows = list(csv.reader(downloaded.value.path().read_text("utf-8-sig").splitlines(keepends=True)))
    (changed,) = (each for each in rows if "has changed" in each[4])
    changed[2] = words
    filled = io.StringIO(newline="")
    csv.writer(filled, delimiter=";").writerows([*rows, ["none-such", "", "", "", "", ""]])
    upload_table(page, filled.getvalue().encode())


def test_a_translation_goes_stale_and_is_mended_without_scripts(browser: Browser, running: Running) -> None:
    ann = page_of(browser, running, "Ann Example", Role.EDITOR, scripts=False)
    ben = page_of(browser, running, "Ben Example", Role.PUBLISHER)
    reword(running.service)
    ann.goto("/edit")
    follow(ann, "Welsh")
    correct_welsh(ann)
    expect(ann.get_by_text("The guide’s words changed")).to_have_count(1)
    follow(ann, f"Draft of {SLUG}, Welsh")
    fill_table(ann, "Geiriau newydd o’r tabl")
    expect(ann.get_by_role("heading", name="1 translation taken from the table")).to_be_visible()
    expect(ann.get_by_text("the guide has no text with this key")).to_be_visible()
    expect(ann.get_by_text("The guide’s words changed")).to_have_count(0)
    follow(ann, "Edit the texts")
    ann.get_by_label("Checked by").fill("Example Translation Team")
    ann.get_by_label("Checked on").fill("2026-11-24")
    press_and_arrive(ann, "Save")
    press_and_arrive(ann, "Ask a second person to publish it")

    ben.goto(f"/edit/{SLUG}/renditions/cy")
    expect_well_made(ben, "rendition")
    press_and_arrive(ben, "I have read the changes: publish this rendition now")
    ben.goto(f"/edit/{SLUG}/renditions")
    expect(ben.get_by_text("Checked by Example Translation Team")).to_be_visible()
    expect(ben.get_by_text("Of edition 2, the current one.").first).to_be_visible()
    expect_well_made(ben, "renditions")
    correct_welsh(ben)
    expect_well_made(ben, "texts")
    ben.locator("textarea").first.fill("Geiriau newydd")
    expect(status_of(ben)).to_contain_text("Not saved yet.")
    expect(status_of(ben)).to_contain_text("Saved ")
    follow(ben, f"Draft of {SLUG}, Welsh")
    upload_table(ben, A_WRONG_ROW)
    expect(ben.get_by_role("alert")).to_contain_text("Nothing was taken from the table")
    expect_well_made(ben, "table-refused")


@pytest.mark.parametrize("scripts", first_by_day([True, False]))
def test_a_link_leads_someone_without_an_account_to_the_draft(
    browser: Browser, running: Running, scripts: bool
) -> None:
    ann = page_of(browser, running, "Ann Example", Role.EDITOR)
    offer_next_edition(ann)
    press_and_arrive(ann, "Make a link")
    expect_well_made(ann, "linked")
    link = f"{running.address}/draft-preview#{ann.get_by_label('Link').input_value().partition('#')[2]}"

    reader = browser.new_context(java_script_enabled=scripts, viewport={"width": 390, "height": 844}).new_page()
    reader.goto(link if scripts else link.partition("#")[0])
    if not scripts:
        reader.get_by_label("Link").fill(link)
        press(reader, "Show the draft")

    expect(reader.get_by_text("DRAFT. Not published")).to_be_visible()
    expect(reader.get_by_text(f"01225 {NEW}").first).to_be_visible()
    assert "#" not in reader.url
    if scripts:
        assert accessibility_violations(reader) == []


@pytest.mark.nightly
def test_a_plan_is_made_cancelled_and_carried_out_by_the_keyboard(browser: Browser, running: Running) -> None:
    ann = page_of(browser, running, "Ann Example", Role.EDITOR)
    ben = page_of(browser, running, "Ben Example", Role.PUBLISHER)
    offer_next_edition(ann)

    ben.goto(f"/edit/{SLUG}")
    ben.get_by_text("Publish at a time", exact=True).press("Enter")
    ben.get_by_label("Day", exact=True).fill("2027-10-31")
    ben.get_by_label("Time in London").fill("01:30")
    press_and_arrive(ben, "I have read the changes: publish edition 2 then")
    expect(ben.get_by_text("This time comes twice")).to_be_visible()
    expect_well_made(ben, "twice")
    ben.get_by_label("The second, an hour later").press("Space")
    press_and_arrive(ben, "I have read the changes: publish edition 2 then")
    expect(ben.get_by_text("Sunday 31 October 2027 at 01:30 (Greenwich Mean Time)")).to_be_visible()
    press_and_arrive(ben, "Do not publish it then")

    expect(ben.get_by_text("Waiting for a second person.")).to_be_visible()
    ben.get_by_text("Publish at a time", exact=True).press("Enter")
    ben.get_by_label("Day", exact=True).fill("2026-11-24")
    ben.get_by_label("Time in London").fill("09:45")
    press_and_arrive(ben, "I have read the changes: publish edition 2 then")
    expect(ben.get_by_text("Tuesday 24 November 2026 at 09:45 (Greenwich Mean Time)")).to_be_visible()
    running.clock.time = dt.datetime(2026, 11, 24, 9, 45, tzinfo=dt.UTC)
    assert eventually(lambda: ben.request.get(f"/v1/guides/{SLUG}/editions/2").ok, poll_seconds=0.2)
    ben.goto(f"/guides/{SLUG}")
    expect(ben.get_by_text(f"01225 {NEW}").first).to_be_visible()
