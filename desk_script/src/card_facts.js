// What the opened cards of one concern say about whom it is, in a form in which two concerns can be compared.
// The command `guidance desk find` does the same (app/cli/desk/card_facts.py). One table of cases holds the two equal
// (tests/desk/matching_cases.json).
const GREATEST_AGE = 25;
const FIRST_YEAR_AGE = 4; // the age at which a child in England and Wales starts in Year 0: a child in Year 9 is 13 or 14
const SHORTEST_NUMBER = 9; // digits of the shortest telephone number that is compared
const DAY = 86_400_000; // milliseconds
// Letters that Unicode does not take apart into a plain letter and an accent.
const LETTERS = { ł: "l", ø: "o", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ß: "ss", ı: "i" };
const NUMBER = /\+?\(?\d[\d\s().-]{7,}\d/g;
const POSTCODE = /^[A-Z]{1,2}\d[A-Z\d]?\d[A-Z]{2}$/;

// Return what the cards of one concern and its additions say. Each item has a `card`, and the day on which the card
// was received as `receivedOn`, YYYY-MM-DD.
export function factsOf(cards) {
  const children = [];
  const adults = new Map();
  const numbers = new Set();
  const reporterNumbers = new Set();
  let byProfessional = false;
  const addAdult = (words) => words.length > 0 && adults.set(words.join(" "), words);
  for (const { card, receivedOn } of cards) {
    children.push(...(card.children ?? []).map((each) => childOf(each, receivedOn)));
    for (const person of card.people ?? []) {
      addAdult(wordsOf(...(person.names ?? [])));
      addAll(numbers, numbersIn(...(person.phones ?? [])));
    }
    const reporter = card.reporter ?? {};
    addAll(reporterNumbers, numbersIn(...(reporter.phones ?? [])));
    if (reporter.kind === "professional") byProfessional = true;
    else if (reporter.kind === "family") addAdult(wordsOf(reporter.name ?? ""));
  }
  return { children, adults: [...adults.values()], numbers, reporterNumbers, byProfessional };
}

export function addAll(set, values) {
  for (const value of values) set.add(value);
}

// Return the words of the texts, each once, in small letters without accents and apostrophes.
export function wordsOf(...texts) {
  const whole = texts.join(" ").toLowerCase().replace(/[łøđðþæœßı]/g, (letter) => LETTERS[letter]);
  const plain = whole.normalize("NFKD").replace(/[\p{Mn}\p{Mc}\p{Me}]/gu, "").replace(/['‘’`´]/g, "");
  return [...new Set(plain.match(/[a-z0-9]+/g) ?? [])];
}

// Return the telephone numbers in the texts, each as digits that begin with 0: +44 and 0044 are a 0.
export function numbersIn(...texts) {
  const found = texts.flatMap((text) => text.match(NUMBER) ?? []).map(standardNumber);
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
    postcode: postcodeOf(child.postcode ?? ""),
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
  const described = (words ?? "").toLowerCase();
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
