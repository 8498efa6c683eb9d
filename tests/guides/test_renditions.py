"""A guide in other languages and forms: bound to one edition, marked for what it is, and never instead of cautions."""

import csv
import io
import re
from itertools import product
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from pypdf import PdfReader
from starlette.testclient import TestClient

from app.http.preferred_languages import preferred_languages
from app.models.access.clients import Scope
from app.models.guides.sections import ITEM_LISTS
from app.models.languages import LanguageTag, direction_of, own_name_of
from app.services.guides.presenters import MARK, MARK_EXPLAINED
from app.services.guides.printed_words import printed_words
from app.services.guides.renditions import BEHIND, UNCHECKED
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, SLUG, a_key, an_edition, publish_next, withdraw
from tests.support.renditions import (
    ARABIC,
    RENDITIONS,
    a_rendition,
    publish_a_rendition,
    seed_rendition,
    withdraw_a_rendition,
)

pytestmark = pytest.mark.any_database

SHIPPED = ("cy", "en-GB-simple")
A_FILM = (
    {
        "language": "bfi",
        "form": "bsl_video",
        "link": {
            "url": "https://council.example/bsl",
            "title": "The guide in British Sign Language",
            "text_alternative": "A film of four minutes.",
        },
    }
    | dict.fromkeys(("title",))
    | {name: [] for name in ("cautions", "indicators", "contacts")}
)
OTHER_NUMBER = {"number": "+441632960002", "display": "01632 960002", "option": None}


@pytest.fixture
def publisher(client: TestClient) -> dict[str, str]:
    return a_key(client, Scope.PUBLISH)


def read(client: TestClient, path: str) -> dict[str, Any]:
    answer = client.get(f"{RENDITIONS}/{path}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def with_another_number() -> dict[str, Any]:
    """The changes of an edition whose first contact has another number, and whose first caution other words."""
    content = an_edition().model_dump(mode="json")
    content["contacts"][0]["phones"] = [OTHER_NUMBER]
    content["cautions"][0]["text"] = "Other words of the caution."
    return {"contacts": content["contacts"], "cautions": content["cautions"], "change_note": "A new number."}


@pytest.mark.parametrize("language", SHIPPED)
def test_the_shipped_renditions_are_whole_and_say_that_a_machine_made_them(client: TestClient, language: str) -> None:
    body, edition = read(client, language), client.get(GUIDE).json()

    facts = body["rendition"]
    assert (facts["made_by"], facts["checked_by"], facts["behind"], facts["notices"]) == (
        "machine",
        None,
        False,
        [UNCHECKED],
    )
    assert facts["of"] == {"edition": 1, "digest": edition["digest"]}
    for key in ITEM_LISTS:
        assert [item["id"] for item in body[key]] == [item["id"] for item in edition[key]]
        rendered = [item.id for item in getattr(seed_rendition(language), key)]
        assert rendered == [item["id"] for item in edition[key]]
    assert [each for each in facts["in_guide_language"] if not each.startswith(("/cautions", "/change_note"))] == [
        "/indicators/5/note",
        "/indicators/6/note",
    ]
    assert body["indicators"][1]["text"] != edition["indicators"][1]["text"]


@pytest.mark.parametrize("language", SHIPPED)
def test_machine_words_that_nobody_checked_never_replace_a_caution_or_a_number(
    client: TestClient, language: str
) -> None:
    body, edition = read(client, language), client.get(GUIDE).json()

    assert body["cautions"] == edition["cautions"]
    assert {"/cautions/0/text", "/cautions/1/text"} <= set(body["rendition"]["in_guide_language"])
    assert [each["id"] for each in body["rendition"]["unchecked_cautions"]] == [
        each["id"] for each in edition["cautions"]
    ]
    assert [each["phones"] for each in body["contacts"]] == [each["phones"] for each in edition["contacts"]]


def test_words_that_a_person_checked_take_the_place_of_the_cautions(client: TestClient, service: FastAPI) -> None:
    publish_a_rendition(service, made_by="machine", tool="A made-up tool")

    body = read(client, "pl")

    assert body["cautions"][0]["text"] == "Zmyślona przestroga"
    assert body["rendition"]["unchecked_cautions"] == body["rendition"]["notices"] == []


def test_missing_words_come_from_the_guide_and_are_marked(client: TestClient, service: FastAPI) -> None:
    publish_a_rendition(service)

    body, edition = read(client, "pl"), client.get(GUIDE).json()

    marked = set(body["rendition"]["in_guide_language"])
    assert (body["title"], body["indicators"][1]["text"]) == ("Zmyślony tytuł", "Zmyślone słowa")
    assert not {"/title", "/indicators/1/text", "/contacts/0/name", "/cautions/0/text"} & marked
    assert {"/indicators/0/text", "/definitions/1/limbs/0/text", "/introductions/factors", "/change_note"} <= marked
    for pointer in marked:
        ours: Any = body
        theirs: Any = edition
        for step in pointer.split("/")[1:]:
            ours, theirs = (each[int(step) if step.isdigit() else step] for each in (ours, theirs))
        assert ours == theirs


def test_unknown_ids_and_every_other_fault_come_at_once(client: TestClient, publisher: dict[str, str]) -> None:
    faulty = a_rendition(
        language="en-GB",
        of={"edition": 1, "digest": f"sha256:{'0' * 64}"},
        made_by="machine",
        checked_on=None,
        indicators=[{"id": "secrecy", "text": "a"}, {"id": "unknown", "text": "b"}, {"id": "secrecy", "note": "c"}],
        definitions=[{"id": "statutory-definition", "limbs": [{"label": "z", "text": "d"}]}],
        applies_to="e",
    )

    refused = client.post(RENDITIONS, json=faulty, headers=publisher)

    assert refused.status_code == 422
    assert {(each["pointer"], each["code"]) for each in refused.json()["errors"]} == {
        ("#/language", "invalid"),
        ("#/tool", "required"),
        ("#/checked_on", "required"),
        ("#/of/digest", "invalid"),
        ("#/applies_to", "unknown-field"),
        ("#/indicators/1/id", "unknown-item"),
        ("#/indicators/2/id", "duplicate-id"),
        ("#/definitions/0/limbs/0/label", "unknown-item"),
    }
    assert client.get(f"{RENDITIONS}/en-GB").status_code == 404


@pytest.mark.slow
@for_each(
    ("changes", "pointer"),
    [
        ({"form": "easy_read"}, "/language"),
        ({"language": "en-GB-simple"}, "/language"),
        ({"language": "bfi"}, "/language"),
        ({"form": "audio"}, "/link"),
        (A_FILM | {"title": "Words"}, "/title"),
        (A_FILM | {"language": "cy"}, "/language"),
        ({"link": A_FILM["link"]}, "/link"),
        ({"of": {"edition": 7, "digest": f"sha256:{'0' * 64}"}}, "/of/edition"),
        ({"language": "xx"}, "/language"),
        ({"language": "PL"}, "/language"),
        ({"indicators": [{"id": "secrecy", "text": "a", "position": 1}]}, "/indicators/0"),
        ({"contacts": [{"id": "duty-and-assessment-team", "phones": []}]}, "/contacts/0"),
    ],
)
def test_what_does_not_go_together_is_refused(
    client: TestClient, publisher: dict[str, str], changes: dict[str, Any], pointer: str
) -> None:
    refused = client.post(RENDITIONS, json=a_rendition(**changes), headers=publisher)

    assert refused.status_code == 422
    assert f"#{pointer}" in [each["pointer"] for each in refused.json()["errors"]]


@pytest.mark.slow
def test_a_rendition_has_its_own_number_and_a_correction_the_next(
    client: TestClient, publisher: dict[str, str]
) -> None:
    def send(**changes: Any) -> tuple[int, int, str]:
        answer = client.post(RENDITIONS, json=a_rendition(**changes), headers=publisher)
        return answer.status_code, answer.json()["number"], answer.json()["digest"]

    first, again, corrected, welsh = send(), send(), send(title="Inny tytuł"), send(language="cy")

    assert [each[:2] for each in (first, again, corrected, welsh)] == [(201, 1), (200, 1), (201, 2), (201, 2)]
    assert first[2] == again[2] != corrected[2]
    assert read(client, "pl/1")["title"] == "Zmyślony tytuł"
    assert read(client, "pl")["title"] == "Inny tytuł"
    numbers = [(each["language"], each["number"]) for each in client.get(RENDITIONS).json()["renditions"]]
    assert numbers == [("cy", 2), ("cy", 1), ("en-GB-simple", 1), ("pl", 2), ("pl", 1)]


def test_a_rendition_falls_behind_and_gives_nobody_an_old_number(client: TestClient, service: FastAPI) -> None:
    publish_a_rendition(service)
    before = read(client, "pl")
    publish_next(service, **with_another_number())

    after, numbered = read(client, "pl"), read(client, "pl/1")

    assert (before["rendition"]["behind"], before["status"]) == (False, "current")
    for body in (after, numbered):
        assert (body["rendition"]["behind"], body["status"], body["edition"]) == (True, "superseded", 1)
        assert "edition 1 is here" in body["rendition"]["notices"][0]
        assert body["rendition"]["digest"] == before["rendition"]["digest"]
    assert after["contacts"][0]["phones"] == [OTHER_NUMBER]
    assert after["contacts"][0]["name"] == "Zmyślony zespół"
    assert after["cautions"][0]["text"] == "Other words of the caution."
    assert {key: numbered[key] for key in ITEM_LISTS} == {key: before[key] for key in ITEM_LISTS}


@pytest.mark.slow
def test_a_withdrawn_rendition_and_one_of_a_withdrawn_edition_answer_410(client: TestClient, service: FastAPI) -> None:
    publish_a_rendition(service)
    publish_a_rendition(service, title="Inny tytuł")
    withdraw_a_rendition(service, "pl", 2)

    gone, latest = client.get(f"{RENDITIONS}/pl/2"), read(client, "pl")
    publish_next(service, change_note="A second edition.")
    withdraw(service, 1, reason="A whole page was wrong.")
    of_withdrawn = [client.get(f"{RENDITIONS}/{path}") for path in ("pl/1", "cy")]

    assert (gone.status_code, gone.json()["detail"]) == (410, "A word was wrong.")
    assert latest["rendition"]["number"] == 1
    assert {(each.status_code, each.json()["detail"]) for each in of_withdrawn} == {(410, "A whole page was wrong.")}
    listed = {each["number"]: each["withdrawal"] for each in client.get(RENDITIONS).json()["renditions"][2:]}
    assert listed[2]["reason"] == "A word was wrong."
    assert client.get("/v1/guides").json()["guides"][0]["languages"] == ["en-GB"]


@pytest.mark.slow
def test_a_film_is_a_link_with_the_words_of_the_guide(client: TestClient, service: FastAPI) -> None:
    publish_a_rendition(service, **A_FILM)

    answer, page = client.get(f"{RENDITIONS}/bfi"), client.get("/guides/child-sexual-exploitation/renditions/bfi").text

    body = answer.json()
    assert answer.headers["content-language"] == "en-GB"
    assert body["rendition"]["link"] == A_FILM["link"]
    assert body["indicators"] == client.get(GUIDE).json()["indicators"]
    assert "/indicators/0/text" in body["rendition"]["in_guide_language"]
    assert 'href="https://council.example/bsl"' in page
    assert "A film of four minutes." in page


@for_each(
    ("tag", "direction", "name"),
    [
        ("cy", "ltr", "Cymraeg"),
        ("ar", "rtl", "العربية"),
        ("he", "rtl", "עברית"),
        ("ur-PK", "rtl", "اردو"),
        ("pa-Arab-PK", "rtl", None),
        ("az-Latn", "ltr", None),
        ("bfi", "ltr", "British Sign Language"),
    ],
)
def test_a_language_has_its_direction_and_its_own_name(tag: str, direction: str, name: str | None) -> None:
    assert TypeAdapter(LanguageTag).validate_python(tag) == tag
    assert direction_of(tag) == direction
    assert name is None or own_name_of(tag) == name


@for_each("tag", ["", "x", "xx", "en_GB", "EN", "english", "cy-gb", "cy ", "a" * 36, "zz-Latn"])
def test_a_tag_of_an_unknown_language_is_refused(tag: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(LanguageTag).validate_python(tag)


@pytest.mark.slow
def test_a_page_in_a_language_from_right_to_left_says_so(client: TestClient, service: FastAPI) -> None:
    publish_a_rendition(
        service, **ARABIC, title=None, made_by="machine", tool="A made-up tool", checked_by=None, checked_on=None
    )

    page = client.get("/guides/child-sexual-exploitation/renditions/ar").text

    assert '<li lang="ar" dir="rtl">نص مخترع للاختبار' in page
    assert f'<p lang="en" dir="ltr">{an_edition().cautions[0].text}</p>' in page
    assert page.index(an_edition().cautions[0].text) < page.index("تنبيه مخترع")
    assert '<h1 lang="en" dir="ltr">' in page
    assert "This version was made by a computer" in page
    assert "tel:999" in page
    assert 'lang="ar" dir="rtl">العربية</a>' in client.get("/guides/child-sexual-exploitation").text


def test_pages_name_the_guide_in_each_language(client: TestClient) -> None:
    page = client.get("/guides/child-sexual-exploitation").text
    welsh = client.get("/cy/guides/child-sexual-exploitation/renditions/cy")
    easy = client.get("/guides/child-sexual-exploitation/renditions/en-GB-simple")

    assert "hreflang=\"cy\" href='/cy/guides/child-sexual-exploitation/renditions/cy'" in page
    assert "hreflang=\"en-GB-simple\" href='/guides/child-sexual-exploitation/renditions/en-GB-simple'" in page
    assert '<html lang="cy">' in welsh.text
    assert '<li lang="cy" dir="ltr">' in welsh.text
    assert "Cyfrifiadur a wnaeth y fersiwn hon" in welsh.text
    assert (welsh.headers["content-language"], easy.headers["content-language"]) == ("cy", "en, en-GB-simple")
    assert "hreflang=\"cy\" href='/cy/guides/child-sexual-exploitation/renditions/cy'" in easy.text
    assert (
        client.get("/guides/child-sexual-exploitation/renditions/fr", headers={"Accept": "text/html"}).status_code
        == 404
    )


PREFERENCES = [
    (None, "en-GB"),
    ("*", "en-GB"),
    ("en-GB,en;q=0.9", "en-GB"),
    ("en-US,cy;q=0.9", "en-GB"),
    ("cy", "cy"),
    ("cy-GB, en;q=0.5", "cy"),
    ("en;q=0.5, CY;q=0.6", "cy"),
    ("cy;q=0, en", "en-GB"),
    ("fr, cy, en", "cy"),
    ("fr", "en-GB"),
    ("en-GB-simple, cy", "en-GB-simple"),
    ("simple", "en-GB"),
    ("cy;q=x, ;;, -, en;q=0.1", "cy"),
    ("bfi, en", "en-GB"),
]


@pytest.mark.slow
@for_each(("header", "language"), PREFERENCES)
def test_the_current_guide_comes_in_the_language_the_request_prefers(
    client: TestClient, header: str | None, language: str
) -> None:
    answer = client.get(GUIDE, headers={"Accept-Language": header} if header is not None else {})

    assert answer.status_code == 200
    assert answer.headers["content-language"] == language
    assert "Accept-Language" in answer.headers["vary"]
    assert answer.json().get("rendition", {"language": "en-GB"})["language"] == language
    assert ("content-location" in answer.headers) == (language != "en-GB")


@for_each("tag", ["cy", "en-GB-simple", "bfi", "ur", "skr", "lad", "ace-Arab"])
def test_a_tag_of_a_known_language_is_valid(tag: str) -> None:
    assert TypeAdapter(LanguageTag).validate_python(tag) == tag


@for_each("tag", ["qq", "qqq-GB", "simple", "CY", "../cy", ""])
def test_another_language_is_refused(tag: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(LanguageTag).validate_python(tag)


def test_a_header_that_is_too_long_or_no_list_prefers_nothing() -> None:
    assert preferred_languages("cy," * 1000) == ()
    assert preferred_languages("cy\x00, <script>") == ()
    assert len(preferred_languages(",".join(f"a{letter}" for letter in "abcdefghijklm"))) == 8


@pytest.mark.slow
def test_no_cache_mixes_languages_or_keeps_what_is_behind(client: TestClient, service: FastAPI) -> None:
    headers = [{}, {"Accept-Language": "cy"}, {"Accept-Language": "en-GB-simple"}, {"Accept": "text/markdown"}]

    def read_all() -> list[tuple[str, bool]]:
        answers = [client.get(GUIDE, headers=each) for _, each in product(range(3), headers)]
        found = []
        for answer in answers:
            is_json = answer.headers["content-type"] == "application/json"
            facts = answer.json().get("rendition", {}) if is_json else {}
            language = answer.headers["content-language"]
            assert facts.get("language", language) == language
            found.append((language, facts.get("behind", False)))
        return found

    before = read_all()
    publish_next(service, change_note="A second edition.")
    after = read_all()

    assert before == [(each, False) for each in ("en-GB", "cy", "en-GB-simple", "en-GB")] * 3
    assert after == [("en-GB", False), ("cy", True), ("en-GB-simple", True), ("en-GB", False)] * 3


def test_only_the_current_answer_depends_on_the_languages_of_a_request(client: TestClient) -> None:
    for path in (f"{GUIDE}/editions/1", f"{GUIDE}/indicators", f"{GUIDE}.md", f"{RENDITIONS}/en-GB-simple", "/"):
        plain, welsh = client.get(path), client.get(path, headers={"Accept-Language": "cy"})

        assert plain.content == welsh.content, path
        assert "accept-language" not in plain.headers.get("vary", "").lower(), path


def test_each_answer_links_to_the_guide_in_every_language(client: TestClient, service: FastAPI) -> None:
    publish_a_rendition(service)
    languages = {"en-GB": GUIDE} | {each: f"{RENDITIONS}/{each}" for each in ("cy", "en-GB-simple", "pl")}

    for path in languages.values():
        links = client.get(path).headers["link"]
        for language, target in languages.items():
            assert f'<{target}>; rel="alternate"; hreflang="{language}"' in links


def test_a_rendition_is_checked_again_before_each_use_and_answers_304(client: TestClient, service: FastAPI) -> None:
    first = client.get(f"{RENDITIONS}/cy")
    again = client.get(f"{RENDITIONS}/cy", headers={"If-None-Match": first.headers["etag"]})
    publish_next(service, change_note="A second edition.")
    changed = client.get(f"{RENDITIONS}/cy", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "public, no-cache"
    assert (again.status_code, changed.status_code) == (304, 200)
    assert changed.json()["rendition"]["behind"] is True


WELSH = f"{RENDITIONS}/cy"
FORMS = (".md", ".pdf", "/large-print.pdf", "/indicators.csv")
MACHINE = {"made_by": "machine", "tool": "A made-up tool", "checked_by": None, "checked_on": None}
CAUTION = an_edition().cautions[0].text


def text_of(pdf: bytes) -> str:
    """The text of the PDF on one line."""
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def rows_of(sheet: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sheet)))


@pytest.mark.slow
@pytest.mark.parametrize("numbered", ["", "/1"])
def test_each_form_names_its_language_and_answers_304_to_its_etag(client: TestClient, numbered: str) -> None:
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


def test_the_simple_words_are_called_so_and_each_is_a_whole_sentence(client: TestClient) -> None:
    content = seed_rendition("en-GB-simple")

    assert ">In simple words</a>" in client.get("/guides/child-sexual-exploitation").text
    assert str(content.title).endswith("in simple words")
    items = content.indicators  # type: ignore[attr-defined]  # of the registry
    assert [each.text for each in items if not (each.text[0].isupper() and each.text.endswith("."))] == []


@pytest.mark.slow
def test_unchecked_machine_words_never_replace_a_caution_or_999(client: TestClient) -> None:
    content = seed_rendition("cy")
    machine = content.cautions[0].text  # type: ignore[attr-defined]  # of the registry

    markdown = client.get(f"{WELSH}.md").text
    poster, large = (text_of(client.get(f"{WELSH}{form}").content) for form in (".pdf", "/large-print.pdf"))
    rows = rows_of(client.get(f"{WELSH}/indicators.csv").text)

    welsh = printed_words("cy")[UNCHECKED]
    for text, unchecked in ((markdown.replace("\\", ""), UNCHECKED), (poster, welsh), (large, welsh)):
        assert text.index("999") < text.index(unchecked)
        assert text.index(CAUTION) < text.index(machine)
    assert f"> **Caution:** {CAUTION} {MARK}" in markdown
    for text in (poster, large):
        assert "Ffoniwch y Duty and Assessment Team ar 01225 396312" in text
    for row, item in zip(rows, an_edition().indicators, strict=True):
        assert row["id"] == item.id
        assert row["caution_1"] == CAUTION
        assert "caution_1" in row["in_guide_language"].split("; ")
        assert row["notices"] == UNCHECKED
        assert (row["language"], row["rendition"]) == ("cy", "1")


@pytest.mark.slow
def test_words_that_are_missing_are_marked_in_every_form(client: TestClient, service: FastAPI) -> None:
    publish_a_rendition(service)
    own, other = an_edition().indicators[0], "Zmyślone słowa"

    markdown = client.get(f"{RENDITIONS}/pl.md").text
    poster = text_of(client.get(f"{RENDITIONS}/pl.pdf").content)
    first, second, *_ = rows_of(client.get(f"{RENDITIONS}/pl/1/indicators.csv").text)

    for text in (markdown, poster):
        assert MARK_EXPLAINED in text or printed_words("pl")[MARK_EXPLAINED] in text
        assert f"{own.text} {MARK}" in text
        assert other in text
        assert f"{other} {MARK}" not in text
        assert UNCHECKED not in text
    assert "Zmyślona przestroga" in poster  # a person checked it
    assert [each["in_guide_language"] for each in (first, second)] == ["text; caution_2", "caution_2"]
    assert second["text"] == other


@pytest.mark.slow
def test_a_printed_rendition_names_its_language_and_marks_english_words(client: TestClient) -> None:
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
    assert len(pdf.pages) == 3


@pytest.mark.slow
def test_every_form_of_an_old_rendition_says_so_with_current_numbers(client: TestClient, service: FastAPI) -> None:
    contacts = [each.model_dump(mode="json") for each in an_edition().contacts]
    contacts[0]["phones"] = [{"number": "+441632960999", "display": "01632 960999"}]
    before = {form: client.get(f"{WELSH}{form}").headers["etag"] for form in FORMS}
    publish_next(service, change_note="Another number.", contacts=contacts)

    for form, etag in before.items():
        answer = client.get(f"{WELSH}{form}", headers={"If-None-Match": etag})
        text = text_of(answer.content) if form.endswith(".pdf") else answer.text
        assert answer.status_code == 200
        behind = "The guide has changed since this version was made"
        assert any(each in text for each in (behind, printed_words("cy", 1)[BEHIND.format(of=1)])), form
        if not form.endswith(".csv"):
            assert "01632 960999" in text, form
            assert contacts[0]["name"] in text or form == ".md"
    assert "01225 396312" in text_of(client.get(f"{WELSH}/1.pdf").content)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_letters_outside_the_font_are_not_printed_but_stay_elsewhere(client: TestClient, service: FastAPI) -> None:
    for language, words in (("zh", "仅供测试的文字"), ("pa", "仅供测试的文字")):
        publish_a_rendition(service, language=language, indicators=[{"id": "secrecy", "text": words}])

        for form in (".pdf", "/large-print.pdf"):
            refused = client.get(f"{RENDITIONS}/{language}{form}")
            assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (404, "not-printed-here")
        assert words in client.get(f"{RENDITIONS}/{language}.md").text


@pytest.mark.slow
def test_a_rendition_that_is_not_there_or_was_withdrawn_has_no_form(client: TestClient, service: FastAPI) -> None:
    withdraw_a_rendition(service, "cy", 1)

    for form in FORMS:
        assert client.get(f"{WELSH}{form}").status_code == 410
        assert client.get(f"{RENDITIONS}/fr{form}").json()["type"].endswith("no-such-rendition")
    assert client.get(f"{WELSH}/7.md").status_code == 404
    assert client.get(f"{WELSH}/nothing.csv").status_code == 404
    assert SLUG in client.get(f"{GUIDE}.md").text
