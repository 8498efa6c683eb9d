"""Reads across guides: lists with filters, and search. Nothing in any answer weighs, counts or ranks a sign of harm."""

import asyncio
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import SEED_DIR, Settings
from app.main import create_app
from app.models.access.clients import Scope
from app.models.base import digest_of
from app.models.guides.code_lists import CodeList
from app.models.guides.edition_files import read_edition_file
from app.models.guides.edition_rows import CatalogueRow
from app.models.guides.editions import EDITION_EXAMPLE
from app.models.guides.seed_files import read_seed_file
from app.server.export import crawl
from app.services.guides import pdf
from app.services.guides.catalogue import LISTED_SECTIONS, EntryFilter, list_catalogue
from tests.support.clock import SettableClock
from tests.support.concerns import raise_concern, token_of
from tests.support.loops import by_day, first_by_day, for_each
from tests.support.publishing import (
    ADDED,
    EXAMPLES,
    REMOVED,
    REWORDED,
    SLUG,
    a_key,
    an_edition,
    publish,
    publish_next,
    second_edition,
)
from tests.support.service import a_service

EXAMPLE = "an-example"
LISTS = ("indicators", "factors", "contacts")
CODE = {"scheme": "dfe-assessment-factors", "code": "10A", "basis": "source"}
SECOND_GUIDE = EDITION_EXAMPLE | {
    "factors": [EDITION_EXAMPLE["factors"][0] | {"related_codes": [CODE]}],
    "indicators": [
        {
            "id": "a-long-one",
            "position": 1,
            "text": "A kestrel, and other birds that nobody has named yet, seen at school",
        }
        | {"kind": "potential_indicator", "related_codes": [CODE | {"code": "11A"}, CODE]},
        {"id": "a-short-one", "position": 2, "text": "Kestrels seen", "kind": "potential_indicator"},
        {"id": "a-beginning", "position": 3, "text": "A kestrelwing", "kind": "potential_indicator"},
    ],
}


def start(data_dir: Path) -> Iterator[TestClient]:
    """A service with two guides."""
    with TestClient(a_service(data_dir=data_dir, deliver=True)) as client:
        publish(client, SECOND_GUIDE, a_key(client, Scope.PUBLISH), guide=f"/v1/guides/{EXAMPLE}")
        yield client


@pytest.fixture(scope="module")
def two_guides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """For tests that only read."""
    yield from start(tmp_path_factory.mktemp("two-guides"))


def found(client: TestClient, path: str, **asked: Any) -> list[dict[str, Any]]:
    """The entries of the list, or the results of the search."""
    answer = client.get(path, params={"limit": 200} | asked)
    assert answer.status_code == 200, answer.text
    told: list[dict[str, Any]] = answer.json()["results" if path == "/v1/search" else path.rpartition("/")[2]]
    return told


def ids(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["item"]["id"] for entry in entries]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_holds_every_guide_in_the_printed_order(two_guides: TestClient, name: str) -> None:
    printed = [two_guides.get(f"/v1/guides/{guide}/{name}").json() for guide in (EXAMPLE, SLUG)]

    entries = found(two_guides, f"/v1/{name}")

    assert [entry["item"] for entry in entries] == [item for section in printed for item in section[name]]
    by_guide = {section["guide"]: section for section in printed}
    for entry in entries:
        of_its_guide = by_guide[entry["guide"]]
        for key in ("edition", "status", "digest", "cautions"):
            assert entry[key] == of_its_guide[key]
        assert two_guides.get(entry["links"]["self"]).json()["item"] == entry["item"]
        assert two_guides.get(entry["links"]["edition"]).json()["digest"] == entry["digest"]


@pytest.mark.slow
@pytest.mark.parametrize("name", first_by_day(LISTS))
def test_every_filter_that_is_given_must_hold(two_guides: TestClient, name: str) -> None:
    everything = found(two_guides, f"/v1/{name}")

    def passes(entry: dict[str, Any], guide: str | None, code: str | None, q: str | None) -> bool:
        codes = {related["code"] for related in entry["item"].get("related_codes", ())}
        words = re.findall(r"\w+", " ".join(str(entry["item"].get(key)) for key in ("name", "text")).lower())
        return (
            guide in (None, entry["guide"])
            and (code is None or code in codes)
            and all(any(word.startswith(each) for word in words) for each in (q or "").split())
        )

    for filters in product(
        (None, EXAMPLE, SLUG, "no-guide"), (None, "10A", "11A", "1", "99Z"), (None, "school", "seen school", "team")
    ):
        asked = {key: value for key, value in zip(("guide", "code", "q"), filters, strict=True) if value is not None}
        entries = found(two_guides, f"/v1/{name}", **asked)

        expected = [entry for entry in everything if passes(entry, *filters)]
        assert sorted(ids(entries)) == sorted(ids(expected)), filters
        assert "q" in asked or entries == expected


@pytest.mark.slow
@for_each(
    ("path", "asked"),
    [(f"/v1/{name}", {}) for name in LISTS] + [("/v1/indicators", {"q": "or"}), ("/v1/search", {"q": "child"})],
)
@for_each("limit", [1, 2, 5])
def test_a_list_comes_page_by_page(two_guides: TestClient, path: str, asked: dict[str, Any], limit: int) -> None:
    pages: list[list[dict[str, Any]]] = []
    cursor = None
    while not pages or cursor is not None:
        page = two_guides.get(path, params=asked | {"limit": limit} | ({"cursor": cursor} if cursor else {})).json()
        cursor = page.pop("next_cursor")
        for beside in ("matched", "signposts", "answers", "nearest"):
            page.pop(beside, None)
        assert page.pop("links").get("next") is not None or cursor is None or "q" in asked
        pages += page.values()

    assert [entry for page in pages for entry in page] == found(two_guides, path, **asked)
    assert {len(page) for page in pages[:-1]} <= {limit}
    assert 1 <= len(pages[-1]) <= limit


@pytest.mark.slow
@for_each(
    "query",
    [
        *("guid=an-example", "Guide=an-example", "kode=10A", "guide=an-example&guide=no-guide", "guide=An Example"),
        *("code=10%20A", "code=", "q=", "q=" + "x" * 201, "limit=0", "limit=201", "limit=many", "cursor=rubbish"),
    ],
)
def test_a_misspelt_filter_is_refused_and_never_returns_everything(two_guides: TestClient, query: str) -> None:
    for path in (*(f"/v1/{name}?" for name in LISTS), "/v1/search?" if "q=" in query else "/v1/search?q=school&"):
        answer = two_guides.get(path + query)

        assert answer.status_code == 400
        assert answer.json()["type"].endswith(("-query", "-cursor"))


def test_every_search_result_names_its_guide_section_and_cautions(two_guides: TestClient) -> None:
    results = found(two_guides, "/v1/search", q="school")

    assert {entry["guide"] for entry in results} == {EXAMPLE, SLUG}
    for entry in results:
        whole = two_guides.get(f"/v1/guides/{entry['guide']}").json()
        for key in ("edition", "status", "digest", "cautions"):
            assert entry[key] == whole[key]
        assert entry["item"] in whole[entry["section"].replace("-", "_")]
    assert two_guides.get("/v1/search").status_code == 400


def test_the_best_match_comes_first(two_guides: TestClient) -> None:
    assert ids(found(two_guides, "/v1/search", q="kestrel")) == ["a-short-one", "a-long-one", "a-beginning"]
    assert ids(found(two_guides, "/v1/search", q="kestrels seen")) == ["a-short-one", "a-long-one"]
    assert ids(found(two_guides, "/v1/search", q="bird seen")) == ["a-long-one"]


@for_each(
    ("words", "item"),
    [
        ("missed absence", "missing-or-unexplained-absence"),
        ("ABSENCE MISSING", "missing-or-unexplained-absence"),
        ("late, persistent return", "missing-or-unexplained-absence"),
        ("relationship", "secrecy"),
        ("friendship new", "secrecy"),
    ],
)
def test_a_word_is_found_in_any_form_and_any_order(two_guides: TestClient, words: str, item: str) -> None:
    assert item in ids(found(two_guides, "/v1/search", q=words))


@pytest.mark.slow
@pytest.mark.parametrize("item", by_day([each.id for each in an_edition().indicators], ["secrecy"]))
def test_the_last_word_may_be_a_beginning_however_far_it_is_written(two_guides: TestClient, item: str) -> None:
    entry = two_guides.get(f"/v1/guides/{SLUG}/indicators/{item}").json()["item"]
    first, *others = re.findall(r"[a-z]{2,}", entry["text"].lower())
    for word in others:
        for length in range(2, len(word) + 1):
            asked = f"{first} {word[:length]}"

            assert item in ids(found(two_guides, "/v1/indicators", q=asked)), asked


SIGNS = st.sampled_from(
    ['"', "'", "*", "^", "-", "+", "(", ")", ":", "NEAR(", "{", "}", "\\", ";", "--", "\0", "_", "%", "👧"]
)
PRINTED = st.sampled_from(["school", "AND", "OR", "NOT", "NEAR", "words", "rowid", "missing", "a", "é", "2"])


@pytest.mark.slow
@given(
    st.lists(SIGNS | PRINTED | st.text(max_size=5), min_size=1, max_size=8)
    .map(" ".join)
    .filter(lambda q: 1 <= len(q) <= 200 and "\0" not in q)
)
def test_operators_and_quotes_are_only_words(two_guides: TestClient, q: str) -> None:
    words = " ".join(re.findall(r"[^\W_]+", q))

    for path in ("/v1/search", "/v1/indicators"):
        assert found(two_guides, path, q=q) == (found(two_guides, path, q=words) if words else [])


@for_each("q", ['school" OR "secrecy', "school OR secrecy", "NEAR(school secrecy)", "-school secrecy"])
def test_no_operator_widens_a_search(two_guides: TestClient, q: str) -> None:
    assert found(two_guides, "/v1/search", q=q) == []


@for_each("q", ["NEAR(", '"', '""', "*", "👧", "_", "x" * 200, "🏫" * 200, "nobody-wrote-this"])
def test_a_search_without_results_gives_an_empty_list(two_guides: TestClient, q: str) -> None:
    answer = two_guides.get("/v1/search", params={"q": q})

    told = answer.json()
    first = [each["id"] for each in told.pop("signposts")]
    empty = {"results": [], "matched": [], "answers": [], "nearest": [], "next_cursor": None, "links": told["links"]}
    assert (answer.status_code, told) == (200, empty)
    assert first == ["police-emergency", "childline"]


@pytest.mark.slow
def test_the_words_of_old_editions_are_not_found(client: TestClient) -> None:
    before = [ids(found(client, "/v1/search", q=words)) for words in ("significant relationships", "gang", "invented")]

    publish(client, second_edition(client), a_key(client, Scope.PUBLISH))

    after = [ids(found(client, "/v1/search", q=words)) for words in ("significant relationships", "gang", "invented")]
    assert (REWORDED in before[0], REMOVED in before[1], before[2]) == (True, True, [])
    assert (REWORDED in after[0], REMOVED in after[1], after[2]) == (False, False, [ADDED])
    assert ids(found(client, "/v1/search", q="online friends")) == [REWORDED]
    assert {entry["edition"] for entry in found(client, "/v1/indicators")} == {2}


WEIGHING = {
    "score",
    "level",
    "rank",
    "ranking",
    "weight",
    "count",
    "total",
    "rating",
    "severity",
    "likelihood",
    "points",
}


def keys_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys_in(member)


@pytest.mark.slow
@pytest.mark.any_database
def test_no_answer_weighs_or_counts_anything(
    service: FastAPI, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "_compile", lambda *_: b"%PDF-1.7")  # a print has no keys
    with TestClient(service) as client:
        publish(client, second_edition(client), a_key(client, Scope.PUBLISH))
        receipt = raise_concern(client)
        path = f"/v1/concerns/{receipt['reference']}"
        status = client.get(path, headers=token_of(receipt))
        reader = a_key(client, Scope.READ, Scope.AUDIT, name="a-reader")
        desk = [client.get(f"/v1/desk/{name}", headers=reader) for name in ("concerns", "disclosures")]
    again = create_app(settings, SettableClock())
    everything = asyncio.run(crawl(again, public_url=settings.public_url))
    answers = {
        path: answer.json()
        for path, answer in everything.items()
        if path.startswith("/v1") and "json" in answer.headers["content-type"]
    }
    answers |= {str(answer.url): answer.json() for answer in (status, *desk)}

    weighing = {path: keys for path, body in answers.items() if (keys := weighed(body))}

    assert weighing == {}
    assert {answer.status_code for answer in (status, *desk)} == {200}
    assert len(answers) > 100


def weighed(body: Any) -> set[str]:
    return {key for key in keys_in(body) if WEIGHING & {word.rstrip("s") for word in re.split(r"[_-]", key.lower())}}


SUBJECTS = read_seed_file(Path(SEED_DIR) / "code-lists" / "subject.yaml", CodeList)
FACTORS = read_seed_file(Path(SEED_DIR) / "code-lists" / "dfe-assessment-factors.yaml", CodeList)
KNOWN_LGSL_CODES = {"education_at_home": 1, "missing_school": 35}


def names(client: TestClient, path: str) -> list[str]:
    found = client.get(path).json()
    key = next(name for name in found if name != "next_cursor")
    return [each["guide"] for each in found[key]]


def test_the_subject_list_names_only_codes_that_exist() -> None:
    named = {factor for code in SUBJECTS.codes for factor in code.assessment_factors}

    assert named <= {code.code for code in FACTORS.codes}
    assert {code.code: code.lgsl_code for code in SUBJECTS.codes if code.lgsl_code is not None} == KNOWN_LGSL_CODES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_each_example_says_what_it_is_about(path: Path) -> None:
    subjects = read_edition_file(path).content.subjects

    assert subjects
    assert set(subjects) <= {code.code for code in SUBJECTS.codes}


def test_the_seed_guide_gets_a_subject_and_keeps_its_digest(client: TestClient) -> None:
    (guide,) = client.get("/v1/guides").json()["guides"]

    assert an_edition().subjects == ()
    assert guide["digest"] == digest_of(an_edition())
    assert guide["subjects"] == [
        {"code": "child_sexual_exploitation", "label": "Child sexual exploitation", "lgsl_code": None}
    ]
    assert an_edition().title in client.get("/subjects/child_sexual_exploitation").text


@pytest.mark.parametrize("words", ["a", "missing", "the chil"])
def test_each_index_is_asked_once_and_not_again_for_each_entry(service: FastAPI, words: str) -> None:
    engine = service.state.context.engine
    asked: list[Any] = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2:4]))
    with Session(engine) as session:
        list_catalogue(session, EntryFilter(words=words), limit=50)
    statement, parameters = next(each for each in asked if each[0].startswith("SELECT catalogue"))

    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            steps = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars().all()
            assert not [step for step in steps if "SubPlan" in step and "hashed" not in step]
            assert sum("on catalogue " in step for step in steps) == 1
            return
        plan = {row[0]: row for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)}
    scans = [row for row in plan.values() if "VIRTUAL TABLE" in row[3]]
    assert len(scans) == 1 + len(words.split())
    for scan in scans:
        assert scan[3].endswith("INDEX 0:M1")  # by the words alone: with `=`, once for each row
        above = scan
        while above[1]:
            above = plan[above[1]]
            assert "CORRELATED" not in above[3]


def test_an_entry_of_an_edition_that_is_not_there_is_left_out(client: TestClient, service: FastAPI) -> None:
    stray = CatalogueRow(guide="a-guide", edition=9, part="indicators", item_id="stray", position=1, words="missing")
    service.state.context.writer.run(Session.add, stray)

    listed, found = (client.get(f"/v1/{path}limit=1") for path in ("indicators?", "search?q=missing&"))
    sheet = client.get("/v1/indicators.csv")

    assert [answer.status_code for answer in (listed, found, sheet)] == [200, 200, 200]
    assert [each["guide"] for each in listed.json()["indicators"] + found.json()["results"]] == [SLUG, SLUG]
    assert listed.json()["next_cursor"]
    assert "a-guide" not in sheet.text


def test_guides_are_found_by_subject_in_the_catalogue_and_in_search(client: TestClient, service: FastAPI) -> None:
    publish_next(service, guide="missing-lessons", subjects=("missing_school", "neglect"))

    assert names(client, "/v1/guides?subject=missing_school") == ["missing-lessons"]
    assert names(client, "/v1/guides?subject=child_sexual_exploitation") == [SLUG]
    assert names(client, "/v1/guides?subject=forced_marriage") == []
    for path in ("search?q=secrecy&", "indicators?q=secrecy&"):
        assert names(client, f"/v1/{path}subject=neglect") == ["missing-lessons"]
    assert b"missing-lessons" not in client.get("/v1/indicators.csv?subject=child_sexual_exploitation").content
    subjects: list[dict[str, Any]] = client.get("/v1/guides?subject=neglect").json()["guides"][0]["subjects"]
    assert [(each["code"], each["lgsl_code"]) for each in subjects] == [("neglect", None), ("missing_school", 35)]


def test_a_page_of_the_catalogue_has_only_guides_about_the_subject(client: TestClient, service: FastAPI) -> None:
    for number in range(3):
        publish_next(service, guide=f"guide-{number}", subjects=("neglect",) if number != 1 else ("self_harm",))

    first = client.get("/v1/guides?subject=neglect&limit=1").json()
    second = client.get(f"/v1/guides?subject=neglect&limit=1&cursor={first['next_cursor']}").json()

    assert [each["guide"] for each in first["guides"] + second["guides"]] == ["guide-0", "guide-2"]
    assert second["next_cursor"] is None


@pytest.mark.slow
def test_other_words_for_a_subject_find_its_guides_and_are_named(tmp_path: Path) -> None:
    with TestClient(a_service(data_dir=tmp_path / "data")) as client:
        found = client.get("/v1/search", params={"q": "older boyfriends", "limit": 5}).json()
        after = client.get(
            "/v1/search", params={"q": "older boyfriends", "limit": 200, "cursor": found["next_cursor"]}
        ).json()
        printed = client.get("/v1/search", params={"q": "gifts"}).json()
        other = client.get("/v1/search", params={"q": "county lines"}).json()
        elsewhere = client.get("/v1/search", params={"q": "nudes", "subject": "neglect"}).json()

    assert found["matched"] == [{"words": "older boyfriend", "subject": "child_sexual_exploitation"}]
    assert {each["guide"] for each in [*found["results"], *after["results"]]} == {SLUG}
    content = an_edition()
    items = [item.id for section in LISTED_SECTIONS for item in getattr(content, section)]
    assert sorted(each["item"]["id"] for each in [*found["results"], *after["results"]]) == sorted(items)
    assert [each["words"] for each in printed["matched"]] == ["gifts"]
    assert [each["subject"] for each in other["matched"]] == ["child_criminal_exploitation", "gangs_and_youth_violence"]
    assert other["results"] == []
    assert elsewhere["results"] == []


def test_printed_words_are_found_in_items_and_match_no_subject(tmp_path: Path) -> None:
    with TestClient(a_service(data_dir=tmp_path / "data")) as client:
        found = client.get("/v1/search", params={"q": "missing school"}).json()

    assert found["matched"] == []
    assert all("school" in each["item"]["text"].lower() for each in found["results"])
