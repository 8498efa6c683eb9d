"""Which language answers: the path's own, and on the guide's current answer the one that the request prefers."""

from itertools import product

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from starlette.testclient import TestClient

from app.http.negotiation import preferred_languages
from app.models.languages import LanguageTag
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, publish_next
from tests.support.renditions import RENDITIONS, publish_a_rendition

pytestmark = pytest.mark.any_database

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


@for_each(("header", "language"), PREFERENCES)
def test_the_guide_s_current_answer_is_in_the_language_that_the_request_prefers(
    client: TestClient, header: str | None, language: str
) -> None:
    answer = client.get(GUIDE, headers={"Accept-Language": header} if header is not None else {})

    assert answer.status_code == 200
    assert answer.headers["content-language"] == language
    assert "Accept-Language" in answer.headers["vary"]
    assert answer.json().get("rendition", {"language": "en-GB"})["language"] == language
    assert ("content-location" in answer.headers) == (language != "en-GB")


@for_each("tag", ["cy", "en-GB-simple", "bfi", "ur", "skr", "lad", "ace-Arab"])
def test_a_language_is_known_by_its_file_by_its_name_or_to_the_service(tag: str) -> None:
    assert TypeAdapter(LanguageTag).validate_python(tag) == tag


@for_each("tag", ["qq", "qqq-GB", "simple", "CY", "../cy", ""])
def test_another_language_is_refused(tag: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(LanguageTag).validate_python(tag)


def test_a_header_that_is_too_long_or_no_list_prefers_nothing() -> None:
    assert preferred_languages("cy," * 1000) == ()
    assert preferred_languages("cy\x00, <script>") == ()
    assert len(preferred_languages(",".join(f"a{letter}" for letter in "abcdefghijklm"))) == 8


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
