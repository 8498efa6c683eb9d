"""What a worker types about a call is compared with opened cards: the modules of the browser, run by Node.js."""

from typing import Any

import pytest

from tests.support.desk_modules import run_modules

pytestmark = pytest.mark.any_database

IN_BROWSER = """
const { factsOf } = await load("card_facts");
const { NamesOnCards, factsTyped, reasonsTyped } = await load("typed_facts");
const { cards, cases } = given;
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
    "olena": {
        "children": [{"names": ["Олена Приклад"], "address": "14 Sample Terrace, Exampleton", "born": "2014-05-06"}]
    },
    "fan": {"children": [{"names": ["范小例"]}], "vehicles": [{"registration": "EX12 AMP"}]},
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
    ("олена приклад плаче", {}, {"olena": ["same name"]}),
    ("家里的范小例哭了", {}, {"fan": ["same name"]}),
    ("小孩哭了", {}, {}),
    ("A van, ex12amp, at the gate", {}, {"fan": ["same registration of a vehicle"]}),
    (
        "Olena lives at 14 Sample Terrace and was born 6/5/2014.",
        {},
        {"olena": ["same house and street", "same day of birth"]},
    ),
    ("He is 14. Sample Terrace is near.", {}, {}),
]


@pytest.mark.slow
def test_what_is_typed_offers_the_cards_that_share_it_with_reasons() -> None:
    found = run_modules(IN_BROWSER, cards=CARDS, cases=[(text, child) for text, child, _ in CASES])

    assert dict(zip((text for text, _, _ in CASES), found, strict=True)) == {text: said for text, _, said in CASES}
