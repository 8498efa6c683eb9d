// Finds in what a worker types about a call whatever opened cards can be compared with.
// A name or a school counts only if an opened card has it. Other words of the text are compared with nothing.
import { addAll, dayOf, factsOf, housesIn, numbersIn, platesIn, postcodesIn } from "./card_facts.js";
import { isDifference, isOfOtherAge, tellingWords } from "./matching.js";
import { wordsInOrder, wordsOf } from "./words.js";

const SLICE = 40; // milliseconds of reading cards before the page gets its turn
const MOST_NAMES = 12;
const MOST_SCHOOLS = 3;
const MOST_BIRTHS = 3;
const OLDEST = 25; // years
const CLAUSE = /[.;:!?()\n]+/;
// A sign of a script that writes no blanks is a token, as it is a word.
const TOKEN = /[\p{Script=Han}\p{Script=Hangul}]|(?:(?![\p{Script=Han}\p{Script=Hangul}])[\p{L}\p{M}\p{N}'’-])+/gu;
const CAPITAL = /^[\p{Lu}\p{Lt}\p{Lo}]/u; // some scripts have no capital letters
const DAY = /\b(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\b/g;
const AGE = /\b(?:aged?|is|turned) (\d{1,2})\b(?!\s*(?:[:.]\d|am|pm))|\b(\d{1,2})[- ]?(?:years?|yrs?|yo)\b/gi;
const SCHOOL_YEAR = /\byear (\d{1,2})\b/gi;
// Words that are names too. They count as names only with a capital letter.
export const ALSO_WORDS = new Set(
  wordsOf(
    "will may mark hope grace faith joy rose lily daisy poppy ivy holly ruby amber jade sky summer autumn april june dawn eve",
    "art bill bob dan don drew frank guy harry jack jean jimmy joe josh leo max miles nick pat pete ray reed rob sonny sue ted",
    "tom victor wade young long white brown black green grey king bishop cook baker hill wood woods day best price rich read",
    "small short little lane street west north he her him his she they the and mum dad man son sun van bus bed boy girl",
  ),
);

const houseKey = ({ number, street, isHouse }) => isHouse && `${number} ${street[0]}`;

// What the opened cards of all concerns name, by which a comparison finds the few concerns that may share something.
export class NamesOnCards {
  #matching;
  #concerns = new Map(); // by name, postcode, house, number or day of birth, the concerns that have it
  #names = new Set();
  #schools = new Map(); // by the words of the school, the words themselves
  #alike = new Map(); // by typed word and its capital, the names that it may be

  constructor(concerns, matching) {
    this.#matching = matching;
    for (const concern of concerns) this.add(concern);
  }

  // Return the names on the cards of `concerns`, read in slices so that the page stays usable. Return null if `isOver`
  // returns true meanwhile.
  static async inSlices(concerns, matching, isOver) {
    const known = new NamesOnCards([], matching);
    let start = performance.now();
    for (const concern of concerns) {
      known.add(concern);
      if (performance.now() - start < SLICE) continue;
      await new Promise((resolve) => setTimeout(resolve));
      if (isOver()) return null;
      start = performance.now();
    }
    return known;
  }

  add(concern) {
    const { children, adults, numbers, reporterNumbers, plates } = concern.facts;
    for (const { names, otherNames, birth, school, postcode, houses } of children) {
      for (const name of [...names, ...otherNames]) this.#addName(name, concern);
      for (const key of [postcode, birth?.day, ...houses.map(houseKey)]) if (key) this.#put(key, concern);
      if (school.length > 0) this.#schools.set(school.join(" "), school);
    }
    for (const name of adults.flat()) this.#addName(name, concern);
    for (const number of [...numbers, ...reporterNumbers, ...plates]) this.#put(number, concern);
  }

  #addName(name, concern) {
    this.#names.add(name);
    this.#put(name, concern);
  }

  #put(key, concern) {
    if (!this.#concerns.has(key)) this.#concerns.set(key, new Set());
    this.#concerns.get(key).add(concern);
  }

  // Return the names on cards that the typed word may be. A word in small letters may be no misspelt name: too many
  // ordinary words are one letter away from a name.
  namesLike(word, isCapital) {
    const key = `${isCapital ? "^" : ""}${word}`;
    if (!this.#alike.has(key)) this.#alike.set(key, this.#findNames(word, isCapital));
    return this.#alike.get(key);
  }

  #findNames(word, isCapital) {
    if (!isCapital && ALSO_WORDS.has(word)) return [];
    const isMeant = isCapital ? (name) => this.#matching.compareOnce(word, name) : (name) => this.#matching.isForm(word, name);
    return [...this.#names].filter(isMeant);
  }

  // Return the schools on cards, as words, of which all telling words were typed.
  schoolsIn(words) {
    const typed = new Set(words);
    const isTyped = (some) => some.every((word) => typed.has(word));
    const isNamed = (school) => isTyped(tellingWords(school)) && (isTyped(school) || !isOfOtherAge(words, school));
    return [...this.#schools.values()].filter(isNamed).slice(0, MOST_SCHOOLS);
  }

  // Return the concerns that share a name, a postcode, a house, a number or a day of birth with the facts.
  concernsLike({ children, adults, numbers, reporterNumbers, plates }) {
    const names = [...children.flatMap((each) => [...each.names, ...each.otherNames]), ...adults.flat()];
    const keys = [
      ...[...new Set(names)].flatMap((name) => this.namesLike(name, true)),
      ...children.flatMap(({ postcode, birth, houses }) => [postcode, birth?.day, ...houses.map(houseKey)]),
      ...numbers,
      ...reporterNumbers,
      ...plates,
    ];
    return new Set(keys.flatMap((key) => [...(this.#concerns.get(key) ?? [])]));
  }
}

// Return the reasons in words why the call may be about the child or household of `concern`. An age in the text may be
// that of somebody else: it counts if it fits, and is left out if it differs.
export function reasonsTyped({ facts, ages }, concern, matching) {
  const reasons = matching.reasonsOf(facts, concern.facts);
  const withAges = ages === null ? [] : matching.reasonsOf(ages, concern.facts);
  return withAges.length > reasons.length && !withAges.some(isDifference) ? withAges : reasons;
}

// Return the facts of a call: those of `card`, which has what was typed into the fields, and those of the text
// `narrative`. Names in the text are several children: which of them is meant, a person decides. `ages` are the same
// facts with the ages and days of birth in the text, or null if there are none.
export function factsTyped(card, narrative, receivedOn, known) {
  const facts = factsOf([{ card, receivedOn }]);
  const named = namesIn(narrative, known);
  const [typed] = card.children;
  const births = typed.age === undefined ? birthsIn(narrative) : [];
  const schools = known.schoolsIn(wordsOf(narrative)).map((school) => school.join(" "));
  const [postcode] = postcodesIn(narrative);
  const houses = housesIn(narrative).filter(({ isHouse }) => isHouse);
  const children = [];
  for (const names of typed.names.length > 0 ? [typed.names] : [[], ...named]) {
    for (const school of typed.school ? [typed.school] : ["", ...schools]) children.push({ ...typed, names, school, postcode });
  }
  const childrenOf = (found) => factsOf([{ card: { children: found }, receivedOn }]).children;
  const factsWith = (found) => ({ ...facts, children: childrenOf(found).map((child) => ({ ...child, houses })) });
  addAll(facts.numbers, numbersIn(narrative));
  addAll(facts.plates, platesIn(narrative));
  facts.adults.push(...named.filter((names) => names.length > 1));
  const withBirths = births.flatMap((birth) => children.map((child) => ({ ...child, ...birth })));
  return { facts: factsWith(children), ages: withBirths.length > 0 ? factsWith(withBirths) : null };
}

// Return the names in the text: each is words that stand beside one another, and that cards have as names.
function namesIn(text, known) {
  const runs = text.split(CLAUSE).flatMap((clause) => runsIn(clause, known));
  const distinct = new Map(runs.map((run) => [run.join(" "), run]));
  return [...distinct.values()].slice(0, MOST_NAMES);
}

function runsIn(clause, known) {
  const runs = [[]];
  for (const token of clause.match(TOKEN) ?? []) {
    const words = wordsInOrder(token.replace(/['’]s$/, ""));
    const isCapital = CAPITAL.test(token);
    const isName = words.length > 0 && words.every((word) => known.namesLike(word, isCapital).length > 0);
    if (isName) runs.at(-1).push(...words);
    else if (runs.at(-1).length > 0) runs.push([]);
  }
  return runs.filter((run) => run.length > 0 && !isOneSign(run));
}

// One sign of Chinese or Korean stands in many words.
const isOneSign = ([word, ...more]) => more.length === 0 && /^[\p{Script=Han}\p{Script=Hangul}]$/u.test(word);

// Return the days of birth, ages and school years in the text, as fields of a card.
function birthsIn(text) {
  const born = [...text.matchAll(DAY)].map(([, day, month, year]) => `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`);
  const ages = [...text.matchAll(AGE)].map(([, one, other]) => ({ age: Number(one ?? other) })).filter(({ age }) => age <= OLDEST);
  const years = [...text.matchAll(SCHOOL_YEAR)].map(([words]) => ({ age_described: words }));
  const found = [...born.filter((day) => dayOf(day) !== null).map((day) => ({ born: day })), ...ages, ...years];
  return found.slice(0, MOST_BIRTHS);
}
