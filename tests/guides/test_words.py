"""What people's words lead to: queries with the first answer that each must have, on the page and in the API."""

import re
from html import escape
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from starlette.testclient import TestClient

from app.models.guides.sections import Section
from app.models.guides.words import SUBJECT
from app.pages.other_reasons import OTHER_REASONS
from tests.support.loops import for_each
from tests.support.publishing import an_edition

pytestmark = pytest.mark.any_database

QUERIES = YAML(typ="safe").load((Path(__file__).parent / "queries.yaml").read_text(encoding="utf-8"))
KINDS = {
    "contact": "contacts/",
    "definition": "definitions/",
    "factor": "factors/",
    "indicator": "indicators/",
    "linked_risk": "linked-risks/",
    "reason": "reasons/",
    "signpost": "signposts/",
    "section": "",
    "page": "",
    "guide": "guides/",
}
ALWAYS = ("signposts/police-emergency", "signposts/childline")
"""They begin each page of results."""
NOTHING_HERE = ["/guides"]
TEAM = "duty-team"
SECTIONS = [f"/{each.value}" for each in Section]


def wanted(query: dict[str, Any]) -> list[str]:
    """Return what must stand first, as the list of words writes it."""
    named = [KINDS[kind] + name for each in query["first"] for kind, name in each.items()]
    return [TEAM if each == "contacts/duty-and-assessment-team" else each for each in named]


def in_the_api(client: TestClient, words: str) -> list[str]:
    found = client.get("/v1/search", params={"q": words}, headers={"Accept": "application/json"}).json()
    signposts = [f"signposts/{each['id']}" for each in found["signposts"]]
    answers = [each["leads_to"] for each in found["answers"] if not each["leads_to"].startswith(SUBJECT)]
    guides = [f"guides/{each['guide']}" for each in found["results"]]
    return [*signposts[:2], *answers, *guides]


def on_the_page(client: TestClient, words: str) -> tuple[str, list[str], str]:
    """Return the main part of the page, the answers in it, and what follows the form below them."""
    page = client.post("/search", data={"q": words}, headers={"Accept": "text/html"}).text
    page = re.sub("</?mark>", "", page)
    main = page.partition("<main")[2].partition("</main")[0]
    first, _, rest = main.partition('role="search"')
    answers: list[str] = []
    depth = 0
    for part in re.split(r"(?=</?[uo]l\b|<li\b)", first.partition('<h2 id="first"')[2]):
        depth += part.startswith(("<ul", "<ol")) - part.startswith(("</ul", "</ol"))
        if depth == 1 and part.startswith("<li"):
            answers.append(part)
        elif answers:
            answers[-1] += part
    return main, answers, rest


def shown_as(client: TestClient, lead: str) -> str:
    """Return what the page has of what is led to."""
    kind, _, name = lead.partition("/")
    if kind == "signposts":
        known = client.get("/v1/signposts", headers={"Accept": "application/json"}).json()
        found = next(each["name"] for each in (*known["signposts"], *known["neighbours"]) if each["id"] == name)
        return f"<strong>{escape(found)}</strong>"
    if kind == "reasons":
        return f"<strong>{next(each.title for each in OTHER_REASONS if each.id == name)}.</strong>"
    if name and kind:
        section = next(each for each in Section if each.value == kind)
        item = next(each for each in getattr(an_edition(), section.key) if each.id == name)
        return escape(item.name if section is Section.CONTACTS else item.text[:20])
    if lead == TEAM:
        return f"<strong>{an_edition().contacts[0].name}</strong>"
    return f'href="{lead}"' if len(lead) != len("/pl") else f"href='{lead}'"


@for_each("query", QUERIES)
def test_what_a_query_must_lead_to_stands_first_in_the_api(client: TestClient, query: dict[str, Any]) -> None:
    found, first = in_the_api(client, query["query"]), wanted(query)

    if first == NOTHING_HERE:
        assert found == [*ALWAYS]
    else:
        assert found[:2] == [*ALWAYS]
        rest = [each for each in first if each not in ALWAYS]
        assert found[2 : 2 + len(rest)] == rest


@for_each("query", QUERIES)
def test_what_a_query_must_lead_to_stands_first_on_the_page(client: TestClient, query: dict[str, Any]) -> None:
    main, answers, rest = on_the_page(client, query["query"])

    first = wanted(query)
    assert "Nothing found" not in main
    assert 0 < main.index('href="tel:999"') < main.index('href="tel:+448001111"') < main.index('role="search"')
    assert 0 < main.index('href="/worried-about-yourself"') < main.index('role="search"')
    if first == NOTHING_HERE:
        assert (answers, "tel:" in rest.partition('class="call"')[0]) == ([], False)
        assert 'href="/guides"' in rest
        return
    if first[0].startswith("guides/"):
        assert answers == []
        assert f'href="/{first[0]}"' in rest.partition("</ul>")[0]
        return
    shown = [
        shown_as(client, each) if "/" + each not in SECTIONS else f'#{each}">' for each in first if each not in ALWAYS
    ]
    assert [
        (mark, answer) for mark, answer in zip_longest(shown, answers[: len(shown)]) if mark not in (answer or "")
    ] == []
