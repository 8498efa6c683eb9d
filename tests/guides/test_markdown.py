"""Editions as Markdown: whom to call first, every word as published, and never without edition and cautions."""

import re
from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from starlette.testclient import TestClient

from app.services.guides.markdown import address, escaped
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, an_edition, publish_next

pytestmark = pytest.mark.any_database

FIRST = f"{GUIDE}/editions/1"
PAGES = {GUIDE: f"{GUIDE}.md", FIRST: f"{FIRST}.md"}
COMMONMARK = MarkdownIt("commonmark")
WORDED = {
    "text",
    "name",
    "title",
    "publisher",
    "document",
    "change_note",
    "introduction",
    "factors",
    "indicators",
    "linked_risks",
    "responsibilities",
    "contacts",
    "display",
    "option",
    "when",
    "note",
}
EVERY_MARK = count(1000)
NASTY = [
    "*not* _emphasis_ ~~nor~~ `code`",
    "[a](https://b.example) ![c](d) <e> <https://f.example>",
    "# no heading #",
    "1. no list",
    "12) nor this",
    "- nor this",
    "+ nor this",
    "=== nor a heading",
    "> no quotation",
    "a &amp; b &#65; c & d",
    "a \\* b \\",
    "| no | table |",
    "C# and F#",
    "two\nlines and   three   spaces",
    "***",
    "    no code",
    "![",
    "C*",
]


def read(markdown: str) -> str:
    """The text that a reader sees, one heading, paragraph or list entry a line."""
    return re.sub("\n+", "\n", _words(COMMONMARK.parse(markdown))).strip("\n")


def _words(tokens: Iterable[Token]) -> str:
    words = []
    for token in tokens:
        ends_a_line = token.type in {"softbreak", "hardbreak"} or (token.nesting < 0 and token.block)
        words.append("\n" if ends_a_line else token.content if token.type != "inline" else _words(token.children or ()))
    return "".join(words)


def page_of(client: TestClient, path: str = f"{GUIDE}.md") -> str:
    return read(client.get(path).content.decode("utf-8"))


def texts_in(value: Any) -> list[str]:
    """Every text of the guide that is there for people to read."""
    if isinstance(value, dict):
        return [
            text
            for name, member in value.items()
            if name not in {"id", "kind", "related_codes", "limbs", "basis", "links", "gss_code", "number"}
            for text in texts_in(member)
        ]
    if isinstance(value, list | tuple):
        return [text for member in value for text in texts_in(member)]
    return [value] if isinstance(value, str) else []


def one_line(words: str) -> str:
    return re.sub(r"[ \t\r\n\f\v]+", " ", words).strip(" ")


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES.values())
def test_the_page_has_every_text_of_the_edition_word_for_word(client: TestClient, path: str) -> None:
    edition = an_edition().model_dump(mode="json")
    cited = edition["definitions"][1]["source"]  # the citation holds what the other members of the source tell
    edition["definitions"][1]["source"] = {name: cited[name] for name in ("citation", "url")}

    page = page_of(client, path)

    texts = texts_in(edition)
    assert len(texts) > 50
    assert [text for text in texts if text not in page] == []


@pytest.mark.parametrize("path", PAGES.values())
def test_whom_to_call_in_an_emergency_comes_before_everything_but_the_title(client: TestClient, path: str) -> None:
    title, first, *_ = page_of(client, path).splitlines()

    assert title == "‘One Minute Guide’ to Child Sexual Exploitation (CSE)"
    assert first == ("Police, in an emergency: call 999. Call if a child or anyone else is in immediate danger.")


@pytest.mark.parametrize("heading", ["Vulnerability factors", "Indicators"])
def test_the_cautions_are_above_factors_and_above_indicators(client: TestClient, heading: str) -> None:
    cautions = [f"Caution: {caution.text}" for caution in an_edition().cautions]

    lines = page_of(client).splitlines()

    place = lines.index(heading)
    assert lines[place + 1 : place + 3] == cautions


@pytest.mark.parametrize(("json_path", "path"), PAGES.items())
def test_the_page_ends_with_edition_date_source_and_digest(client: TestClient, json_path: str, path: str) -> None:
    edition = client.get(json_path).json()

    ending = page_of(client, path).partition("This edition\n")[2]

    assert "Edition: 1, published 2026-11-24T09:30:00Z" in ending
    assert f"Edition digest: {edition['digest']}" in ending
    assert f"Source digest: sha256:{edition['source']['sha256']}" in ending
    assert edition["source"]["document"] in ending
    assert f"Address: http://127.0.0.1:8000{FIRST}" in ending


def test_its_sections_come_in_the_order_of_the_guide(client: TestClient) -> None:
    text = client.get(f"{GUIDE}.md").text

    assert re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)[1:] == [
        "Definitions",
        "Vulnerability factors",
        "Indicators",
        "Linked risks",
        "Responsibilities",
        "Contacts",
        "This edition",
    ]


def test_a_telephone_number_can_be_called_from_the_page(client: TestClient) -> None:
    text = client.get(f"{GUIDE}.md").text

    assert "[999](tel:999)" in text
    assert "[01225 396312](tel:+441225396312), option 1" in text


def test_a_contact_that_nobody_has_checked_says_so(client: TestClient) -> None:
    contacts = page_of(client).partition("\nContacts\n")[2].partition("\nThis edition\n")[0]

    assert contacts.count("(not checked yet)") == len(an_edition().contacts)


@for_each("words", NASTY)
def test_what_markdown_would_take_for_its_own_is_shown_as_published(words: str) -> None:
    as_title, as_item, as_name = f"# {escaped(words)}", f"- {escaped(words)}\n- next", f"**{escaped(words)}**: more"

    assert read(as_title) == one_line(words)
    assert read(as_item) == f"{one_line(words)}\nnext"
    assert read(as_name) == f"{one_line(words)}: more"


@given(st.text(alphabet="ab1 .)(#*_`[]<>&;!-+=~|\\\n\t:/\"'’", min_size=1, max_size=40))
def test_any_words_are_shown_as_published(words: str) -> None:
    for before in ("", "- ", "> ", "# ", "> **Caution:** "):
        assert read(before + escaped(words)).removeprefix("Caution:").strip(" ") == one_line(words)


def test_an_address_is_a_link_that_shows_it(client: TestClient) -> None:
    url = an_edition().contacts[1].url

    (paragraph,) = (token for token in COMMONMARK.parse(address(str(url))) if token.type == "inline")

    assert [token.attrs["href"] for token in paragraph.children or () if token.type == "link_open"] == [url]
    assert str(url) in page_of(client)


def test_words_of_a_new_edition_are_shown_as_published(client: TestClient, service: FastAPI) -> None:
    first, *others = [indicator.model_dump() for indicator in an_edition().indicators]
    words = " ".join(NASTY)
    publish_next(service, title=f"*{words}", indicators=[first | {"text": words, "note": words}, *others])

    page = page_of(client)

    assert page.startswith(f"*{one_line(words)}\n")
    assert page.count(one_line(words)) == 3


def marked(value: Any, name: str = "") -> Any:
    """The same value, with a text of its own, which Markdown would take for bold, for every text that people read."""
    if isinstance(value, dict):
        return {name: marked(member, name) for name, member in value.items()}
    if isinstance(value, list):
        return [marked(member, name) for member in value]
    return f"**{next(EVERY_MARK)}**" if name in WORDED and isinstance(value, str) else value


def test_no_text_of_an_edition_is_taken_for_markdown(client: TestClient, service: FastAPI) -> None:
    words = marked(an_edition().model_dump(mode="json"))
    words["indicators"][0]["note"], words["contacts"][0]["when"] = "**noted**", "**now**"
    for definition in words["definitions"]:
        definition["source"] = definition["source"] and definition["source"] | {"citation": None}
    publish_next(service, **words)

    page = page_of(client)

    missing = {text for text in texts_in(words) if text.startswith("**") and one_line(text) not in page}
    assert missing == set()


def test_an_edition_without_linked_risks_has_no_empty_heading(client: TestClient, service: FastAPI) -> None:
    publish_next(service, linked_risks=())

    assert "Linked risks" not in page_of(client)


@pytest.mark.parametrize("path", PAGES.values())
def test_a_page_with_contacts_is_checked_again_within_a_minute(client: TestClient, path: str) -> None:
    first = client.get(path)

    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"].startswith("public, max-age=60,")
    assert (again.status_code, again.content) == (304, b"")


@for_each(
    ("path", "kind"),
    [
        ("/v1/guides/no-such-guide.md", "no-such-guide"),
        (f"{GUIDE}/editions/9.md", "no-such-edition"),
        (f"{GUIDE}/editions.md", "not-found"),
        (f"{GUIDE}.md?q=a", "unknown-query"),
    ],
)
def test_a_missing_read_gives_the_usual_problem(client: TestClient, path: str, kind: str) -> None:
    answer = client.get(path)

    assert answer.json()["type"] == f"/v1/problems/{kind}"


@pytest.mark.parametrize(("json_path", "path"), PAGES.items())
def test_the_json_leads_to_the_markdown(client: TestClient, json_path: str, path: str) -> None:
    answer = client.get(json_path)

    assert answer.json()["links"]["markdown"] == path
    assert f'<{path}>; rel="alternate"; type="text/markdown"' in answer.headers["Link"]
