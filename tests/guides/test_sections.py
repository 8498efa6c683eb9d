"""The registry of sections: every entry is served whole, in every form, and nothing beside the registry lists them."""

import ast
import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from pypdf import PdfReader
from starlette.testclient import TestClient

from app.models.guides.editions import EditionContent
from app.models.guides.guides import SECTION_RESPONSES
from app.models.guides.sections import DOCUMENTED, ITEM_LISTS, ON_PAGES, PRINTED_BACK, PRINTED_FRONT, Section
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, SLUG, an_edition, filled_sections, first_example, publish_next
from tests.support.service import a_service

pytestmark = pytest.mark.any_database

ROOT = Path(__file__).parents[2]
EVERY_SECTION = pytest.mark.parametrize("section", list(Section), ids=lambda section: section.key)
LISTING_SECTIONS = {
    "models/guides/sections.py": "the registry",
    "models/guides/items.py": "a model for each section",
    "models/guides/editions.py": "an edition as a publisher sends it",
    "models/concerns/examples.py": "items of guidance that a concern names",
    "models/guides/fault_words.py": "the words of an editor for a key that is missing",
    "pages/templates/guide.html": "which guide says what to look for and what to do, and the block of each layout",
    "extensions/editing/pages/edit_fields.py": "the labels of the editor's fields",
    "extensions/editing/services/placing.py": "what documents call each section, and what an item is made of",
}
"""The files of `app/` that may name several sections, and why."""


A_LIST = 3


def reworded(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items, with other words in the first."""
    field = "text" if "text" in items[0] else "name"
    return [items[0] | {field: f"Invented words. {items[0][field]}"}, *items[1:]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service whose second edition has items in every section, and whose third rewords one in each."""
    service = a_service(data_dir=tmp_path_factory.mktemp("sections") / "data", deliver=True)
    with TestClient(service) as client:
        sections = filled_sections()
        publish_next(service, **sections)
        for key in sections:
            sections[key] = reworded(sections[key])
        publish_next(service, **sections)
        yield client


def items_of(client: TestClient, section: Section) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"{GUIDE}/{section.value}").json()[section.key]
    return items


def words_of(item: dict[str, Any]) -> str:
    """Translation of the item that people read first."""
    return str(item.get("name") or item["text"])


def test_an_edition_has_the_lists_of_the_registry_in_order() -> None:
    types = [(name, get_args(field.annotation)) for name, field in EditionContent.model_fields.items()]

    lists = [
        (name, item[0]) for name, item in types if item[1:] == (...,) and "id" in getattr(item[0], "model_fields", ())
    ]

    assert lists == [(key, entry.item) for key, entry in ITEM_LISTS.items()]
    assert list(ITEM_LISTS) == ["cautions", *(section.key for section in Section)]


@pytest.mark.parametrize("order", [DOCUMENTED, ON_PAGES, (*PRINTED_FRONT, *PRINTED_BACK)])
def test_every_order_holds_every_section_once(order: tuple[Section, ...]) -> None:
    assert sorted(order) == sorted(Section)


@EVERY_SECTION
def test_every_section_is_answered_whole_and_item_by_item(served: TestClient, section: Section) -> None:
    for path in (GUIDE, f"{GUIDE}/editions/3"):
        answer = served.get(f"{path}/{section.value}").json()
        items = answer[section.key]
        item = served.get(f"{path}/{section.value}/{items[0]['id']}").json()

        assert set(SECTION_RESPONSES[section].model_fields) == set(answer)
        assert answer["cautions"] == item["cautions"] != []
        assert items == served.get(path).json()[section.key] != []
        assert (item["section"], item["item"]) == (section.value, items[0])
        assert served.get(path).json()["links"][section.key] == f"{path}/{section.value}"


@pytest.mark.slow
@EVERY_SECTION
def test_every_section_is_documented(served: TestClient, section: Section) -> None:
    document = served.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    path = f"/v1/guides/{{guide}}/{section.value}"
    answers = document["paths"][path]["get"]["responses"]["200"]["content"]

    response = schemas[answers["application/json"]["schema"]["$ref"].rpartition("/")[2]]

    assert section.entry.title.lower() in response["description"]
    assert response["properties"][section.key]["description"]
    assert section.value in schemas["Section"]["x-extensible-enum"]
    assert section.words in document["paths"]["/v1/guides/{guide}"]["get"]["description"]


@EVERY_SECTION
def test_every_section_is_a_table_of_values(served: TestClient, section: Section) -> None:
    answer = served.get(f"{GUIDE}/{section.value}", headers={"Accept": "text/csv"})

    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))

    assert answer.headers["content-location"] == f"{GUIDE}/{section.value}.csv"
    assert [row["id"] for row in rows] == [item["id"] for item in items_of(served, section)]
    assert all(words_of(row) == words_of(item) for row, item in zip(rows, items_of(served, section), strict=True))


@EVERY_SECTION
def test_every_section_is_in_the_markdown_under_its_title(served: TestClient, section: Section) -> None:
    page = served.get(f"{GUIDE}.md").text

    assert f"\n## {section.entry.title}\n" in page
    assert words_of(items_of(served, section)[0]) in page


@EVERY_SECTION
def test_every_section_is_on_the_page_under_its_heading(served: TestClient, section: Section) -> None:
    page = served.get(f"/guides/{SLUG}").text

    assert f'<h2 id="{section.entry.anchor or section.value}">{section.entry.heading}</h2>' in page
    assert words_of(items_of(served, section)[0]) in page
    assert f'href="{GUIDE}/{section.value}.csv"' in page


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".pdf", "/large-print.pdf"])
def test_every_section_is_printed_under_its_heading(served: TestClient, suffix: str) -> None:
    pages = PdfReader(io.BytesIO(served.get(f"{GUIDE}{suffix}").content)).pages
    printed = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))

    for section in Section:
        assert section.entry.heading in printed
        assert words_of(items_of(served, section)[0])[:40] in printed


@EVERY_SECTION
def test_a_change_in_any_section_is_in_data_and_page(served: TestClient, section: Section) -> None:
    sections = served.get(f"{GUIDE}/editions/3/changes").json()["sections"]
    page = served.get(f"/guides/{SLUG}/editions/3/changes?since=2").text

    (change,) = sections[section.key]["reworded"]

    assert change["after"] == items_of(served, section)[0]
    assert f"<h2>{section.entry.heading}</h2>" in page


def test_a_change_in_the_cautions_is_shown_too(client: TestClient, service: FastAPI) -> None:
    publish_next(service, cautions=reworded(an_edition().model_dump(mode="json")["cautions"]))

    assert list(client.get(f"{GUIDE}/editions/2/changes").json()["sections"]) == ["cautions"]


@EVERY_SECTION
def test_an_item_of_any_section_is_found_by_its_words(served: TestClient, section: Section) -> None:
    words = " ".join(words_of(items_of(served, section)[0]).split()[:12])

    found = served.get("/v1/search", params={"q": words}).json()["results"]

    assert section.value in {each["section"] for each in found}


@EVERY_SECTION
def test_a_section_is_listed_across_guides_if_its_entry_says_so(served: TestClient, section: Section) -> None:
    answer = served.get(f"/v1/{section.value}")

    assert (answer.status_code == 200) is section.entry.across_guides
    assert (section.key in served.get("/v1").json()["links"]) is section.entry.across_guides
    assert answer.status_code == 404 or len(answer.json()[section.key]) == len(items_of(served, section))


@for_each("key", [key for key in ITEM_LISTS if key != "definitions"])
def test_two_items_of_one_id_are_refused_in_any_list(key: str) -> None:
    item, *_ = an_edition().model_dump(mode="json")[key] or [first_example(Section.of_key(key))]

    with pytest.raises(ValueError, match="every `id` in a section must be different"):
        an_edition(**{key: [item, item]})


@EVERY_SECTION
def test_the_documents_name_every_section(section: Section) -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]

    assert any(f"`{section.value}`" in document.read_text(encoding="utf-8") for document in documents)


def sections_named_in(source: Path) -> set[str]:
    """The sections that the file names: by key or path in quotes or after a dot, or by the class of item."""
    names = {name: section.key for section in Section for name in (section.key, section.value)}
    classes = {section.entry.item.__name__: section.key for section in Section}
    text = source.read_text(encoding="utf-8")
    if source.suffix != ".py":
        return {names[name] for name in re.findall(r"""[."'/]([a-z]+(?:[-_][a-z]+)*)""", text) if name in names}
    nodes = list(ast.walk(ast.parse(text)))
    texts = {str(node.value).rpartition("/")[2] for node in nodes if isinstance(node, ast.Constant)}
    literals = {names[text] for text in texts if text in names}
    return literals | {classes[node.id] for node in nodes if isinstance(node, ast.Name) and node.id in classes}


@pytest.mark.slow
def test_nothing_but_the_registry_lists_the_sections() -> None:
    sources = {
        str(path.relative_to(ROOT / "app")): path
        for path in (ROOT / "app").rglob("*")
        if path.suffix in {".py", ".html", ".jinja", ".typ", ".js"}
    }

    named = {name: sections_named_in(path) for name, path in sources.items() if name not in LISTING_SECTIONS}

    assert len(sources) > 200
    assert {name: sections for name, sections in named.items() if len(sections) >= A_LIST} == {}
