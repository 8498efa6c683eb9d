// The words of opened concerns with marked passages: what names others than the person whom a file is about.
// Each passage is open until a person decides that it is removed, or kept. Decisions are remembered by the place of the
// passage, and contain no word.
import { element } from "./elements.js";
import { additionText, moment, personOf } from "./export_file.js";
import { NameFinder, WORKER, entryOf, merged, otherOf, ownPaths, peopleIn, placesOf, plainWords, redacted, workersIn } from "./redaction.js";
import { referralOf } from "./referral.js";

export const Decision = { OPEN: "open", REMOVED: "removed", KEPT: "kept" };
export const PRESSED = { open: "mixed", removed: "true", kept: "false" };
const FACTS_OF_WORKERS = ["Written down by", "Assigned to"];
const NOBODY = "nobody";
const CAN_BE_PERSON = /^(children|parents_and_carers|others|concern\.people_of_concern)\.|^reporter$/;
const MOST_SUGGESTED = 40;

export class MarkedWords {
  #concerns = []; // each with its reference, statement, facts, layout and opened texts
  #parts = new Map(); // by reference, the headings and answers of the concern
  #decisions = new Map();
  #added = new Map(); // by key of a line, the passages that a person marked
  #byKey = new Map(); // the passages that are shown
  #own = new Map(); // by reference, the paths of the entries that are the person's own
  #finder = null;
  #matching;
  #subject = [];

  constructor(matching) {
    this.#matching = matching;
  }

  get concerns() {
    return this.#concerns;
  }

  // Mark the words of the concerns anew. `names` are the names of the person, as typed.
  show(concerns, names) {
    this.#concerns = concerns;
    this.#subject = plainWords(names);
    this.#mark();
  }

  forget() {
    this.#concerns = [];
    this.#finder = null;
    this.#subject = [];
    this.#parts.clear();
    this.#byKey.clear();
  }

  // What a person decided, as JSON without any word: `add` takes it back.
  get decided() {
    return { decisions: [...this.#decisions], added: [...this.#added], own: [...this.#own] };
  }

  add({ decisions = [], added = [], own = [] }) {
    for (const [key, decision] of decisions) this.#decisions.set(key, decision);
    for (const [key, passages] of added) this.#added.set(key, passages);
    for (const [reference, paths] of own) this.#own.set(reference, paths);
    this.#mark();
  }

  get passages() {
    return [...this.#byKey.values()];
  }

  get #lines() {
    return [...this.#parts.values()].flat().flatMap(({ lines }) => lines ?? []);
  }

  decide(key, decision) {
    this.#decisions.set(key, decision);
    this.#byKey.get(key).decision = decision;
  }

  // Remove every passage of the concern that is still open.
  removeAll(reference) {
    for (const { lines = [] } of this.#parts.get(reference)) {
      for (const { key, decision } of lines.flatMap(({ passages }) => passages)) {
        if (decision === Decision.OPEN) this.decide(key, Decision.REMOVED);
      }
    }
  }

  // Mark the words wherever they are, as removed. Return how often they were found.
  markWords(words) {
    const found = this.#lines.map((line) => [line, placesOf(line.text, words)]).filter(([, places]) => places.length > 0);
    for (const [{ key }, places] of found) this.#added.set(key, [...(this.#added.get(key) ?? []), ...places]);
    this.#mark();
    return found.reduce((sum, [, places]) => sum + places.length, 0);
  }

  // Say whether the entry of a concern is about the person.
  setOwn(reference, path, isOwn) {
    const others = this.#own.get(reference).filter((each) => each !== path);
    this.#own.set(reference, isOwn ? [...others, path] : others);
    this.#mark();
  }

  // Return words with a capital letter that are not marked, each once. Only what somebody typed is searched.
  mayBeNames() {
    const typed = this.#concerns.map(({ texts }) => JSON.stringify(texts.map(({ opened }) => opened))).join("");
    const isTyped = ({ text, relation }) => relation === null && typed.includes(JSON.stringify(text).slice(1, -1));
    const found = new Set(this.#lines.filter(isTyped).flatMap(({ text, passages }) => this.#finder.mayBeNames(text, passages)));
    return [...found].slice(0, MOST_SUGGESTED);
  }

  #mark() {
    if (this.#concerns.length === 0) return;
    const others = this.#concerns.flatMap((concern) => this.#othersIn(concern));
    this.#finder = new NameFinder(this.#subject, others, this.#matching);
    for (const concern of this.#concerns) {
      const parts = partsOf(concern, this.#own.get(concern.reference));
      for (const line of parts.flatMap(({ lines }) => lines ?? [])) line.passages = this.#passagesOf(line);
      this.#parts.set(concern.reference, parts);
    }
    this.#byKey = new Map(this.#lines.flatMap(({ passages }) => passages).map((passage) => [passage.key, passage]));
  }

  // Return whom the concern names beside the person: people in its fields, and those who worked on it.
  #othersIn({ reference, statement, texts }) {
    const people = peopleIn(submissionOf(texts));
    if (!this.#own.has(reference)) this.#own.set(reference, ownPaths(people, this.#subject, this.#matching));
    const own = this.#own.get(reference);
    const workers = new Set(statement.history.map(({ client }) => personOf(client)).filter((name) => name !== "reporter"));
    return [...people.filter(({ path }) => !own.includes(path)), ...workersIn(submissionOf(texts)), ...[...workers].map((name) => ({ words: plainWords(name), relation: WORKER }))];
  }

  #passagesOf({ key, text, relation }) {
    const added = this.#added.get(key) ?? [];
    const found = relation === null ? merged([...this.#finder.find(text), ...added], text) : [{ start: 0, end: text.length, relation }];
    return found.map((passage) => {
      const place = `${key}/${passage.start}-${passage.end}`;
      const isChosen = added.some(({ start, end }) => start < passage.end && passage.start < end);
      return { ...passage, key: place, decision: this.#decisions.get(place) ?? (isChosen ? Decision.REMOVED : Decision.OPEN) };
    });
  }

  // Return the concern as an element. A passage is a button that says in `aria-pressed` whether it is removed.
  elementOf(reference) {
    const [{ text: title }, ...parts] = this.#parts.get(reference);
    const removeAll = element("button", { type: "button", class: "second", "data-remove-all": reference }, "Remove all that are open here", element("span", { class: "vh" }, ` (${title})`));
    const shown = parts.map((part) => (part.lines === undefined ? this.#headingElement(reference, part) : answerElement(part)));
    return element("article", { "data-of-file": reference }, element("div", { class: "with-change" }, element("h3", {}, title), removeAll), ...shown);
  }

  #headingElement(reference, { text, entry = null }) {
    if (entry === null) return element("h4", {}, text);
    const isOwn = this.#own.get(reference).includes(entry);
    const press = element("button", { type: "button", class: "second", "data-own": entry, "data-reference": reference, "aria-pressed": String(isOwn) }, "This is the person", element("span", { class: "vh" }, ` (${text})`));
    return element("div", { class: "with-change" }, element("h4", {}, text), press);
  }

  // Return the words of the concern without what is removed: headings, and answers with a label and a text.
  redactedParts(reference) {
    const printed = this.#parts.get(reference).filter(({ isPrinted = true }) => isPrinted);
    return printed.map(({ tag, text, label, lines }) => (lines === undefined ? { tag, text } : { label, text: lines.map(redactedLine).join("\n") }));
  }
}

const submissionOf = (texts) => texts.find(({ kind }) => kind === "concern").opened.submission;

const redactedLine = ({ text, passages }) => redacted(text, passages.filter(({ decision }) => decision === Decision.REMOVED));

// Return the headings of a concern, and its answers and texts as lines, each with a key. A line that is about somebody
// else as a whole has the `relation`.
function partsOf({ reference, statement, facts, layout, texts }, own) {
  const opened = (kind) => texts.filter((each) => each.kind === kind);
  return [
    { tag: "H2", text: `Concern ${reference}` },
    ...facts.map(([label, text]) => answer(`${reference}/fact`, label, [text], FACTS_OF_WORKERS.includes(label) && text !== NOBODY ? WORKER : null)),
    ...referralOf(submissionOf(texts), layout).flatMap(({ title, groups }) => [{ tag: "H3", text: title }, ...groups.flatMap((group) => groupParts(reference, group, own))]),
    ...opened("addition").flatMap(({ number, opened: { addition } }) => [
      { tag: "H3", text: `Addition ${number}` },
      answer(`${reference}/addition ${number}`, "", additionText(addition).split("\n")),
    ]),
    ...opened("note").flatMap(({ number, opened: { note } }) => [
      { tag: "H3", text: `Note ${number}` },
      ...writtenBy(reference, statement, number),
      answer(`${reference}/note ${number}`, "", note.text.split("\n")),
    ]),
  ];
}

function groupParts(reference, { heading, answers }, own) {
  const entry = entryOf(answers[0].name);
  const parts = answers.map(({ label, lines, name }) => answer(`${reference}/${name ?? "flag"}`, label, lines, otherOf(name, own)));
  return heading || entry ? [{ tag: "H3", text: heading || "The reporter", entry: CAN_BE_PERSON.test(entry) ? entry : null, isPrinted: heading !== "" }, ...parts] : parts;
}

function writtenBy(reference, { history }, number) {
  const act = history.filter(({ act: code }) => code === "noted")[number - 1];
  if (act === undefined) return [];
  const at = `${reference}/note ${number} by`;
  return [answer(at, "Written by", [personOf(act.client)], WORKER), answer(at, "Written", [moment(act.at)])];
}

const answer = (place, label, lines, relation = null) => ({ label, lines: lines.map((text, number) => ({ key: `${place}/${label}/${number}`, text, relation })) });

function answerElement({ label, lines }) {
  const shown = lines.flatMap((line, place) => [...(place ? [element("br")] : []), lineElement(line)]);
  if (label === "") return element("p", {}, ...shown);
  return element("dl", { class: "facts" }, element("div", {}, element("dt", {}, label), element("dd", {}, ...shown)));
}

function lineElement({ text, passages }) {
  let place = 0;
  const pieces = passages.flatMap((passage) => {
    const before = text.slice(place, passage.start);
    place = passage.end;
    return [before, markElement(text.slice(passage.start, passage.end), passage)];
  });
  return element("span", { class: "as-typed" }, ...pieces, text.slice(place));
}

const markElement = (words, { key, relation, decision }) =>
  element("mark", { role: "button", tabindex: "0", "aria-pressed": PRESSED[decision], "data-passage": key, "data-relation": relation }, element("span", {}, words), element("span", { class: "vh" }, ` (${relation})`));
