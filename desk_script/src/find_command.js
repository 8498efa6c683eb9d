// The program that `guidance desk find` runs in Node.js: reads opened cards and a question on standard input, and writes the
// concerns that answer it. The rules are those of the desk's pages. It opens no file and no connection.
import { readFileSync } from "node:fs";

import { factsOf } from "./card_facts.js";
import { SEARCHED, isFound, partsOf, searchTextOf } from "./card_search.js";
import { Matching, NOT_FOUND } from "./matching.js";
import nicknames from "./nicknames.json";
import { whomOf } from "./whom.js";

// Return what was found: by the words `typed`, or without them what may be about the same child or household as the concern
// `like`. Each concern has a reference, its cards with the days of their receipt, and a label.
export function answer({ concerns, typed, like, today }) {
  const matching = new Matching(nicknames);
  const found = typed === null ? findLike(concerns, like, matching) : findTyped(concerns, typed, matching);
  return {
    not_found: NOT_FOUND,
    searched: SEARCHED,
    is_empty: typed !== null && partsOf(typed).length === 0,
    concerns: found.map(({ concern, reasons }) => ({ reference: concern.reference, whom: whomOf(concern, today), reasons: reasons.join(", ") })),
  };
}

function findTyped(concerns, typed, matching) {
  const parts = partsOf(typed);
  const isMeant = ({ cards, label }) => isFound(searchTextOf(cards.map(({ card }) => card), label), parts, matching);
  return concerns.filter(isMeant).map((concern) => ({ concern, reasons: [] }));
}

function findLike(concerns, like, matching) {
  const own = concerns.find(({ reference }) => reference === like);
  if (own === undefined) return [];
  const facts = factsOf(own.cards);
  const others = concerns.filter((each) => each !== own);
  const found = others.map((concern) => ({ concern, reasons: matching.reasonsOf(facts, factsOf(concern.cards)) }));
  return found.filter(({ reasons }) => reasons.length > 0);
}

if (require.main === module) process.stdout.write(JSON.stringify(answer(JSON.parse(readFileSync(0, "utf-8")))));
