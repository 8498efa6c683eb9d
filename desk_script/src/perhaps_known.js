// Lists concerns that may be about the same child or household as the concern of the page, each with reasons in words.
// A person says 'same' or 'not the same', with a reason if they like. That is a sealed note of both concerns, and taken
// back by a further note, so that all of it is in the audit log and nothing of it is readable by the service. Nothing
// is merged, counted or ranked.
import { readBeside } from "./beside.js";
import { element } from "./elements.js";
import { Fault, sentenceOf } from "./faults.js";
import { lineOf } from "./card_places.js";
import { NOT_FOUND } from "./matching.js";
import { Scope } from "./opened_cards.js";
import { seal } from "./seal_forms.js";

const PLACE = "aside[data-perhaps-known]:not([data-while-typing])";
const NOTE_FORM = "form[action$='/notes']";
const NOTES = "section.addition[aria-labelledby^='note-'] .as-typed";
const SAME = "Same child or household as";
const OTHER = "Not the same child or household as";
const UNDONE = "Taken back what was said about";
const SAID = new RegExp(`^(${SAME}|${OTHER}|${UNDONE}) ([0-9A-Z-]{14})\\b`);
const LONGEST_REASON = 300;
const OFFER = "A person decides. Nothing is joined or counted.";

export class PerhapsKnown {
  #keyring;
  #cards;
  #matching;
  #send;
  #undoable = null; // the decision that was just made, until the page offers to undo it
  #last = null; // the notes of the last decision: a second press sends the same, which the service may have already
  #drawn = ""; // what the list was drawn from, so that a slice of cards that changes nothing takes no focus

  // `send` posts a form, and shows the page of the response.
  constructor(keyring, cards, { matching, send }) {
    this.#keyring = keyring;
    this.#cards = cards;
    this.#matching = matching;
    this.#send = send;
    cards.onChange(() => this.#show());
  }

  // Set up the current page: the first page, and each page that replaced it.
  take() {
    this.#drawn = "";
    this.#offerUndo();
    this.#show();
  }

  // Offer to undo the last decision beside what the page says about it, as the service does for an assignment.
  #offerUndo() {
    const panel = document.querySelector(".after-act");
    const decision = this.#undoable;
    this.#undoable = null;
    if (panel === null || decision === null || !location.pathname.endsWith(decision.own.reference)) return;
    panel.append(this.#press("Undo", decision.other, () => this.#decide(decision.own, decision.other, UNDONE, "")));
  }

  #show() {
    const place = document.querySelector(PLACE);
    if (place === null) return;
    const own = this.#cards.find(place.dataset.perhapsKnown || location.pathname.split("/")[3]);
    place.hidden = own === undefined;
    if (own === undefined) {
      this.#drawn = "";
      document.getElementById("beside")?.remove();
      return place.replaceChildren();
    }
    if (this.#cards.isLoading && this.#drawn === "") this.#say(place, "Looking for others ...");
    if (this.#cards.isLoading) return;
    const found = this.#candidates(own);
    const decided = decisionsOn();
    const drawn = JSON.stringify([own.reference, found.map(({ concern, reasons }) => [concern.reference, reasons]), [...decided], this.#cards.has(Scope.EARLIER)]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#draw(place, own, found, decided);
  }

  // Return each concern that may be about the same child or household, most recent first.
  #candidates(own) {
    const others = this.#cards.concerns.filter((each) => each !== own);
    const found = others.map((concern) => ({ concern, reasons: this.#matching.reasonsOf(own.facts, concern.facts) }));
    const offered = found.filter(({ reasons }) => reasons.length > 0);
    return offered.sort((one, other) => (one.concern.receivedAt < other.concern.receivedAt ? 1 : -1));
  }

  #draw(place, own, found, decided) {
    const open = found.filter(({ concern }) => decided.get(concern.reference) !== OTHER);
    const others = found.filter(({ concern }) => decided.get(concern.reference) === OTHER);
    const same = [...decided].filter(([, decision]) => decision === SAME).map(([reference]) => reference);
    const list = (some) => element("ol", { class: "known" }, ...some.map((each) => this.#itemOf(own, each, decided.get(each.concern.reference))));
    place.replaceChildren(
      element("h2", { id: "perhaps-known" }, "Perhaps known"),
      element("p", { "aria-live": "polite", "data-known-state": true }),
      ...(open.length > 0 ? [element("p", { class: "hint" }, OFFER), list(open)] : [element("p", {}, `${NOT_FOUND}.`)]),
      ...(others.length > 0 ? [element("details", {}, element("summary", {}, "Not the same"), list(others))] : []),
      ...this.#together(own, same),
      ...this.#earlier(place),
    );
  }

  #itemOf(own, { concern, reasons }, decision) {
    const item = lineOf(concern);
    item.append(element("p", {}, capital(`${reasons.join(", ")}.`)));
    const beside = this.#press("Read side by side", concern, () => this.#readBeside(item, own, concern));
    beside.dataset.readBeside = "";
    if (noteForm() === null) item.append(element("p", { class: "side-by-side" }, beside));
    else if (decision === undefined) item.append(this.#choiceOf(own, concern, beside));
    else item.append(this.#decisionOf(own, concern, decision, beside));
    return item;
  }

  #choiceOf(own, concern, beside) {
    const id = `known-reason-${concern.reference}`;
    const reason = element("input", { type: "text", id, maxlength: LONGEST_REASON, autocomplete: "off" });
    const say = (words) => () => this.#decide(own, concern, words, reason.value);
    return element(
      "div",
      {},
      element("p", { class: "side-by-side" }, this.#press("Same", concern, say(SAME)), this.#press("Not the same", concern, say(OTHER)), beside),
      element("details", {}, element("summary", {}, "Add a reason"), element("div", { class: "question" }, element("label", { for: id }, "Reason, sealed like a note"), reason)),
    );
  }

  #decisionOf(own, concern, decision, beside) {
    const undo = this.#press("Undo", concern, () => this.#decide(own, concern, UNDONE, ""));
    const words = decision === SAME ? "Marked as the same." : "Marked as not the same.";
    return element("p", { class: "side-by-side" }, element("strong", {}, words), undo, beside);
  }

  // Return the press that assigns this concern, and every one marked as the same, to one person.
  #together(own, same) {
    const form = document.querySelector("main form[action$='/assignment'] select[name=person]")?.form;
    if (!form || same.length === 0) return [];
    const person = element("select", { id: "known-person" }, ...[...form.elements.person.options].filter(({ value }) => value).map((each) => each.cloneNode(true)));
    const me = document.body.dataset.person;
    if ([...person.options].some(({ value }) => value === me)) person.value = me;
    const give = element("button", { type: "button", class: "second" }, "Give all to one person");
    give.addEventListener("click", () => this.#do(give, () => this.#giveAll(own, same, { form, person: person.value })));
    const all = element("p", { class: "hint" }, "This concern, and every one that is marked as the same.");
    return [element("div", { class: "question", "data-together": true }, element("label", { for: person.id }, "Person"), person, all, give)];
  }

  #earlier(place) {
    if (this.#cards.has(Scope.EARLIER)) return [];
    const more = element("button", { type: "button", class: "second" }, "Look in earlier concerns too");
    more.addEventListener("click", () => this.#do(more, async () => {
      this.#say(place, "Opening earlier cards ...");
      await (await this.#cards.load(Scope.EARLIER)).end;
    }));
    return [more];
  }

  // Write the decision as a sealed note: first to the other concern, then to this one, whose page is shown again.
  async #decide(own, other, words, reason) {
    const form = noteForm();
    const of = (about) => `${words} ${about.reference}.${reason.trim() ? `\nReason: ${reason.trim()}` : ""}`;
    const wanted = `${own.reference} ${of(other)}`;
    if (this.#last?.wanted !== wanted) {
      const theirs = await this.#noteFields(form, other.reference, of(own));
      theirs.delete("seen"); // the page of the other concern was not shown
      this.#last = { wanted, theirs, mine: await this.#noteFields(form, own.reference, of(other)) };
    }
    await post(`/desk/concerns/${other.reference}/notes`, this.#last.theirs);
    this.#undoable = words === UNDONE ? null : { own, other };
    if (await this.#send(form.action, this.#last.mine)) this.#last = null;
    else this.#undoable = null;
  }

  async #noteFields(form, reference, text) {
    const fields = new FormData(form);
    fields.set("key", crypto.randomUUID());
    fields.delete("text");
    if ("seal" in form.dataset) {
      const recipients = fields.get("recipients").split(" ");
      fields.set("sealed", await seal({ reference, note: { text } }, recipients));
    } else fields.set("text", text);
    return new URLSearchParams(fields);
  }

  // Assign the concerns. If some of them are somebody else's, ask once before anything is done.
  async #giveAll(own, same, { form, person }) {
    const wanted = [...same, own.reference];
    const owners = new Map(await Promise.all(wanted.map(async (reference) => [reference, await ownerOf(reference)])));
    const taken = wanted.filter((reference) => ![null, person].includes(owners.get(reference)));
    const give = () => this.#give(own, same, { form, person, owners });
    if (taken.length === 0) return give();
    this.#ask(taken.map((reference) => `${owners.get(reference)} has ${reference}.`).join(" "), person, give);
  }

  async #give(own, same, { form, person, owners }) {
    const fieldsOf = (reference) => ({ person, replaces: owners.get(reference) ?? "" });
    for (const reference of same) await post(`/desk/concerns/${reference}/assignment`, new URLSearchParams(fieldsOf(reference)));
    const fields = new FormData(form);
    for (const [name, value] of Object.entries(fieldsOf(own.reference))) fields.set(name, value);
    await this.#send(`/desk/concerns/${own.reference}/assignment`, new URLSearchParams(fields));
  }

  #ask(whose, person, give) {
    const together = document.querySelector("[data-together]");
    const question = element("p", { tabindex: "-1" }, `${whose} Give all to ${person}? They see in ‘Mine’ for a day that it was taken. Nothing has been done yet.`);
    const yes = element("button", { type: "button" }, "Give all");
    const no = element("button", { type: "button", class: "second" }, "Leave them");
    const presses = [...together.childNodes];
    yes.addEventListener("click", () => this.#do(yes, give));
    no.addEventListener("click", () => {
      together.replaceChildren(...presses);
      together.querySelector("button").focus();
    });
    together.replaceChildren(question, element("p", { class: "side-by-side" }, yes, no));
    question.focus();
  }

  async #readBeside(item, own, concern) {
    const former = document.getElementById("beside");
    former?.remove();
    const table = await readBeside(own.reference, concern.reference, this.#keyring.identities);
    if (!this.#keyring.isOpen) return;
    const close = this.#press("Close", concern, () => {
      section.remove();
      item.querySelector("[data-read-beside]").focus();
    });
    const section = element("section", { id: "beside", class: "box no-print", "aria-labelledby": "beside-heading", tabindex: "-1" });
    section.append(element("div", { class: "with-change" }, element("h2", { id: "beside-heading" }, "Side by side"), close), table);
    document.querySelector(".concern").prepend(section); // in place of the words, which the table has too
    section.scrollIntoView();
    section.focus();
  }

  // Return a button about `concern`, which is disabled while it acts.
  #press(words, concern, act) {
    const button = element("button", { type: "button", class: "second" }, words, element("span", { class: "vh" }, ` as ${concern.reference}`));
    button.addEventListener("click", () => this.#do(button, act));
    return button;
  }

  async #do(button, act) {
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      const place = document.querySelector(PLACE);
      if (place !== null) this.#say(place, sentenceOf(error));
    } finally {
      button.disabled = false;
    }
  }

  #say(place, words) {
    const line = place.querySelector("[data-known-state]");
    if (line === null) place.replaceChildren(element("h2", { id: "perhaps-known" }, "Perhaps known"), element("p", { "aria-live": "polite", "data-known-state": true }, words));
    else line.textContent = words;
  }
}

const noteForm = () => document.querySelector(`main ${NOTE_FORM}`);

// Return what was last said about each other concern, by the notes of the page. What was taken back is left out.
function decisionsOn() {
  const numberOf = (note) => Number(note.closest("section").getAttribute("aria-labelledby").split("-")[1]);
  const notes = [...document.querySelectorAll(NOTES)].sort((one, other) => numberOf(one) - numberOf(other));
  const said = notes.map((note) => SAID.exec(note.textContent)).filter((found) => found !== null);
  return new Map([...new Map(said.map(([, words, reference]) => [reference, words]))].filter(([, words]) => words !== UNDONE));
}

// Post a form about another concern. The service leads on to the page of that concern, which is not fetched.
async function post(address, body) {
  let response;
  try {
    response = await fetch(address, { method: "POST", body, redirect: "manual", cache: "no-store" });
  } catch {
    throw new Fault("not-taken");
  }
  if (response.type !== "opaqueredirect") throw new Fault("not-taken");
}

// Return who has a concern, or null if nobody has it. The service records the reading.
async function ownerOf(reference) {
  try {
    const answer = await fetch(`/desk/concerns/${reference}/assignment`, { cache: "no-store", redirect: "error" });
    return (await answer.json()).person;
  } catch {
    throw new Fault("not-fetched");
  }
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
