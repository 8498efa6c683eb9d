"""The page of a concern: the words first, four acts in sight, and a shift that is counted in presses."""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyrage
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Locator, Page, expect

from app.config import Settings
from app.main import create_app
from app.models.access.roles import Role
from tests.support.browsing import Keyboard, accessibility_violations
from tests.support.clock import SettableClock
from tests.support.desk_states import SAM, act, session_of, sign_in
from tests.support.people import JO, invited, virtual_authenticator
from tests.support.threaded import run_server
from tests.support.unsealing import need_script, unlock

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

DESKTOP, WIDE, PHONE = (1280, 800), (1440, 900), (360, 740)
TALLEST_ON_PHONE = 2400
SHIFT, MOST_PRESSES = 20, 45
NAMES = ("Alex", "Billie", "Charlie", "Devon", "Ellis", "Frankie", "Glenn", "Harper", "Indigo", "Jules")
FAMILIES = ("Example", "Invented")
WORDS = (
    "was collected from the school gate by an adult whom the family does not know. It happened three times since "
    "September, last on Friday afternoon, and staff saw it."
)

SHOWN = """(place) => {
  const found = document.getElementById(place);
  const { top } = found.getBoundingClientRect();
  return found.checkVisibility() && top >= 0 && top < innerHeight;
}"""


def concern_of(number: int, danger: str = "no") -> dict[str, Any]:
    """An average concern: who reports, one child, and a paragraph."""
    given, family = NAMES[number % 10], FAMILIES[number // 10 % 2]
    return {
        "immediate_danger": danger,
        "reporter": {
            "kind": "professional",
            "name": "Robin Sample",
            "role": "Designated safeguarding lead",
            "organisation": f"School number {number}",
            "phone": f"01632 9602{number:02}",
        },
        "children": [
            {
                "given_names": given,
                "family_name": family,
                "date_of_birth": f"20{11 + number % 4}-0{1 + number % 9}-1{number // 3 % 10}",
                "school_or_setting": f"School number {number}",
            }
        ],
        "concern": {
            "narrative": f"{given} {WORDS}",
            "indicators": [{"id": "self-harm-or-emotional-change", "note": "Quieter than before"}],
        },
    }


@dataclass(frozen=True)
class Team:
    service: FastAPI
    http: httpx.Client
    url: str
    file: Path
    clock: SettableClock

    def raised(self, number: int, danger: str = "no") -> str:
        self.clock.time += dt.timedelta(minutes=3)
        answer = self.http.post("/v1/concerns", json=concern_of(number, danger))
        assert answer.is_success, answer.text
        return str(answer.json()["reference"])


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """A desk that cannot read concerns."""
    need_script()
    identity, file, clock = pyrage.x25519.Identity.generate(), tmp_path / "team.txt", SettableClock()
    file.write_text(str(identity))
    settings = Settings(data_dir=tmp_path / "data", deliver=False, seal_to=(str(identity.to_public()),))
    service = create_app(settings, clock)
    with run_server(service) as address:
        url = address.replace("127.0.0.1", "localhost")
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
            yield Team(service, http, url, file, clock)


@contextmanager
def tab_of(browser: Browser, team: Team, size: tuple[int, int] = DESKTOP) -> Iterator[Page]:
    """Open a tab in which Jo is signed in, without a key."""
    with browser.new_context(base_url=team.url, viewport={"width": size[0], "height": size[1]}) as context:
        context.set_default_timeout(30_000)
        page = context.new_page()
        sign_in(page, team.service)
        yield page


def open_with_file(page: Page, team: Team, reference: str, query: str = "") -> None:
    page.goto(f"/desk/concerns/{reference}{query}")
    unlock(page, team.file)
    expect(words_on(page)).to_be_visible()


def words_on(page: Page) -> Locator:
    return page.get_by_role("article").get_by_text(WORDS)


def is_on_first_screen(page: Page, place: Locator, *, above: Locator | None = None) -> bool:
    """Whether the page is at its top, and the place begins on the screen: above what stands at its foot."""
    box, cover = place.bounding_box(), None if above is None else above.bounding_box()
    end = page.viewport_size["height"] if cover is None else cover["y"]  # type: ignore[index]  # a page with a size
    return page.evaluate("scrollY") == 0 and box is not None and box["y"] < end - 24


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_name_danger_and_words_are_on_the_first_screen_once_the_key_is_there(
    browser: Browser, team: Team, size: tuple[int, int]
) -> None:
    reference = team.raised(0, "yes")
    with tab_of(browser, team, size) as page:
        open_with_file(page, team, reference)

        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text(re.compile(rf"^\s*Alex Example, 15\s+Concern {reference}$"))
        expect(page.locator(".sealed[data-sealed=concern] .words")).to_be_focused()
        expect(page.locator("[data-unseal]")).to_be_hidden()
        bar = page.locator(".acknowledge") if size == PHONE else None
        for place in (heading, page.locator(".tag.danger").first, words_on(page)):
            assert is_on_first_screen(page, place, above=bar)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        if size == PHONE:
            assert page.evaluate("document.documentElement.scrollHeight") <= TALLEST_ON_PHONE
        assert accessibility_violations(page) == []
        for act_in_sight in ("Acknowledge", "Acknowledge and next", "Assign to me"):
            expect(page.get_by_role("button", name=act_in_sight, exact=True)).to_be_visible()


def test_the_name_leaves_with_the_key(browser: Browser, team: Team) -> None:
    reference = team.raised(0)
    with tab_of(browser, team) as page:
        page.clock.install()
        open_with_file(page, team, reference)
        page.clock.fast_forward("31:00")

        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(rf"^\s*Concern {reference}$"))
        expect(page.locator("[data-lock]")).to_have_text("Locked")
        assert "Alex" not in page.content()


def test_the_first_act_on_a_locked_concern_is_five_stops_away_at_most(browser: Browser, team: Team) -> None:
    reference = team.raised(0)
    with tab_of(browser, team) as page:
        page.goto(f"/desk/concerns/{reference}")
        expect(page.locator("[data-lock]")).to_have_text("Locked: use file")
        stops = ["Tab", "Enter", "Tab"]
        for key in stops:
            page.keyboard.press(key)

        expect(page.get_by_role("button", name="Acknowledge", exact=True)).to_be_focused()
        assert len(stops) <= 5


@pytest.mark.parametrize("size", [WIDE, DESKTOP], ids=["wide", "narrower"])
def test_after_an_act_the_list_stands_beside_the_words_where_there_is_room(
    browser: Browser, team: Team, size: tuple[int, int]
) -> None:
    first, second = team.raised(0, "yes"), team.raised(1, "not_sure")
    with tab_of(browser, team, size) as page:
        open_with_file(page, team, first, "?list=show%3Dreceived")
        expect(page.locator(".list-beside")).to_have_count(0)
        page.get_by_role("button", name="Acknowledge", exact=True).click()
        expect(page.get_by_text("Done: acknowledged")).to_be_visible()

        beside = page.get_by_role("navigation", name="Beside: ‘Waiting’")
        if size == WIDE:
            expect(beside.get_by_role("link")).to_have_text(["Billie Example, 14"])
            words, listed = words_on(page).bounding_box(), beside.bounding_box()
            assert words is not None
            assert listed is not None
            assert listed["x"] + listed["width"] <= words["x"]
        else:
            expect(page.locator(".list-beside")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert accessibility_violations(page) == []
        page.keyboard.press("n")
        expect(page).to_have_url(re.compile(f"/concerns/{second}"))


def test_acknowledge_and_next_is_one_press_and_says_what_was_acknowledged(browser: Browser, team: Team) -> None:
    first, second = team.raised(0, "yes"), team.raised(1)
    with tab_of(browser, team) as page:
        open_with_file(page, team, first, "?list=show%3Dreceived")
        page.get_by_role("button", name="Acknowledge and next").click()

        expect(page).to_have_url(re.compile(f"/concerns/{second}"))
        expect(page.locator("#done")).to_be_focused()
        expect(page.locator("#done")).to_have_text(f"Done: acknowledged {first}")
        expect(words_on(page)).to_be_visible()  # without choosing the file again
        page.get_by_role("button", name="Acknowledge and next").click()
        expect(page).to_have_url(re.compile(f"/concerns/{second}.*done="))  # nothing follows
        expect(page.locator("#done")).to_contain_text("Nobody has it")


def test_a_slash_and_the_first_letters_run_an_act(browser: Browser, team: Team) -> None:
    reference = team.raised(0)
    with tab_of(browser, team) as page:
        page.goto(f"/desk/concerns/{reference}")
        expect(page.locator("[data-lock]")).to_have_text("Locked: use file")
        found = page.locator("#act-found")
        page.keyboard.press("/")
        expect(page.locator("#act-name")).to_be_focused()
        page.keyboard.type("zz")
        expect(found).to_have_text("No act has this name")
        page.locator("#act-name").fill("")
        page.keyboard.type("hol")
        expect(found).to_have_text("Enter: Put on hold")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Needed until")).to_be_focused()
        expect(found).to_have_text("")
        page.locator("main").focus()
        page.keyboard.press("/")
        page.keyboard.press("/")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.locator("main").focus()
        page.keyboard.press("/")
        page.keyboard.type("assign to m")
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"Done: assigned to {JO}")).to_be_visible()


def test_addresses_lead_to_what_is_folded(browser: Browser, team: Team) -> None:
    reference = team.raised(0)
    sam = session_of(team.service, SAM, Role.WORKER)
    with tab_of(browser, team) as page:
        for place in ("acts", "assign", "notes", "questions", "hand-overs", "history", "look-again"):
            page.goto(f"/desk/concerns/{reference}#{place}")
            page.wait_for_function(SHOWN, arg=place)
            page.goto("/desk")
        path = f"/desk/concerns/{reference}"
        assert act(team.http, sam, f"{path}/look-again", whose="officer", allegation="yes") == [303]
        page.goto(f"{path}#officer")
        expect(page.locator("#officer")).to_be_in_viewport()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_scrolls_inside_what_scrolls(browser: Browser, team: Team, size: tuple[int, int]) -> None:
    reference = team.raised(0)
    with tab_of(browser, team, size) as page:
        open_with_file(page, team, reference)
        page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true; })")

        inner = "[...document.querySelectorAll('main *:not(textarea, select, pre, .vh)')]"
        scrolls = "/auto|scroll/.test(getComputedStyle(each).overflowY) && each.scrollHeight > each.clientHeight"
        assert page.evaluate(f"{inner}.filter((each) => {scrolls}).map((each) => each.className)") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert accessibility_violations(page) == []


def test_a_shift_of_twenty_is_read_acknowledged_and_one_closed_in_45_presses(browser: Browser, team: Team) -> None:
    for number in range(SHIFT):
        team.raised(number, ("no", "not_sure", "yes")[number % 3])
    with tab_of(browser, team) as page:
        keys = Keyboard(page)
        page.goto("/desk?show=received")
        keys.press("link", page.locator(".row-link").first.inner_text())
        keys.unlock(team.file)
        for _ in range(SHIFT - 1):
            expect(words_on(page)).to_be_visible()
            reference = page.locator(".identity .code").inner_text()
            keys.press("button", "Acknowledge and next")
            expect(page.locator("#done")).to_have_text(f"Done: acknowledged {reference}")
        expect(words_on(page)).to_be_visible()
        keys.press("button", "Acknowledge")
        keys.choose("No further action")
        keys.press("button", "Close the concern")
        expect(page.get_by_text("Done: closed")).to_be_visible()

        assert keys.presses <= MOST_PRESSES
        page.goto("/desk?show=received")
        expect(page.locator("[data-row]")).to_have_count(0)


@pytest.mark.parametrize("has_prf", [True, False], ids=["by touch", "with the file"])
def test_out_of_hours_a_phone_leads_from_the_message_to_the_words_and_to_acknowledged(
    browser: Browser, team: Team, *, has_prf: bool
) -> None:
    team.raised(0, "yes")
    with browser.new_context(base_url=team.url, viewport={"width": PHONE[0], "height": PHONE[1]}) as context:
        context.set_default_timeout(30_000)
        page = context.new_page()
        keys = Keyboard(page)
        with virtual_authenticator(context, page, has_prf=has_prf):
            page.goto(f"/desk/invitation#{invited(team.service, JO, Role.LEAD)}")
            keys.press("button", "Create a passkey and sign in")
            expect(page.locator(".to-desk-menu")).to_be_visible()
            if has_prf:
                page.get_by_label("File of the team’s key").set_input_files(team.file)
                keys.press("button", "Store the key for this passkey")
                expect(page.get_by_text("Opens with a touch")).to_be_visible()
            context.clear_cookies()

            page.goto("/desk")
            keys.presses = 1  # the link of the message, which says nothing but that one waits
            keys.press("button", "Sign in with a passkey")
            row = page.locator("[data-row]").first
            expect(row).to_contain_text("Danger")
            if has_prf:
                expect(row).to_contain_text("Alex Example, 15")
            assert is_on_first_screen(page, row)
            row.locator(".row-link").press("Enter")
            keys.presses += 1
            if not has_prf:
                keys.unlock(team.file)
            expect(words_on(page)).to_be_visible()
            assert is_on_first_screen(page, words_on(page), above=page.locator(".acknowledge"))
            assert keys.presses <= (3 if has_prf else 4)
            keys.press("button", "Acknowledge")
            expect(page.get_by_text("Done: acknowledged")).to_be_visible()
            assert keys.presses <= 5


def test_a_session_that_ended_says_so_on_the_page_with_the_way_to_sign_in(browser: Browser, team: Team) -> None:
    reference = team.raised(0)
    with tab_of(browser, team) as page:
        page.clock.install()
        page.goto(f"/desk/concerns/{reference}")
        expect(page.locator("[data-lock]")).to_have_text("Locked: use file")
        over = page.locator("#session-over")
        page.clock.fast_forward("29:00")
        expect(over).to_have_count(0)
        page.clock.fast_forward("02:00")

        expect(over).to_contain_text("Nothing was done for 30 minutes, so your session has ended.")
        sign_in_link = over.get_by_role("link", name="Sign in")
        expect(sign_in_link).to_have_attribute("href", f"/desk/sign-in?page=%2Fdesk%2Fconcerns%2F{reference}")
        assert accessibility_violations(page) == []
        other = page.context.new_page()
        other.clock.install()
        other.clock.fast_forward("31:00")
        other.goto("/desk")  # in another tab the person works on
        page.clock.fast_forward("00:16")
        expect(over).to_have_count(0)


def test_a_press_after_the_session_leads_to_the_sign_in(browser: Browser, team: Team) -> None:
    reference = team.raised(0)
    with tab_of(browser, team) as page:
        page.goto(f"/desk/concerns/{reference}")
        page.context.clear_cookies()
        page.get_by_role("button", name="Acknowledge", exact=True).click()

        expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
        link = page.locator("main").get_by_role("link", name="Sign in")
        expect(link).to_have_attribute("href", f"/desk/sign-in?page=%2Fdesk%2Fconcerns%2F{reference}")
