"""Statements about the law: every sentence that names one is in the register, with its source and two days."""

import ast
import datetime as dt
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import SEED_DIR, Settings
from app.errors import SeedFileError
from app.main import create_app
from app.models.guides.legal_statements import LegalStatementList, OnPages
from app.models.guides.seed_files import read_seed_file
from app.services.guides.reference_data import read_reference_data
from tests.support.clock import SettableClock
from tests.support.publishing import SLUG, publish_next
from tests.support.service import a_service

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
REGISTER = SEED_DIR / "legal-statements.yaml"
NAMES_A_LAW = re.compile(
    r"\b[A-Z]\w+\)? Acts?\b|\bActs? (?:19|20)\d\d|\bRegulations\b|\bregulations? (?:of )?(?:19|20)\d\d|\bGDPR\b"
    r"|\b[Aa]rticles? \d|\bWorking Together\b|\b[Ss]tatutory guidance\b|\bHM Government\b"
)
SPEAKS_OF_LAW = re.compile(NAMES_A_LAW.pattern + r"|\b[Ll]aws?\b|\b[Ll]egal(?:ly)?\b")
"""On pages for people the word alone is a claim too."""
HEADINGS = ("legal-statements.yaml", "Why, and the law", "Legal obligation", "Other legal agency (including courts,")
"""Names of files, headings and codes, which claim nothing."""


def texts_of_pages() -> Iterator[tuple[str, str]]:
    """Yield each template, print form and code list, and the sentences in the code of pages, services and models."""
    for pattern in ("**/templates/*.html", "services/**/*.typ", "services/**/*.jinja", "pages/static/*.js"):
        for path in sorted(APP.glob(pattern)):
            if path.name != "unseal.js":  # built from libraries
                yield path.name, path.read_text()
    for path in (SEED_DIR / "signposts.yaml", *sorted(SEED_DIR.glob("code-lists/*.yaml"))):
        yield path.name, re.sub(r"(?m)^ *#.*$|^source:\n(?: .*\n)+", "", path.read_text())
    for path in sorted(APP.rglob("*.py")):
        yield str(path.relative_to(ROOT)), "\n\n".join(sentences_in(ast.parse(path.read_text())))


def sentences_in(tree: ast.Module) -> Iterator[str]:
    """Yield every text of the code but for documentation."""
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.value


def unregistered(text: str, pattern: re.Pattern[str]) -> list[str]:
    """Return each place of the text that names a law and is no part of a registered sentence."""
    text = " ".join(text.split())
    named = [*pattern.finditer(text)]
    if not named:
        return []
    known = [
        (found.start(), found.end())
        for words in (*registered_words(), *HEADINGS)
        for found in re.finditer(re.escape(words), text)
    ]
    return [
        text[max(0, found.start() - 60) : found.end() + 40]
        for found in named
        if not any(start <= found.start() and found.end() <= end for start, end in known)
    ]


@cache
def registered_words() -> tuple[str, ...]:
    statements = read_reference_data(SEED_DIR).statements
    return tuple(words for each in statements for words in (each.sentence, *each.covers) if words)


@pytest.mark.slow
def test_no_page_file_or_code_list_names_an_unregistered_law() -> None:
    texts = dict(texts_of_pages())

    assert len(texts) > 200
    found = {name: unregistered(text, pattern_for(name)) for name, text in texts.items()}
    assert {name: places for name, places in found.items() if places} == {}


def pattern_for(name: str) -> re.Pattern[str]:
    """Return the stricter pattern for what the public sees, the other for what operators see."""
    return (
        NAMES_A_LAW
        if name.startswith(("app/services/operations/", "app/cli/", "app/extensions/operator_tools/"))
        else SPEAKS_OF_LAW
    )


@pytest.mark.slow
def test_no_document_names_a_law_that_is_not_registered(client: TestClient) -> None:
    documents = {
        str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    }
    documents["the OpenAPI document"] = client.get("/openapi.json").text.replace("\\n", " ")

    assert {name: found for name, text in documents.items() if (found := unregistered(text, NAMES_A_LAW))} == {}


@pytest.mark.slow
def test_every_sentence_of_the_register_is_printed(settings: Settings) -> None:
    asks = settings.model_copy(update={"duty_to_report_from": dt.date(2026, 1, 1)})
    with TestClient(create_app(asks, SettableClock())) as client:
        pages = " ".join(client.get(path).text for path in ("/privacy", "/accessibility", "/raise-a-concern"))

    printed = {each.id for each in read_reference_data(SEED_DIR).statements if each.sentence}
    assert printed == {each.value for each in OnPages}
    for each in read_reference_data(SEED_DIR).statements:
        assert each.sentence is None or each.sentence in pages


def test_a_register_without_a_sentence_of_a_page_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "legal-statements.yaml"
    path.write_text(REGISTER.read_text().replace("id: data-complaints", "id: other-complaints"))

    with pytest.raises(SeedFileError, match=r"pages print sentences that are not here: data-complaints"):
        read_seed_file(path, LegalStatementList)


@pytest.mark.slow
def test_the_words_of_a_council_are_english_in_every_language(tmp_path: Path) -> None:
    seed, ours = tmp_path / "seed", "We must answer you in a time that we invented."
    shutil.copytree(SEED_DIR, seed)
    text = (seed / REGISTER.name).read_text()
    start = text.index("sentence: >-\n      You can complain")
    (seed / REGISTER.name).write_text(f"{text[:start]}sentence: {ours}\n{text[text.index('    covers', start) :]}")
    service = a_service(data_dir=tmp_path / "data", seed_dir=seed)

    with TestClient(service) as client:
        assert f"<p>{ours}</p>" in client.get("/privacy").text
        assert f'<p><span lang="en">{ours}</span></p>' in client.get("/cy/privacy").text


def test_complaints_have_an_address_of_their_own(tmp_path: Path) -> None:
    contacts = {
        "privacy_contact": ("mailto:data@council.example",),
        "data_complaints_contact": ("mailto:complaints@council.example",),
    }

    with TestClient(a_service(data_dir=tmp_path / "data", **contacts)) as client:
        page = client.get("/privacy").text

    questions, complaints = page[: page.index('id="complaints"')], page[page.index('id="complaints"') :]
    assert "mailto:data@council.example" in questions
    assert "mailto:complaints@council.example" in complaints
    assert "mailto:data@council.example" not in complaints
    assert "within 30 days" in complaints.lower()


def test_without_a_contact_both_statements_give_the_duty_team_to_ask(client: TestClient) -> None:
    for path in ("/privacy", "/accessibility"):
        assert "Ask the duty team who to write to" in client.get(path).text
        assert 'href="tel:+441225396312"' in client.get(path).text


def test_the_accessibility_statement_says_which_forms_are_published(client: TestClient, service: FastAPI) -> None:
    before = client.get("/accessibility").text

    assert f"<a href='/guides/{SLUG}/renditions/en-GB-simple'" in before
    assert "in simple words yet" not in before
    assert "No guide has a version in British Sign Language yet." in before
    publish_next(service, guide="neglect", title="Neglect")
    after = client.get("/accessibility").text
    assert "Some guides have no version in simple words yet." in after


def test_a_statement_is_due_until_compared_and_again_on_its_day() -> None:
    statement = next(each for each in read_reference_data(SEED_DIR).statements if each.verified_on)
    month = dt.timedelta(days=30)

    assert not statement.is_due(statement.recheck_by - month - dt.timedelta(days=1), within=month)
    assert statement.is_due(statement.recheck_by - month, within=month)
    assert statement.model_copy(update={"verified_on": None}).is_due(dt.date(2026, 1, 1), within=month)
