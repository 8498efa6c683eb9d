// Searches opened cards and labels for typed words: names, schools, postcodes, numbers, days of birth and labels.
// The command `guidance desk find` does the same (app/cli/desk/card_search.py). One table of cases holds the two equal
// (tests/desk/search_cases.json).
import { addAll, dayOf, numbersIn, postcodeOf, standardNumber, wordsOf } from "./card_facts.js";
import { isOneLetterOff } from "./matching.js";

const SHORTEST_PART = 2; // letters of the shortest word that finds the words that begin with it
const SHORTEST_DIGITS = 3;
const everyWord = new Map(); // each word once, since thousands of cards have the same names and schools

// Return what can be found in the opened cards of one concern and in its label: words of names, which short forms find
// too, other words, and digits: telephone numbers, and days of birth as YYYYMMDD.
export function searchTextOf(cards, label = "") {
  const names = new Set(wordsOf(label));
  const words = new Set(names);
  const digits = new Set();
  for (const card of cards) {
    const reporter = card.reporter ?? {};
    for (const person of [...(card.children ?? []), ...(card.people ?? [])]) {
      addAll(names, wordsOf(...(person.names ?? []), ...(person.other_names ?? [])));
      addAll(digits, numbersIn(...(person.phones ?? [])));
      const postcode = person.postcode ?? "";
      addAll(words, [...wordsOf(person.school ?? "", postcode), postcodeOf(postcode).toLowerCase()]);
      if (dayOf(person.born ?? "") !== null) digits.add(person.born.slice(0, 10).replaceAll("-", ""));
    }
    addAll(names, wordsOf(reporter.name ?? ""));
    addAll(digits, numbersIn(...(reporter.phones ?? [])));
    addAll(words, wordsOf(card.words ?? ""));
  }
  words.delete("");
  return { names: shared(names), words: shared(words), digits: [...digits] };
}

// Forget every word of the cards.
export const forgetWords = () => everyWord.clear();

function shared(words) {
  return [...words].map((word) => {
    if (!everyWord.has(word)) everyWord.set(word, word);
    return everyWord.get(word);
  });
}

// Return the parts of what was typed, each of which must be found: words, and numbers in their standard form.
export function partsOf(typed) {
  const dated = typed.replace(/(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})/g, (_, day, month, year) => ` ${year}${month.padStart(2, "0")}${day.padStart(2, "0")} `);
  const wholeDays = dated.replace(/\b(\d{4})-(\d{2})-(\d{2})\b/g, " $1$2$3 ");
  const joined = wholeDays.replaceAll("(0)", "").replace(/\s+/g, " ").replace(/(?<=\d) (?=\d)/g, "");
  return wordsOf(joined.replace(/\+44\d+|\b0044\d+/g, standardNumber));
}

// Return true if every part is found. Without any part, nothing is found.
export const isFound = (text, parts, matching) => parts.length > 0 && parts.every((part) => isPartFound(text, part, matching));

function isPartFound({ names, words, digits }, part, matching) {
  if (/^\d+$/.test(part)) {
    const isNumber = part.length >= SHORTEST_DIGITS && digits.some((number) => number.includes(part));
    return isNumber || words.includes(part) || names.includes(part);
  }
  if (names.some((word) => matching.isAlike(part, word))) return true;
  const isNear = (word) => word === part || (part.length >= SHORTEST_PART && word.startsWith(part)) || isOneLetterOff(part, word);
  return words.some(isNear) || names.some(isNear);
}
