"""The changes between two editions, and the history of one item."""

from itertools import combinations, pairwise
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.models.guides.comparison import WordChange, WordRun, changed_sections, changed_words, moved_items
from app.models.guides.editions import EditionContent
from tests.support.loops import for_each
from tests.support.publishing import (
    ADDED,
    GUIDE,
    REMOVED,
    REWORDED,
    SWAPPED,
    an_edition,
    content_of,
    filled_sections,
    publish_next,
    second_edition,
    withdraw,
)

pytestmark = [pytest.mark.slow, pytest.mark.any_database]

EDITIONS = f"{GUIDE}/editions"
EMPTY: dict[str, Any] = {"added": [], "removed": [], "reworded": [], "moved": []}


def publish_content(client: TestClient, **changes: Any) -> None:
    """Publish the current words with whatever the test changes."""
    publish_next(client.app, **(content_of(client) | changes))  # type: ignore[arg-type]  # the service under test


def changes(client: TestClient, number: int, since: int | None = None) -> dict[str, Any]:
    query = "" if since is None else f"?since={since}"
    told: dict[str, Any] = client.get(f"{EDITIONS}/{number}/changes{query}").json()
    return told


def test_changes_name_exactly_the_four_differences(client: TestClient) -> None:
    publish_content(client, **second_edition(client))

    told = changes(client, 2)

    assert list(told["sections"]) == ["indicators"]
    section = told["sections"]["indicators"]
    named = {kind: [item["id"] for item in items] for kind, items in section.items()}
    assert named == {"added": [ADDED], "removed": [REMOVED], "reworded": [REWORDED], "moved": [*reversed(SWAPPED)]}
    assert section["reworded"][0]["fields"] == ["text"]
    assert (told["fields"], told["change_note"]) == ([], "A test's second edition.")
    assert (told["edition"], told["since"], len(told["cautions"])) == (2, 1, 2)


def test_the_words_that_differ_are_told(client: TestClient) -> None:
    publish_content(client, **second_edition(client))

    words = changes(client, 2)["sections"]["indicators"]["reworded"][0]["words"]

    assert [run["text"] for run in words if run["change"] == "removed"] == ["significant relationships"]
    assert [run["text"] for run in words if run["change"] == "added"] == ["online friends"]


@pytest.mark.slow
def test_any_two_editions_are_compared_in_both_directions(client: TestClient) -> None:
    publish_content(client, **second_edition(client))
    publish_content(client, title="A made-up title", factors=content_of(client)["factors"][:4])

    for later, earlier in combinations((3, 2, 1), 2):
        there, back = changes(client, later, earlier), changes(client, earlier, later)

        assert list(there["sections"]) == list(back["sections"])
        for name, section in there["sections"].items():
            mirrored = back["sections"][name]
            assert (section["added"], section["removed"]) == (mirrored["removed"], mirrored["added"])
            for kind, old, new in (("reworded", "before", "after"), ("moved", "position_before", "position_after")):
                forth = {item["id"]: (item[old], item[new]) for item in section[kind]}
                assert forth == {item["id"]: (item[new], item[old]) for item in mirrored[kind]}
        fields = {each["field"]: (each["before"], each["after"]) for each in there["fields"]}
        assert fields == {each["field"]: (each["after"], each["before"]) for each in back["fields"]}
    assert set(changes(client, 3, 1)["sections"]) == {"factors", "indicators"}


def test_every_part_of_an_edition_is_compared(client: TestClient) -> None:
    before = content_of(client)
    items = {name: [dict(item) for item in before[name]] for name in ("cautions", "definitions", "contacts", "factors")}
    items["cautions"].append({"id": "a-made-up-caution", "text": "A made-up caution."})
    items["definitions"][0]["text"] = "Made-up words."
    items["contacts"][0]["when"] = "On made-up days"
    items["factors"].pop()
    own = {
        "title": "A made-up title",
        "publisher": before["publisher"] | {"name": "Example Council", "gss_code": "E06000000"},
        "review_by": "2027-01-31",
        "source": before["source"] | {"document": "a-made-up-document.txt"},
        "related_codes": [],
        "introductions": before["introductions"] | {"contacts": None},
    }
    publish_content(client, **items, **own, change_note="A made-up note.")

    told = changes(client, 2)

    found = {
        (name, kind): value for name, section in told["sections"].items() for kind, value in section.items() if value
    }
    assert found.keys() == {
        ("cautions", "added"),
        ("definitions", "reworded"),
        ("contacts", "reworded"),
        ("factors", "removed"),
    }
    assert found["contacts", "reworded"][0]["fields"] == ["when"]
    assert found["contacts", "reworded"][0]["words"] == []
    assert {each["field"]: (each["before"], each["after"]) for each in told["fields"]} == {
        name: (before[name], value) for name, value in own.items()
    }
    assert told["change_note"] == "A made-up note."


def test_an_edition_compared_to_the_same_one_has_no_changes(client: TestClient) -> None:
    publish_content(client, **second_edition(client))

    for number in (1, 2):
        told = changes(client, number, number)

        assert (told["sections"], told["fields"]) == ({}, [])


@for_each(
    ("query", "status", "detail"),
    [
        ("/1/changes", 400, "Edition 1 has none before it. Name one to compare with: since=2."),
        ("/1/changes?since=2", 404, None),
        ("/2/changes", 404, None),
        ("/1/changes?since=0", 400, "since: Enter 1 or more."),
        ("/1/changes?since=first", 400, "since: Enter a whole number."),
    ],
)
def test_what_cannot_be_compared_is_told_in_a_sentence(
    client: TestClient, query: str, status: int, detail: str | None
) -> None:
    answer = client.get(EDITIONS + query)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert detail in (None, answer.json()["detail"])


@for_each(
    ("before", "after", "moved"),
    [
        ("abcdef", "abcdef", ""),
        ("abcdef", "xaybczdwef", ""),
        ("abcdef", "bdf", ""),
        ("abcdef", "bcdefa", "a"),
        ("abcdef", "fabcde", "f"),
        ("abcdef", "acdebf", "b"),
        ("abcdef", "bacdef", "ab"),
        ("abcdef", "fbcdea", "af"),
        ("abcdef", "xfybcdea", "af"),
        ("abcdef", "bcxefa", "a"),
        ("abcdef", "", ""),
    ],
)
def test_the_fewest_items_count_as_moved_except_two_that_swapped(before: str, after: str, moved: str) -> None:
    told = moved_items(list(before), list(after))

    assert sorted(item.id for item in told) == sorted(moved)
    for item in told:
        assert (before[item.position_before - 1], after[item.position_after - 1]) == (item.id, item.id)


@given(st.permutations("abcdefg"), st.sets(st.sampled_from("abcdefg")), st.integers(0, 7))
def test_the_order_without_the_fewest_moved_items_is_the_same(after: list[str], removed: set[str], place: int) -> None:
    after = [each for each in after if each not in removed]
    after.insert(place, "added")
    common = [each for each in "abcdefg" if each in after]
    shuffled = [each for each in after if each in common]

    moved = {item.id for item in moved_items(list("abcdefg"), after)}

    assert [each for each in common if each not in moved] == [each for each in shuffled if each not in moved]
    swapped = sum(one != other for one, other in zip(common, shuffled, strict=True)) == 2
    fewest = next(size for size in range(8) if can_explain(common, shuffled, size))
    assert len(moved) == (2 if swapped else fewest)


def can_explain(common: list[str], shuffled: list[str], size: int) -> bool:
    """Whether moving that many items makes the one order into the other."""
    return any(
        [each for each in common if each not in moved] == [each for each in shuffled if each not in moved]
        for moved in combinations(common, size)
    )


WORDS = st.lists(
    st.sampled_from(["a", "child", "child,", "of", "‘of’", "and/or", "é", "👧"]) | st.text("ab", min_size=1)
)


def side(runs: tuple[WordRun, ...], change: WordChange) -> str:
    return " ".join(run.text for run in runs if run.change in (WordChange.KEPT, change))


@pytest.mark.slow
@given(WORDS, WORDS)
def test_the_runs_of_words_give_both_texts_again(before: list[str], after: list[str]) -> None:
    runs = changed_words(" ".join(before), " ".join(after))

    assert side(runs, WordChange.REMOVED) == " ".join(before)
    assert side(runs, WordChange.ADDED) == " ".join(after)
    assert all(run.text for run in runs)
    assert all(one.change != other.change for one, other in pairwise(runs))
    assert before != after or {run.change for run in runs} <= {WordChange.KEPT}


def indicators(*ids: str, text: str = "A made-up text") -> list[dict[str, Any]]:
    one = an_edition().indicators[0].model_dump()
    return [one | {"id": id_, "position": place, "text": f"{text} of {id_}"} for place, id_ in enumerate(ids, start=1)]


def test_an_item_tells_what_each_edition_did_to_it(client: TestClient, service: FastAPI) -> None:
    publish_next(service, indicators=indicators("a", "b", "c", "d"))
    publish_next(service, indicators=indicators("b", "c", "d", "x"))
    publish_next(service, indicators=indicators("a", "b", "c", "d"))
    publish_next(service, indicators=indicators("d", "a", "b", "c"))
    publish_next(service, indicators=indicators("d", "a", "b", "c", text="Another made-up text"))
    withdraw(service, 4)

    def told(item: str) -> list[str]:
        history = client.get(f"{GUIDE}/indicators/{item}").json()["history"]
        assert [entry["status"] for entry in history if entry["edition"] == 4] == ["withdrawn"]
        return [f"{entry['edition']} {entry['change']}" for entry in history]

    assert told("a") == ["6 reworded", "5 unchanged", "4 added", "2 added"]
    assert told("b") == ["6 reworded", "5 unchanged", "4 unchanged", "3 unchanged", "2 added"]
    assert told("d") == ["6 reworded", "5 moved", "4 unchanged", "3 unchanged", "2 added"]


@pytest.mark.slow
def test_an_item_and_the_changes_of_an_edition_tell_the_same(client: TestClient) -> None:
    content = content_of(client)
    definitions, cautions = content["definitions"][::-1], content["cautions"][::-1]
    publish_content(client, **(second_edition(client) | {"definitions": definitions, "cautions": cautions}))
    told = changes(client, 2)["sections"]

    for section in ("indicators", "definitions", "factors"):
        kinds = {
            kind: {item["id"] for item in told.get(section, EMPTY)[kind]} for kind in ("added", "reworded", "moved")
        }
        for item in client.get(f"{GUIDE}/{section}").json()[section]:
            history = client.get(f"{GUIDE}/{section}/{item['id']}").json()["history"]
            found = [kind for kind, ids in kinds.items() if item["id"] in ids]
            assert history[0]["change"] == (found or ["unchanged"])[0], item["id"]
    assert [item["id"] for item in told["cautions"]["moved"]] == [caution["id"] for caution in cautions]


def test_a_comparison_covers_every_section_of_an_edition() -> None:
    sections = [name for name in EditionContent.model_fields if isinstance(getattr(an_edition(), name), tuple)]
    edition = an_edition(**filled_sections())

    for name in set(sections) - {"related_codes", "subjects"}:
        last = getattr(edition, name)[:-1]
        assert list(changed_sections(edition, edition.model_copy(update={name: last}))) == [name]
