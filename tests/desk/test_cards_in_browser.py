"""A child is recognised in the browser, at a service that cannot read: names, search, and who is perhaps known."""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Locator, Page, expect

from app.models.access.roles import Role
from app.models.audit.rows import DeskAct
from app.services.concerns.keys import DEVELOPMENT_IDENTITY, create_identity
from tests.support.browsing import accessibility_violations, browser_with_profile, places_in_profile, unfold
from tests.support.clock import A_TUESDAY
from tests.support.command import guidance
from tests.support.databases import files_of
from tests.support.desk import acts_on, desk_of
from tests.support.desk_states import SAM, act, session_of, sign_in
from tests.support.invented_concerns import invent_concerns, submission_of
from tests.support.live import LiveServer
from tests.support.people import JO, accept_invitation, virtual_authenticator
from tests.support.recognition import SEED
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.unsealing import RecordingProxy, choose_key, need_script, unlock

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

SCHOOL = "Exampleton Primary School"
CHILDREN: dict[str, dict[str, Any]] = {
    "alexander": {
        "given_names": "Alexander",
        "family_name": "Zymurgyby",
        "estimated_age": 9,
        "school_or_setting": SCHOOL,
    },
    "alex": {"given_names": "Alex", "family_name": "Zymurgbyy", "school_or_setting": "Exampleton Primary"},
    "friend": {"given_names": "Alex", "school_or_setting": "Exampleton Primary Sch"},
    "robin": {"given_names": "Robin", "family_name": "Testwick", "home_address": {"postcode": "XX1 1XX"}},
}
SAME = re.compile("^Same as")
MOST_SECONDS = 2
Shared = tuple[FastAPI, str, Path, dict[str, str]]
NOT_FOUND = "No match found by name, birth, school, address, number or vehicle."
LEAST_WIDTH = 200
"""Of a value that stands beside another one, in pixels."""


def concern_about(child: dict[str, Any]) -> dict[str, Any]:
    return {
        "immediate_danger": "no",
        "reporter": {"kind": "member_of_public"},
        "children": [child],
        "concern": {"narrative": f"About {child['given_names']}, told in this test."},
    }


def raise_concerns(url: str) -> dict[str, str]:
    """Raise a concern about each child, and return the references."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        answers = {name: http.post("/v1/concerns", json=concern_about(child)) for name, child in CHILDREN.items()}
    return {name: answer.json()["reference"] for name, answer in answers.items()}


@dataclass(frozen=True)
class Desk:
    """The inbox in a browser, before any identity is chosen, with the team's identity and the references."""

    page: Page
    identity: Path
    references: dict[str, str]

    def unlock(self) -> None:
        unlock(self.page, self.identity)
        expect(self.state).to_contain_text("4 concerns can be searched")

    @property
    def state(self) -> Locator:
        return self.page.locator("#find-state")

    def find(self, words: str) -> None:
        self.page.locator("#reference").fill(words)

    @property
    def found(self) -> set[str]:
        """The names of the concerns that the search shows."""
        expect(self.state).to_contain_text("found")
        links = {link.get_attribute("href") or "" for link in self.page.locator("#found .row-link").all()}
        return {name for name, reference in self.references.items() if f"/desk/concerns/{reference}" in links}

    def open(self, name: str) -> None:
        """Go to the concern by its link in the inbox."""
        self.page.get_by_role("link", name=self.references[name], exact=True).click()
        expect(self.known.get_by_role("heading", name="Perhaps known")).to_be_visible()

    @property
    def known(self) -> Locator:
        return self.page.locator("aside[data-perhaps-known]")

    def offer(self, name: str) -> Locator:
        return self.known.locator(".known > li", has_text=self.references[name])


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_script()
    return tmp_path_factory.mktemp("keys") / "team.txt"


@pytest.fixture
def service(tmp_path: Path, identity: Path) -> FastAPI:
    identity.unlink(missing_ok=True)
    return a_service(data_dir=tmp_path / "data", seal_to=(create_identity(identity, at=A_TUESDAY),))


@pytest.fixture
def desk(browser: Browser, service: FastAPI, url: str, identity: Path) -> Iterator[Desk]:
    with desk_in(browser, service, url, identity, raise_concerns(url)) as desk:
        yield desk


@contextmanager
def desk_in(browser: Browser, service: FastAPI, url: str, identity: Path, references: dict[str, str]) -> Iterator[Desk]:
    """Show the inbox to a worker who has just signed in."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    sign_in(page, service, Role.WORKER)
    page.goto("/desk")
    yield Desk(page, identity, references)
    context.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """A service with its address, its identity and its concerns, for the tests that change nothing."""
    need_script()
    folder = tmp_path_factory.mktemp("shared")
    recipient = create_identity(folder / "team.txt", at=A_TUESDAY)
    service = a_service(data_dir=folder / "data", seal_to=(recipient,))
    with run_server(service) as address:
        url = address.replace("127.0.0.1", "localhost")
        yield service, url, folder / "team.txt", raise_concerns(url)


@pytest.fixture
def reader(browser: Browser, shared: Shared) -> Iterator[Desk]:
    """The desk of a worker who only reads."""
    with desk_in(browser, *shared) as desk:
        yield desk


def test_rows_name_the_children_once_an_identity_is_chosen(reader: Desk) -> None:
    row = reader.page.locator(f"[data-card='{reader.references['alexander']}']")
    expect(row).to_have_text("locked")

    reader.unlock()

    expect(row).to_have_text("Alexander Zymurgyby, 9")
    assert accessibility_violations(reader.page) == []


@pytest.mark.nightly
def test_names_in_other_forms_numbers_and_schools_are_found(reader: Desk) -> None:
    reader.unlock()

    for words, expected in {
        "alexander": {"alexander", "alex", "friend"},
        "zymurgyby": {"alexander", "alex"},
        "robyn testwick": {"robin"},
        "xx1 1xx": {"robin"},
        "exampleton alex": {"alexander", "alex", "friend"},
    }.items():
        reader.find(words)
        expect(reader.page.locator("#found tbody tr")).to_have_count(len(expected))
        assert reader.found == expected

    assert accessibility_violations(reader.page) == []


def test_nothing_found_names_what_was_compared(reader: Desk) -> None:
    reader.unlock()
    reader.find("somebody else")

    expect(reader.page.locator("#found")).to_contain_text(NOT_FOUND)
    assert "not known" not in reader.page.content()


def test_a_name_that_is_typed_before_a_key_is_not_sent(reader: Desk) -> None:
    requests = list[str]()
    reader.page.on("request", lambda request: requests.append(request.url))

    with reader.page.expect_file_chooser():  # before the typing: the browser needs a moment to give the window
        reader.find("Zymurgyby")
        reader.page.keyboard.press("Enter")

    assert [each for each in requests if "Zymurg" in each or "/desk/find" in each] == []


def test_without_javascript_the_browser_sends_only_a_reference(browser: Browser, shared: Shared) -> None:
    service, url, _, references = shared
    context = browser.new_context(base_url=url, java_script_enabled=False)
    page, requests = context.new_page(), list[str]()
    reference = references["robin"]
    sign_in(page, service, Role.WORKER)
    page.goto("/desk")
    page.on("request", lambda request: requests.append(request.url))

    page.locator("#reference").fill("Robin Testwick")
    page.keyboard.press("Enter")
    page.locator("#reference").fill(reference.lower().replace("-", " "))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/concerns/{reference}")

    assert [each for each in requests if "Robin" in each or "Testwick" in each] == []
    context.close()


def test_a_reference_still_opens_its_concern_with_a_key(reader: Desk) -> None:
    reader.unlock()
    reader.find(reader.references["robin"].lower())
    reader.page.keyboard.press("Enter")

    expect(reader.page.get_by_role("heading", name=f"Concern {reader.references['robin']}")).to_be_visible()


def test_what_may_be_the_same_child_is_offered_with_reasons(reader: Desk) -> None:
    reader.unlock()
    reader.open("alexander")

    expect(reader.offer("alex")).to_contain_text("Same school, name one letter different.")
    expect(reader.offer("friend")).to_contain_text("Same school, one name the same in another form.")
    expect(reader.offer("robin")).to_have_count(0)
    assert accessibility_violations(reader.page) == []


def test_a_concern_that_shares_nothing_reads_no_match_found(reader: Desk) -> None:
    reader.unlock()
    reader.open("robin")

    expect(reader.known).to_contain_text(NOT_FOUND)


def test_same_is_a_note_of_both_concerns_until_it_is_undone(desk: Desk) -> None:
    desk.unlock()
    desk.open("alexander")
    offer, bodies = desk.offer("alex"), list[str]()
    desk.page.on("request", lambda request: bodies.append(request.post_data or ""))

    offer.get_by_text("Add a reason").click()
    offer.get_by_label("Reason, sealed like a note").fill("Zymurgy told the school so.")
    offer.get_by_role("button", name=SAME).click()

    expect(offer).to_contain_text("Marked as the same.")
    note = desk.page.locator("p.as-typed", has_text=f"Same child or household as {desk.references['alex']}")
    expect(note).to_contain_text("Reason: Zymurgy told the school so.")
    offer.get_by_role("link").click()
    expect(desk.offer("alexander")).to_contain_text("Marked as the same.")
    desk.offer("alexander").get_by_role("button", name="Undo as").click()
    expect(desk.offer("alexander").get_by_role("button", name="Not the same as")).to_be_visible()
    expect(desk.page.locator("p.as-typed", has_text="Taken back")).to_be_visible()
    assert sum("sealed=" in each for each in bodies) == 4
    assert [each for each in bodies if "Zymurgy" in each or "text=" in each] == []


@pytest.mark.nightly
def test_a_decision_is_undone_beside_what_the_page_says_of_it(desk: Desk) -> None:
    desk.unlock()
    desk.open("alexander")
    desk.offer("alex").get_by_role("button", name=SAME).click()
    expect(desk.page.locator("#done")).to_be_focused()

    desk.page.keyboard.press("Tab")
    expect(desk.page.get_by_role("button", name=f"Undo as {desk.references['alex']}").first).to_be_focused()
    desk.page.keyboard.press("Enter")

    expect(desk.offer("alex").get_by_role("button", name=SAME)).to_be_visible()
    expect(desk.page.locator(".after-act button")).to_have_count(0)


def test_what_is_not_the_same_is_put_away_and_not_lost(desk: Desk) -> None:
    desk.unlock()
    desk.open("alexander")
    desk.offer("friend").get_by_role("button", name="Not the same as").click()

    expect(desk.offer("friend")).to_be_hidden()
    desk.known.locator("summary", has_text="Not the same").click()
    expect(desk.offer("friend")).to_contain_text("Marked as not the same.")


def test_all_of_one_child_go_to_one_person_in_one_press(desk: Desk) -> None:
    desk.unlock()
    desk.open("alexander")
    desk.offer("alex").get_by_role("button", name=SAME).click()
    expect(desk.offer("alex")).to_contain_text("Marked as the same.")

    desk.known.get_by_role("button", name="Give all to one person").click()

    expect(desk.page.locator("#done")).to_contain_text("assigned to", ignore_case=True)
    desk.page.goto("/desk?show=mine")
    for name in ("alexander", "alex"):
        expect(desk.page.get_by_role("link", name=desk.references[name], exact=True)).to_be_visible()
    expect(desk.page.get_by_role("link", name=desk.references["friend"], exact=True)).to_have_count(0)


@pytest.mark.nightly
def test_giving_all_asks_once_from_whom_it_takes(desk: Desk, service: FastAPI, url: str) -> None:
    sam = session_of(service, SAM, Role.WORKER)
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        assert act(http, sam, f"/desk/concerns/{desk.references['alex']}/assignment", person=SAM) == [303]
    desk.unlock()
    desk.open("alexander")
    desk.offer("alex").get_by_role("button", name=SAME).click()
    expect(desk.offer("alex")).to_contain_text("Marked as the same.")
    give = desk.known.get_by_role("button", name="Give all to one person")

    give.click()
    question = desk.known.get_by_text(f"{SAM} has {desk.references['alex']}. Give all to {JO}?")
    expect(question).to_be_focused()
    desk.known.get_by_role("button", name="Leave them").click()
    expect(give).to_be_focused()
    assert DeskAct.ASSIGNED not in [each for each, _, _ in acts_on(service, desk.references["alexander"])]
    give.click()
    desk.known.get_by_role("button", name="Give all", exact=True).click()

    expect(desk.page.locator("#done")).to_contain_text("assigned to", ignore_case=True)
    assert mine_of(desk) == {"alexander", "alex"}


def mine_of(desk: Desk) -> set[str]:
    """Return the names of the concerns in the list 'Mine'."""
    desk.page.get_by_role("link", name="Inbox").click()
    desk.page.get_by_role("link", name="Mine").click()
    expect(desk.page.locator("[aria-current=page]", has_text="Mine")).to_be_visible()
    shown = desk.page.locator(".row-link").all_inner_texts()
    return {name for name, reference in desk.references.items() if reference in shown}


def write_down(desk: Desk, text: str) -> Locator:
    """Go to the page of a call, type the text, and return the list of what is perhaps known."""
    desk.page.get_by_role("link", name="Write down a call").click()
    desk.page.get_by_label("What was said").fill(text)
    desk.page.get_by_role("radio", name="No", exact=True).check()
    return desk.page.locator("aside[data-while-typing]")


def test_a_call_being_typed_finds_known_concerns_and_adds_to_one(desk: Desk) -> None:
    bodies = list[str]()
    desk.page.on("request", lambda request: bodies.append(f"{request.url} {request.post_data or ''}"))
    desk.unlock()
    known = write_down(desk, "alex zymurgyby was crying again. He goes to Exampleton Primary.")

    item = known.locator(".known > li", has_text=desk.references["alexander"])
    expect(item).to_contain_text("Same school, same name in another form.")
    expect(known.locator("[aria-live=polite]")).to_contain_text("Alexander Zymurgyby, 9")
    expect(known.locator(".known > li")).to_have_count(3)
    assert accessibility_violations(desk.page) == []
    press = item.get_by_role("button", name="Add to this concern")
    press.click()
    expect(item.get_by_role("button", name="Added to this one. Undo")).to_be_focused()
    expect(desk.page.get_by_label("Reference", exact=True)).to_have_value(desk.references["alexander"])
    desk.page.get_by_role("button", name="Write it down").click()

    expect(desk.page.get_by_role("heading", name="Added to the concern")).to_be_visible()
    assert [each for each in bodies if "zymurg" in each.lower()] == []


@pytest.mark.nightly
def test_a_typed_text_that_shares_nothing_reads_no_match_found(reader: Desk) -> None:
    reader.unlock()
    known = write_down(reader, "Somebody rang about noise in the street.")

    expect(known.locator("[aria-live=polite]")).to_have_text(NOT_FOUND)
    reader.page.get_by_label("What was said").fill("Robin Testwick is home alone.")
    expect(known.locator(".known > li")).to_have_count(1)
    reader.page.locator(".to-desk-menu").click()
    reader.page.get_by_role("link", name="Hide the screen").click()
    assert "Testwick" not in reader.page.content()


@pytest.mark.nightly
def test_a_call_that_was_written_down_is_found_by_its_words(desk: Desk) -> None:
    desk.unlock()
    write_down(desk, "Quokkaby rang.")
    desk.page.get_by_role("button", name="Write it down").click()
    reference = desk.page.locator("#done .reference").inner_text()
    desk.page.goto("/desk")
    unlock(desk.page, desk.identity)
    expect(desk.state).to_contain_text("5 concerns can be searched.")
    desk.find("quokkaby")

    expect(desk.page.locator("#found tbody tr")).to_contain_text(reference)


@pytest.mark.nightly
def test_a_copy_sheet_has_every_word_by_part_and_is_recorded(desk: Desk, service: FastAPI) -> None:
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.unlock()
    desk.open("alexander")
    desk.page.locator("summary", has_text="More").click()
    desk.page.get_by_role("button", name="Copy sheet").click()

    sheet = desk.page.locator("#copy-sheet")
    expect(sheet.get_by_role("heading", name="Copy sheet")).to_be_focused()
    parts = ["Child", "Reporter", "Concern", "Danger", "What was done"]
    assert sheet.get_by_role("heading", level=3).all_inner_texts() == parts
    sheet.get_by_role("button", name="Copy Child 1: Family name").click()
    expect(sheet.get_by_role("status")).to_have_text("Copied: Child 1: Family name.")
    assert desk.page.evaluate("navigator.clipboard.readText()") == "Zymurgyby"
    sheet.get_by_role("button", name="Copy all").click()
    expect(sheet.get_by_role("status")).to_have_text("Copied.")
    copied = desk.page.evaluate("navigator.clipboard.readText()")
    assert copied.index("Zymurgyby") < copied.index("About Alexander, told in this test.")
    assert f"Reference: {desk.references['alexander']}" in copied
    assert accessibility_violations(desk.page) == []
    acts = [each for each, _, _ in acts_on(service, desk.references["alexander"])]
    assert acts.count(DeskAct.COPIED) == 1
    sheet.get_by_role("button", name="Close the sheet").click()
    expect(desk.page.get_by_role("button", name="Copy sheet")).to_be_focused()


@pytest.mark.nightly
def test_two_concerns_are_read_side_by_side(reader: Desk) -> None:
    reader.unlock()
    reader.open("alexander")
    reader.offer("alex").get_by_role("button", name="Read side by side").click()

    answer = reader.page.locator("#beside tbody tr", has_text="told in this test")
    expect(answer.locator("td").first).to_contain_text("About Alexander, told in this test.")
    expect(answer.locator("td").last).to_contain_text("About Alex, told in this test.")
    expect(answer.locator("th")).to_contain_text("Differs")
    expect(reader.page.locator("#beside")).to_be_focused()
    expect(reader.page.locator(".words-column")).to_be_hidden()
    assert accessibility_violations(reader.page) == []
    reader.page.locator("#beside").get_by_role("button", name="Close as").click()
    expect(reader.offer("alex").get_by_role("button", name="Read side by side")).to_be_focused()


def beside(desk: Desk) -> Locator:
    """Open two concerns side by side, and return the rows of answers."""
    desk.unlock()
    desk.open("alexander")
    desk.offer("alex").get_by_role("button", name="Read side by side").click()
    expect(desk.page.locator("#beside")).to_be_focused()
    return desk.page.locator("#beside tbody tr:not(.group)")


def test_no_value_that_is_read_beside_another_is_narrow(reader: Desk) -> None:
    rows = beside(reader)

    for width in (1280, 1920, 1200, 1000, 800, 360):
        reader.page.set_viewport_size({"width": width, "height": 800})
        for row in rows.all():
            one, other = (cell.bounding_box() for cell in row.locator("td").all())
            assert one is not None
            assert other is not None
            assert min(one["width"], other["width"]) >= LEAST_WIDTH, width
            assert (one["y"] < other["y"]) is (width in (1200, 1000, 360)), width
        assert reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_differences_are_marked_by_a_word_and_an_edge(reader: Desk) -> None:
    rows = beside(reader)

    name, family, age, danger = (rows.filter(has_text=each) for each in ("First names", "Family name", "Age", "danger"))
    for row in (name, family):
        expect(row.locator("th")).to_contain_text("Differs")
        assert row.locator("th").evaluate("(head) => parseFloat(getComputedStyle(head).borderLeftWidth)") > 2
    expect(danger.locator("th")).to_contain_text("Same")
    expect(age.locator("td").last).to_contain_text("Not said")
    expect(age.locator(".tag")).to_have_count(0)


def test_locking_takes_the_other_concern_away(reader: Desk) -> None:
    beside(reader)

    reader.page.locator("[data-lock]").click()

    expect(reader.page.locator("#beside")).to_have_count(0)
    assert "Zymurg" not in reader.page.content()


def test_earlier_concerns_are_found_when_they_are_asked_for(desk: Desk, service: FastAPI, url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        team = desk_of(service, http)
        assert team.act(desk.references["alex"], "acknowledgement").is_success
        assert team.act(desk.references["alex"], "outcome", outcome="early_help").is_success
    service.state.context.clock.time += dt.timedelta(days=100)
    sign_in(desk.page, service, Role.WORKER)
    desk.page.goto("/desk")
    unlock(desk.page, desk.identity)
    expect(desk.state).to_contain_text("3 concerns can be searched")
    desk.find("zymurgyby")
    expect(desk.page.locator("#found tbody tr")).to_have_count(1)

    desk.page.get_by_role("button", name="Search earlier concerns too").click()

    expect(desk.page.locator("#found tbody tr")).to_have_count(2)
    assert desk.found == {"alexander", "alex"}


@pytest.mark.nightly
def test_new_concerns_are_found_on_a_later_page_without_a_new_unlocking(desk: Desk, url: str) -> None:
    desk.page.clock.install()
    desk.page.goto("/desk")
    desk.unlock()
    raise_concerns(url)
    desk.page.clock.fast_forward(61_000)

    desk.page.get_by_role("link", name="Inbox").click()

    expect(desk.state).to_contain_text("8 concerns can be searched")


def test_what_is_searched_stands_under_the_box_once_names_can_be_searched(reader: Desk) -> None:
    box, words = reader.page.locator("#reference"), reader.page.locator("#searched")
    expect(words).to_have_count(0)
    reader.unlock()

    box.focus()
    expect(words).to_be_visible()
    expect(words).to_contain_text("addresses, places, vehicles")
    assert accessibility_violations(reader.page) == []
    reader.find("robin")
    expect(words).to_be_hidden()
    expect(reader.page.locator("#found")).to_contain_text("addresses, places, vehicles")


def test_words_without_a_letter_or_digit_are_told(reader: Desk) -> None:
    reader.unlock()

    reader.find("?!")

    expect(reader.state).to_have_text("There is no letter or digit in what you typed. Nothing was searched.")
    expect(reader.page.locator("#found")).to_have_count(0)


def test_names_in_other_scripts_addresses_and_registrations_are_found(desk: Desk, url: str) -> None:
    told: dict[str, dict[str, Any]] = {
        "urdu": {
            "given_names": "فاطمہ",
            "family_name": "مثال",
            "home_address": {"text": "14 Sample Terrace"},
            "date_of_birth": "2014-05-06",
            "school_or_setting": SCHOOL,
        },
        "latin": {"given_names": "Fatima", "date_of_birth": "2014-05-06", "school_or_setting": SCHOOL},
    }
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        for name, child in told.items():
            concern = concern_about(child)
            concern["concern"]["vehicles_of_concern"] = [{"registration": "EX12 AMP"}] if name == "urdu" else []
            desk.references[name] = http.post("/v1/concerns", json=concern).json()["reference"]
    desk.page.goto("/desk")
    unlock(desk.page, desk.identity)
    expect(desk.state).to_contain_text("6 concerns can be searched")

    for words in ("فاطمہ مثال", "14 sample terrace", "ex12amp", "EX12 AMP"):
        desk.find(words)
        expect(desk.page.locator("#found tbody tr")).to_have_count(1)
        assert desk.found == {"urdu"}
    desk.open("urdu")
    expect(desk.offer("latin")).to_contain_text("Same day of birth, same school, names in different scripts.")


def test_forgetting_the_identity_takes_every_name_away(reader: Desk) -> None:
    reader.unlock()
    reader.find("zymurgyby")
    expect(reader.page.locator("#found tbody tr")).to_have_count(2)

    reader.page.locator("[data-lock]").click()

    expect(reader.page.locator("#found")).to_have_count(0)
    expect(reader.page.locator("#reference")).to_have_value("")
    assert "Zymurg" not in reader.page.content()


def test_a_role_without_cards_reads_why(desk: Desk, service: FastAPI) -> None:
    vars(service.state.context.settings)["cards"] = ("lead",)

    unlock(desk.page, desk.identity)

    expect(desk.state).to_contain_text("Your role cannot search concerns")


def test_another_identity_opens_no_card_and_is_told_so(reader: Desk, tmp_path: Path) -> None:
    create_identity(tmp_path / "other.txt", at=A_TUESDAY)

    choose_key(reader.page, tmp_path / "other.txt")

    expect(reader.page.get_by_role("alert")).to_contain_text("encrypted to other keys")


@pytest.mark.nightly
def test_a_service_that_reads_takes_the_same_decisions(browser: Browser, tmp_path: Path) -> None:
    need_script()
    service = a_service(data_dir=tmp_path / "reading")
    with run_server(service) as address:
        url = address.replace("127.0.0.1", "localhost")
        context = browser.new_context(base_url=url)
        page = context.new_page()
        desk = Desk(page, tmp_path / "reading" / DEVELOPMENT_IDENTITY, raise_concerns(url))
        sign_in(page, service, Role.WORKER)
        page.goto("/desk")
        desk.unlock()
        desk.open("alexander")
        desk.offer("alex").get_by_role("button", name=SAME).click()

        expect(desk.offer("alex")).to_contain_text("Marked as the same.")
        desk.offer("alex").get_by_role("button", name="Read side by side").click()
        answer = page.locator("#beside tbody tr", has_text="told in this test")
        expect(answer.locator("td").first).to_contain_text("About Alexander, told in this test.")
        expect(answer.locator("td").last).to_contain_text("About Alex, told in this test.")
        context.close()


def test_search_leaves_no_name_on_server_wire_or_disk(browser: Browser, tmp_path: Path) -> None:
    need_script()
    identity = tmp_path / "keys" / "team.txt"
    server = LiveServer(tmp_path / "data", seal_to=create_identity(identity, at=A_TUESDAY), log_level="debug")
    server.start()
    try:
        references = raise_concerns(server.url)
        link = guidance("desk", "invite", JO, "--role", "worker", "--data-dir", server.data_dir).stdout.strip()
        proxy = RecordingProxy(int(server.url.rpartition(":")[2]))
        origin = f"http://localhost:{proxy.port}"
        with browser_with_profile(browser, tmp_path / "profile", base_url=origin) as context:
            page = context.new_page()
            with virtual_authenticator(context, page):
                accept_invitation(page, link.partition("#")[2])
                desk = Desk(page, identity, references)
                desk.unlock()
                desk.find("zymurgyby")
                expect(page.locator("#found tbody tr")).to_have_count(2)
                desk.open("alexander")
                desk.offer("alex").get_by_role("button", name=SAME).click()
                expect(desk.offer("alex")).to_contain_text("Marked as the same.")
        proxy.close()
    finally:
        server.stop()

    passed = bytes(proxy.sent + proxy.received).lower()
    stored: dict[Any, bytes] = {**files_of(server.data_dir), "log": server.log.read_bytes()}
    assert b"/desk/cards" in passed
    assert b"zymurg" not in passed
    assert [name for name, content in stored.items() if b"zymurg" in content.lower()] == []
    assert places_in_profile(tmp_path / "profile", b"Zymurg", b"zymurg", "Zymurg".encode("utf-16-le")) == []


@pytest.mark.nightly
def test_a_thousand_cards_are_open_after_two_seconds_of_the_page(
    browser: Browser, service: FastAPI, url: str, identity: Path
) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        for concern in invent_concerns(SEED):
            assert http.post("/v1/concerns", json=submission_of(concern)).is_success
    context = browser.new_context(base_url=url)
    page = context.new_page()
    sign_in(page, service, Role.WORKER)
    page.goto("/desk")
    before = seconds_of_tasks(page)

    unlock(page, identity)
    expect(page.locator("#find-state")).to_contain_text("1,000 concerns can be searched")

    assert seconds_of_tasks(page) - before < MOST_SECONDS
    context.close()


def seconds_of_tasks(page: Page) -> float:
    """Return how long the page has been at work: unlike the clock, it is not longer on a busy machine."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def test_a_result_is_a_row_of_the_inbox_that_says_where_it_was_found(desk: Desk, service: FastAPI, url: str) -> None:
    sam = session_of(service, SAM, Role.WORKER)
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        for step in ("assignment", "acknowledgement"):
            assert act(http, sam, f"/desk/concerns/{desk.references['alex']}/{step}", person=SAM) == [303]
    desk.unlock()
    desk.find("exampleton alexander")
    rows = desk.page.locator("#found tbody tr")

    expect(rows).to_have_count(3)
    said = [row.locator("td").all_text_contents() for row in rows.all()]
    reporter = "Member of the public"
    assert said[0][0].endswith(" min left")
    assert said[0][1:] == ["Alexander Zymurgyby, 9", reporter, "Assigned to Nobody", WHERE]
    assert ["Acknowledged", "Alex Zymurgbyy", reporter, f"Assigned to {SAM}", WHERE] in said
    expect(desk.page.locator("#concerns")).to_be_hidden()
    desk.page.locator("h1").first.focus()
    desk.page.locator("main").focus()
    desk.page.keyboard.press("j")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("mark.hit")).to_have_text(["Alexander,", "Alexander", "Exampleton"])
    expect(desk.page.locator("mark.hit").first).to_be_in_viewport()
    assert accessibility_violations(desk.page) == []


WHERE = "Found in: child’s name, school"


def test_one_s_own_act_is_in_the_rows_at_once(desk: Desk) -> None:
    desk.unlock()
    desk.open("robin")
    label = desk.page.get_by_label("New label")
    unfold(label)
    label.fill("Zymurgy family")
    desk.page.get_by_role("button", name="Set the label").click()
    expect(desk.page.locator("#done")).to_be_visible()
    desk.page.get_by_role("link", name="Inbox").click()
    expect(desk.page.get_by_role("heading", name="Inbox")).to_be_attached()

    row = desk.page.locator(f"[data-card='{desk.references['robin']}']")
    expect(row).to_have_text("Zymurgy family Robin Testwick")
    desk.find("zymurgy family")
    expect(desk.page.locator("#found tbody tr")).to_contain_text("label")


def test_rows_say_who_reports(reader: Desk) -> None:
    place = reader.page.locator(f"[data-card-reporter='{reader.references['robin']}']")
    expect(place).to_have_text("From another system")

    reader.unlock()

    expect(place).to_have_text("Member of the public")
