"""The desk in each state in which its words are opened elsewhere: in the browser, and on a worker's own machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from app.cli.desk_client import DeskClient
from app.cli.published_words import fetch_code_lists, fetch_edition
from app.models.guidance.editions import EditionContent
from app.pages.desk.local_pages import LocalPages
from app.server.local_desk import LocalDesk
from app.server.local_sealing import LocalSealing
from app.services.concerns.sealing import read_identities
from app.services.guidance.reference_data import ReferenceData
from tests.support.browsing import run_server
from tests.support.clock import A_TUESDAY
from tests.support.desk_states import States
from tests.support.keyboard import Keyboard
from tests.support.proxies import free_port
from tests.support.waiting import LONG_ENOUGH


def in_browser(page: Page, path: str, right: Path, wrong: Path, locked: Path) -> States:
    """The panel that opens concerns, from the page that is sealed to the blank screen."""
    file, alert = page.get_by_label("File of the identity"), page.get_by_role("alert")
    for further in ("/additions", "/notes", ""):
        page.goto(path + further)
        expect(file).to_be_visible()
        yield f"sealed{further}"
    file.set_input_files(wrong)
    expect(alert).to_contain_text("it was sealed to other keys")
    yield "another identity"
    file.set_input_files(locked)
    expect(page.get_by_label("Its passphrase")).to_be_visible()
    yield "a locked identity"
    file.set_input_files(right)
    expect(page.get_by_role("article")).to_be_visible()
    page.get_by_text("Lock the file that you chose").press("Enter")
    yield "opened in the browser"
    page.get_by_role("button", name="Forget the identity").press("Enter")
    expect(file).to_be_visible()
    yield "an identity that was forgotten"
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Go on")).to_be_visible()
    yield "blank"


def on_own_machine(page: Page, url: str, key: str, path: str, right: Path, wrong: Path) -> States:
    """The desk that a worker serves to themselves, with each reason for which it shows no page of the service."""
    with local_desk(url, key, right) as address:
        origin = address.partition("/open/")[0]
        page.goto(f"{origin}/desk")
        yield "here without the address that opens it"
        page.goto(address)
        yield "the inbox here"
        for place in (path, f"{path}/additions", f"{path}/notes", "/desk/day", "/desk/record", "/desk/blank"):
            page.goto(origin + place)
            yield f"{place.rpartition('/')[2]} here"
        yield from _words_given_back(page, origin + path)
        page.goto(f"{origin}/desk")
        Keyboard(page).press("button", "Sign out")
        expect(page.get_by_role("heading", name="The desk is closed")).to_be_visible()
        yield "closed here"
    with local_desk(url, key, wrong) as address:
        page.goto(address)
        page.goto(address.partition("/open/")[0] + path)
        yield "another identity here"
    for name, service, given in (("a key that ended", url, "omg_ended"), ("no answer", "http://127.0.0.1:9", key)):
        with local_desk(service, given, right) as address:
            page.goto(address)
            yield f"{name} here"


def _words_given_back(page: Page, address: str) -> States:
    """A note to a key that this desk does not know, and a question before which another did something."""
    page.goto(address)
    keys = Keyboard(page)
    keys.write("New note", "Words that are not lost.")
    keys.press("button", "Add the note")
    expect(page.get_by_role("heading", name="The service names a key that this desk does not know")).to_be_visible()
    yield "words that are not sealed here"
    page.goto(address)
    keys.write("Question to the reporter", "Words that are not lost.")
    for field in page.locator("input[name=seen]").all():
        field.evaluate("(field) => { field.value = 0; }")
    keys.press("button", "Send the question")
    expect(page.get_by_role("heading", name="Something happened meanwhile")).to_be_visible()
    expect(page.get_by_label("Question to the reporter")).to_have_value("Words that are not lost.")
    yield "words that the service refused here"


@contextmanager
def local_desk(url: str, key: str, identity: Path) -> Iterator[str]:
    """Serve the desk of that service on this machine, and yield the address that opens it."""
    port, headers = free_port(), {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=LONG_ENOUGH) as service:
        client = DeskClient(service)

        def labels(guide: str, edition: int) -> tuple[EditionContent, ReferenceData]:
            return fetch_edition(client, guide, edition), fetch_code_lists(client)

        sealing = LocalSealing((), lambda: A_TUESDAY)
        desk = LocalDesk(service, LocalPages(read_identities(identity), labels), sealing=sealing)
        with run_server(desk.asgi(f"http://127.0.0.1:{port}"), port=port) as origin:  # type: ignore[arg-type]  # ASGI
            yield origin + desk.first_path
