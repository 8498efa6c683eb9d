"""The short pages of ten languages: whole from the first screen to 'sent', and to the answer."""

import datetime as dt
import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from app.main import GuidanceApp
from app.models.access.clients import Scope
from app.models.concerns.concern import ReporterKind
from app.models.concerns.examples import SMALLEST_EXAMPLE
from app.pages import languages
from app.pages.concerns import raise_concern, status, typed_codes
from app.pages.error_pages import SHORT_ERROR_TEXTS
from app.pages.languages import (
    LANGUAGES,
    SHORT_LANGUAGES,
    SIGN_LANGUAGE,
    UNSIGNED,
    Catalogue,
    Language,
    read_catalogue,
)
from app.services.access.clients import add_client
from tests.support.clock import A_TUESDAY
from tests.support.desk import Desk, desk_of
from tests.support.form_answers import KEY, NARRATIVE, REQUIRED_ANSWERS
from tests.support.loops import for_each
from tests.support.service import a_service
from tests.support.translations import assert_same_marks, unmarked_words

pytestmark = pytest.mark.any_database

MAX_BYTES = 9_000
POLISH = SHORT_LANGUAGES[0]
ANSWERS = {"immediate_danger": "no", "concern.narrative": NARRATIVE, "reporter.kind": "member_of_public", "do": "send"}
RARE = (
    *(raise_concern.ALREADY_SENT, raise_concern.NOT_STORED, raise_concern.TOO_MANY_FROM_HERE),
    *(status.ALREADY_ADDED, status.CANNOT_BE_ADDED, status.NOT_ADDED, status.TOO_LONG, status.TOO_MUCH_FROM_HERE),
    *(status.NO_MATCH, typed_codes.SWAPPED, *(each for _, *found in typed_codes.EXPECTED.values() for each in found)),
    "A social worker should read what you added by {}.",
    *("the end of {}", "Who to call when this team is closed", "If nobody has by then, call us."),
    "We cannot show this message. Call us and give your reference.",
    *("Closed now.", "Closed now. Opens today at {}.", "Closed now. Opens tomorrow at {}."),
    *("Closed now. Opens on {} at {}.", "Until then, call %(phones)s.", "In danger, call %(phones)s."),
    *("Under 18? Call Childline on %(phones)s.", "Not sure?", "Another number for the same team"),
    "It could not be sent. Nothing is lost: try again. In danger, call 999.",
    *(text for texts in SHORT_ERROR_TEXTS.values() for text in texts),
)
"""Sentences of rare errors, which the states below do not have."""
OF_LONG_PAGES = {
    "Started",
    "The file could not be saved. Nothing is lost: try again.",
    "You have 1 letter left.",
    "You have 1 letter too many.",
    "You have {number} letters left.",
    "You have {number} letters too many.",
}
"""Sentences of the JavaScript that no short page shows."""
OF_DATA = re.compile(r"\b2026$|^7K3M-")
"""Matches a date, which comes from the tables of languages, and an invented code."""
OF_CODES = {"QXT"}
WITH_NUMBERS = re.compile(r"\d{5}")
"""Matches the sentences of the API that name a phone number. Pages compose their own in place of them."""


@pytest.fixture
def service(tmp_path: Path) -> GuidanceApp:
    return a_service(data_dir=tmp_path / "data", duty_hours="Monday to Friday, 8:30am to 5pm")


def codes_in(page: str) -> dict[str, str]:
    """Return the form fields of the reference and the code that the page shows."""
    reference, code = re.findall(r'class="reference">(?:<span class="code-words">)?([^<]*)<', page)
    return {"reference": reference, "code": code}


def states(service: FastAPI, desk: Desk, home: str) -> Iterator[str]:
    """Yield the short pages of the language at `home` in every state that a person is likely to see."""
    client, clock = desk.http, service.state.context.clock
    yield client.get(home).text
    yield client.get(f"{home}/concerns").text
    yield client.post(f"{home}/concerns", data={"reference": "x", "code": "x"}).text
    yield client.delete(home).text
    yield client.post(home, data=ANSWERS | {"concern.narrative": "1" * 50_001, "reporter.kind": ""}).text
    yield client.post(home, data={"immediate_danger": "yes", "do": "now"}).text
    for kind in ReporterKind:
        answers = ANSWERS | {"reporter.kind": kind}
        for danger in ("yes", "not_sure"):
            yield client.post(home, data=answers | {"immediate_danger": danger, "concern.narrative": ""}).text
            yield client.post(home, data=answers | {"immediate_danger": danger}).text
        sent = client.post(home, data=answers).text
        place = codes_in(sent) | {"voice": kind, "shows_code": "1"}
        yield sent
        clock.time = A_TUESDAY + dt.timedelta(days=9, hours=12)
        yield client.post(f"{home}/concerns", data=place).text
        yield client.post(home, data=answers).text
        clock.time = A_TUESDAY
        for danger in ("yes", "no", "not_sure"):
            added = place | {"immediate_danger": danger}
            yield client.post(f"{home}/concerns/additions", data=added).text
            yield client.post(f"{home}/concerns/additions", data=added | {"narrative": NARRATIVE}).text
        desk.post(f"/concerns/{place['reference']}/messages", {"text": "0"})
        clock.time = A_TUESDAY + dt.timedelta(days=9)
        yield client.post(f"{home}/concerns", data=place).text
        desk.act(place["reference"], "acknowledgement")
        yield client.post(f"{home}/concerns", data=place).text
        clock.time = A_TUESDAY
    tested = a_test(service, client)
    yield client.post(f"{home}/concerns", data=tested).text
    yield client.post(f"{home}/concerns/additions", data=tested | {"narrative": NARRATIVE}).text


def a_test(service: FastAPI, http: Any) -> dict[str, str]:
    """Send a concern as a test by the API. Return the form fields of its reference and code."""
    key = add_client(
        service.state.context.writer, name="example-sandbox", scopes=[Scope.SUBMIT], test=True, at=A_TUESDAY
    )
    told = SMALLEST_EXAMPLE | {"test": True}
    receipt = http.post("/v1/concerns", json=told, headers={"Authorization": f"Bearer {key}"}).json()
    return {"reference": receipt["reference"], "code": receipt["status_token"]}


def closed(service: FastAPI, desk: Desk, home: str) -> Iterator[str]:
    """Yield the status of a closed concern for each reader and each outcome."""
    client = desk.http
    for kind in ("member_of_public", "child", "friend"):
        for code in service.state.context.reference_data.get_code_list("outcome").codes:
            place = codes_in(client.post(home, data=ANSWERS | {"reporter.kind": kind}).text)
            desk.act(place["reference"], "acknowledgement")
            desk.act(place["reference"], "outcome", outcome=code.code, shared_with_reporter=True)
            yield client.post(f"{home}/concerns", data=place | {"voice": kind}).text


class Asked(dict[str, str]):
    """A catalogue that marks every sentence in place of its translation, and remembers which it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.sentences = set(RARE)

    def get(self, sentence: str, _default: str) -> str:  # type: ignore[override]  # as the pages call it
        if WITH_NUMBERS.search(sentence):
            return sentence
        self.sentences.add(sentence)
        return f"⟦{sentence}⟧"


@pytest.mark.slow
def test_a_short_catalogue_has_exactly_the_sentences_of_short_pages(
    service: GuidanceApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked()
    monkeypatch.setattr(languages, "_catalogue", lambda _: Catalogue(asked, UNSIGNED))
    with TestClient(service, headers={"Accept": "text/html"}) as client:
        desk = desk_of(service, client)
        pages = [*states(service, desk, "/pl"), *closed(service, desk, "/pl")]
    monkeypatch.undo()

    assert len(pages) > 50
    unmarked = {words for page in pages for words in unmarked_words(page)}
    assert [each for each in sorted(unmarked) if not OF_DATA.search(each)] == []
    for language in SHORT_LANGUAGES:
        translated = {str(each.id): str(each.string or "") for each in read_catalogue(language) if each.id}
        lacking = sorted(each for each in asked.sentences - OF_LONG_PAGES if not translated.get(each))
        assert (language.code, lacking) == (language.code, [])
        assert (language.code, sorted(set(translated) - asked.sentences)) == (language.code, [])
        assert_same_marks(translated)


@pytest.mark.slow
def test_a_concern_is_sealed_with_the_language_of_its_reporter(service: GuidanceApp) -> None:
    with TestClient(service) as client:
        desk = desk_of(service, client)
        for language in SHORT_LANGUAGES:
            empty = client.get(language.prefix, headers={"Accept-Language": "en"})
            sent = client.post(language.prefix, data=ANSWERS | {"reporter.interpreter_needed": "yes"})
            status = client.post(f"{language.prefix}/concerns", data=codes_in(sent.text))

            opened = desk.get(f"/concerns/{codes_in(sent.text)['reference']}").json()["submission"]
            assert opened["reporter"] == {
                "kind": "member_of_public",
                "language": language.english_name,
                "interpreter_needed": "yes",
            }
            assert opened["concern"] == {"narrative": NARRATIVE}
            direction = ' dir="rtl"' if language.code in ("ar", "ur") else ""
            for page in (empty, sent, status):
                assert f'<html lang="{language.code}"{direction}>' in page.text
                assert page.headers["content-language"] == language.code
                assert "set-cookie" not in page.headers
            assert f'action="{language.prefix}/"' in empty.text
            assert f'<strong lang="en" dir="ltr">I speak {language.english_name}.' in empty.text
            assert NARRATIVE not in sent.text + status.text


@pytest.mark.slow
def test_a_short_page_weighs_at_most_nine_kilobytes(client: TestClient) -> None:
    sizes = {
        each.code: int(client.get(each.prefix, headers={"Accept-Encoding": "gzip"}).headers["content-length"])
        for each in SHORT_LANGUAGES
    }

    assert {code: size for code, size in sizes.items() if size >= MAX_BYTES} == {}


@for_each("path", ["/in-your-language", "/cy/in-your-language", "/pl/raise-a-concern", "/pl/v1/guides", "/pl/guides"])
def test_only_short_languages_have_short_pages_and_no_others(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"Accept": "text/html"}).status_code == 404


def test_an_unsigned_short_page_says_that_a_computer_translated_it(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = read_catalogue(POLISH).get("A computer translated this page. Nobody has checked the translation yet.")
    unsigned = client.get("/pl").text
    sentences = {str(each.id): str(each.string) for each in read_catalogue(POLISH)}
    monkeypatch.setattr(languages, "_catalogue", lambda _: Catalogue(sentences, "Anna Example, Example Council"))

    signed = client.get("/pl").text

    assert str(note.string) in unsigned  # type: ignore[union-attr]  # it is there
    assert str(note.string) not in signed  # type: ignore[union-attr]  # it is there


@pytest.mark.slow
def test_who_chooses_sign_language_has_999_bsl_and_text_before_numbers(tmp_path: Path) -> None:
    ways = ("https://999bsl.co.uk/", "https://www.emergencysms.net/", 'href="tel:18000"', 'href="tel:999"')
    in_danger, film = ANSWERS | {"immediate_danger": "yes"}, "https://www.council.example/bsl"
    service = a_service(data_dir=tmp_path / "data", bsl_film=film)
    with TestClient(service, headers={"Accept": "text/html"}) as client:
        for path in ("/", "/raise-a-concern", "/worried-about-yourself", "/cy/"):
            assert "<a href='/bsl'>" in client.get(path).text, path
        form, sent = client.get("/bsl"), client.post("/bsl", data=in_danger)
        place = codes_in(sent.text)
        added = client.post("/bsl/concerns/additions", data=in_danger | place | {"narrative": "He is here."})
        for page in (
            form,
            client.post("/bsl", data={"immediate_danger": "yes", "do": "now"}),
            sent,
            added,
            client.delete("/bsl"),
        ):
            main = page.text.partition("<main")[2]
            places = [main.index(each) for each in ways]
            assert places == sorted(places)
            assert ('<html lang="en-GB">' in page.text, page.headers["content-language"]) == (True, "en")
        assert f'href="{film}"' in form.text
        opened = desk_of(service, client).get(f"/concerns/{place['reference']}").json()["submission"]
        assert opened["reporter"]["language"] == "British Sign Language"


@pytest.mark.slow
def test_a_test_is_never_said_to_be_read_in_any_language(service: GuidanceApp) -> None:
    with TestClient(service) as client:
        tested = a_test(service, client)
        for language in SHORT_LANGUAGES:
            page = client.post(f"{language.prefix}/concerns", data=tested).text
            said = {str(each.id): str(each.string) for each in read_catalogue(language)}
            assert said["This was a test. Nobody will read it."] in page, language
            assert said["Received, but not read yet"] not in page, language


def test_what_could_not_be_stored_stays_on_the_short_page(client: TestClient) -> None:
    first = client.post("/pl", data=ANSWERS | {"key": KEY})
    again = client.post("/pl", data=ANSWERS | {"key": KEY, "concern.narrative": "Alex jest sam."})
    empty = client.post("/pl", data={"immediate_danger": "yes", "do": "now"})

    assert (first.status_code, again.status_code, empty.status_code) == (201, 422, 422)
    assert "Alex jest sam.</textarea>" in again.text
    assert "Ten formularz został już wysłany" in again.text
    assert "Napisz, co Cię martwi." in empty.text
    assert 'value="yes" id="immediate_danger" checked' in empty.text


WHO_OPENS_IT = "Only our social workers can open it. They may have to tell others to keep a child safe."


def test_every_form_says_before_it_is_sent_who_opens_it(client: TestClient) -> None:
    """Whoever else hears of it is not left out: neither another council nor whoever must know to keep a child safe."""
    told = REQUIRED_ANSWERS | {"do": "check", "concern.children.0.home_council": "E06000054", "count:children": "1"}
    (welsh,) = LANGUAGES[1:]
    pages = {each: client.get(f"/{each.code}").text for each in SHORT_LANGUAGES}
    pages |= {welsh: client.post("/cy/raise-a-concern", data=told).text}
    english = client.post("/raise-a-concern", data=told).text

    said = {each: str(read_catalogue(each).get(WHO_OPENS_IT).string) for each in pages}  # type: ignore[union-attr]
    assert [each.code for each, page in pages.items() if not said[each] or said[each] not in html.unescape(page)] == []
    assert WHO_OPENS_IT in english
    assert "Only the duty team" not in english


def test_each_short_form_says_whom_to_call_if_sending_fails(client: TestClient) -> None:
    sent = client.post("/pl", data=ANSWERS).text
    status = client.post("/pl/concerns", data=codes_in(sent)).text

    for page in (client.get("/pl").text, sent, client.get("/pl/concerns").text, status):
        said = page.partition('<template id="not-sent">')[2].partition("</template>")[0]
        assert 'method="post"' in page
        assert 'href="tel:' in said


@for_each("language", [*SHORT_LANGUAGES, SIGN_LANGUAGE])
def test_each_short_form_has_childline(client: TestClient, language: Language) -> None:
    for path in (language.prefix, f"{language.prefix}/concerns"):
        main = client.get(path).text.partition("<main")[2].partition('<section class="card call"')[0]
        assert main.count("0800 1111") == 1, path


@pytest.mark.slow
def test_words_in_latin_letters_are_names_or_marked_as_english(service: GuidanceApp) -> None:
    """A page in another script shows what the catalogue did not translate, or did not mark."""
    with TestClient(service, headers={"Accept": "text/html"}) as client:
        pages = list(states(service, desk_of(service, client), "/ar"))

    found = {word for page in pages for each in unmarked_words(page) for word in re.findall("[A-Za-z]{3,}", each)}
    assert found - OF_CODES == {"Childline"}


@pytest.mark.slow
def test_999_and_the_exit_share_a_row_in_every_language_also_in_letters_of_twice_the_size(
    browser: Browser, url: str
) -> None:
    page = browser.new_page(base_url=url, viewport={"width": 360, "height": 740})
    for language in (*LANGUAGES, *SHORT_LANGUAGES, SIGN_LANGUAGE):
        page.goto(language.prefix or "/")
        for size in ("100%", "200%"):
            page.evaluate("size => document.documentElement.style.fontSize = size", size)
            call, leave = page.locator(".call-now").bounding_box(), page.locator(".exit").bounding_box()
            assert call is not None
            assert leave is not None
            assert (call["y"], call["height"]) == (leave["y"], leave["height"]), (language.code, size)
            assert min(call["x"], leave["x"]) >= 0, (language.code, size)
            assert max(call["x"] + call["width"], leave["x"] + leave["width"]) <= 360, (language.code, size)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, (language.code, size)
    page.close()


MONDAYS = {
    "cy": "Dydd Llun",
    "pl": "poniedziałek",
    "ro": "luni",
    "pt": "segunda-feira",
    "es": "lunes",
    "so": "Isniin",
    "uk": "понеділок",
    "pa": "ਸੋਮਵਾਰ",
    "bn": "সোমবার",
    "ur": "پیر",
    "ar": "الاثنين",
}
HOURS_SHOWN = re.compile(r"<p>[^<]*<span>(?P<hours>[^<]*8:30[^<]*)</span></p>")


@pytest.mark.parametrize("code", [each.code for each in (LANGUAGES[1], *SHORT_LANGUAGES)])
def test_opening_hours_are_in_the_language_of_the_page(tmp_path: Path, code: str) -> None:
    hours = "Monday to Thursday 8:30am to 5pm, Friday 8:30am to 4:30pm"
    with TestClient(a_service(data_dir=tmp_path / "data", duty_hours=hours)) as client:
        shown = HOURS_SHOWN.search(client.get(f"/{code}").text)

    assert shown is not None
    assert shown["hours"].startswith(MONDAYS[code])
    assert re.findall(r"\d\d:\d\d", shown["hours"]) == ["08:30", "17:00", "08:30", "16:30"]
    assert not re.search("[A-Za-z]+day|[0-9][ap]m| to ", shown["hours"])


def test_hours_that_are_no_data_stay_english_and_are_marked(tmp_path: Path) -> None:
    """Their full stop stands at their end, on a page from right to left too."""
    with TestClient(a_service(data_dir=tmp_path / "data", duty_hours="Office hours.")) as client:
        page = client.get("/ur").text

    assert '<span lang="en">Office hours</span>.' in page
    assert "span[lang=en]){direction:ltr;unicode-bidi:isolate}" in page
