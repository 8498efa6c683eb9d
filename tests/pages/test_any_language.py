"""People write in any language, read a guide whole in theirs, and say where a child lives and what exists."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect
from starlette.testclient import TestClient

from app.pages.languages import SHORT_LANGUAGES
from tests.support.browsing import accessibility_violations, open_part, press, reach
from tests.support.desk import desk_of
from tests.support.form_answers import FORM, REQUIRED_ANSWERS, check, reference_in, send
from tests.support.loops import first_by_day, for_each
from tests.support.publishing import SLUG
from tests.support.renditions import publish_a_rendition, withdraw_a_rendition
from tests.support.service import a_service

GUIDE_PAGE, WELSH_PAGE = f"/guides/{SLUG}", f"/cy/guides/{SLUG}/renditions/cy"
PASSES_ON = "A child lives in the area of another council. We pass your concern on to that council."
PHONE = {"width": 360, "height": 740}


@pytest.mark.slow
@for_each("path", ["/", FORM, "/raise-a-concern", "/worried-about-yourself", "/cy/", f"/cy{FORM}"])
def test_home_and_forms_lead_to_the_short_pages_of_ten_languages(client: TestClient, path: str) -> None:
    page = client.get(path, headers={"Accept": "text/html"}).text
    found = re.findall(r"<a href='/(\w+)' lang=\"(\w+)\">([^<]*)</a>", page.partition('class="any-language"')[2])

    assert found[:10] == [(each.code, each.code, each.name) for each in SHORT_LANGUAGES]
    assert len(SHORT_LANGUAGES) == 10


@pytest.mark.slow
def test_a_film_in_sign_language_is_offered_where_the_council_has_one(client: TestClient, tmp_path: Path) -> None:
    film = "https://www.council.example/bsl"
    with TestClient(a_service(data_dir=tmp_path / "data", bsl_film=film)) as own:
        for path in ("/", FORM, "/worried-about-yourself"):
            assert f'<a href="{film}" target="_blank"' in own.get(path).text, path
            assert "British Sign Language (opens" not in client.get(path).text, path


@pytest.mark.slow
def test_a_reporter_says_their_language_and_whether_they_need_an_interpreter(
    client: TestClient, service: FastAPI
) -> None:
    words, desk = "Martwię się o Alex Example. میں پریشان ہوں۔", desk_of(service, client)
    told = {"reporter.language": "Polish", "reporter.interpreter_needed": "yes", "concern.narrative": words}
    for kind in ("professional", "member_of_public", "family", "child"):
        answers = REQUIRED_ANSWERS | {"reporter.kind": kind, "key": ""} | told

        shown = client.post(FORM, data=answers | {"do": "check"}).text
        sent = client.post(FORM, data=answers | {"do": "send"})

        assert "What language do you speak best?" in shown
        opened = desk.get(f"/concerns/{reference_in(sent.text)}").json()["submission"]
        assert opened["reporter"] == {"kind": kind, "language": "Polish", "interpreter_needed": "yes"}
        assert opened["concern"]["narrative"] == words


def test_the_welsh_guide_is_whole_at_each_of_its_addresses(client: TestClient) -> None:
    english = client.get(GUIDE_PAGE)
    moved = client.get(f"/guides/{SLUG}/renditions/cy", follow_redirects=False)
    own, same = client.get(f"/cy{GUIDE_PAGE}"), client.get(WELSH_PAGE)

    assert (moved.status_code, moved.headers["location"]) == (308, WELSH_PAGE)
    for page in (own, same):
        assert page.status_code == 200
        assert page.headers["content-language"] == "cy"
        assert '<li lang="cy" dir="ltr">' in page.text
        assert "Cyfrifiadur a wnaeth y fersiwn hon" in page.text
        assert f'href=\'{GUIDE_PAGE}\' lang="en" hreflang="en">English</a>' in page.text
    assert f'href=\'/cy{GUIDE_PAGE}\' lang="cy" hreflang="cy">Cymraeg</a>' in english.text
    assert 'lang="cy" dir="ltr"' not in english.text.partition("<main")[2].replace('lang="cy" dir="ltr">Cymraeg', "")


def test_the_welsh_page_uses_the_guides_words_after_a_withdrawal(client: TestClient, service: FastAPI) -> None:
    withdraw_a_rendition(service, "cy", 1)

    page = client.get(f"/cy{GUIDE_PAGE}")

    assert page.status_code == 200
    assert "Cyfrifiadur a wnaeth y fersiwn hon" not in page.text
    assert '<html lang="cy">' in page.text
    publish_a_rendition(service, language="cy", title="Teitl dyfeisiedig")
    assert "Teitl dyfeisiedig" in client.get(f"/cy{GUIDE_PAGE}").text


@pytest.mark.slow
@pytest.mark.any_database
@pytest.mark.parametrize("has_scripts", first_by_day([True, False]), ids=["with scripts", "without scripts"])
def test_a_neighbour_learns_whom_to_call_and_says_what_exists(browser: Browser, url: str, *, has_scripts: bool) -> None:
    context = browser.new_context(base_url=url, java_script_enabled=has_scripts, viewport=PHONE)  # type: ignore[arg-type]  # a size
    page, faults = context.new_page(), []
    page.goto(FORM)
    expect(page.locator(".any-language")).to_be_visible()
    page.locator("[name='immediate_danger'][value='no']").check()
    reach(page, "[name='concern.narrative']").fill("Pat Example sends Alex Example messages.")
    page.locator("[name='concern.people_of_concern.0.works_with_children'][value='yes']").check()
    reach(page, "[name='children.0.given_names']").fill("Alex")
    page.locator("summary", has_text="Where the child is").click()
    page.locator("[name='children.0.home_council']").select_option("Wiltshire")
    reach(page, "[name='reporter.kind'][value='member_of_public']").check()
    page.get_by_role("group").locator("summary").filter(has_text=re.compile(r"^More about you$"), visible=True).click()
    page.get_by_label("What language do you speak best?").fill("Polish")
    faults += accessibility_violations(page) if has_scripts else []
    open_part(page, "things")
    expect(page.locator("#things")).to_contain_text("Do not send, copy or keep sexual pictures of a child")
    press(page, "Add a thing")
    page.locator("[name='concern.things_that_exist.0.kind']").select_option("Message")
    page.get_by_label("Who has it?").fill("Alex")
    faults += accessibility_violations(page) if has_scripts else []
    expect(page.locator("input[type=file]")).to_have_count(0)

    check(page)

    for _ in range(2):
        expect(page.get_by_text(PASSES_ON)).to_be_visible()
        for number in ("+443004560108", "+441225396312"):
            expect(page.locator(f"#also-call ~ ul a[href='tel:{number}']")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        faults += accessibility_violations(page) if has_scripts else []
        if page.get_by_role("button", name="Send", exact=True).count():
            expect(page.get_by_text("Which phone")).to_have_count(0)
            send(page)
    assert faults == []
    context.close()
