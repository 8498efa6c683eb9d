"""Every page of the desk in every state: without fault for axe, from 320 pixels to wide, and by keyboard only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyrage
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from app.config import Settings
from app.extensions import switched_on
from app.main import create_app
from app.models.access.roles import Role
from app.pages.page import PAGES_DIR, page_templates
from tests.support.browsing import page_faults
from tests.support.clock import SettableClock
from tests.support.concerns import add
from tests.support.desk import sealed_note
from tests.support.desk_states import (
    SAM,
    States,
    act,
    before_signing_in,
    concern,
    inbox,
    oversight,
    raised,
    roles,
    session_of,
    sign_in,
    written_down,
)
from tests.support.threaded import run_server
from tests.support.unsealing import choose_key, locked_by_passphrase, need_script

pytestmark = [pytest.mark.any_database, pytest.mark.slow]


def in_browser(page: Page, path: str, right: Path, wrong: Path, locked: Path) -> States:
    """The panel that opens concerns, from the page that is sealed to the blank screen."""
    file, alert = page.get_by_label("File of the key"), page.get_by_role("alert")
    for own in ("/desk/key", "/desk/people/keys"):
        page.goto(own)
        yield f"sealed, {own}"
    for further in ("/additions", "/notes", ""):
        page.goto(path + further)
        expect(page.get_by_role("button", name="Choose the key file")).to_be_visible()
        yield f"sealed{further}"
    choose_key(page, wrong)
    expect(alert).to_contain_text("it was encrypted to other keys")
    yield "another identity"
    choose_key(page, locked)
    expect(page.get_by_label("Passphrase of the file")).to_be_visible()
    yield "a locked identity"
    file.set_input_files(right)
    expect(page.get_by_role("article")).to_be_visible()
    yield "opened in the browser"
    page.locator("#reference").fill("alex")
    expect(page.locator("#found tbody tr").first).to_be_visible()
    yield "found concerns"
    page.locator("#reference").fill("somebody else")
    expect(page.locator("#found")).to_contain_text("No match found")
    yield "no match found"
    page.locator("[data-lock]").press("Enter")
    page.goto("/desk/key")
    file.set_input_files(right)
    expect(page.get_by_role("button", name="Lock", exact=True)).to_be_visible()
    page.get_by_text("Lock the file that you chose").press("Enter")
    yield "the key is open on its page"
    page.goto("/desk/person-file")
    yield "requests for the file of one person"
    page.get_by_label("The person", exact=True).check()
    page.get_by_label("What about, and the number").fill("SAR 12: everything")
    page.get_by_role("button", name="Write it down").press("Enter")
    yield "the file of one person"
    page.locator("[data-lock]").press("Enter")
    expect(page.locator("[data-lock]")).to_have_text("Unlocked")
    page.get_by_label("Names of the person").fill("Alex")
    page.locator("[name=chosen]").first.press("Space")
    page.get_by_role("button", name="Open 1 concern").press("Enter")
    expect(page.locator("mark").first).to_be_visible()
    yield "passages to decide about"
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Continue")).to_be_visible()
    yield "blank"


BODY = "Example Council"
STATES = 75


@dataclass
class Sweep:
    """Looks at a page in each state, and remembers which templates there were."""

    page: Page
    drawn: set[str]
    walked: set[str] = field(default_factory=set)
    found: dict[str, list[str]] = field(default_factory=dict)

    def look(self, states: States) -> None:
        """Check each page. Tab is pressed through the first of each template."""
        for state in states:
            is_new = not self.drawn <= self.walked
            self.walked |= self.drawn
            self.found[state] = page_faults(self.page, walks=is_new)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the templates that were used."""
    names, templates = set[str](), page_templates(switched_on(None))
    get_template = templates.get_template

    def note(name: Any, *rest: Any, **more: Any) -> Any:
        names.add(str(name))
        return get_template(name, *rest, **more)

    monkeypatch.setattr(templates, "get_template", note)
    return names


@contextmanager
def sweeping(browser: Browser, service: FastAPI, drawn: set[str]) -> Iterator[tuple[Sweep, str, httpx.Client]]:
    """Serve the desk; yield what looks at its pages, its address, and a client of it."""
    with run_server(service) as address:
        url = address.replace("127.0.0.1", "localhost")
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800})
        context.set_default_timeout(30_000)
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
            yield Sweep(context.new_page(), drawn), url, http
        context.close()


@pytest.fixture
def identities(tmp_path: Path) -> tuple[list[Path], str]:
    """Files of the identity of the desk, of another, and of the first one locked; and the recipient of the first."""
    right, wrong = (pyrage.x25519.Identity.generate() for _ in range(2))
    files = [tmp_path / name for name in ("right.txt", "wrong.txt", "locked.age")]
    for file, content in zip(files, (right, wrong), strict=False):
        file.write_text(str(content))
    files[2].write_bytes(locked_by_passphrase(files[0].read_bytes(), "an invented passphrase"))
    return files, str(right.to_public())


def serving(data_dir: Path, **settings: Any) -> FastAPI:
    return create_app(Settings(data_dir=data_dir, deliver=False, **settings), SettableClock())


def look_where_the_service_reads(browser: Browser, data_dir: Path, drawn: set[str]) -> Sweep:
    body = {BODY: str(pyrage.x25519.Identity.generate().to_public())}
    service = serving(data_dir, hand_over_bodies=body)
    with sweeping(browser, service, drawn) as (sweep, url, http):
        sweep.look(before_signing_in(sweep.page, service, url))
        sign_in(sweep.page, service)
        sweep.look(inbox(sweep.page, http))
        sweep.look(concern(sweep.page, service, http, BODY))
        sweep.look(written_down(sweep.page))
        sweep.look(oversight(sweep.page, service, http))
        sweep.look(roles(sweep.page, service, http))
    return sweep


def look_where_it_does_not(
    browser: Browser, data_dir: Path, drawn: set[str], files: list[Path], recipient: str
) -> Sweep:
    service = serving(data_dir, seal_to=(recipient,))
    with sweeping(browser, service, drawn) as (sweep, _, http):
        receipt = raised(http)
        assert add(http, receipt, "Alex Example came home.").is_success
        path = f"/desk/concerns/{receipt['reference']}"
        note = sealed_note("A made-up note.", receipt["reference"], recipient)
        assert act(http, session_of(service, SAM, Role.WORKER), f"{path}/notes", **note) == [303]
        sign_in(sweep.page, service)
        sweep.look(in_browser(sweep.page, path, *files))
    return sweep


@pytest.mark.nightly
def test_every_page_in_every_state_is_accessible_at_every_width_by_keyboard(
    browser: Browser, drawn: set[str], identities: tuple[list[Path], str], tmp_path: Path
) -> None:
    need_script()

    sweeps = (
        look_where_the_service_reads(browser, tmp_path / "reads", drawn),
        look_where_it_does_not(browser, tmp_path / "sealed", drawn, *identities),
    )

    found = {state: faults for sweep in sweeps for state, faults in sweep.found.items()}
    assert {state: faults for state, faults in found.items() if faults} == {}
    assert len(found) >= STATES
    pages = {each.name for each in (PAGES_DIR / "templates").glob("desk_*.html") if is_page(each.read_text("utf-8"))}
    assert pages - drawn == set()


def is_page(template: str) -> bool:
    """Return whether the template is a whole page, and not a part of one."""
    return "{% extends" in template or "<!doctype html>" in template
