"""After an act in a browser that holds the key of a sealed desk: spoken, undone and walked on by the keyboard."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pyrage
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from app.config import Settings
from app.main import create_app
from app.models.access.roles import Role
from tests.support.browsing import Keyboard
from tests.support.clock import SettableClock
from tests.support.desk_states import SAM, act, raised, session_of, sign_in
from tests.support.people import JO
from tests.support.threaded import run_server
from tests.support.unsealing import need_script, unlock

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

WORDS = "Alex Example was not at school."


@pytest.fixture
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def service(tmp_path: Path, identity: pyrage.x25519.Identity) -> FastAPI:
    need_script()
    settings = Settings(data_dir=tmp_path / "data", deliver=False, seal_to=(str(identity.to_public()),))
    return create_app(settings, SettableClock())


@pytest.fixture
def desk(service: FastAPI) -> Iterator[httpx.Client]:
    """A client of the running service."""
    with run_server(service) as address:
        url = address.replace("127.0.0.1", "localhost")
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
            yield http


@pytest.fixture
def page(browser: Browser, service: FastAPI, desk: httpx.Client) -> Iterator[Page]:
    context = browser.new_context(base_url=str(desk.base_url), viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    sign_in(page, service)
    yield page
    context.close()


def test_a_key_holder_takes_over_undoes_and_goes_on_by_keyboard(
    service: FastAPI, desk: httpx.Client, page: Page, identity: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    sam, file, keys = session_of(service, SAM, Role.WORKER), tmp_path / "team.txt", Keyboard(page)
    file.write_text(str(identity))
    words = {"concern": {"narrative": WORDS}}
    urgent = raised(desk, **words, immediate_danger="yes")["reference"]
    other = raised(desk, **words)["reference"]
    assert act(desk, sam, f"/desk/concerns/{urgent}/assignment", person=SAM) == [303]

    page.goto("/desk?show=received")
    keys.press("link", urgent)
    unlock(keys.page, file)
    expect(page.get_by_text(WORDS)).to_be_visible()
    keys.press("button", "Assign to me")
    expect(page.get_by_role("heading", name=f"{SAM} has it since 09:30. Take it over?")).to_be_visible()
    keys.press("button", "Take it over")
    status = page.get_by_role("status").filter(has_text=f"Done: assigned to {JO}")
    expect(status).to_be_focused()
    expect(status).to_contain_text(f"{SAM} sees in ‘Mine’ for a day that you took it.")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text=f"Done: assigned to {SAM}")).to_be_focused()
    keys.press("link", "Next in this list")

    expect(page).to_have_url(f"{desk.base_url}/desk/concerns/{other}?list=show%3Dreceived")
    expect(page.get_by_text(WORDS)).to_be_visible()  # without choosing the file again
    keys.press("link", "Next in this list")
    expect(page.get_by_text("That was the last concern in this list.")).to_be_visible()
    expect(page.locator("[aria-current=page]")).to_contain_text("Waiting")


@pytest.mark.nightly
def test_a_sealed_label_is_set_again_by_undo(
    desk: httpx.Client, page: Page, identity: pyrage.x25519.Identity, tmp_path: Path
) -> None:
    file, keys, reference = tmp_path / "team.txt", Keyboard(page), raised(desk)["reference"]
    file.write_text(str(identity))
    bodies = list[str]()
    page.on("request", lambda request: bodies.append(request.post_data or ""))
    label = page.locator(".facts .words")
    page.goto(f"/desk/concerns/{reference}")
    unlock(keys.page, file)
    for words in ("First label", "Second label"):
        keys.write("New label", words)
        keys.press("button", "Set the label")
        expect(label).to_have_text(words)

    for undone in ("First label", "Second label"):
        page.locator(".after-act").get_by_role("button", name="Undo").press("Enter")
        expect(label).to_have_text(undone)

    assert [body for body in bodies if "First" in body or "Second" in body] == []


def test_a_reason_typed_for_an_erasure_is_asked_about_and_not_lost(
    service: FastAPI, desk: httpx.Client, page: Page
) -> None:
    keys, reference = Keyboard(page), raised(desk)["reference"]
    jo = session_of(service)
    assert act(desk, jo, f"/desk/concerns/{reference}/acknowledgement", up_to_addition="0") == [303]
    page.goto(f"/desk/concerns/{reference}")

    keys.open_up("Erase this concern")
    keys.write("Reason for erasing", "Requested in writing.")
    keys.press("button", "Erase this concern")

    expect(page.get_by_role("heading", name="What goes")).to_be_visible()
    expect(page.get_by_label("Reason for erasing")).to_have_value("Requested in writing.")
    expect(page.locator("[data-unsent]")).to_have_count(0)
    keys.write("Type the reference again", reference)
    keys.press("button", "Erase permanently")
    expect(page.get_by_role("status").filter(has_text="Done: erased")).to_be_focused()
