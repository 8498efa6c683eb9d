"""The pages in other languages: every sentence from one catalogue, the council's own words marked as English."""

import contextlib
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po
from fastapi import FastAPI
from playwright.sync_api import Browser, expect
from starlette.testclient import TestClient

from app.config import SEED_DIR, Settings
from app.errors import FieldError
from app.main import create_app
from app.pages import languages
from app.pages.concerns.form_answers import named_faults
from app.pages.concerns.form_builder import FormBuilder
from app.pages.concerns.form_layout import (
    ABOUT_A_CHILD,
    ABOUT_A_FRIEND,
    ABOUT_YOURSELF,
    ENTRY_NAMES,
    ConcernForm,
    FormVariant,
    Question,
    QuestionKind,
)
from app.pages.languages import ENGLISH, LANGUAGES, LOCALE_DIR, read_catalogue
from app.services.guides.reference_data import read_reference_data
from tests.support.browsing import accessibility_violations
from tests.support.clock import SettableClock
from tests.support.desk import desk_of
from tests.support.form_answers import REQUIRED_ANSWERS, fill_in, reference_in
from tests.support.loops import for_each
from tests.support.publishing import SLUG, an_edition, publish_next
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.translations import assert_same_marks, mark_translations, unmarked_words

pytestmark = pytest.mark.any_database

ROOT = Path(__file__).parents[2]
OTHERS = LANGUAGES[1:]
PAGES = (
    "/",
    f"/guides/{SLUG}",
    f"/guides/{SLUG}/editions/1",
    f"/guides/{SLUG}/editions/2/changes?since=1",
    f"/raise-a-concern/{SLUG}",
    "/raise-a-concern",
    "/worried-about-yourself",
    "/worried-about-a-friend",
    "/concerns",
    "/concerns/saved",
    "/guides",
    "/subjects/child_sexual_exploitation",
    "/search",
    "/covering-your-tracks",
    "/accessibility",
    "/privacy",
    "/no-such-page",
)
HTML = {"Accept": "text/html"}
CODED = {"home_council", "sex", "ethnicity", "disabilities", "reasons_parents_not_told", "lawful_basis"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    service = a_service(data_dir=tmp_path_factory.mktemp("languages") / "data")
    with TestClient(service, headers=HTML) as client:
        publish_next(service)
        yield client


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `make catalogue` writes, by the same commands: the sentences, and a copy of the languages."""
    folder = tmp_path_factory.mktemp("catalogue")
    shutil.copytree(LOCALE_DIR, folder / "locale")
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ncatalogue: ")[2].partition("\n\n")[0]
    here = recipe.replace("build/pages.pot", str(folder / "pages.pot")).replace(
        "app/pages/locale", str(folder / "locale")
    )
    with contextlib.chdir(ROOT):
        for options in re.findall(r"/bin/pybabel (.*)", here):
            command = ["pybabel", "-q", *shlex.split(options)]
            CommandLineInterface().run(command)  # type: ignore[no-untyped-call]  # Babel has no types for it
    return folder


@pytest.fixture(scope="module")
def collected(updated: Path) -> set[str]:
    """Every sentence that `make catalogue` finds."""
    with (updated / "pages.pot").open("rb") as catalogue:
        return {str(message.id) for message in read_po(catalogue) if message.id}


@pytest.mark.slow
def test_without_a_new_sentence_the_command_changes_no_file(updated: Path) -> None:
    files = {path: path.read_text(encoding="utf-8") for path in sorted(LOCALE_DIR.rglob("pages.po"))}

    assert files
    for path, text in files.items():
        assert (updated / "locale" / path.relative_to(LOCALE_DIR)).read_text(encoding="utf-8") == text


@pytest.mark.slow
@pytest.mark.parametrize("language", OTHERS, ids=lambda language: language.code)
def test_the_file_of_a_language_has_every_sentence_and_no_other(
    language: languages.Language, collected: set[str]
) -> None:
    translated = {str(message.id): str(message.string or "") for message in read_catalogue(language) if message.id}

    assert len(collected) > 500
    assert [sentence for sentence in collected if not translated.get(sentence)] == []
    assert set(translated) - collected == set()
    assert_same_marks(translated)


@pytest.mark.slow
def test_no_word_of_a_page_comes_past_the_catalogue(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    mark_translations(monkeypatch, OTHERS[0])
    context: Any = client.app.state.context  # type: ignore[attr-defined]  # an application, to the client
    context.response_cache.clear()
    sent = client.post("/cy/raise-a-concern", data=REQUIRED_ANSWERS | {"do": "send"}).text
    reference, code = re.findall(r'class="reference">(?:<span class="code-words">)?([^<]*)<', sent)
    pages = {path: client.get(f"/cy{path}").text for path in PAGES}
    pages |= {
        "receipt": sent,
        "check": client.post("/cy/raise-a-concern", data=REQUIRED_ANSWERS | {"do": "check"}).text,
        "errors": client.post("/cy/raise-a-concern", data={"do": "check"}).text,
        "saved": client.post("/cy/raise-a-concern", data=REQUIRED_ANSWERS | {"do": "save"}).text,
        "status": client.post("/cy/concerns", data={"reference": reference, "code": code}).text,
        "found": client.post("/cy/search", data={"q": "missing"}).text,
        "not found": client.post("/cy/search", data={"q": "0"}).text,
        "nothing to look for": client.post("/cy/search").text,
        "unknown": client.post("/cy/concerns", data={"reference": "x", "code": "x"}).text,
    }
    context.response_cache.clear()

    found = {name: words for name, page in pages.items() if (words := unmarked_words(page))}
    assert json.dumps(found, indent=1) == "{}"
    titled = {name for name, page in pages.items() if "<title>⟦" in page}
    assert [name for name in pages if name not in titled and not name.startswith(("/guides/", "/subjects/"))] == []


def form_of(variant: FormVariant) -> ConcernForm:
    """Return the form, with two entries in each group."""
    counts = dict.fromkeys(ENTRY_NAMES, 2)
    return FormBuilder(an_edition(), read_reference_data(SEED_DIR), counts, variant, duty_to_report=None).make()


def is_coded(question: Question) -> bool:
    """Return True if the answer is a code, which is looked up once each answer has the right form."""
    return question.name.rpartition(".")[2] in CODED


def rubbish(question: Question) -> dict[str, Any]:
    """Return the fields of an answer that is none, written only in digits."""
    match question.kind:
        case QuestionKind.DATE:
            return {f"{question.name}:year": "2026", f"{question.name}:month": "13"}
        case QuestionKind.OBSERVATIONS:
            return {f"{question.name}.{question.choices[0].value}:note": "1" * 1001}
        case QuestionKind.LINES:
            return {question.name: "1\n" * 101}
        case QuestionKind.ONE_OF | QuestionKind.FROM_LIST | QuestionKind.ANY_OF:
            return {question.name: "0"}
    is_narrative = question.name == "concern.narrative"
    return {question.name: "1.5" if question.is_number else "1" * (50_001 if is_narrative else 5_001)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "variant"),
    [
        (f"/raise-a-concern/{SLUG}", ABOUT_A_CHILD),
        ("/worried-about-yourself", ABOUT_YOURSELF),
        ("/worried-about-a-friend", ABOUT_A_FRIEND),
    ],
)
def test_every_fault_of_a_form_is_translated_or_marked_as_english(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str, variant: FormVariant
) -> None:
    mark_translations(monkeypatch, OTHERS[0])
    questions = [question for section in form_of(variant) for question in section.questions if not is_coded(question)]
    posted = {f"count:{name}": "2" for name in ENTRY_NAMES} | {"do": "check"}
    too_old = {each.name: "99" for each in questions if each.is_number}
    for each in questions:
        posted |= rubbish(each)

    pages = [client.post(f"/cy{path}", data=each) for each in (posted, posted | too_old)]

    for page in pages:
        assert page.status_code == 422
        assert page.text.count('class="fault"') == len(questions)
        assert unmarked_words(page.text) == []


@pytest.mark.slow
def test_every_unknown_code_of_a_form_has_a_sentence_of_the_catalogue(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_translations(monkeypatch, OTHERS[0])
    coded = [question for section in form_of(ABOUT_A_CHILD) for question in section.questions if is_coded(question)]
    posted = REQUIRED_ANSWERS | {f"count:{name}": "2" for name in ENTRY_NAMES} | {"do": "check"}
    for each in coded:
        posted |= rubbish(each)

    page = client.post(f"/cy/raise-a-concern/{SLUG}", data=posted)

    assert page.status_code == 422
    assert page.text.count('class="fault"') == len(coded) == 10
    assert unmarked_words(page.text) == []


def test_a_fault_without_translation_is_marked_as_english_and_no_other() -> None:
    form = form_of(ABOUT_A_CHILD)
    unknown, known = "Nobody has translated this.", "Use {max_length} characters or fewer."
    faults = [
        FieldError(("concern", "narrative"), unknown),
        FieldError(("reporter", "name"), known, values={"max_length": 300}),
        FieldError((), unknown),
    ]

    english = named_faults(form, faults, {})
    with languages.speaking(OTHERS[0]):
        other = named_faults(form, faults, {})

    mark = '<span lang="en">{}</span>'
    assert other["concern.narrative"].endswith(f"? {mark.format('Nobody has translated this.')}")
    assert other["reporter.name"].endswith(": defnyddiwch 300 o nodau ar y mwyaf yma.")
    assert other[""] == mark.format(unknown)
    assert english["reporter.name"].endswith(": use 300 characters or fewer.")
    assert "lang" not in "".join(english.values())


def test_each_language_has_its_own_address_and_no_cache_mixes_them(client: TestClient) -> None:
    for _ in range(3):
        for language in LANGUAGES:
            page = client.get(f"{language.prefix}/")
            assert page.headers["content-language"] == language.code
            assert page.headers["cache-control"].startswith("public")
            assert f'<html lang="{language.tag}">' in page.text
            assert ("Worried about a child?" in page.text) == (language == ENGLISH)


@pytest.mark.slow
@for_each("path", PAGES)
def test_a_page_names_its_other_languages_and_stays_in_its_own(client: TestClient, path: str) -> None:
    english, other = client.get(path), client.get(f"/cy{path}")

    for page in (english, other):
        assert f"hreflang=\"en\" href='{path}'".replace("&", "&amp;") in page.text
        assert f"hreflang=\"cy\" href='/cy{path}'".replace("&", "&amp;") in page.text
    links = re.findall(r' (?:href|action)="(/[^"]*)"', other.text)
    assert [
        link for link in links if not link.startswith(("/cy/", "/looks/", "/docs", "/openapi.", "/v1", "/.well-known"))
    ] == []
    assert "Cyfieithiad cyfrifiadur" in other.text
    assert "Cyfieithiad" not in english.text
    assert "computer translation" not in english.text


def test_the_words_of_the_guide_are_english_and_say_so(client: TestClient) -> None:
    page = client.get(f"/cy/guides/{SLUG}/editions/1").text

    for text in (an_edition().indicators[0].text, an_edition().cautions[0].text):
        before = page[: page.index(text)]
        assert before.rindex('lang="en"') > before.rindex("</ul>" if "</ul>" in before[-400:] else "<h2")
    assert ' lang="en"' not in client.get(f"/guides/{SLUG}").text


@for_each("path", ["/cy/v1", "/cy/v1/guides", "/cy/docs", "/cy/looks/pages.css", "/cyx", "/cy//"])
def test_a_page_only_in_english_has_no_other_address(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"Accept": "*/*"}).status_code == 404


def test_a_concern_in_another_language_is_a_concern_like_any_other(service: FastAPI) -> None:
    with TestClient(service) as client:
        sent = client.post("/cy/raise-a-concern", data=REQUIRED_ANSWERS | {"do": "send"})

        assert sent.status_code == 201
        opened = desk_of(service, client).get(f"/concerns/{reference_in(sent.text)}").json()
        assert opened["submission"]["concern"] == {"narrative": REQUIRED_ANSWERS["concern.narrative"]}


@pytest.mark.slow
def test_a_concern_is_sent_in_welsh_with_scripts_and_no_barrier(browser: Browser, settings: Settings) -> None:
    with run_server(create_app(settings, SettableClock())) as url:
        page = browser.new_page(base_url=url, viewport={"width": 320, "height": 640})
        page.goto("/cy/raise-a-concern")
        fill_in(page)
        faults = accessibility_violations(page)
        page.locator("[data-continue]:visible").click()
        page.locator("[data-check]").click()
        expect(page.locator("h1")).to_have_text("Gwiriwch eich atebion")
        faults += accessibility_violations(page)
        page.locator("#send").click()
        expect(page.locator("h1")).to_have_text("Mae eich pryder wedi ein cyrraedd")
        faults += accessibility_violations(page)

        assert faults == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.close()
