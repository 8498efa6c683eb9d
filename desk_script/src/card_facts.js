// What the opened cards of one concern say about whom it is, in a form in which two concerns can be compared.
import { withPlainDigits, wordsInOrder, wordsOf } from "./words.js";

const GREATEST_AGE = 25;
const FIRST_YEAR_AGE = 4; // the age at which a child in England and Wales starts in Year 0: a child in Year 9 is 13 or 14
const SHORTEST_NUMBER = 9; // digits of the shortest telephone number that is compared
const DAY = 86_400_000; // milliseconds
const NUMBER = /\+?\(?\d[\d\s().-]{7,}\d/g;
const POSTCODE = /^[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}$/;
const POSTCODES = /\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b/gi;
const PLATE = /\b[A-Z]{2}\d{2} ?[A-Z]{3}\b/gi; // of a vehicle, as they have been since 2001
const FORMER_PLATE = /^(?:[A-Z]\d{1,3}[A-Z]{3}|[A-Z]{3}\d{1,3}[A-Z]|[A-Z]{1,3}\d{4})$/;
const HOUSE_NUMBER = /^\d{1,4}[a-z]?$/;
const STREET_WORDS = 2; // words of a street that are compared
const KINDS_OF_STREET = {
  ave: "avenue", cl: "close", cres: "crescent", ct: "court", dr: "drive", gdns: "gardens", gr: "grove", la: "lane", ln: "lane",
  pk: "park", pl: "place", rd: "road", sq: "square", st: "street", str: "street", tce: "terrace", ter: "terrace", terr: "terrace",
};

// Return what the cards of one concern and its additions say. Each item has a `card`, and the day on which the card
// was received as `receivedOn`, YYYY-MM-DD.
export function factsOf(cards) {
  const children = [];
  const adults = new Map();
  const numbers = new Set();
  const reporterNumbers = new Set();
  const plates = new Set();
  let byProfessional = false;
  const addAdult = (words) => words.length > 0 && adults.set(words.join(" "), words);
  for (const { card, receivedOn } of cards) {
    children.push(...(card.children ?? []).map((each) => childOf(each, receivedOn)));
    for (const person of card.people ?? []) {
      addAdult(wordsOf(...(person.names ?? [])));
      addAll(numbers, numbersIn(...(person.phones ?? [])));
    }
    for (const { registration } of card.vehicles ?? []) addAll(plates, platesOf(registration ?? ""));
    const reporter = card.reporter ?? {};
    addAll(reporterNumbers, numbersIn(...(reporter.phones ?? [])));
    if (reporter.kind === "professional") byProfessional = true;
    else if (reporter.kind === "family") addAdult(wordsOf(reporter.name ?? ""));
  }
  return { children, adults: [...adults.values()], numbers, reporterNumbers, plates, byProfessional };
}

export function addAll(set, values) {
  for (const value of values) set.add(value);
}

// Return the telephone numbers in the texts, each as digits that begin with 0: +44 and 0044 are a 0.
export function numbersIn(...texts) {
  const found = texts.flatMap((text) => withPlainDigits(text).match(NUMBER) ?? []).map(standardNumber);
  return new Set(found.filter((number) => number.length >= SHORTEST_NUMBER));
}

// Return the digits of a telephone number, with 0 in place of +44 and 0044.
export function standardNumber(typed) {
  const digits = typed.replace(/\D/g, "");
  const isInternational = digits.startsWith("0044") || (digits.startsWith("44") && /^\s*\(?\+/.test(typed));
  return isInternational ? `0${digits.replace(/^00/, "").slice(2).replace(/^0/, "")}` : digits;
}

// Return a whole postcode without its space, or nothing if `typed` is not one.
export function postcodeOf(typed) {
  const plain = typed.toUpperCase().replace(/[^A-Z0-9]/g, "");
  return POSTCODE.test(plain) ? plain : "";
}

// Return the registrations of vehicles in a text, without blanks.
export const platesIn = (text) => (text.match(PLATE) ?? []).map(compact);

// Return the whole registrations in what was typed as one.
function platesOf(typed) {
  const whole = compact(typed);
  return FORMER_PLATE.test(whole.toUpperCase()) ? [whole] : platesIn(typed);
}

// Return the letters and digits of a text, in small letters.
export const compact = (text) => wordsInOrder(text).join("");

export const isHouseNumber = (word) => HOUSE_NUMBER.test(word);

// Return the numbers in an address, each with the first words of its street. `isHouse` is false for the number of a flat.
// An address without a number gives its street alone.
export function housesIn(text) {
  const parts = withPlainDigits(text).replace(/\b(\d{1,4}) ([a-z])\b(?!')/gi, "$1$2").split(/[,;\n]/).map(wordsInOrder);
  const words = parts.flat();
  const ends = parts.reduce((all, part) => [...all, (all.at(-1) ?? 0) + part.length], []);
  const streetFrom = (place) => {
    const start = words.findIndex((word, each) => each >= place && !isHouseNumber(word));
    return start < 0 ? [] : words.slice(start, Math.min(start + STREET_WORDS, ends.find((end) => end > start))).map(wholeWord);
  };
  const numbered = words.flatMap((number, place) => {
    if (!isHouseNumber(number)) return [];
    const next = words[place + 1];
    return [{ number, street: streetFrom(place + 1), isHouse: next !== undefined && !isHouseNumber(next) }];
  });
  return numbered.length > 0 ? numbered : [{ number: "", street: streetFrom(0), isHouse: false }].filter(({ street }) => street.length > 0);
}

// Only the second word of a street says its kind: St Sample Road, Sample St.
const wholeWord = (word, place) => (place > 0 && Object.hasOwn(KINDS_OF_STREET, word) ? KINDS_OF_STREET[word] : word);

// Return the whole postcodes in a text, without their spaces.
export const postcodesIn = (text) => (text.match(POSTCODES) ?? []).map(postcodeOf).filter(Boolean);

// Return the day in a text YYYY-MM-DD as a number of days, or null if the text is not a day.
export function dayOf(text) {
  const day = /^\d{4}-\d{2}-\d{2}/.exec(text)?.[0];
  const time = day === undefined ? NaN : Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== day ? null : time / DAY;
}

function childOf(child, receivedOn) {
  return {
    names: wordsOf(...(child.names ?? [])),
    otherNames: wordsOf(...(child.other_names ?? [])),
    birth: birthOf(child, receivedOn),
    school: wordsOf(child.school ?? ""),
    postcode: postcodeOf(child.postcode ?? "") || (postcodesIn(child.address ?? "")[0] ?? ""),
    houses: housesIn(child.address ?? ""),
    numbers: (child.numbers ?? []).map(compact).filter(Boolean),
  };
}

// Return when the child was born, as the first and the last possible day: the day of birth, or days by the age on the
// day of the report. Return null if neither is known.
function birthOf(child, receivedOn) {
  const born = dayOf(child.born ?? "");
  if (born !== null) return { first: born, last: born, day: child.born.slice(0, 10) };
  const ages = agesOf(child);
  if (ages === null) return null;
  return { first: yearsBefore(receivedOn, ages[1] + 1), last: yearsBefore(receivedOn, ages[0]), day: null };
}

// Return the lowest and the highest age of the child: as a number, from a year at school, or from words.
function agesOf({ age, age_described: words }) {
  if (Number.isInteger(age)) return [age, age];
  const described = withPlainDigits(words ?? "").toLowerCase();
  const year = /\byear (\d{1,2})\b/.exec(described);
  if (year !== null) return [Number(year[1]) + FIRST_YEAR_AGE, Number(year[1]) + FIRST_YEAR_AGE + 1];
  const ages = (described.match(/\b\d{1,2}\b/g) ?? []).map(Number).filter((each) => each <= GREATEST_AGE);
  return ages.length > 0 ? [Math.min(...ages), Math.max(...ages)] : null;
}

// Return the day `years` before `text`, as a number of days. 29 February becomes 28 February.
function yearsBefore(text, years) {
  const [year, month, day] = text.split("-").map(Number);
  return Date.UTC(year - years, month - 1, month === 2 ? Math.min(day, 28) : day) / DAY;
}
