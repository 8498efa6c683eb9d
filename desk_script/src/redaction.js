// Finds in the words of concerns what names somebody else than the person whom a file is about.
// It finds too much rather than too little: a person decides about each passage, and adds what was not found.
import { wordsOf } from "./words.js";
import { isOneLetterOff } from "./matching.js";
import { ALSO_WORDS } from "./typed_facts.js";

export const REMOVED = "[removed: names another person]";
export const WORKER = "a worker";

const REPORTER = "the reporter";
const LISTS = {
  children: "another child",
  parents_and_carers: "a parent or carer",
  others: "another person",
  "concern.people_of_concern": "a person of concern",
  "concern.vehicles_of_concern": "a vehicle of somebody",
};
const NAME_FIELDS = ["given_names", "family_name", "name", "worker", "safeguarding_lead_name"];
const ENTRY = new RegExp(`^(${Object.keys(LISTS).join("|").replaceAll(".", "\\.")})\\.(\\d+)\\b`);
const WORKER_FIELDS = ["gp", "health_visitor", "school_nurse", "allocated_social_worker"];
const OF_WORKERS = new RegExp(`\\b(${WORKER_FIELDS.join("|")}|held_by|whom)$|^agencies\\.\\d+\\.(worker|phone|email)$`);
const TOKEN = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*/gu;
const BESIDE = [" ", "-"];
const CONTACT = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\+?\(?\d[\d\s().-]{7,}\d|\bhttps?:\/\/\S+|(?<![\w@])@\w{3,}/g;
const LEAST_DIGITS = 9; // of a telephone number
const CAPITAL = /^[\p{Lu}\p{Lt}\p{Lo}]/u; // some scripts have no capital letters
const TITLES = new Set(wordsOf("mr mrs ms miss mx dr doctor pc dc pcso sgt sergeant nurse sister matron auntie aunty aunt uncle nan nana gran granny grandma grandad grandpa cousin brother father mother mum dad stepdad stepmum rev revd sir madam coach teacher"));
const NEVER_NAMES = new Set(
  wordsOf("i january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday year english maths police council school primary academy college"),
);
// Words that often begin a sentence, or stand in an address: with a capital there, they are no names.
const FIRST_WORDS = new Set(
  wordsOf(
    "the a an he she they it we you his her their my our its this that these those there here then when while where what who why how which if but and or so",
    "because after before since during until on in at by to from for with without about as is was were are has had have did does do be been no not yes also both",
    "all some any each every other another one two three first last next only just even very please call called rang ring see saw said says told asked never always",
    "often sometimes today yesterday tomorrow now later again still yet once child children boy girl mother father mum dad parents family school police teacher caller reporter referrer",
    "street road avenue terrace drive crescent gardens square flat high upper lower",
  ),
);
const SHORTEST_MISSPELT = 4; // letters

// Return the people in a concern: each with the path of the entry, the relation in words, and the words of the names.
export function peopleIn(submission) {
  const entries = Object.entries(LISTS).flatMap(([list, relation]) => {
    const found = list.split(".").reduce((part, step) => part?.[step], submission) ?? [];
    return found.map((entry, number) => ({ path: `${list}.${number}`, relation, words: nameWords(entry) }));
  });
  return [...entries, { path: "reporter", relation: REPORTER, words: nameWords(submission.reporter ?? {}) }];
}

// Return the workers whom the fields of a concern name: of each the relation, and the words before the first comma.
export function workersIn({ children = [], agencies = [] }) {
  const named = [...children.flatMap((child) => WORKER_FIELDS.map((field) => child[field])), ...agencies.map(({ worker }) => worker)];
  return named.filter(Boolean).map((text) => ({ relation: WORKER, words: plainWords(text.split(",")[0]) }));
}

const nameWords = (entry) => plainWords([...NAME_FIELDS.map((field) => entry[field] ?? ""), ...(entry.other_names ?? [])].join(" "));

// Return the words of a text in the form in which they are compared. A word of another script stays as it is.
export const plainWords = (text) => [...new Set(tokensOf(text).map(({ word }) => word))];

// Return the paths of the entries that are the person's own. `subject` are the words of the person's names. An only child
// whose name is not known, or is spelt almost alike, counts as the person if nobody else in the concern does.
export function ownPaths(people, subject, matching) {
  const countOf = (words, isSame) => words.filter((word) => subject.some((own) => isSame(word, own))).length;
  const agrees = (words, isSame) => countOf(words, isSame) >= Math.max(1, Math.min(words.length, 2));
  const isEqual = (one, other) => one === other;
  const most = Math.min(2, Math.max(...people.map(({ words }) => countOf(words, isEqual)))); // a whole name goes before a part
  const own = people.filter(({ words }) => agrees(words, isEqual) && countOf(words, isEqual) >= most);
  const children = people.filter(({ path }) => path.startsWith("children."));
  const [only] = children;
  const isAlike = (one, other) => matching.compareOnce(one, other);
  if (own.length === 0 && children.length === 1 && (only.words.length === 0 || agrees(only.words, isAlike))) own.push(only);
  return own.map(({ path }) => path);
}

// Return whom an answer with this path is about, in words, or null if it is about the person or about nobody.
export function otherOf(path, own) {
  const entry = entryOf(path);
  if (entry !== null && !own.includes(entry)) return entry === "reporter" ? REPORTER : LISTS[ENTRY.exec(path)[1]];
  return OF_WORKERS.test(path) ? WORKER : null;
}

// Return the path of the entry of a person, or of another list of people, to which an answer belongs. Otherwise return null.
export function entryOf(path = "") {
  return /^reporter\b/.test(path) ? "reporter" : (ENTRY.exec(path)?.[0] ?? null);
}

// Finds the names of others in text. `subject` are the words of the person's names, and `others` the people to find: each
// with `words` and `relation`.
export class NameFinder {
  #matching;
  #subject;
  #relations = new Map(); // by word of a name, whose it is
  #shared = new Set(); // words of others that the person has too: part of a name only beside another word of it

  constructor(subject, others, matching) {
    this.#matching = matching;
    this.#subject = new Set(subject);
    for (const { words, relation } of others) {
      for (const word of words.filter((each) => each.length > 1 && /\p{L}/u.test(each))) {
        if (this.#subject.has(word)) this.#shared.add(word);
        else if (!this.#relations.has(word)) this.#relations.set(word, relation);
      }
    }
  }

  // Return the passages of a line that name others, in order: each with `start`, `end` and the `relation` in words.
  find(line) {
    const tokens = tokensOf(line);
    const found = tokens.map((token) => this.#relationOf(token));
    tokens.forEach((token, place) => {
      const before = tokens[place - 1];
      const isBeside = before !== undefined && BESIDE.includes(line.slice(before.end, token.start)) && token.isCapital;
      if (!isBeside || found[place] !== null) return;
      const isPart = this.#shared.has(token.word) || (!this.#subject.has(token.word) && !NEVER_NAMES.has(token.word));
      if (found[place - 1] !== null && isPart) found[place] = found[place - 1];
      else if (TITLES.has(before.word) && isPart) found[place] = found[place - 1] = "a title with a name";
    });
    const names = tokens.flatMap(({ start, end }, place) => (found[place] === null ? [] : [{ start, end, relation: found[place] }]));
    const contacts = [...line.matchAll(CONTACT)]
      .filter(([text]) => !/^[\d+(]/.test(text) || text.replace(/\D/g, "").length >= LEAST_DIGITS)
      .map(({ 0: { length }, index }) => ({ start: index, end: index + length, relation: "a number or an address" }));
    return merged([...names, ...contacts], line);
  }

  // Return the words with a capital letter that are neither marked nor the person's, without those that often begin a
  // sentence.
  mayBeNames(line, marked = this.find(line)) {
    const isMarked = ({ start }) => marked.some((each) => each.start <= start && start < each.end);
    const wanted = tokensOf(line).filter((token) => token.isCapital && token.word.length > 1 && !isMarked(token));
    return wanted.filter(({ word }) => ![this.#subject, NEVER_NAMES, FIRST_WORDS].some((each) => each.has(word))).map(({ text }) => text);
  }

  #relationOf({ word, isCapital }) {
    if (this.#subject.has(word)) return null;
    const known = this.#relations.get(word);
    if (known !== undefined) return isCapital || (known !== WORKER && !ALSO_WORDS.has(word)) ? known : null;
    if (!isCapital) return null;
    const isLong = word.length >= SHORTEST_MISSPELT;
    for (const [name, relation] of this.#relations) {
      if (this.#matching.isForm(name, word) || (isLong && isOneLetterOff(name, word))) return relation;
    }
    return null;
  }
}

// Return where the typed words are in the line, as whole words, in any case.
export function placesOf(line, typed) {
  const words = typed.trim();
  if (words === "") return [];
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])${words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+")}(?![\\p{L}\\p{N}])`, "giu");
  return [...line.matchAll(pattern)].map(({ 0: { length }, index }) => ({ start: index, end: index + length, relation: "words that you chose" }));
}

// Return the passages of a line in order, with those that overlap or are only a space apart as one.
export function merged(passages, line) {
  const whole = [];
  for (const passage of [...passages].sort((one, other) => one.start - other.start || other.end - one.end)) {
    const last = whole.at(-1);
    if (last !== undefined && (passage.start <= last.end || BESIDE.includes(line.slice(last.end, passage.start)))) last.end = Math.max(last.end, passage.end);
    else whole.push({ ...passage });
  }
  return whole;
}

// Return the line without the passages that are removed.
export function redacted(line, passages) {
  let place = 0;
  const parts = passages.flatMap(({ start, end }) => {
    const part = line.slice(place, start);
    place = end;
    return [part, REMOVED];
  });
  return [...parts, line.slice(place)].join("");
}

const tokensOf = (line) =>
  [...line.matchAll(TOKEN)].map(({ 0: text, index }) => {
    const plain = text.replace(/['’]s$/u, "");
    return { text: plain, word: wordsOf(plain).join("") || plain.toLowerCase(), start: index, end: index + plain.length, isCapital: CAPITAL.test(text) };
  });
