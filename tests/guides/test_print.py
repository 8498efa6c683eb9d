"""The guide to print, as a poster and in large print: tagged, the same bytes for the same words, in order as text."""

import io
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pypdf import PageObject, PdfReader
from starlette.testclient import TestClient

from app.config import SEED_DIR
from app.services.guides import pdf, printed_words
from app.services.guides.pdf import is_printable
from tests.support.publishing import GUIDE, SLUG, an_edition, publish_next
from tests.support.renditions import a_whole_rendition, publish_a_rendition
from tests.support.service import a_service

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

A4 = (595, 842)
PATHS = (f"{GUIDE}.pdf", f"{GUIDE}/editions/1.pdf")
LARGE = (f"{GUIDE}/large-print.pdf", f"{GUIDE}/editions/1/large-print.pdf")
HOURS = "Monday to Friday 9am to 5pm"
COLOUR = "#0b6150"
SHEETS = len(("front", "back", "sheet for a corridor"))
NUMBER_POINTS, LIST_POINTS, LARGE_POINTS, DIGEST_POINTS = 28, 13, 18, 6
SOURCE = (SEED_DIR / "sources" / "child-sexual-exploitation-one-minute-guide.txt").read_text(encoding="utf-8")
NOT_ON_THE_POSTER = ["Please call the Duty and Assessment Team on 01225 396312 or 396313 (Option 1)"]
"""On the poster each number has its area code and its option."""


def read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def words_of(content: bytes) -> str:
    """The text of the page, on one line, without the hyphens at the ends of lines."""
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in read(content).pages))


def sizes_of(page: PageObject) -> dict[float, str]:
    """Return the text of the page by its size in points."""
    found: dict[float, str] = defaultdict(str)

    def note(text: str, _transform: Any, matrix: Any, _font: Any, size: float) -> None:
        found[round(size * abs(matrix[0]), 1)] += text

    page.extract_text(visitor_text=note)
    return found


def tags_of(content: bytes) -> list[tuple[str, str | None]]:
    """Return each structure element that holds text of its own, with that of the element around it."""
    found = []

    def walk(element: Any, parents: tuple[str, ...]) -> None:
        element = element.get_object()
        kids = element.get("/K", [])
        kids = kids if isinstance(kids, list) else [kids]
        tag = str(element.get("/S"))
        if any(isinstance(kid, int) for kid in kids):
            found.append((tag, parents[-1] if parents else None))
        for kid in kids:
            if not isinstance(kid, int):
                walk(kid, (*parents, tag))

    walk(read(content).root_object["/StructTreeRoot"]["/K"][0], ())  # type: ignore[index]  # it is there
    return found


@pytest.mark.parametrize("path", [PATHS[1], LARGE[1]])
def test_every_page_is_a4_and_tagged_for_readers(client: TestClient, path: str) -> None:
    answer = client.get(path)

    pdf = read(answer.content)
    assert answer.headers["content-type"] == "application/pdf"
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in pdf.pages} == {A4}
    assert pdf.root_object["/MarkInfo"]["/Marked"].value is True  # type: ignore[index]  # they are there
    assert str(pdf.root_object["/Lang"]) == "en-GB"
    assert b"pdfuaid:part" in pdf.xmp_metadata.stream.get_data()  # type: ignore[union-attr]  # it is there
    assert pdf.metadata is not None
    assert pdf.metadata.title == an_edition().title


@pytest.mark.parametrize("path", [PATHS[1], LARGE[1]])
def test_all_text_is_in_paragraphs_headings_or_lists_and_definitions_are_quotations(
    client: TestClient, path: str
) -> None:
    tags = tags_of(client.get(path).content)

    outer = {tag for tag, parent in tags if parent not in ("/P", "/LBody", "/Link")}
    assert outer <= {"/P", "/H1", "/H2", "/Lbl", "/LBody", "/Figure"}
    assert tags.count(("/P", "/BlockQuote")) == len(an_edition().definitions)


def printed_by_a_council(folder: Path, path: str) -> bytes:
    """Return the PDF of a council with hours, a colour and a logo."""
    (folder / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'/>")
    with TestClient(
        a_service(data_dir=folder / "data", duty_hours=HOURS, council_colour=COLOUR, council_logo=folder / "logo.svg")
    ) as client:
        return client.get(path).content


def test_the_front_shows_the_number_hours_and_who_answers_outside_them(
    tmp_path: Path,
) -> None:
    content = printed_by_a_council(tmp_path, PATHS[1])

    front, back, _ = read(content).pages
    sizes = sizes_of(front)
    words = re.sub(r"\s+", " ", front.extract_text())
    assert "01225 396312" in sizes[NUMBER_POINTS]
    assert f"Open {HOURS}." in words
    assert "At night and at weekends: Bath & North East Somerset Emergency Duty Team 01454 615165" in words
    (size,) = (size for size, text in sizes.items() if an_edition().indicators[1].text[:20] in text)
    assert size >= LIST_POINTS
    channels = [int(COLOUR[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    fills = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) sc", front.get_contents().get_data())  # type: ignore[union-attr]
    assert any([round(float(one), 2) for one in fill] == [round(one, 2) for one in channels] for fill in fills)
    assert tags_of(content).count(("/Figure", "/Div")) == 2 * len(("logo", "QR code"))
    assert "sha256:" not in words
    assert "sha256:" in sizes_of(back)[DIGEST_POINTS]


def test_the_welsh_poster_has_welsh_words_around_the_guide(client: TestClient) -> None:
    told = words_of(client.get(f"{GUIDE}/renditions/cy.pdf").content)

    assert [each for each in printed_words.LABELS if len(each) > 12 and each[0] != "/" and each in told] == []
    assert "Os yw plentyn mewn perygl nawr, ffoniwch 999" in told
    assert [set(words) ^ set(printed_words.LABELS) for words in printed_words.TRANSLATED.values()] == [set()] * 11


def test_the_welsh_poster_has_its_hours_dates_options_and_facts_in_welsh(tmp_path: Path) -> None:
    with TestClient(a_service(data_dir=tmp_path / "data", duty_hours=HOURS)) as client:
        pages = [client.get(f"{GUIDE}/renditions/cy{suffix}") for suffix in (".pdf", "/large-print.pdf")]

    for told in (words_of(page.content) for page in pages):
        assert "Ar agor Dydd Llun – Dydd Gwener 09:00 – 17:00." in told
        assert "01225 396312 (opsiwn 1)" in told
        assert "Gwnaed gan: peiriant" in told
        assert "Tachwedd 2026" in told
        english = r"\b(?:option|Monday|Friday|November|Made by|Checked by|nobody|rendition \d|Digest|\d of \d)\b"
        assert re.findall(english, told) == []


def run_together(text: str) -> str:
    return "".join(text.split())


def test_all_that_the_council_printed_is_on_the_poster_word_for_word(client: TestClient) -> None:
    front, back, _ = read(client.get(PATHS[1]).content).pages
    printed = run_together(front.extract_text() + back.extract_text())

    source = SOURCE.replace("[bookmark: _GoBack]", "")  # left behind by the word processor
    parts = re.split(r"\n|; |: |·|(?<=\w\.) ", source)
    parts = [re.sub(r"^(and/or|and) |[.:]$", "", part.strip()) for part in parts]
    missing = [part for part in parts if run_together(part) not in printed]

    assert len(parts) > 60
    assert missing == NOT_ON_THE_POSTER
    assert run_together("Please call the Duty and Assessment Team on 01225 396312 (Option 1)") in printed


def test_the_list_is_over_the_whole_width_and_the_cautions_below_it_with_a_plain_line(client: TestClient) -> None:
    front = read(client.get(PATHS[1]).content).pages[0]
    told, lines = re.sub(r"\s+", " ", front.extract_text()), front.extract_text().splitlines()

    plain = "A child may need help even if you see none of these."
    assert any("Missing from home" in line and len(line) > 70 for line in lines)
    places = [told.index(each) for each in (an_edition().indicators[-1].text, plain, an_edition().cautions[0].text)]
    assert places == sorted(places)
    assert "(a sign of harm itself, not only of risk)" in told


@pytest.mark.parametrize(
    ("council", "is_shown"), [(None, True), ("Bath and North East Somerset", True), ("Example Council", False)]
)
def test_logo_and_colour_are_those_of_the_publisher_only(tmp_path: Path, council: str | None, is_shown: bool) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'/>")
    own: dict[str, Any] = {"council_name": council} if council else {}
    with TestClient(a_service(data_dir=tmp_path / "data", council_colour=COLOUR, council_logo=logo, **own)) as client:
        content = client.get(PATHS[1]).content

    channels = " ".join(f"{int(COLOUR[at : at + 2], 16) / 255:.4g}" for at in (1, 3, 5))
    fills = [
        " ".join(f"{float(one):.4g}" for one in fill)
        for page in read(content).pages
        for fill in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) sc", page.get_contents().get_data())  # type: ignore[union-attr]
    ]
    assert any(fill[:5] == channels[:5] for fill in fills) is is_shown
    assert tags_of(content).count(("/Figure", "/Div")) == (4 if is_shown else 2)


@pytest.mark.parametrize("language", ["en", *printed_words.TRANSLATED])
def test_the_second_sheet_is_for_a_corridor(client: TestClient, service: FastAPI, language: str) -> None:
    path = PATHS[0]
    if language not in ("en", "cy"):
        letters = printed_words.TRANSLATED[language]["Open"].rstrip(":")
        publish_a_rendition(service, **a_whole_rendition(language, letters))
    if language != "en":
        path = f"{GUIDE}/renditions/{language}.pdf"
    words = printed_words.printed_words(language)

    sheet = read(client.get(path).content).pages[2]
    told = re.sub(r"\s+", " ", sheet.extract_text())
    link = words.get(printed_words.FOR_CHILDREN, printed_words.FOR_CHILDREN)

    drawn: list[str] = []
    sheet.extract_text(visitor_text=lambda text, *_: drawn.append(text))
    for number in ("0800 1111", "01225 396312", "01454 615165"):
        assert any(number in each for each in drawn), "its parts are drawn apart, from right to left"
    assert "999" in told
    assert "Childline" in told
    assert "Exploitation" not in told
    assert "Assessment" not in told
    assert f"http://127.0.0.1:8000{link}" in run_together(told)
    assert client.get(link, headers={"Accept": "text/html"}).status_code == 200
    assert min(size for size, text in sizes_of(sheet).items() if text.strip()) >= 14
    if language in ("cy", "pl", "es"):
        assert words["It is not your fault. You can talk to someone."] in told


def test_each_printed_label_keeps_its_placeholder_and_its_mark_in_every_language() -> None:
    for language, words in printed_words.TRANSLATED.items():
        assert is_printable(language), language
        for label, translated in words.items():
            kept = re.compile(r"\{\w*\}|\(en-GB\)|QR")
            assert kept.findall(label) == kept.findall(translated), (language, label)


def test_large_print_is_all_in_letters_of_18_points_or_more(tmp_path: Path) -> None:
    pages = read(printed_by_a_council(tmp_path, LARGE[1])).pages

    sizes = {size for page in pages for size, text in sizes_of(page).items() if text.strip()}
    assert min(sizes) >= LARGE_POINTS
    assert len(pages) > 2


@pytest.mark.parametrize("path", [PATHS[1], LARGE[1]])
def test_the_text_is_in_order_with_999_first_and_one_caution(client: TestClient, path: str) -> None:
    content, told = an_edition(), words_of(client.get(path).content)

    on_the_poster, in_large_print = [["Duty and Assessment Team"], []][:: 1 if path == PATHS[1] else -1]
    order = [
        "call 999",
        *in_large_print,
        "indicators to consider include",
        content.indicators[0].text[:40],
        content.cautions[0].text[:60],
        *on_the_poster,
        content.responsibilities[0].text[:40],
        content.factors[0].text[:40],
        content.linked_risks[-1].text,
        content.definitions[1].text[:40],
        "Edition 1",
    ]
    place = 0
    for words in order:
        assert words in told[place:], words
        place = told.index(words, place) + len(words)
    assert told.count(content.cautions[0].text[:60]) == 1
    assert f"http://127.0.0.1:8000/guides/{SLUG}" in told.replace(" ", "")


def test_an_edition_prints_the_same_bytes_by_number_and_as_current(client: TestClient) -> None:
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


def test_a_longer_guide_is_set_in_smaller_words_and_still_one_sheet(client: TestClient, service: FastAPI) -> None:
    more = [
        item.model_copy(update={"id": f"{item.id}-{again}", "position": 10 * again + item.position})
        for again in (0, 1)
        for item in an_edition().indicators
    ]
    publish_next(service, indicators=[item.model_dump() for item in more])

    assert len(read(client.get(PATHS[0]).content).pages) == SHEETS


def test_a_short_guide_is_set_in_larger_words_and_still_one_sheet(client: TestClient, service: FastAPI) -> None:
    short = {"indicators": 3, "responsibilities": 2, "factors": 0, "linked_risks": 0}
    content = an_edition()
    fewer = {name: [item.model_dump() for item in getattr(content, name)[:count]] for name, count in short.items()}
    publish_next(service, guide="neglect", **fewer)

    pages = read(client.get("/v1/guides/neglect.pdf").content).pages
    sizes = sizes_of(pages[0])
    assert len(pages) == SHEETS
    (size,) = (size for size, text in sizes.items() if an_edition().indicators[1].text[:20] in text)
    assert size > LIST_POINTS + 2


def test_no_page_of_large_print_ends_with_a_heading_or_what_introduces_a_list(client: TestClient) -> None:
    content = client.get(GUIDE).json()
    introductions = [each for each in content["introductions"].values() if each]
    pages = read(client.get(LARGE[0]).content).pages

    ends = [run_together(page.extract_text().rpartition("\n")[0])[-40:] for page in pages]
    assert len(ends) > 3
    assert [end for end in ends for each in introductions if end.endswith(run_together(each)[-15:])] == []


@pytest.mark.parametrize("form", [".pdf", "/large-print.pdf", "/renditions/cy.pdf", "/renditions/cy/large-print.pdf"])
def test_every_printed_form_has_childline_and_numbers_that_can_be_dialled(client: TestClient, form: str) -> None:
    words = words_of(client.get(f"{GUIDE}{form}").content)

    asked = "Wyt ti o dan 18? Siarada â" if "/cy" in form else "Are you under 18? Talk to"
    assert f"{asked} Childline: 0800 1111" in words
    assert "01225 396313" in words
    assert "or 396313" not in words
    assert not re.search("[0-9a-f]{49}", words.rpartition("Digest:")[0]), "a digest runs off the page"


def test_a_print_may_be_kept_a_minute_and_checked_by_etag(client: TestClient) -> None:
    answer = client.get(PATHS[1])

    assert answer.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=600, stale-if-error=604800"
    assert client.get(PATHS[1], headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert f'<{GUIDE}.pdf>; rel="alternate"; type="application/pdf"' in client.get(GUIDE).headers["link"]


@pytest.mark.parametrize("path", PATHS + LARGE)
def test_without_the_programs_that_make_it_the_answer_says_so(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(pdf, "find_spec", lambda _name: None)

    answer = client.get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/v1/problems/not-printed-here"
    assert "PDF" not in client.get(f"/guides/{SLUG}").text
