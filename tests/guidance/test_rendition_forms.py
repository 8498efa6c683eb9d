"""A rendition in the other forms of an edition: Markdown, CSV and PDF, with language, sentences and marks."""

import csv
import io
import re
from typing import Any

import pytest
from fastapi import FastAPI
from pypdf import PdfReader
from starlette.testclient import TestClient

from app.services.guide_documents import MARK, MARK_EXPLAINED
from app.services.renditions import UNCHECKED
from tests.support.publishing import GUIDE, SLUG, an_edition, publish_next
from tests.support.renditions import ARABIC, RENDITIONS, publish_a_rendition, seed_rendition, withdraw_a_rendition

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

WELSH = f"{RENDITIONS}/cy"
FORMS = (".md", ".pdf", "/large-print.pdf", "/indicators.csv")
MACHINE = {"made_by": "machine", "tool": "A made-up tool", "checked_by": None, "checked_on": None}
CAUTION = an_edition().cautions[0].text


def text_of(pdf: bytes) -> str:
    """The text of the PDF on one line."""
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def rows_of(sheet: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sheet)))


@pytest.mark.parametrize("numbered", ["", "/1"])
def test_each_form_is_in_its_language_checked_before_each_use_and_answers_304(
    client: TestClient, numbered: str
) -> None:
    for form in FORMS:
        if numbered and "large" in form:
            continue
        answer = client.get(f"{WELSH}{numbered}{form}")

        assert answer.status_code == 200, form
        assert answer.headers["content-language"] == "cy"
        assert answer.headers["cache-control"] == "public, no-cache"
        assert f'<{RENDITIONS}/en-GB-simple>; rel="alternate"; hreflang="en-GB-simple"' in answer.headers["link"]
        again = client.get(f"{WELSH}{numbered}{form}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    markdown = client.get(f"{WELSH}{numbered}", headers={"Accept": "text/markdown"})
    assert markdown.headers["content-location"] == f"{WELSH}{numbered}.md"
    assert client.get(f"{WELSH}{numbered}").json()["links"]["markdown"] == f"{WELSH}{numbered}.md"


def test_machine_words_that_nobody_checked_never_replace_a_caution_or_999_in_any_form(client: TestClient) -> None:
    content = seed_rendition("cy")
    machine = content.cautions[0].text  # type: ignore[attr-defined]  # of the registry

    markdown = client.get(f"{WELSH}.md").text
    poster, large = (text_of(client.get(f"{WELSH}{form}").content) for form in (".pdf", "/large-print.pdf"))
    rows = rows_of(client.get(f"{WELSH}/indicators.csv").text)

    for text in (markdown.replace("\\", ""), poster, large):
        assert UNCHECKED in text
        assert text.index("999") < text.index(UNCHECKED)
        assert text.index(CAUTION) < text.index(machine)
    assert f"> **Caution:** {CAUTION} {MARK}" in markdown
    for text in (poster, large):
        assert "Worried about a child? Call the Duty and Assessment Team" in text
        assert text.index("01225 396312") < text.index(CAUTION)
    for row, item in zip(rows, an_edition().indicators, strict=True):
        assert row["id"] == item.id
        assert row["caution_1"] == CAUTION
        assert "caution_1" in row["in_guide_language"].split("; ")
        assert row["notices"] == UNCHECKED
        assert (row["language"], row["rendition"]) == ("cy", "1")


def test_words_that_are_missing_are_marked_in_every_form(client: TestClient, service: FastAPI) -> None:
    publish_a_rendition(service)
    own, other = an_edition().indicators[0], "Zmyślone słowa"

    markdown = client.get(f"{RENDITIONS}/pl.md").text
    poster = text_of(client.get(f"{RENDITIONS}/pl.pdf").content)
    first, second, *_ = rows_of(client.get(f"{RENDITIONS}/pl/1/indicators.csv").text)

    for text in (markdown, poster):
        assert MARK_EXPLAINED in text
        assert f"{own.text} {MARK}" in text
        assert other in text
        assert f"{other} {MARK}" not in text
        assert UNCHECKED not in text
    assert "Zmyślona przestroga" in poster  # a person checked it
    assert [each["in_guide_language"] for each in (first, second)] == ["text; caution_2", "caution_2"]
    assert second["text"] == other


def test_a_print_of_a_rendition_says_its_language_and_what_is_english_in_it(client: TestClient) -> None:
    pdf = PdfReader(io.BytesIO(client.get(f"{WELSH}.pdf").content))
    languages: set[str] = set()

    def walk(element: object) -> None:
        found = element.get_object()  # type: ignore[attr-defined]  # of the tree of tags
        if isinstance(found, dict):
            languages.update({str(found["/Lang"])} if "/Lang" in found else ())
            kids = found.get("/K", [])
            for kid in kids if isinstance(kids, list) else [kids]:
                if not isinstance(kid, int):
                    walk(kid)

    walk(pdf.root_object["/StructTreeRoot"]["/K"][0])  # type: ignore[index]  # it is there
    assert str(pdf.root_object["/Lang"]) == "cy"
    assert "en-GB" in languages
    assert pdf.metadata is not None
    assert pdf.metadata.title == seed_rendition("cy").title
    assert len(pdf.pages) == 2


def test_a_rendition_that_is_behind_says_so_in_every_form_and_has_the_current_number(
    client: TestClient, service: FastAPI
) -> None:
    contacts = [each.model_dump(mode="json") for each in an_edition().contacts]
    contacts[0]["phones"] = [{"number": "+441632960999", "display": "01632 960999"}]
    before = {form: client.get(f"{WELSH}{form}").headers["etag"] for form in FORMS}
    publish_next(service, change_note="Another number.", contacts=contacts)

    for form, etag in before.items():
        answer = client.get(f"{WELSH}{form}", headers={"If-None-Match": etag})
        text = text_of(answer.content) if form.endswith(".pdf") else answer.text
        assert answer.status_code == 200
        assert "The guide has changed since these words were made" in text, form
        if not form.endswith(".csv"):
            assert "01632 960999" in text, form
            assert contacts[0]["name"] in text or form == ".md"
    assert "01225 396312" in text_of(client.get(f"{WELSH}/1.pdf").content)


def test_a_film_has_its_link_in_each_form_and_no_marks(client: TestClient, service: FastAPI) -> None:
    link = {"url": "https://council.example/bsl", "title": "In BSL", "text_alternative": "A film of four minutes."}
    own: dict[str, Any] = {"cautions": [], "indicators": [], "contacts": [], "title": None}
    publish_a_rendition(service, language="bfi", form="bsl_video", link=link, **own)

    markdown, poster = client.get(f"{RENDITIONS}/bfi.md"), client.get(f"{RENDITIONS}/bfi.pdf")

    for answer, text in ((markdown, markdown.text), (poster, text_of(poster.content))):
        assert answer.headers["content-language"] == "en-GB"
        assert link["url"] in text
        assert link["text_alternative"] in text
        assert MARK not in text


@pytest.mark.parametrize(("form", "label"), [("audio", "Listen to the guide"), ("large_print", "Large print")])
@pytest.mark.parametrize("language", ["cy", "en-GB"])
def test_a_recording_or_large_print_is_beside_the_words_of_its_language(
    client: TestClient, service: FastAPI, form: str, label: str, language: str
) -> None:
    link = {"url": "https://council.example/it", "title": "It", "text_alternative": "The words are on this page."}
    own: dict[str, Any] = {"cautions": [], "indicators": [], "contacts": [], "title": None}
    number = publish_a_rendition(service, language=language, form=form, link=link, **own).key.number

    guide, page = client.get(GUIDE), client.get(f"/guides/{SLUG}")
    at = f"/renditions/{language}" if language == "en-GB" else f"/renditions/{language}/{number}"
    path = f"{'/cy' if language == 'cy' else ''}/guides/{SLUG}{at}"

    assert f'<{GUIDE}>; rel="alternate"; hreflang="en-GB"' in guide.headers["link"]
    assert guide.headers["link"].count('hreflang="en-GB"') == 1
    assert client.get(WELSH).json()["rendition"]["form"] == "translation"
    assert client.get("/v1/guides").json()["guides"][0]["languages"] == ["en-GB", "cy", "en-GB-simple"]
    assert f"href='{path}'" in page.text
    assert label in page.text
    assert link["url"] in client.get(path).text
    assert client.get(f"{GUIDE}{at}").json()["rendition"]["link"] == link
    assert link["url"] in client.get(f"{GUIDE}{at}.md").text


def test_letters_that_the_font_does_not_have_are_no_page_to_print_and_stay_in_the_other_forms(
    client: TestClient, service: FastAPI
) -> None:
    publish_a_rendition(service, **ARABIC)

    for form in (".pdf", "/large-print.pdf"):
        refused = client.get(f"{RENDITIONS}/ar{form}")
        assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (404, "not-printed-here")
    assert "نص مخترع" in client.get(f"{RENDITIONS}/ar.md").text


def test_a_rendition_that_is_not_there_or_was_withdrawn_has_no_form(client: TestClient, service: FastAPI) -> None:
    withdraw_a_rendition(service, "cy", 1)

    for form in FORMS:
        assert client.get(f"{WELSH}{form}").status_code == 410
        assert client.get(f"{RENDITIONS}/fr{form}").json()["type"].endswith("no-such-rendition")
    assert client.get(f"{WELSH}/7.md").status_code == 404
    assert client.get(f"{WELSH}/nothing.csv").status_code == 404
    assert SLUG in client.get(f"{GUIDE}.md").text
