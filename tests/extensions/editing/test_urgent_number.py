"""A number that is wrong and cannot wait: one screen for who corrects it, and one for who publishes it."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from starlette.testclient import TestClient

from app.models.access.roles import Role
from tests.extensions.editing.test_draft_review import AGREED, draft_of
from tests.extensions.editing.test_edit_pages import Editor, editor
from tests.support.browsing import accessibility_violations
from tests.support.drafts import SEED_GUIDE, Running, page_of
from tests.support.loops import for_each

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

TEAM = "Duty and Assessment Team"
PAGE = f"/{SEED_GUIDE}/numbers/duty-and-assessment-team"
WAS = ["01225 396312", "396313"]
NEW = "01225 396314"


@pytest.fixture
def ann(service: FastAPI, client: TestClient) -> Editor:
    return editor(service, client, "Ann Example")


@pytest.fixture
def ben(service: FastAPI, client: TestClient) -> Editor:
    return editor(service, client, "Ben Example", Role.PUBLISHER)


def change(person: Editor, *phones: str, was: list[str] | None = None, **more: str) -> Any:
    typed = {f"phone-{place}": each for place, each in enumerate(phones)}
    return person.post(PAGE, typed | {"was": was or WAS} | more)


def test_a_number_is_changed_and_published_with_its_change_in_words(
    service: FastAPI, ann: Editor, ben: Editor, client: TestClient
) -> None:
    assert f'<a href="/edit{PAGE}">{WAS[0]}' in ann.get().text
    assert change(ann, NEW, WAS[1], called="yes").status_code == 303
    page = " ".join(unescape(ben.get(PAGE).text).split())

    sent = {"version": ben.version(SEED_GUIDE)} | AGREED
    published = ben.post(f"/{SEED_GUIDE}/publication", sent)

    assert f"<strong>{TEAM}:</strong>" in page
    assert "publish edition 2 now" in page
    assert "Send it back" in page
    assert published.status_code == 200
    current = client.get(f"/v1/guides/{SEED_GUIDE}").json()
    assert current["change_note"] == f"{TEAM}: {WAS[0]} is now {NEW}."
    (contact,) = (each for each in current["contacts"] if each["name"] == TEAM)
    assert [each["display"] for each in contact["phones"]] == [NEW, WAS[1]]
    assert contact["verified_on"] == "2026-11-24"
    assert draft_of(service) is None


@for_each("typed", ["12", "", "01225 396314 or 01225 396315", "call us"])
def test_what_is_no_number_stays_as_typed_and_begins_nothing(service: FastAPI, ann: Editor, typed: str) -> None:
    refused = change(ann, typed, WAS[1])

    assert refused.status_code == 422
    assert "Enter one telephone number" in refused.text
    assert typed in refused.text
    assert draft_of(service) is None


def test_a_number_that_is_published_already_is_no_change(service: FastAPI, ann: Editor) -> None:
    assert "This number is published already" in change(ann, *WAS).text
    assert draft_of(service) is None


def test_a_draft_of_someone_else_and_a_page_that_is_old_stay_as_they_are(
    service: FastAPI, ann: Editor, ben: Editor
) -> None:
    late = change(ann, NEW, WAS[1], was=["01225 000000", WAS[1]])
    assert (late.status_code, draft_of(service)) == (303, None)
    ben.post(f"/{SEED_GUIDE}/begin")
    before = draft_of(service)

    refused = change(ann, NEW, WAS[1])

    assert before is not None
    after = draft_of(service)
    assert refused.status_code == 303
    assert after is not None
    assert after.content == before.content
    assert "This guide has a draft" in ann.get(PAGE).text
    assert ann.get(f"/{SEED_GUIDE}/numbers/none-such").status_code == 404


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    service = Running(tmp_path / "data")
    yield service
    service.stop()


def test_from_the_number_to_the_published_number_it_takes_five_presses(browser: Browser, running: Running) -> None:
    ann: Page = page_of(browser, running, "Ann Example", Role.EDITOR)
    ben: Page = page_of(browser, running, "Ben Example", Role.PUBLISHER)
    ann.goto("/edit")
    ann.get_by_role("link", name=re.compile(WAS[0])).press("Enter")
    ann.get_by_label("New number for 01225 396312").fill(NEW)
    assert accessibility_violations(ann) == []
    ann.get_by_label("I have called it today").press("Space")
    ann.get_by_role("button", name="Ask a second person to publish it").press("Enter")
    expect(ann.get_by_text("You wrote part of this draft")).to_be_visible()
    ben.goto("/edit")
    ben.get_by_role("link", name=re.compile(WAS[0])).press("Enter")
    assert accessibility_violations(ben) == []
    for name in ("publish edition 2 now", "Send it back"):
        expect(ben.get_by_role("button", name=re.compile(name))).to_be_in_viewport()
    ben.get_by_role("button", name=re.compile("publish edition 2 now")).press("Enter")

    expect(ben.get_by_role("heading", name="Edition 2 is published")).to_be_visible()
