"""The modules of the desk's script, run by Node.js without a browser."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.command import ROOT
from tests.support.node import need_npm, need_program

SOURCES = ROOT / "desk_script" / "src"
COMMAND = ROOT / "app" / "pages" / "static" / "find.cjs"
"""The program of `guidance desk find`, which `make desk-script` builds from the same modules."""
HEAD = """
import { readFileSync } from "node:fs";
const load = (name) => import(`file://${process.argv[1]}/${name}.js`);
const { Matching } = await load("matching");
const matching = new Matching(JSON.parse(readFileSync(`${process.argv[1]}/nicknames.json`, "utf-8")));
const given = JSON.parse(readFileSync(0, "utf-8"));
"""
MATCHING = """
const { factsOf } = await load("card_facts");
const { isFound, partsOf, searchTextOf } = await load("card_search");
const facts = (card) => factsOf([{ card, receivedOn: card.received_on ?? given.day }]);
const reasonsOf = (one, other) => matching.reasonsOf(facts(one), facts(other));
const reasons = given.cases.map(({ one, other }) => [reasonsOf(one, other), reasonsOf(other, one)]);
const isOf = ({ card, label, typed }) => isFound(searchTextOf([card], label), partsOf(typed), matching);
const found = given.searches.map(isOf);
console.log(JSON.stringify({ reasons, found }));
"""
OF_COMMAND = """
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const { answer } = createRequire(import.meta.url)(process.argv[1]);
const given = JSON.parse(readFileSync(0, "utf-8"));
const dayOf = (card) => card.received_on ?? given.day;
const concern = (reference, card, label = "") => ({ reference, label, cards: [{ card, receivedOn: dayOf(card) }] });
const ask = (concerns, typed, like) => answer({ concerns, typed, like, today: given.day }).concerns;
const like = (one, other) => {
  const [found] = ask([concern("one", one), concern("other", other)], null, "one");
  return found === undefined ? [] : found.reasons.split(", ");
};
const reasons = given.cases.map(({ one, other }) => [like(one, other), like(other, one)]);
const isOf = ({ card, label, typed }) => ask([concern("one", card, label)], typed, null).length === 1;
const found = given.searches.map(isOf);
console.log(JSON.stringify({ reasons, found }));
"""


def run_modules(program: str, **given: Any) -> Any:
    """Return the JSON that `program` prints: it has `load`, `matching` and `given`."""
    return _run(HEAD + program, SOURCES, given)


def compare_by_page(**given: Any) -> Any:
    """Return the reasons of `cases` in both directions, and what is found of `searches`, by the pages' modules."""
    return run_modules(MATCHING, **given)


def compare_by_command(**given: Any) -> Any:
    """Return the same by the built program of `guidance desk find`."""
    need_program("node", "the desk's script", COMMAND)
    return _run(OF_COMMAND, COMMAND, given)


def _run(program: str, of: Path, given: dict[str, Any]) -> Any:
    need_npm()
    ended = subprocess.run(
        ["node", "--input-type=module", "--eval", program, str(of)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)
