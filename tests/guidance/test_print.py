"""The guide to print: one tagged A4 page, the same bytes for the same words, which reads in order as text."""

import io
import re

import pytest
from fastapi import FastAPI
from pypdf import PdfReader
from starlette.testclient import TestClient

from app.presenters import pdf
from tests.support.publishing import GUIDE, SLUG, an_edition, publish_next, withdraw

A4 = (595, 842)
PATHS = (f"{GUIDE}.pdf", f"{GUIDE}/editions/1.pdf")


def read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def words_of(content: bytes) -> str:
    """The text of the page, on one line, without the hyphens at the ends of lines."""
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in read(content).pages))


def test_the_guide_is_one_a4_page_tagged_for_readers(client: TestClient) -> None:
    answer = client.get(PATHS[1])

    pdf = read(answer.content)
    assert answer.headers["content-type"] == "application/pdf"
    assert len(pdf.pages) == 1
    assert (round(pdf.pages[0].mediabox.width), round(pdf.pages[0].mediabox.height)) == A4
    assert pdf.root_object["/MarkInfo"]["/Marked"].value is True  # type: ignore[index]  # they are there
    assert str(pdf.root_object["/Lang"]) == "en-GB"
    assert b"pdfuaid:part" in pdf.xmp_metadata.stream.get_data()  # type: ignore[union-attr]  # it is there
    assert pdf.metadata is not None
    assert pdf.metadata.title == an_edition().title


def test_it_reads_in_order_as_text_with_999_first_and_the_cautions_before_the_lists(client: TestClient) -> None:
    content, told = an_edition(), words_of(client.get(PATHS[1]).content)
    digest = client.get(GUIDE).json()["digest"]

    order = [
        "call 999",
        content.title,
        "Duty and Assessment Team",
        content.definitions[1].text[:60],
        content.cautions[0].text[:60],
        content.factors[0].text[:40],
        "indicators to consider include",
        content.indicators[0].text[:40],
        content.responsibilities[0].text[:40],
        content.linked_risks[-1].text,
        "Edition 1",
        digest,
        f"http://127.0.0.1:8000/guides/{SLUG}",
    ]
    place = 0
    for words in order:
        assert words in told[place:], words
        place = told.index(words, place) + len(words)
    assert told.count(content.cautions[0].text[:60]) == 2


def test_the_same_edition_is_the_same_bytes_and_the_current_one_is_its_own(client: TestClient) -> None:
    first = client.get(PATHS[1]).content
    pdf._compile.cache_clear()

    assert client.get(PATHS[1]).content == first
    assert client.get(PATHS[0]).content == first


def test_another_edition_is_another_page(client: TestClient, service: FastAPI) -> None:
    before = client.get(PATHS[0])
    publish_next(service, change_note="A second.")

    after = client.get(PATHS[0])

    assert "Edition 2" in words_of(after.content)
    assert after.headers["etag"] != before.headers["etag"]
    assert client.get(PATHS[1]).content == before.content


def test_a_longer_guide_is_set_in_smaller_words_and_still_one_page(client: TestClient, service: FastAPI) -> None:
    more = [
        item.model_copy(update={"id": f"{item.id}-{again}", "position": 10 * again + item.position})
        for again in (0, 1)
        for item in an_edition().indicators
    ]
    publish_next(service, indicators=[item.model_dump() for item in more])

    assert len(read(client.get(PATHS[0]).content).pages) == 1


def test_it_may_be_kept_for_a_minute_and_asked_for_again_by_its_etag(client: TestClient) -> None:
    answer = client.get(PATHS[1])

    assert answer.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=600, stale-if-error=604800"
    assert client.get(PATHS[1], headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert f'<{GUIDE}.pdf>; rel="alternate"; type="application/pdf"' in client.get(GUIDE).headers["link"]


def test_a_withdrawn_edition_is_not_printed(client: TestClient, service: FastAPI) -> None:
    withdraw(service, 1)

    assert client.get(PATHS[1]).status_code == 410


@pytest.mark.parametrize("path", PATHS)
def test_without_the_programs_that_make_it_the_answer_says_so(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(pdf, "find_spec", lambda _name: None)

    answer = client.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/v1/problems/not-printed-here"
    assert "PDF" not in client.get(f"/guides/{SLUG}").text
