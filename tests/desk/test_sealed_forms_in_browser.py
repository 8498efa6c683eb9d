"""Notes and questions on the hosted desk of a service that cannot read: sealed by the page, and never lost by it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, Route, expect

from app.models.access.roles import Role
from app.models.concerns.examples import FULL_EXAMPLE
from app.services.access.people import remove_person_access
from app.services.concerns.keys import create_identity
from app.services.concerns.sealing import LEAST_CARD, read_identities
from tests.support.browsing import Keyboard, unfold
from tests.support.canaries import CANARY
from tests.support.clock import A_TUESDAY
from tests.support.concerns import raise_concern, read_messages
from tests.support.desk import acts_on
from tests.support.desk_states import sign_in
from tests.support.people import JO, context_of_service
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.unsealing import need_script, unlock

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

WORDS = f"{CANARY} rang twice."
NOTE, QUESTION, CLOSING = "New note", "New message to the reporter", "Last message to the reporter"
LABEL = "New label"


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_script()
    return tmp_path_factory.mktemp("keys") / "team.txt"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, identity: Path) -> FastAPI:
    keys = (create_identity(identity, at=A_TUESDAY), create_identity(identity.with_name("spare.txt"), at=A_TUESDAY))
    data_dir = tmp_path_factory.mktemp("hosted") / "data"
    return a_service(data_dir=data_dir, seal_to=keys)


@pytest.fixture(scope="module")
def url(service: FastAPI) -> Iterator[str]:
    with run_server(service) as address:
        yield address.replace("127.0.0.1", "localhost")


@pytest.fixture
def receipt(url: str) -> dict[str, Any]:
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        return raise_concern(client, **FULL_EXAMPLE)


def signed_in(browser: Browser, service: FastAPI, url: str, **options: Any) -> Page:
    context = browser.new_context(base_url=url, **options)
    context.set_default_timeout(30_000)
    page = context.new_page()
    sign_in(page, service, Role.WORKER)
    return page


@pytest.fixture
def page(browser: Browser, service: FastAPI, url: str, receipt: dict[str, Any]) -> Iterator[Page]:
    """The page of a concern, before any identity is chosen."""
    page = signed_in(browser, service, url)
    page.goto(f"/desk/concerns/{receipt['reference']}")
    yield page
    page.context.close()


def field_of(page: Page, label: str) -> Any:
    found = page.get_by_label(label)
    unfold(found)
    return found


def test_the_page_seals_notes_without_an_identity_and_opens_them_with_one(
    page: Page, url: str, receipt: dict[str, Any], identity: Path
) -> None:
    keys, bodies = Keyboard(page), list[str]()
    page.on("request", lambda request: bodies.append(f"{request.url} {request.post_data or ''}"))

    keys.write(NOTE, WORDS)
    keys.press("button", "Add the note")
    expect(page.get_by_role("heading", name=f"Note 1 by {JO}")).to_be_visible()
    keys.write(QUESTION, WORDS)
    keys.press("button", "Send the message")
    expect(page.get_by_text("Not read yet")).to_be_visible()
    unlock(page, identity)
    expect(page.locator("p.as-typed", has_text=WORDS)).to_be_visible()
    keys.write(NOTE, f"{CANARY} again.")
    keys.press("button", "Add the note")
    expect(page.locator("p.as-typed", has_text=f"{CANARY} again.")).to_be_visible()
    keys.press("button", "Acknowledge")
    field_of(page, "Early help").check()
    keys.write(CLOSING, f"{CANARY} thank you.")
    keys.press("button", "Close the concern")
    expect(page.locator("#done")).to_contain_text("closed")

    sealed = [each for each in bodies if "sealed=" in each]
    assert len(sealed) == 4
    assert [each for each in bodies if CANARY in each or "text=" in each] == []
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:
        assert [each["message"] for each in read_messages(http, receipt)] == [WORDS, f"{CANARY} thank you."]


def test_the_page_seals_a_label_and_its_length_and_opens_it(
    page: Page, service: FastAPI, receipt: dict[str, Any], identity: Path
) -> None:
    keys, bodies = Keyboard(page), list[str]()
    page.on("request", lambda request: bodies.append(f"{request.url} {request.post_data or ''}"))
    facts = page.locator("dl.facts").first

    keys.write(LABEL, f"{CANARY}, Year 9")
    keys.press("button", "Set the label")
    expect(page.locator("#done")).to_contain_text("label changed")
    page.goto(f"/desk/concerns/{receipt['reference']}")
    unlock(page, identity)
    expect(facts.locator(".words")).to_have_text(f"{CANARY}, Year 9")
    expect(page.locator("[data-sealed=concern] > .words")).to_be_focused()
    field_of(page, LABEL).fill("")
    keys.press("button", "Set the label")
    expect(facts.locator(".words")).to_have_text("None")

    sealed = [parse_qs(each.split(" ")[1])["sealed"][0] for each in bodies if "sealed=" in each]
    opened = [read_identities(identity).decrypt(base64.b64decode(each)) for each in sealed]
    texts = [json.loads(each)["label"]["text"] for each in opened]
    assert texts == [f"{CANARY}, Year 9", ""]
    assert {len(each) for each in opened} == {LEAST_CARD}
    assert [each for each in bodies if CANARY in each or "text=" in each] == []
    assert {act for act, _, _ in acts_on(service, receipt["reference"])} >= {"labelled"}


def test_a_concern_is_closed_without_a_message_if_none_is_written(page: Page) -> None:
    keys, bodies = Keyboard(page), list[str]()
    page.on("request", lambda request: bodies.append(request.post_data or ""))

    keys.press("button", "Acknowledge")
    field_of(page, "Early help").check()
    keys.press("button", "Close the concern")
    expect(page.locator("#done")).to_contain_text("closed")

    assert [each for each in bodies if "sealed=" in each or "text=" in each] == []


def test_a_refused_form_keeps_its_words_and_is_sent_again(page: Page, service: FastAPI) -> None:
    keys, note = Keyboard(page), field_of(page, NOTE)
    alert = page.get_by_role("alert")
    pressed = list[Route]()

    def answer(route: Route) -> None:
        pressed.append(route)
        if len(pressed) == 1:
            route.abort()
        elif len(pressed) == 2:
            route.fulfill(status=502, content_type="text/html", body="<h1>A proxy</h1>")
        else:
            route.continue_()

    page.route("**/notes", answer)
    keys.write(NOTE, WORDS)
    keys.press("button", "Add the note")
    expect(alert).to_contain_text("The service does not answer")
    keys.press("button", "Add the note")
    expect(alert).to_contain_text("The service did not take it")
    expect(note).to_have_value(WORDS)
    page.locator("form[action$=notes] input[name=recipients]").evaluate(
        "(field) => { field.value = field.value.split(' ')[0]; }"
    )
    keys.press("button", "Add the note")
    expect(page.locator("#fault-recipients")).to_contain_text("encrypt it again")
    expect(note).to_have_value(WORDS)
    note.evaluate("(field) => { field.form.noValidate = true; field.value = 'x'.repeat(10001); }")
    keys.press("button", "Add the note")
    expect(alert).to_contain_text("This is too long")
    assert len(pressed) == 3
    note.fill(WORDS)
    keys.press("button", "Add the note")
    expect(page.get_by_role("heading", name=f"Note 1 by {JO}")).to_be_visible()
    context_of_service(service).writer.run(remove_person_access, JO, at=A_TUESDAY)
    keys.write(QUESTION, WORDS)
    keys.press("button", "Send the message")

    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(page.get_by_text("It is back when you have signed in")).to_be_visible()
    assert WORDS not in page.content()


def test_words_typed_before_escape_are_back_only_on_the_same_concern(
    page: Page, url: str, receipt: dict[str, Any], identity: Path
) -> None:
    keys = Keyboard(page)
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        other = raise_concern(client, **FULL_EXAMPLE)["reference"]

    def open_concern(reference: str) -> None:
        page.goto(f"/desk/concerns/{reference}")
        unlock(page, identity)
        expect(page.locator("[data-lock]")).to_have_text("Unlocked")

    expect(page.get_by_text("locked with the team’s key")).to_be_visible()
    field_of(page, NOTE).dispatch_event("keydown", {"key": "Escape", "isComposing": True, "bubbles": True})
    keys.write(NOTE, WORDS)
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Continue")).to_be_visible()
    open_concern(other)
    expect(field_of(page, NOTE)).to_have_value("")
    open_concern(receipt["reference"])

    expect(field_of(page, NOTE)).to_have_value(WORDS)


@pytest.mark.parametrize("without", ["scripts", "the script of this service"])
def test_a_page_that_cannot_seal_sends_nothing_and_names_the_command(
    browser: Browser, service: FastAPI, url: str, receipt: dict[str, Any], without: str
) -> None:
    page = signed_in(browser, service, url, java_script_enabled=without != "scripts")
    page.route("**/unseal.js", lambda route: route.abort())
    page.goto(f"/desk/concerns/{receipt['reference']}")

    for label, button, command in ((NOTE, "Add the note", "note"), (QUESTION, "Send the message", "ask")):
        form = page.locator("form", has=page.get_by_label(label))
        field_of(page, label).fill(WORDS)
        expect(form.get_by_role("button", name=button)).to_be_disabled()
        expect(form).to_contain_text("must be encrypted in your browser")
        expect(form).to_contain_text(f"guidance desk {command}")
    page.context.close()
