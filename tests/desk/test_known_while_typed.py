"""What a worker types about a call is compared with opened cards: the modules of the browser, run by Node.js."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import need_npm

pytestmark = pytest.mark.any_database

HERE = Path(__file__).parent
SCRIPT = HERE.parents[1] / "desk_script" / "src"
NICKNAMES = HERE.parents[1] / "app" / "cli" / "desk" / "nicknames.json"
IN_BROWSER = """
import { readFileSync } from "node:fs";
const [folder, nicknames] = process.argv.slice(2);
const load = (name) => import(`file://${folder}/${name}.js`);
const { factsOf } = await load("card_facts");
const { Matching } = await load("matching");
const { NamesOnCards, factsTyped, reasonsTyped } = await load("typed_facts");
const matching = new Matching(JSON.parse(readFileSync(nicknames, "utf-8")));
const { cards, cases } = JSON.parse(readFileSync(0, "utf-8"));
const facts = (card) => factsOf([{ card, receivedOn: "2026-11-20" }]);
const concerns = Object.entries(cards).map(([name, card]) => ({ name, facts: facts(card) }));
const known = new NamesOnCards(concerns, matching);
const found = cases.map(([text, child]) => {
  const card = { children: [{ names: [], ...child }], people: [], reporter: { kind: "anonymous", phones: [] } };
  const typed = factsTyped(card, text, "2026-11-30", known);
  const others = [...known.concernsLike(typed.ages ?? typed.facts)];
  const reasons = others.map(({ name, facts: other }) => [name, reasonsTyped(typed, { facts: other }, matching)]);
  return Object.fromEntries(reasons.filter(([, each]) => each.length > 0));
});
console.log(JSON.stringify(found));
"""
CARDS: dict[str, dict[str, Any]] = {
    "alex": {"children": [{"names": ["Alexander", "Zymurgyby"], "age": 9, "school": "Exampleton Primary School"}]},
    "robin": {
        "children": [{"names": ["Robin Testwick"], "postcode": "XX1 1XX", "born": "2012-03-04"}],
        "people": [{"names": ["Kim Testwick"], "phones": ["01632 960001"]}],
    },
    "will": {"children": [{"names": ["Will"], "school": "Green Lane Primary"}]},
}
CASES: list[tuple[str, dict[str, Any], dict[str, list[str]]]] = [
    (
        "Neighbour says alex zymurgyby, 9 years old, was crying again.",
        {},
        {"alex": ["about the same age", "same name in another form"]},
    ),
    ("Alex Zymurgbyy is 14. His brother is 3.", {}, {"alex": ["name one letter different"]}),
    ("alex zymurgbyy was there", {}, {}),
    (
        "Alex at exampleton primary, in year 4",
        {},
        {"alex": ["same school", "about the same age", "one name the same in another form"]},
    ),
    ("Alex at exampleton high school", {}, {}),
    ("A boy in a green coat will be late at the lane near the primary.", {}, {}),
    ("Will goes to Green Lane Primary.", {}, {"will": ["same school", "one name the same"]}),
    ("The caller gave 01632 960 001.", {}, {"robin": ["same telephone number"]}),
    ("The flat at xx1 1xx, with Robin", {}, {"robin": ["same postcode", "one name the same"]}),
    ("Born 4/3/2012, at XX1 1XX", {}, {"robin": ["same postcode", "same day of birth"]}),
    ("No name in the text", {"names": ["Robyn", "Testwick"]}, {"robin": ["same name in another form"]}),
    ("Shouting on the rugby field", {}, {}),
]


@pytest.mark.slow
def test_what_is_typed_offers_the_cards_that_share_it_with_reasons(tmp_path: Path) -> None:
    need_npm()
    (tmp_path / "run.mjs").write_text(IN_BROWSER, encoding="utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    shutil.copytree(SCRIPT, tmp_path / "src")
    given = {"cards": CARDS, "cases": [(text, child) for text, child, _ in CASES]}
    ended = subprocess.run(
        ["node", str(tmp_path / "run.mjs"), str(tmp_path / "src"), str(NICKNAMES)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    found = dict(zip((text for text, _, _ in CASES), json.loads(ended.stdout), strict=True))
    assert found == {text: expected for text, _, expected in CASES}
