// Searches opened cards and labels for typed words: names, schools, addresses, vehicles, places, user names, numbers, days
// of birth and labels.
import { addAll, compact, dayOf, housesIn, isHouseNumber, numbersIn, platesIn, postcodeOf, postcodesIn, standardNumber } from "./card_facts.js";
import { isOneLetterOff } from "./matching.js";
import { withPlainDigits, wordsInOrder, wordsOf } from "./words.js";

export const SEARCHED =
  "Searched: names, schools, addresses, places, vehicles, telephone and other numbers, user names, days of birth, labels, and the first words of each report.";
const SHORTEST_PART = 2; // letters of the shortest word that finds the words that begin with it
const SHORTEST_DIGITS = 3;
const SHORTEST_CODE = 3; // letters and digits of the shortest end of a postcode or registration
const MOST_JOINED = 4; // words that were typed for one postcode, registration or number
const LEAST_JOINED = 6; // digits of the shortest number that is typed in groups
const NONE = []; // most cards have no house and no code
const everyWord = new Map(); // each word once, since thousands of cards have the same names and schools

// Return what can be found in the opened cards of one concern and in its label: words of names, which short forms find
// too, other words, digits (telephone numbers, and days of birth as YYYYMMDD), codes (postcodes and registrations, without
// blanks), and houses.
export function searchTextOf(cards, label = "") {
  const names = new Set(wordsOf(label));
  const words = new Set(names);
  const digits = new Set();
  const codes = new Set();
  const houses = [];
  const addNumbers = (some) => addAll(digits, numbersIn(...some));
  const addCodes = (...some) => addAll(codes, some.map((code) => code.toLowerCase()));
  const addTyped = (text) => {
    addAll(words, wordsOf(text));
    addCodes(...platesIn(text), ...postcodesIn(text));
  };
  const addPlace = ({ address = "", postcode = "" }) => {
    addAll(words, wordsOf(address).filter((word) => !isHouseNumber(word)));
    addAll(words, wordsOf(postcode));
    addCodes(postcodeOf(postcode), ...postcodesIn(address));
    houses.push(...housesIn(address));
  };
  for (const card of cards) {
    const reporter = card.reporter ?? {};
    for (const person of [...(card.children ?? []), ...(card.people ?? [])]) {
      addAll(names, wordsOf(...(person.names ?? []), ...(person.other_names ?? [])));
      addNumbers(person.phones ?? []);
      addAll(words, wordsOf(person.school ?? "", ...(person.phones ?? [])));
      addPlace(person);
      for (const number of (person.numbers ?? []).map(compact)) (hasLetter(number) ? codes : digits).add(number);
      if (dayOf(person.born ?? "") !== null) digits.add(person.born.slice(0, 10).replaceAll("-", ""));
    }
    for (const { registration = "", described = "" } of card.vehicles ?? []) {
      addAll(codes, joined(wordsInOrder(registration)).map(({ code }) => code));
      addTyped(described);
    }
    for (const place of card.places ?? []) {
      addTyped(`${place.name ?? ""} ${place.described ?? ""}`);
      addPlace(place);
    }
    for (const { names: named, phones } of card.agencies ?? []) {
      addAll(words, wordsOf(...named));
      addNumbers(phones);
    }
    addTyped((card.accounts ?? []).join(" "));
    addAll(names, wordsOf(reporter.name ?? ""));
    addNumbers(reporter.phones ?? []);
    addTyped(card.words ?? "");
  }
  codes.delete("");
  return { names: shared(names), words: shared(words), digits: listOf(digits), codes: listOf(codes), houses: listOf(houses) };
}

const hasLetter = (word) => /\p{L}/u.test(word);

const listOf = (some) => ([...some].length > 0 ? [...some] : NONE);

// Forget every word of the cards.
export const forgetWords = () => everyWord.clear();

function shared(words) {
  return [...words].map((word) => {
    if (!everyWord.has(word)) everyWord.set(word, word);
    return everyWord.get(word);
  });
}

// Return the parts of what was typed, each of which must be found: words, and numbers in their standard form. Without a
// letter or a digit there are none.
export function partsOf(typed) {
  const dated = withPlainDigits(typed).replace(/(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})/g, (_, day, month, year) => `, ${year}${month.padStart(2, "0")}${day.padStart(2, "0")}, `);
  const wholeDays = dated.replace(/\b(\d{4})-(\d{2})-(\d{2})\b/g, ", $1$2$3, ");
  const plain = wholeDays.replaceAll("(0)", "").replace(/\s+/g, " ").replace(/\d+(?: \d+)+/g, inOneNumber);
  return wordsInOrder(plain.replace(/\+44\d+|\b0044\d+/g, standardNumber));
}

// A short run of numbers is a flat and a house, for example.
function inOneNumber(groups) {
  const digits = groups.replaceAll(" ", "");
  return digits.length < LEAST_JOINED ? groups : digits;
}

// Return true if every part is found. Without any part, nothing is found.
export function isFound(text, parts, matching) {
  const isAt = finderIn(text, parts, matching);
  return parts.length > 0 && parts.every((_, place) => isAt(place));
}

// Return what tells whether the part at a place is found in the text.
function finderIn(text, parts, matching) {
  const inCodes = new Set(text.codes.length > 0 ? joined(parts).filter(({ code }) => text.codes.includes(code)).flatMap(({ places }) => places) : NONE);
  return (place) => inCodes.has(place) || isPartFound(text, parts[place], { matching, next: parts[place + 1] });
}

// What a result says of where it was found, with that part of a card. The first are the best.
const pick = (name, ...fields) => (card) => ({ [name]: (card[name] ?? []).map((each) => Object.fromEntries(fields.map((field) => [field, each[field]]))) });
const named = (relation) => ({ people = [] }) => ({ people: people.filter((each) => each.relation === relation).map(({ names }) => ({ names })) });
const FIELDS = Object.entries({
  "child’s name": pick("children", "names", "other_names"),
  "label": () => ({}),
  "day of birth": (card) => ({ ...pick("children", "born")(card), ...pick("people", "born")(card) }),
  "number": pick("children", "numbers"),
  "name of a parent or carer": named("parent"),
  "name of another person": named("other"),
  "name of a person of concern": named("of_concern"),
  "telephone number": (card) => ({ ...pick("people", "phones")(card), reporter: { phones: card.reporter?.phones }, agencies: (card.agencies ?? []).map(({ phones }) => ({ names: [], phones })) }),
  "name of the reporter": ({ reporter }) => ({ reporter: { name: reporter?.name } }),
  "address": (card) => ({ ...pick("children", "address", "postcode")(card), ...pick("people", "address", "postcode")(card) }),
  "school": pick("children", "school"),
  "vehicle": pick("vehicles", "registration", "described"),
  "place": ({ places }) => ({ places }),
  "user name": ({ accounts }) => ({ accounts }),
  "organisation": (card) => ({ agencies: (card.agencies ?? []).map(({ names }) => ({ names, phones: [] })) }),
  "first words": ({ words }) => ({ words }),
});

// Return the words for where the parts are found in a concern, and how good that is: the least number is the best.
export function whereFound(concern, parts, matching) {
  const cards = concern.cards.map(({ card }) => card);
  concern.fields ??= FIELDS.map(([words, of]) => ({ words, text: searchTextOf(cards.map(of), words === "label" ? concern.label : "") }));
  const finders = concern.fields.map(({ text }) => finderIn(text, parts, matching));
  const isWhole = ({ names, words, digits, codes }, part) => [names, words, digits, codes].some((some) => some.includes(part));
  let open = parts.map((_, place) => place);
  let merit = 0;
  const places = [];
  while (open.length > 0) {
    const reached = finders.map((isAt) => open.filter(isAt));
    const best = reached.reduce((former, some, each) => (some.length > reached[former].length ? each : former), 0);
    if (reached[best].length === 0) break; // a registration over two fields, for example
    places.push(concern.fields[best].words);
    merit += best * parts.length + reached[best].filter((place) => !isWhole(concern.fields[best].text, parts[place])).length;
    open = open.filter((place) => !reached[best].includes(place));
  }
  return { places, merit };
}

// Return the words joined to their neighbours: people write a registration in one word, in two or in three.
export function joined(words) {
  const ends = words.flatMap((_, start) => words.slice(start, start + MOST_JOINED).map((_word, more) => [start, start + more + 1]));
  return ends.map(([start, end]) => ({ code: words.slice(start, end).join(""), places: words.slice(start, end).map((_, more) => start + more) }));
}

function isPartFound({ names, words, digits, codes, houses }, part, { matching, next }) {
  const isNear = (word) => word === part || (part.length >= SHORTEST_PART && word.startsWith(part)) || isOneLetterOff(part, word);
  if (houses.some((house) => isHouse(house, part, next))) return true;
  if (/^\d+$/.test(part)) {
    const isNumber = part.length >= SHORTEST_DIGITS && digits.some((number) => number.includes(part));
    return isNumber || words.includes(part) || names.includes(part);
  }
  if (part.length >= SHORTEST_CODE && codes.some((code) => code.startsWith(part) || code.endsWith(part))) return true;
  return names.some((word) => matching.isAlike(part, word)) || words.some(isNear) || names.some(isNear);
}

// Return true if the typed number is that of the house, in the street that was typed after it.
function isHouse({ number, street: [street = ""] }, typed, next = "") {
  return number !== "" && number === typed && (/^\d*$/.test(next) || street.startsWith(next) || isOneLetterOff(street, next));
}
