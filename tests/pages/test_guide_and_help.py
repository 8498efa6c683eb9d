"""The guide's page, who can help, numbers that can be dialled, and the look of a trial."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from dotenv import dotenv_values
from fastapi import FastAPI
from playwright.sync_api import Browser
from pyrage import x25519
from starlette.testclient import TestClient

from app.config import PREFIX, parse_settings
from app.models.guides.contacts import Phone
from tests.support.browsing import accessibility_violations
from tests.support.form_answers import REQUIRED_ANSWERS
from tests.support.loops import first_by_day, for_each
from tests.support.publishing import GUIDE, SLUG, publish_next
from tests.support.service import a_service
from tests.support.threaded import run_server

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "deploy" / "sample-council" / "council.env"
PAGES = (
    "/",
    f"/guides/{SLUG}",
    f"/cy/guides/{SLUG}/renditions/cy",
    "/raise-a-concern",
    "/worried-about-yourself",
    "/concerns",
    "/accessibility",
    "/privacy",
    "/no-such-page",
)
LINK = re.compile(r'<a [^>]*href="tel:([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
HALF_A_PHONE = 740 / 2


@pytest.mark.parametrize(
    ("number", "printed", "dialled"),
    [
        ("+441225396312", "01225 396312", "01225 396312"),
        ("+441225396313", "396313", "01225 396313"),
        ("+441632960001", "(01632) 960 001", "(01632) 960 001"),
        ("+441632960001", "+44 1632 960001", "+44 1632 960001"),
        ("+441632960001", "960 001", "01632 960 001"),
        ("+448001111", "Childline", "08001111"),
        ("116000", "116 000", "116 000"),
        ("999", "999", "999"),
        ("+35312345678", "234 5678", "+3531 234 5678"),
    ],
)
def test_a_number_is_printed_as_a_person_dials_it(number: str, printed: str, dialled: str) -> None:
    assert Phone(number=number, display=printed).dialled == dialled


def digits_of(text: str) -> str:
    return "".join(filter(str.isdigit, text))


@pytest.mark.slow
def test_every_number_is_whole_and_its_link_dials_it(client: TestClient) -> None:
    pages = {path: client.get(path, headers={"Accept": "text/html"}).text for path in PAGES}
    sent = REQUIRED_ANSWERS | {"do": "send"}
    pages["receipt"] = client.post(f"/raise-a-concern/{SLUG}", data=sent, headers={"Accept": "text/html"}).text

    for path, page in pages.items():
        links = [(number, unescape(re.sub("<[^>]*>", "", text))) for number, text in LINK.findall(page)]
        assert links, path
        for number, text in links:
            assert re.fullmatch(r"\+44[1-9][0-9]{6,9}|[1-9][0-9]{2,5}", number), (path, number)
            assert digits_of(text) == re.sub(r"^\+44", "0", number), (path, number, text)
    assert "or 396313" not in " ".join(pages.values())
    assert "01225 396312 or 01225 396313 (option 1)" in re.sub("<[^>]*>", "", pages["receipt"])


def test_the_data_keeps_the_number_as_it_was_printed(client: TestClient) -> None:
    contacts = client.get(f"{GUIDE}/contacts").json()["contacts"]

    assert contacts[0]["phones"][1] == {"number": "+441225396313", "display": "396313", "option": "1"}


def test_the_guide_begins_with_a_plain_sentence_and_its_contents(client: TestClient) -> None:
    page = client.get(f"/guides/{SLUG}").text

    plain = "This guide says what to look for, what to do and who to call. You do not need proof to ask for help."
    assert page.index("<h1") < page.index(plain) < page.index("<h2")
    contents = re.search(r'aria-labelledby="on-this-page">(.*?)</nav>', page, re.DOTALL)
    assert contents is not None
    places = re.findall('href="#([^"]*)"', contents[1])
    assert places == [place for place in re.findall('<h2 id="([^"]*)"', page) if place in places]
    assert len(places) == 6


def test_the_guide_has_the_words_of_the_print_around_its_contacts_and_signs(client: TestClient) -> None:
    page = client.get(f"/guides/{SLUG}").text
    words = unescape(" ".join(re.sub("<[^>]+>", " ", page).split()))

    assert "What to look for Vulnerability and risk factors and indicators to consider" in words
    assert "Please call the Duty and Assessment Team on 01225 396312 (option 1) or" in words
    assert "Our Request for Service Form can be found at: https://www.bathnes.gov.uk" in words


def test_a_guide_without_signs_or_duties_does_not_promise_them(client: TestClient, service: FastAPI) -> None:
    publish_next(service, guide="neglect", responsibilities=[])

    assert "what to do and who to call" not in client.get("/guides/neglect").text


@for_each("path", ["/", f"/guides/{SLUG}", "/no-such-page", "/covering-your-tracks", "/accessibility"])
def test_one_link_leads_to_everyone_else_who_can_help(client: TestClient, path: str) -> None:
    page = client.get(path, headers={"Accept": "text/html"}).text

    assert page.count('<a href="/who-can-help">More people who can help</a>') == 1


def test_who_can_help_is_grouped_by_whom_it_is_for(client: TestClient) -> None:
    page = client.get("/who-can-help").text

    order = [
        "In an emergency, if you cannot speak on the phone",
        "999 BSL",
        "If you are a child or young person",
        "Childline",
        "CEOP Safety Centre",
        "If you are an adult who is worried",
        "NSPCC Helpline",
    ]
    assert sorted(order, key=page.index) == order


@pytest.mark.slow
def test_all_pages_of_a_trial_and_no_others_say_so(client: TestClient, tmp_path: Path) -> None:
    html = {"Accept": "text/html"}
    recipient = str(x25519.Identity.generate().to_public())
    real = a_service(data_dir=tmp_path / "data", seal_to=(recipient,))
    pages = (*PAGES, "/docs", "/docs/getting-started", "/desk", "/search", "/guides")

    with TestClient(real, headers=html) as live:
        for path in pages:
            said = re.sub("<[^>]+>", "", client.get(path, headers=html).text)
            assert "Trial: " in said or "Treial: " in client.get(path).text, path
            assert 'class="trial"' not in live.get(path).text, path


def test_a_page_of_changes_compares_with_the_edition_before(client: TestClient, service: FastAPI) -> None:
    publish_next(service, change_note="A second.")
    path = f"/guides/{SLUG}/editions"

    ours, named = (client.get(f"{path}/2/changes{query}").text.partition("<main")[2] for query in ("", "?since=1"))
    assert ours.partition("</main>")[0] == named.partition("</main>")[0]
    assert client.get(f"{path}/1/changes", headers={"Accept": "text/html"}).status_code == 400


@pytest.fixture(scope="module")
def sample_council(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A trial that looks like a council, as the sample sets it."""
    given = {name: value or "" for name, value in dotenv_values(SAMPLE).items()}
    look = parse_settings({name: value for name, value in given.items() if name.startswith(PREFIX)}, file=None)
    chosen = look.model_dump(include=look.model_fields_set - {"commit"})
    with run_server(a_service(data_dir=tmp_path_factory.mktemp("sample") / "data", **chosen)) as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("colours", first_by_day(["light", "dark"]))
def test_a_trial_header_leaves_half_a_phone_with_large_text(
    browser: Browser, sample_council: str, colours: str
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=colours, bypass_csp=True)  # type: ignore[arg-type]  # one of two
    page = context.new_page()
    for path in ("/", f"/guides/{SLUG}", "/raise-a-concern", f"/cy/guides/{SLUG}/renditions/cy"):
        page.goto(f"{sample_council}{path}")
        assert page.locator(".band img").evaluate("image => image.complete && image.naturalWidth > 0")
        assert accessibility_violations(page) == [], path
        page.add_style_tag(content="html { font-size: 200% !important; }")
        assert page.locator("main").evaluate("main => main.getBoundingClientRect().top") <= HALF_A_PHONE, path
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path
        page.locator(".to-menu").click()
        assert page.locator("#menu a").first.is_visible()
    context.close()
