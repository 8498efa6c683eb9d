"""A guide in other languages and forms: bound to one edition, marked for what it is, and never instead of cautions."""

from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from starlette.testclient import TestClient

from app.models.clients import Scope
from app.models.languages import LanguageTag, direction_of, own_name_of
from app.models.sections import ITEM_LISTS
from app.services.renditions import UNCHECKED
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, a_key, an_edition, publish_next, withdraw
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


def test_words_that_are_missing_come_in_the_guide_s_own_and_are_marked(client: TestClient, service: FastAPI) -> None:
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
        ({"indicators": [{"id": "secrecy", "text": "a", "position": 1}]}, "/indicators/0/position"),
        ({"contacts": [{"id": "duty-and-assessment-team", "phones": []}]}, "/contacts/0/phones"),
    ],
)
def test_what_does_not_go_together_is_refused(
    client: TestClient, publisher: dict[str, str], changes: dict[str, Any], pointer: str
) -> None:
    refused = client.post(RENDITIONS, json=a_rendition(**changes), headers=publisher)

    assert refused.status_code == 422
    assert f"#{pointer}" in [each["pointer"] for each in refused.json()["errors"]]


def test_a_rendition_has_a_number_of_its_own_and_a_correction_is_the_next(
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


def test_a_rendition_is_behind_by_itself_and_gives_nobody_an_old_number(client: TestClient, service: FastAPI) -> None:
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
def test_a_film_is_a_link_with_a_text_alternative_and_the_guide_s_own_words(
    client: TestClient, service: FastAPI
) -> None:
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
def test_what_is_no_tag_of_a_known_language_is_refused(tag: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(LanguageTag).validate_python(tag)


def test_a_page_in_a_language_from_right_to_left_says_so(client: TestClient, service: FastAPI) -> None:
    publish_a_rendition(
        service, **ARABIC, title=None, made_by="machine", tool="A made-up tool", checked_by=None, checked_on=None
    )

    page = client.get("/guides/child-sexual-exploitation/renditions/ar").text

    assert '<li lang="ar" dir="rtl">نص مخترع للاختبار' in page
    assert f'<p lang="en" dir="ltr">{an_edition().cautions[0].text}</p>' in page
    assert page.index(an_edition().cautions[0].text) < page.index("تنبيه مخترع")
    assert '<h1 lang="en" dir="ltr">' in page
    assert "A machine made these words" in page
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
    assert "Peiriant a wnaeth y geiriau hyn" in welsh.text
    assert (welsh.headers["content-language"], easy.headers["content-language"]) == ("cy", "en, en-GB-simple")
    assert "hreflang=\"cy\" href='/cy/guides/child-sexual-exploitation/renditions/cy'" in easy.text
    assert (
        client.get("/guides/child-sexual-exploitation/renditions/fr", headers={"Accept": "text/html"}).status_code
        == 404
    )
