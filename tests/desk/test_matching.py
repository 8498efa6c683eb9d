"""Two opened concerns are compared by their cards, and cards are searched: by one set of rules, in page and command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk_modules import compare_by_command, compare_by_page
from tests.support.invented_concerns import invent_concerns
from tests.support.recognition import LEAST_RECOGNISED, MOST_FALSE, SEED, recognise

HERE = Path(__file__).parent
DAY = "2026-11-24"

pytestmark = pytest.mark.any_database


def cases_in(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((HERE / f"{name}_cases.json").read_text(encoding="utf-8"))
    return cases


@pytest.mark.parametrize("name", ["matching", "script"])
@pytest.mark.parametrize("compare", [compare_by_page, compare_by_command])
def test_two_cards_are_offered_with_these_reasons(compare: Callable[..., Any], name: str) -> None:
    cases = cases_in(name)

    said = compare(cases=cases, searches=[], day=DAY)["reasons"]

    assert {case["claim"]: answer for case, answer in zip(cases, said, strict=True)} == {
        case["claim"]: [case["reasons"], case["reasons"]] for case in cases
    }


@pytest.mark.parametrize("compare", [compare_by_page, compare_by_command])
def test_typed_words_find_these_cards(compare: Callable[..., Any]) -> None:
    cases = cases_in("search")

    found = compare(cases=[], searches=cases, day=DAY)["found"]

    assert {case["claim"]: answer for case, answer in zip(cases, found, strict=True)} == {
        case["claim"]: case["found"] for case in cases
    }


def test_the_table_of_scripts_has_sixty_pairs_in_eight_scripts() -> None:
    cases = cases_in("script")

    assert len({case["claim"] for case in cases}) == len(cases) >= 60
    assert len({case["script"] for case in cases}) >= 8


@pytest.mark.slow
@pytest.mark.nightly
def test_most_children_told_of_before_are_recognised_and_few_others() -> None:
    found = recognise(list(invent_concerns(SEED)))

    assert found.told_before > 80
    assert found.per_cent >= LEAST_RECOGNISED
    assert found.false <= MOST_FALSE


@pytest.mark.nightly
@pytest.mark.slow
def test_over_ten_sets_most_children_told_of_before_are_recognised() -> None:
    found = [recognise(list(invent_concerns(seed))) for seed in range(1, 11)]

    assert sum(each.recognised for each in found) >= LEAST_RECOGNISED / 100 * sum(each.told_before for each in found)
    assert max(each.false for each in found) <= MOST_FALSE
