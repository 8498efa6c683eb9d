"""A choice that was made can be taken back, with and without scripts; and a form without a guide names none."""

from collections.abc import Iterator

import jwt
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from starlette.testclient import TestClient

from tests.support.browsing import open_part
from tests.support.desk import desk_of
from tests.support.form_answers import FORM, KEY, NARRATIVE, REQUIRED_ANSWERS, check, fill_in, reference_in, send
from tests.support.publishing import SLUG

pytestmark = pytest.mark.any_database


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def page(request: pytest.FixtureRequest, browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(base_url=url, java_script_enabled=request.param)
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.mark.slow
def test_a_choice_is_cleared_and_nothing_else_is(page: Page) -> None:
    page.goto(FORM)
    fill_in(page)
    page.get_by_label("Your name").fill("Robin Example")

    open_part(page, "calls")
    page.locator("[name='police_informed'][value='yes']").check()

    page.locator("[value='clear:police_informed']").click()

    expect(page.locator("[name='police_informed']:checked")).to_have_count(0)
    expect(page.locator("[name='police_informed']").first).to_be_focused()
    expect(page.locator("[value='clear:police_informed']")).to_be_hidden()
    expect(page.locator("[name='reporter.name']")).to_have_value("Robin Example")
    expect(page.locator("[name='concern.narrative']")).to_have_value(NARRATIVE)
    expect(page.locator("[name='immediate_danger']:checked")).to_have_value("no")


@pytest.mark.parametrize("path", ["/raise-a-concern", "/worried-about-yourself", "/worried-about-a-friend"])
def test_a_question_that_must_be_answered_offers_no_way_to_clear_it(client: TestClient, path: str) -> None:
    page = client.get(path).text

    assert 'name="immediate_danger"' in page
    assert "clear:immediate_danger" not in page
    assert "clear:reporter.kind" not in page


@pytest.mark.slow
def test_a_choice_about_what_is_added_is_cleared_and_the_words_stay(page: Page) -> None:
    page.goto(FORM)
    fill_in(page)
    check(page)
    send(page)
    page.get_by_role("button", name="Check what is happening, or add more").click()
    page.locator("[name='immediate_danger'][value='yes']").check()
    page.get_by_label("What do you want to add?").fill("The car was red.")

    page.locator("[data-clear]").click()

    expect(page.locator("[name='immediate_danger']:checked")).to_have_count(0)
    expect(page.get_by_label("What do you want to add?")).to_have_value("The car was red.")


@pytest.mark.slow
def test_clearing_an_unknown_answer_loses_nothing(client: TestClient) -> None:
    for target in ("", "reporter.", "reporter.kind.", "children.0.sex", "children.9", "nothing", "concern"):
        page = client.post(FORM, data=REQUIRED_ANSWERS | {"do": f"clear:{target}"})

        assert page.status_code == 200
        assert (NARRATIVE in page.text) == (target != "concern"), target


@pytest.mark.slow
def test_a_form_without_a_guide_names_none_and_its_receipt_says_so(client: TestClient, service: FastAPI) -> None:
    sent = client.post("/raise-a-concern", data=REQUIRED_ANSWERS | {"do": "send"})
    named = client.post(FORM, data=REQUIRED_ANSWERS | {"key": KEY.replace("5", "6"), "do": "send"})

    assert "<dt>Guide</dt>" not in sent.text
    assert "<dt>Guide</dt>" in named.text
    desk = desk_of(service, client)
    assert "guide" not in desk.get(f"/concerns/{reference_in(sent.text)}").json()["submission"]
    assert desk.get(f"/concerns/{reference_in(named.text)}").json()["submission"]["guide"] == SLUG
    for page, is_named in ((sent, False), (named, True)):
        token = page.text.partition('name="receipt" value="')[2].partition('"')[0]
        assert jwt.decode(token, options={"verify_signature": False})["guide_named"] is is_named
