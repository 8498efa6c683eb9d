// Gathers the concerns that name one person into one signed file, for that person or for a court.
// A worker finds the concerns by their cards, opens them, and decides about each passage that names somebody else. The
// service gives the sealed texts, records each opening and the digest of the file, and signs the digest. It gets no word.
import { SEARCHED, isFound, partsOf, whereFound } from "./card_search.js";
import { shortOf } from "./card_places.js";
import { element, saveFile, sendForms } from "./elements.js";
import {
  blocksOf,
  checkBlocks,
  councilName,
  coveredPart,
  fact,
  fetchFont,
  heading,
  moment,
  openTexts,
  pdfWith,
  plain,
  postForJson,
  signed,
  unsigned,
} from "./export_file.js";
import { Fault, sentenceOf } from "./faults.js";
import { numbered } from "./find.js";
import { digestOf } from "./hand_over.js";
import { Decision, MarkedWords, PRESSED } from "./marked_words.js";
import { Scope } from "./opened_cards.js";
import { PdfFont } from "./pdf_font.js";
import { REMOVED } from "./redaction.js";
import { fromBase64 } from "./seal_forms.js";
import { schoolsOf } from "./whom.js";
import { standardReference } from "./write_down.js";

const PAGE = "[data-person-file]";
const CHECKS = "form[data-check-file]";
const KIND = "guidance-person-file";
const REFERENCE = /^[02346789FKMRWXYZ]{4}(?:-[02346789FKMRWXYZ]{4}){2}$/;
const PAUSE = 300; // milliseconds after the last key
const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "Europe/London" });
const COVERED = "the concerns, additions, notes, histories and receipts";
const FOOTER = "File of one person. Confidential.";

export class PersonFile {
  #keyring;
  #cards;
  #matching;
  #marked;
  #chosen = new Set(); // references
  #listed = new Set(); // references that stay in the list, found by name or not
  #given = new Map(); // by reference, what the service gave for the concern, still sealed
  #faults = new Map(); // by reference, why the concern could not be opened
  #isSealed = true; // whether the service cannot read concerns
  #notes = true; // whether the opened texts include notes
  #timer = null;
  #drawn = "";
  #path = ""; // of the request

  // `post` sends a form, and replaces this page by the response.
  constructor(keyring, cards, { matching, post }) {
    this.#keyring = keyring;
    this.#cards = cards;
    this.#matching = matching;
    this.#begin("");
    document.addEventListener("submit", (event) => this.#submitted(event), { capture: true });
    sendForms(CHECKS, (form) => sendChecked(form, post));
    document.addEventListener("input", ({ target }) => target.closest(PAGE) && target.name === "names" && this.#namesSoon());
    document.addEventListener("change", ({ target }) => target.closest(PAGE) && target.name === "chosen" && this.#choose(target));
    document.addEventListener("click", (event) => event.target.closest(PAGE) && this.#clicked(event));
    document.addEventListener("keydown", (event) => event.target.matches?.(`${PAGE} mark`) && this.#keyPressed(event));
    document.addEventListener("focusin", ({ target }) => target.matches(`${PAGE} mark`) && this.#sayOf(target));
    cards.onChange(() => this.#drawFound());
    keyring.onForget(() => this.#forget());
  }

  // Set up the page of the file. What was chosen and decided before is taken from the field that this tab keeps locked.
  take() {
    const page = pageOf();
    if (page === null) return;
    if (page.dataset.personFile !== this.#path) this.#begin(page.dataset.personFile);
    this.#isSealed = "sealed" in page.dataset;
    page.querySelector("[data-needs-script]")?.remove();
    for (const part of page.querySelectorAll("fieldset[disabled]")) part.disabled = false;
    for (const text of fieldOf("decisions").value.split("\n\n").filter(Boolean)) this.#restore(text);
    this.#drawn = "";
    this.#drawFound();
    if (this.#given.size > 0) this.#openGiven().catch((error) => say(sentenceOf(error)));
  }

  // Another request has concerns and decisions of its own.
  #begin(path) {
    this.#path = path;
    for (const each of [this.#chosen, this.#listed, this.#given, this.#faults]) each.clear();
    this.#marked = new MarkedWords(this.#matching);
  }

  #restore(text) {
    try {
      const { chosen, ...decided } = JSON.parse(text);
      for (const reference of chosen) this.#put(reference);
      this.#marked.add(decided);
    } catch {
      // the field was changed by hand
    }
  }

  // Keep what was chosen and decided in the tab, locked like everything that is typed. It has references, and no words.
  #keep() {
    const field = fieldOf("decisions");
    field.value = JSON.stringify({ chosen: [...this.#chosen], ...this.#marked.decided });
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // A service that reads concerns gives the keys of the texts: what it gave goes too.
  #forget() {
    if (!this.#isSealed) this.#given.clear();
    this.#marked.forget();
    this.#drawn = "";
    this.#drawFound();
    this.#drawWords();
  }

  #namesSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#drawFound(), PAUSE);
  }

  #submitted(event) {
    if (!event.target.closest?.(PAGE)) return;
    event.preventDefault();
    if (event.target.matches("[data-mark-words]")) this.#markWords(event.target.elements.words);
    else this.#addReferences();
  }

  #addReferences() {
    const field = fieldOf("references");
    const typed = field.value.split(/[\s,;]+(?![\s]*$)/).filter(Boolean).map(standardReference);
    const wrong = typed.filter((each) => !REFERENCE.test(each));
    for (const each of typed.filter((one) => REFERENCE.test(one))) this.#put(each);
    field.value = wrong.join(", ");
    field.setAttribute("aria-invalid", String(wrong.length > 0));
    this.#keep();
    this.#drawFound();
    say(wrong.length > 0 ? "This is not a reference. The other ones are added." : "");
  }

  #choose({ value, checked }) {
    if (checked) this.#put(value);
    else this.#chosen.delete(value);
    this.#keep();
    this.#drawFound();
  }

  #put(reference) {
    this.#chosen.add(reference);
    this.#listed.add(reference);
  }

  // Return the parts of each typed name that is found in the concern.
  #namesIn({ text }) {
    const names = this.#keyring.isOpen ? namesTyped().map(partsOf) : [];
    return names.filter((parts) => isFound(text, parts, this.#matching));
  }

  // Return why the concern is in the list, such as `telephone number`.
  #whyOf(concern) {
    const places = this.#namesIn(concern).flatMap((parts) => whereFound(concern, parts, this.#matching).places);
    return places.length > 0 ? `Found in: ${[...new Set(places)].join(", ")}` : "Added by reference";
  }

  #found() {
    const found = this.#cards.concerns.filter((concern) => this.#namesIn(concern).length > 0);
    return found.sort((one, other) => (one.receivedAt < other.receivedAt ? 1 : -1));
  }

  #drawFound() {
    const place = document.querySelector(`${PAGE} [data-found]`);
    if (place === null) return;
    const found = this.#found();
    const references = new Set([...found.map(({ reference }) => reference), ...this.#listed]);
    const drawn = JSON.stringify([[...references], [...this.#faults], this.#cards.has(Scope.EARLIER), this.#keyring.isOpen, found.length, namesTyped()]);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      place.replaceChildren(...this.#listOf(references, found.length));
    }
    for (const box of place.querySelectorAll("[name=chosen]")) box.checked = this.#chosen.has(box.value);
    const press = document.querySelector(`${PAGE} [data-open-chosen]`);
    press.disabled = this.#chosen.size === 0;
    press.textContent = this.#chosen.size === 0 ? "Open the chosen concerns" : `Open ${numbered(this.#chosen.size, "concern")}`;
  }

  #listOf(references, count) {
    if (references.size === 0) return [element("p", {}, this.#keyring.isOpen ? notFoundFor(namesTyped()) : "")];
    const lines = [...references].map((each) => this.#lineOf(each));
    const all = element("button", { type: "button", class: "second", "data-choose-all": true }, "Choose all");
    const earlier = element("button", { type: "button", class: "second", "data-earlier": true }, "Search earlier concerns too");
    return [
      element("p", { role: "status" }, `${numbered(count, "concern")} found. A name in the middle of a text is not found. ${SEARCHED}`),
      element("fieldset", {}, element("legend", {}, "Concerns of the file"), element("div", { class: "choices" }, ...lines)),
      element("p", { class: "side-by-side" }, all, ...(this.#keyring.isOpen && !this.#cards.has(Scope.EARLIER) ? [earlier] : [])),
    ];
  }

  #lineOf(reference) {
    const concern = this.#keyring.isOpen ? this.#cards.find(reference) : undefined;
    const box = element("input", { type: "checkbox", name: "chosen", value: reference });
    const known = concern === undefined ? [] : [" ", ...shortOf(concern), element("span", { class: "quiet" }, ` ${[...schoolsOf(concern), `received ${DAY.format(new Date(concern.receivedAt))}`].join(", ")}`)];
    const fault = this.#faults.has(reference) ? [element("span", { class: "fault" }, this.#faults.get(reference))] : [];
    const why = concern === undefined ? [] : [element("span", { class: "quiet", "data-why": true }, ` ${this.#whyOf(concern)}.`)];
    return element("label", {}, box, ` ${reference}`, ...known, ...why, ...fault);
  }

  #clicked(event) {
    const press = event.target.closest("button, mark");
    if (press === null) return;
    const acts = {
      chooseAll: () => this.#chooseAll(),
      earlier: () => this.#cards.load(Scope.EARLIER),
      openChosen: () => this.#openChosen(press),
      passage: () => this.#decide(press, this.#nextDecision(press), { goesOn: event.detail === 0 }),
      removeAll: () => this.#changed(() => this.#marked.removeAll(press.dataset.removeAll)),
      own: () => this.#changed(() => this.#marked.setOwn(press.dataset.reference, press.dataset.own, press.getAttribute("aria-pressed") === "false")),
      nextOpen: () => this.#goToOpen(null),
      suggested: () => this.#markSuggested(press.dataset.suggested),
      make: () => this.#make(press),
    };
    const act = Object.keys(acts).find((name) => name in press.dataset);
    if (act === undefined) return;
    Promise.resolve(acts[act]()).catch((error) => say(sentenceOf(error)));
  }

  #chooseAll() {
    for (const { reference } of this.#found()) this.#put(reference);
    this.#keep();
    this.#drawFound();
  }

  // Fetch each chosen concern, one after another: each is one entry of the audit log.
  async #openChosen(press) {
    if (this.#isSealed && !this.#keyring.isOpen) throw new Fault("closed-identity");
    if (namesTyped().length === 0) throw new Fault("no-names");
    const notes = fieldOf("notes").checked;
    if (notes !== this.#notes) this.#given.clear();
    this.#notes = notes;
    for (const reference of [...this.#given.keys()].filter((each) => !this.#chosen.has(each))) this.#given.delete(reference);
    press.disabled = true;
    try {
      for (const reference of this.#chosen) await this.#fetch(reference);
    } finally {
      press.disabled = false;
      this.#drawFound();
    }
    say("");
    await this.#openGiven();
    const marks = document.getElementById("marks-heading");
    marks.focus();
    marks.scrollIntoView();
  }

  async #fetch(reference) {
    if (this.#given.has(reference)) return;
    say(`Opening ${reference} ...`);
    this.#faults.delete(reference);
    try {
      this.#given.set(reference, await postForJson(`/desk/concerns/${reference}/file-texts`, { notes: this.#notes ? "yes" : "" }));
    } catch {
      this.#faults.set(reference, "It could not be opened: it is unknown, erased, or not open to you.");
      this.#chosen.delete(reference);
    }
  }

  async #openGiven() {
    if (this.#isSealed && !this.#keyring.isOpen) return;
    const { identities } = this.#keyring;
    const concerns = await Promise.all([...this.#given].map(async ([reference, given]) => ({ reference, ...given, texts: await openTexts(given, identities) })));
    this.#marked.show(concerns, fieldOf("names").value);
    this.#drawWords();
  }

  #drawWords() {
    const page = pageOf();
    if (page === null) return;
    const { concerns } = this.#marked;
    for (const part of page.querySelectorAll("[data-opened]")) part.hidden = concerns.length === 0;
    page.querySelector("[data-words]").replaceChildren(...concerns.map(({ reference }) => this.#marked.elementOf(reference)));
    const names = concerns.length === 0 ? [] : this.#marked.mayBeNames();
    const list = page.querySelector("[data-suggestions]");
    list.hidden = names.length === 0;
    list.querySelector("p").replaceChildren(...names.flatMap((name) => [element("button", { type: "button", class: "second", "data-suggested": name }, name), " "]));
    this.#count();
  }

  #count() {
    const { passages } = this.#marked;
    const open = passages.filter(({ decision }) => decision === Decision.OPEN).length;
    const removed = passages.filter(({ decision }) => decision === Decision.REMOVED).length;
    const kept = passages.length - open - removed;
    document.querySelector(`${PAGE} [data-count]`).textContent = `${open} open, ${removed} removed, ${kept} kept`;
    const press = document.querySelector(`${PAGE} [data-make=person]`);
    if (press === null) return; // nothing is removed for a court
    press.disabled = open > 0;
    document.getElementById("file-hint").textContent = open > 0 ? `Decide about ${open === 1 ? "the passage that is" : `the ${open} passages that are`} open first.` : `${numbered(removed, "passage")} will be removed.`;
  }

  // Carry `act` out, and draw the words again. The focus and the place on the screen stay.
  #changed(act) {
    const focused = document.activeElement?.closest(`${PAGE} button`);
    const { own, reference, removeAll } = focused?.dataset ?? {};
    act();
    this.#keep();
    this.#drawWords();
    const same = [...document.querySelectorAll(`${PAGE} button`)].find(({ dataset }) =>
      removeAll ? dataset.removeAll === removeAll : own && dataset.own === own && dataset.reference === reference,
    );
    same?.focus({ preventScroll: true });
  }

  #nextDecision = (mark) => (mark.getAttribute("aria-pressed") === "true" ? Decision.KEPT : Decision.REMOVED);

  // By keyboard, the focus goes on to the next passage that is open, if this one was.
  #decide(mark, decision, { goesOn }) {
    const wasOpen = mark.getAttribute("aria-pressed") === "mixed";
    this.#marked.decide(mark.dataset.passage, decision);
    mark.setAttribute("aria-pressed", PRESSED[decision]);
    this.#keep();
    this.#count();
    this.#sayOf(mark);
    if (goesOn && wasOpen) this.#goToOpen(mark.dataset.passage);
  }

  #goToOpen(passage) {
    const marks = [...document.querySelectorAll(`${PAGE} mark`)];
    const from = marks.findIndex(({ dataset }) => dataset.passage === passage);
    const order = [...marks.slice(from + 1), ...marks.slice(0, from + 1)];
    const next = order.find((mark) => mark.getAttribute("aria-pressed") === "mixed");
    if (next === undefined) say("Every passage is decided.");
    (next ?? document.querySelector(`${PAGE} [data-make]`)).focus();
  }

  #keyPressed(event) {
    const { target: mark, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const decision = { Enter: this.#nextDecision(mark), " ": this.#nextDecision(mark), k: Decision.KEPT, K: Decision.KEPT, Delete: Decision.REMOVED }[key];
    if (decision === undefined) return;
    event.preventDefault(); // the keys of the desk leave it alone then
    this.#decide(mark, decision, { goesOn: true });
  }

  #sayOf(mark) {
    const { passage, relation } = mark.dataset;
    const words = { mixed: "Enter removes it, K keeps it.", true: "Removed. Enter keeps it.", false: "Kept. Enter removes it." };
    if (passage) document.querySelector(`${PAGE} [data-about]`).textContent = `${relation[0].toUpperCase()}${relation.slice(1)}. ${words[mark.getAttribute("aria-pressed")]}`;
  }

  #markWords(field) {
    const words = field.value.trim() || String(getSelection());
    let count = 0;
    this.#changed(() => { count = this.#marked.markWords(words); });
    say(count > 0 ? `Marked ${count === 1 ? "once" : `${count} times`}, as removed.` : "These words are in none of the texts. Give them as they stand on one line.");
    if (count > 0) field.value = "";
  }

  #markSuggested(name) {
    this.#changed(() => this.#marked.markWords(name));
    document.querySelector(`${PAGE} [data-suggested]`)?.focus();
  }

  async #make(press) {
    const purpose = press.dataset.make;
    if (this.#marked.concerns.length === 0) throw new Fault("closed-identity");
    press.disabled = true;
    say("Making the file ...");
    try {
      const font = new PdfFont(await fetchFont());
      const at = new Date().toISOString().replace(/\.\d+Z$/, "Z");
      const pdf = await (purpose === "court" ? this.#courtPdf(font, at) : this.#personPdf(font, at));
      const fields = new URLSearchParams({ file_sha256: await digestOf(pdf), notes: this.#notes ? "yes" : "" });
      for (const { reference } of this.#marked.concerns) fields.append("reference", reference);
      const { signature } = await postForJson(`${pageOf().dataset.personFile}/record`, fields);
      saveFile(signed(pdf, signature), `person-file-${purpose}-${at.slice(0, 10)}.pdf`, "application/pdf");
      say("The file is saved in your downloads. Send it to a second person, who looks at it on this page.");
    } finally {
      press.disabled = false;
      this.#count();
    }
  }

  #courtPdf(font, at) {
    const { concerns } = this.#marked;
    const [{ keys }] = concerns;
    const blocks = [
      ...this.#head(at, "For a court: complete, with everything that names others."),
      ...concerns.flatMap((concern) => [heading("H1", `Concern ${concern.reference}`), ...blocksOf(concern, this.#notes)]),
      ...checkBlocks(COVERED, keys),
    ];
    const whole = concerns.map(({ reference, texts, statement }) => ({ reference, texts, statement: coveredPart(statement) }));
    return pdfWith({ title: "File of one person", blocks, attached: { ...this.#attached("court", keys), concerns: whole }, footer: FOOTER, font, at });
  }

  async #personPdf(font, at) {
    const { concerns, passages } = this.#marked;
    const [{ keys }] = concerns;
    const removed = passages.filter(({ decision }) => decision === Decision.REMOVED).length;
    const parts = concerns.map(({ reference }) => this.#marked.redactedParts(reference));
    const blocks = [
      ...this.#head(at, `For that person. What names others was removed in ${numbered(removed, "place")}. There stands ${REMOVED}.`),
      ...parts.flat().map(({ tag, label, text }) => (tag ? heading(tag, text) : label ? fact(label, text) : plain(text))),
      ...checkBlocks("the words that are left", keys),
    ];
    const words = await Promise.all(concerns.map(async ({ reference, texts }, place) => ({ reference, texts: await digestsOf(texts), words: parts[place] })));
    return pdfWith({ title: "File of one person", blocks, attached: { ...this.#attached("person", keys), removed, concerns: words }, footer: FOOTER, font, at });
  }

  #head(at, whom) {
    const counted = numbered(this.#marked.concerns.length, "concern");
    return [heading("H1", "File of one person"), fact("About", fieldOf("names").value.trim()), plain(`${councilName()}. Made ${moment(at)}, of ${counted}.`), plain(whom)];
  }

  #attached = (purpose, keys) => ({ kind: KIND, version: 1, purpose, notes_included: this.#notes, keys });
}

// Send the digest of the chosen file, if it is the file that was made last.
async function sendChecked(form, post) {
  const [file] = form.querySelector("[type=file]").files;
  const digest = await digestOf(unsigned(new Uint8Array(await file.arrayBuffer())));
  if (digest !== form.dataset.checkFile) throw new Fault("another-file");
  await post(form.action, new URLSearchParams({ file_sha256: digest }));
}

const pageOf = () => document.querySelector(PAGE);

const fieldOf = (name) => document.querySelector(`${PAGE} [name=${name}]`);

const namesTyped = () => fieldOf("names").value.split(",").map((name) => name.trim()).filter(Boolean);

function notFoundFor(names) {
  if (names.length === 0) return "";
  return names.some((name) => partsOf(name).length > 0) ? `No card names this person. ${SEARCHED}` : "There is no letter or digit in what you typed.";
}

// Return the kind and number of each text, with the digest of the sealed text: the file for a court has the same.
const digestsOf = (texts) =>
  Promise.all(texts.map(async ({ kind, number, sealed }) => ({ kind, number, sealed_sha256: await digestOf(fromBase64(sealed)) })));

function say(words) {
  const line = document.querySelector(`${PAGE} [data-state]`);
  if (line !== null) line.textContent = words;
}
