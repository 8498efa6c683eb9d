"""The file of one person, made in the browser: found by cards, marked, decided by keyboard, and checked offline."""

import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pypdf
import pytest
from playwright.sync_api import Browser, Page, expect
from typer.testing import CliRunner

from app.cli.commands import app
from app.models.audit.rows import DeskAct
from app.services.desk.exports import read_export_file
from tests.support.browsing import Keyboard, accessibility_violations
from tests.support.concerns import add, raise_concern
from tests.support.desk import DESKS, Served, acts_on, ask_for_file
from tests.support.desk_states import session_of, sign_in
from tests.support.loops import first_by_day
from tests.support.people import JO
from tests.support.unsealing import unlock

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

OTHERS = ("Zymurgia", "Oakfield", "Quetzal", "960001", "Bertie")
SAID = "Alex told Zymurgia Oakfield, her tutor, that Quetzal waits outside. Bertie knows. Call 01632 960001."
NUMBERS = itertools.count(1)
REMOVED = "[removed: names another person]"


@pytest.fixture
def references(served: Served) -> list[str]:
    """Two concerns about one child, spelt in two ways, with an addition."""
    reporter = {"kind": "professional", "name": "Zymurgia Oakfield", "phone": "01632 960001"}
    people = {"reporter": reporter, "parents_and_carers": [{"name": "Quetzal Example"}]}
    with httpx.Client(base_url=served.url, trust_env=False, timeout=30) as http:
        receipts = [
            raise_concern(http, **people, children=[child], concern={"narrative": SAID})
            for child in ({"given_names": "Alex", "family_name": "Example"}, {"given_names": "Aleksa"})
        ]
        assert add(http, receipts[0], "Zymurgia rang again. Alex is home.").is_success
    return [str(each["reference"]) for each in receipts]


def new_request(served: Served, asker: str = "person") -> str:
    return ask_for_file(served.service, asker, about=f"SAR {next(NUMBERS)}")


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    context = browser.new_context(base_url=served.url, accept_downloads=True, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    sign_in(page, served.service)
    page.goto(new_request(served))
    yield page
    context.close()


def choose(page: Page, served: Served, references: list[str]) -> None:
    """Choose the concerns: by name if the desk cannot read, otherwise by reference. Open them, by keyboard."""
    keys = Keyboard(page)
    if served.identity is not None:
        unlock(keys.page, served.identity)
    keys.write("Names of the person", "Alex Example, Aleksa")
    if served.identity is not None:
        for reference in references:
            keys.choose(reference)
    else:
        keys.write("Add concerns by reference", " ".join(references))
        keys.press("button", "Add")
    keys.press("button", "Open 1 concern" if len(references) == 1 else f"Open {len(references)} concerns")
    expect(page.get_by_role("heading", name="3. Decide what is removed")).to_be_focused()


def decide_all(page: Page) -> None:
    """Remove each passage that is open, by Enter alone: the focus goes on to the next."""
    page.get_by_role("button", name="Next open passage").press("Enter")
    for _ in range(page.locator("mark[aria-pressed=mixed]").count()):
        page.keyboard.press("Enter")
    expect(page.locator("[data-count]")).to_contain_text("0 open")


def save(page: Page, button: str, path: Path) -> str:
    """Make that file, and return its printed words. Each line is one of them."""
    with page.expect_download() as saved:
        page.get_by_role("button", name=button).press("Enter")
    saved.value.save_as(path)
    pdf = pypdf.PdfReader(io.BytesIO(path.read_bytes()), strict=True)
    return " ".join(" ".join(each.extract_text() for each in pdf.pages).split())


@pytest.mark.parametrize("served", first_by_day(DESKS), indirect=True)
def test_both_files_are_made_by_keyboard_and_one_names_nobody_else(
    page: Page, served: Served, references: list[str], tmp_path: Path
) -> None:
    bodies = list[str]()
    page.on("request", lambda request: bodies.append(f"{request.url} {request.post_data or ''}"))
    choose(page, served, references)
    assert accessibility_violations(page) == []
    page.get_by_role("button", name="Bertie").press("Enter")
    expect(page.get_by_role("button", name="Make the file for the person")).to_be_disabled()
    decide_all(page)

    own = save(page, "Make the file for the person", tmp_path / "person.pdf")
    page.goto(new_request(served, "court"))
    choose(page, served, references)
    whole = save(page, "Make the complete file for a court", tmp_path / "court.pdf")

    document = json.dumps(read_export_file((tmp_path / "person.pdf").read_bytes()).document)
    assert [name for name in OTHERS if name in own or name in document] == []
    assert [name for name in OTHERS if name not in whole] == []
    assert f"Alex told {REMOVED}, her tutor, that {REMOVED} waits outside. {REMOVED} knows. Call {REMOVED}." in own
    assert JO not in own
    assert JO in whole
    jwks = tmp_path / "jwks.json"
    jwks.write_text(httpx.get(f"{served.url}/.well-known/jwks.json", trust_env=False).text, encoding="utf-8")
    said = [
        CliRunner().invoke(app, ["export", "verify", str(tmp_path / f"{name}.pdf"), "--jwks", str(jwks)])
        for name in ("person", "court")
    ]
    assert [each.exit_code for each in said] == [0, 0], [each.output for each in said]
    assert "unchanged since the service recorded it" in said[0].output
    assert "2 concerns, with the desk's notes: complete and unchanged" in said[1].output
    for reference in references:
        acts = [act for act, who, _ in acts_on(served.service, reference) if who.endswith(JO)]
        assert acts == [DeskAct.OPENED, DeskAct.EXPORTED] * 2
    assert [each for each in bodies if any(name in each for name in (*OTHERS, "Aleksa"))] == []


def test_k_keeps_a_passage_and_a_person_can_be_another(
    page: Page, served: Served, references: list[str], tmp_path: Path
) -> None:
    choose(page, served, references[:1])
    first = page.locator("mark").first
    expect(first).to_have_attribute("aria-pressed", "mixed")
    page.get_by_role("button", name="Next open passage").press("Enter")
    page.keyboard.press("k")
    expect(first).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="This is the person (Parent or carer 1)").press("Enter")
    expect(page.get_by_role("button", name="This is the person (Parent or carer 1)")).to_be_focused()
    decide_all(page)

    own = save(page, "Make the file for the person", tmp_path / "person.pdf")

    assert "Alex told Zymurgia Oakfield, her tutor, that Quetzal waits" in own
    assert "Name: Quetzal Example" in own
    assert own.count("Zymurgia") == 1


def test_what_was_decided_is_back_after_the_screen_was_hidden(
    page: Page, served: Served, references: list[str]
) -> None:
    choose(page, served, references)
    decide_all(page)
    stored = page.wait_for_function("() => Object.values(sessionStorage).join(' ')").json_value()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Continue").click()
    unlock(page, served.identity or "")
    expect(page.get_by_label("Names of the person")).to_have_value("Alex Example, Aleksa")
    page.get_by_role("button", name="Open 2 concerns").press("Enter")

    expect(page.locator("[data-count]")).to_contain_text("0 open")
    assert [each for each in (*OTHERS, *references) if each in stored] == []


def test_each_concern_says_why_it_is_in_the_list(page: Page, served: Served) -> None:
    wanted = {"names": "Zelda Quillfeather", "phones": "07700 900931", "text": "Morwenna"}
    with httpx.Client(base_url=served.url, trust_env=False, timeout=30) as http:
        by_name = raise_concern(http, children=[{"given_names": "Zelda", "family_name": "Quillfeather"}])
        by_phone = raise_concern(http, parents_and_carers=[{"name": "Pat Example", "phone": wanted["phones"]}])
        by_text = raise_concern(http, concern={"narrative": f"{wanted['text']} was seen with the child."})
        by_reference = raise_concern(http)
    keys = Keyboard(page)
    keys.unlock(served.identity or Path())
    keys.write("Names of the person", ", ".join(wanted.values()))
    keys.write("Add concerns by reference", by_reference["reference"])
    keys.press("button", "Add")

    for receipt, why in (
        (by_name, "Found in: child’s name."),
        (by_phone, "Found in: telephone number."),
        (by_text, "Found in: first words."),
        (by_reference, "Added by reference."),
    ):
        line = page.locator("[data-found] label", has_text=str(receipt["reference"]))
        expect(line.locator("[data-why]")).to_have_text(f" {why}")


def test_nothing_is_opened_without_an_identity(page: Page, served: Served, references: list[str]) -> None:
    page.get_by_label("Names of the person").fill("Alex Example")
    page.get_by_label("Add concerns by reference").fill(references[0])
    page.get_by_role("button", name="Add").press("Enter")
    page.get_by_role("button", name="Open 1 concern").press("Enter")

    expect(page.locator("[data-state]")).to_contain_text("Press “Locked” at the top first")
    assert DeskAct.OPENED not in [act for act, _, _ in acts_on(served.service, references[0])]


def test_a_second_person_looks_at_the_file_that_was_made_and_at_no_other(
    page: Page, served: Served, references: list[str], tmp_path: Path
) -> None:
    made, another = tmp_path / "person.pdf", tmp_path / "another.pdf"
    choose(page, served, references[:1])
    decide_all(page)
    save(page, "Make the file for the person", made)
    another.write_bytes(made.read_bytes().replace(b"Alex", b"Alec", 1) + b"\n")
    page.context.clear_cookies()
    page.context.add_cookies([cookie_of(served, "Sam Example")])
    page.reload()
    page.get_by_label("The file that you read").set_input_files(another)
    page.get_by_role("button", name="I have read it, and it may be given").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This is not the file that was made last for this request.")

    page.get_by_label("The file that you read").set_input_files(made)
    page.get_by_role("button", name="I have read it, and it may be given").press("Enter")

    expect(page.locator("main")).to_contain_text("Sam Example has looked at it.")
    expect(page.locator("main")).to_contain_text("You looked at this file: someone else must give it.")
    page.context.clear_cookies()
    page.context.add_cookies([cookie_of(served, JO)])
    page.reload()
    page.get_by_role("button", name="The file was given").press("Enter")
    expect(page.locator("main")).to_contain_text("the file was given")


@pytest.mark.parametrize("served", DESKS[:1], indirect=True)
def test_another_request_begins_with_nothing_chosen(page: Page, served: Served, references: list[str]) -> None:
    court = new_request(served, "court")
    choose(page, served, references)

    page.get_by_role("link", name="Files of one person").press("Enter")
    page.locator(f"[href='{court}']").press("Enter")

    expect(page.get_by_role("heading", name=f"File of one person: request {court.rpartition('/')[2]}")).to_be_visible()
    expect(page.locator("[data-lock].unlocked")).to_be_attached()
    expect(page.get_by_label("Names of the person")).to_have_value("")
    expect(page.locator("[name=chosen]")).to_have_count(0)
    expect(page.locator("[data-words] mark")).to_have_count(0)
    expect(page.get_by_role("button", name="Open the chosen concerns")).to_be_disabled()


def cookie_of(served: Served, name: str) -> Any:
    value = session_of(served.service, name)
    return {"name": "desk", "value": value, "domain": "localhost", "path": "/", "sameSite": "Strict"}
