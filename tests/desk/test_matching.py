"""Two opened concerns are compared by their cards: the same way by the command and by the browser."""

import datetime as dt
import json
import shutil
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from app.cli.desk.card_facts import CardFacts, facts_of
from app.cli.desk.card_search import is_found, parts_of, search_text_of
from app.cli.desk.matching import reasons_of
from bench.matching import LEAST_RECOGNISED, MOST_FALSE, SEED, recognise
from tests.support.invented_concerns import invent_concerns
from tests.support.loops import first_by_day
from tests.support.node import need_npm

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = json.loads((HERE / "matching_cases.json").read_text(encoding="utf-8"))
SEARCHES: list[dict[str, Any]] = json.loads((HERE / "search_cases.json").read_text(encoding="utf-8"))
DAY = "2026-11-24"
SCRIPT = HERE.parents[1] / "desk_script" / "src"
NICKNAMES = HERE.parents[1] / "app" / "cli" / "desk" / "nicknames.json"
IN_BROWSER = """
import { readFileSync } from "node:fs";
const [folder, nicknames, day] = process.argv.slice(2);
const load = (name) => import(`file://${folder}/${name}.js`);
const { factsOf } = await load("card_facts");
const { Matching } = await load("matching");
const { isFound, partsOf, searchTextOf } = await load("card_search");
const matching = new Matching(JSON.parse(readFileSync(nicknames, "utf-8")));
const { cases, searches } = JSON.parse(readFileSync(0, "utf-8"));
const facts = (card) => factsOf([{ card, receivedOn: card.received_on ?? day }]);
const reasonsOf = (one, other) => matching.reasonsOf(facts(one), facts(other));
const reasons = cases.map(({ one, other }) => [reasonsOf(one, other), reasonsOf(other, one)]);
const found = searches.map(({ card, label, typed }) => isFound(searchTextOf([card], label), partsOf(typed), matching));
console.log(JSON.stringify({ reasons, found }));
"""

pytestmark = pytest.mark.any_database


def facts(card: dict[str, Any]) -> CardFacts:
    return facts_of([(card, dt.date.fromisoformat(card.get("received_on", DAY)))])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["claim"])
def test_two_cards_are_offered_with_these_reasons(case: dict[str, Any]) -> None:
    one, other = facts(case["one"]), facts(case["other"])

    assert list(reasons_of(one, other)) == list(reasons_of(other, one)) == case["reasons"]


@pytest.mark.parametrize("case", SEARCHES, ids=lambda case: case["claim"])
def test_typed_words_find_these_cards(case: dict[str, Any]) -> None:
    text = search_text_of([case["card"]], case.get("label", ""))

    assert is_found(text, parts_of(case["typed"])) is case["found"]


def run_script(folder: Path, **given: Any) -> Any:
    """Return what the modules of the browser say about the same cases, run by Node.js."""
    need_npm()
    program = folder / "run.mjs"
    program.write_text(IN_BROWSER, encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    shutil.copytree(SCRIPT, folder / "src")
    ended = subprocess.run(
        ["node", str(program), str(folder / "src"), str(NICKNAMES), DAY],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(ended.stdout)


def test_the_browser_gives_the_reasons_of_every_case(tmp_path: Path) -> None:
    answers = run_script(tmp_path, cases=CASES, searches=[])["reasons"]

    assert {case["claim"]: answer for case, answer in zip(CASES, answers, strict=True)} == {
        case["claim"]: [case["reasons"], case["reasons"]] for case in CASES
    }


def test_the_browser_finds_the_cards_of_every_case(tmp_path: Path) -> None:
    answers = run_script(tmp_path, cases=[], searches=SEARCHES)["found"]

    assert dict(zip((case["claim"] for case in SEARCHES), answers, strict=True)) == {
        case["claim"]: case["found"] for case in SEARCHES
    }


@pytest.mark.slow
@pytest.mark.parametrize("most", first_by_day([160, 300]))
def test_browser_and_command_agree_on_invented_concerns(tmp_path: Path, most: int) -> None:
    concerns = list(invent_concerns(SEED))[:most]
    cards = [concern.card | {"received_on": concern.received_on.isoformat()} for concern in concerns]

    said = run_script(
        tmp_path, cases=[{"one": one, "other": other} for one, other in combinations(cards, 2)], searches=[]
    )

    known = [facts_of([(each.card, each.received_on)]) for each in concerns]
    assert any(one for one, _ in said["reasons"])
    assert [one for one, _ in said["reasons"]] == [list(reasons_of(*pair)) for pair in combinations(known, 2)]


@pytest.mark.slow
@pytest.mark.nightly
def test_most_children_told_of_before_are_recognised_and_few_others() -> None:
    found = recognise(invent_concerns(SEED))

    assert found.told_before > 80
    assert found.per_cent >= LEAST_RECOGNISED
    assert found.false <= MOST_FALSE


@pytest.mark.nightly
@pytest.mark.slow
def test_over_ten_sets_most_children_told_of_before_are_recognised() -> None:
    found = [recognise(invent_concerns(seed)) for seed in range(1, 11)]

    assert sum(each.recognised for each in found) >= LEAST_RECOGNISED / 100 * sum(each.told_before for each in found)
    assert max(each.false for each in found) <= MOST_FALSE
