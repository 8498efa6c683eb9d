// Lists, beside the page on which a call is written down, opened concerns that may be about the same child or household.
// What is typed is compared in the memory of this page after a pause, and goes nowhere. A press adds the call to one of
// the concerns: then the form sends it as an addition.
import { element } from "./elements.js";
import { sentenceOf } from "./faults.js";
import { lineOf } from "./card_places.js";
import { NOT_FOUND } from "./matching.js";
import { Scope } from "./opened_cards.js";
import { NamesOnCards, factsTyped, reasonsTyped } from "./typed_facts.js";
import { whomOf } from "./whom.js";
import { standardReference, typedSoFar } from "./write_down.js";

const PLACE = "aside[data-while-typing]";
const FORM = "form[action='/desk/new']";
const PAUSE = 700; // milliseconds after the last key
const MOST_SHOWN = 20;
const MOST_SAID = 3;
const LOOKING = "Opening the cards of other concerns ...";
const NOTHING_TYPED = "Names, schools, numbers and postcodes are compared with other concerns while you type.";
const OFFER = "A person decides. Nothing is joined or counted.";

export class KnownWhileTyped {
  #cards;
  #matching;
  #known = null; // the names on the opened cards, once they are read
  #reading = 0; // increases when the cards change, so that what is under way stops
  #isReading = false;
  #timer = null;
  #offered = [];
  #drawn = ""; // what the list was drawn from, so that nothing that has the focus is drawn again

  constructor(cards, matching) {
    this.#cards = cards;
    this.#matching = matching;
    document.addEventListener("input", ({ target }) => target.closest(FORM) && this.#soon());
    cards.onChange(() => this.#cardsChanged());
  }

  // Set up the current page: the first page, and each page that replaced it.
  take() {
    this.#drawn = "";
    this.#offered = [];
    this.#show();
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), PAUSE);
  }

  #cardsChanged() {
    this.#known = null;
    this.#reading += 1;
    this.#isReading = false;
    if (!this.#cards.isLoading) this.#show();
  }

  #show() {
    clearTimeout(this.#timer);
    const place = document.querySelector(PLACE);
    if (place === null) return;
    place.hidden = !this.#cards.has(Scope.CURRENT);
    if (place.hidden) return this.#empty(place);
    if (place.firstChild === null) place.append(...frame());
    if (this.#cards.isLoading) return say(place, LOOKING);
    const form = document.querySelector(FORM);
    const { card, narrative } = typedSoFar(form);
    const isTyped = narrative !== "" || hasFacts(card);
    if (isTyped && this.#known === null) return this.#readCards(place);
    this.#offered = isTyped ? this.#find(card, narrative, form) : [];
    this.#draw(place, form, isTyped);
  }

  async #readCards(place) {
    say(place, LOOKING);
    if (this.#isReading) return;
    this.#isReading = true;
    const reading = this.#reading;
    const known = await NamesOnCards.inSlices(this.#cards.concerns, this.#matching, () => reading !== this.#reading);
    if (reading !== this.#reading) return;
    this.#known = known;
    this.#isReading = false;
    this.#show();
  }

  #empty(place) {
    this.#drawn = "";
    this.#offered = [];
    place.replaceChildren();
  }

  // Return the concerns that may be about the same child or household, most recent first.
  #find(card, narrative, form) {
    const typed = factsTyped(card, narrative, form.elements.came_on.value || today(), this.#known);
    const others = [...this.#known.concernsLike(typed.ages ?? typed.facts)];
    const found = others.map((concern) => ({ concern, reasons: reasonsTyped(typed, concern, this.#matching) }));
    const offered = found.filter(({ reasons }) => reasons.length > 0);
    return offered.sort((one, other) => (one.concern.receivedAt < other.concern.receivedAt ? 1 : -1)).slice(0, MOST_SHOWN);
  }

  #draw(place, form, isTyped) {
    const chosen = standardReference(form.elements.to_concern.value);
    const list = this.#offered.map(({ concern, reasons }) => [concern.reference, concern.label, reasons]);
    const drawn = JSON.stringify([list, chosen, isTyped, this.#cards.has(Scope.EARLIER)]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const focused = place.contains(document.activeElement) ? document.activeElement.dataset.about : undefined;
    const items = this.#offered.map((each) => this.#itemOf(each, form, chosen));
    place.querySelector("[data-list]").replaceChildren(
      ...(items.length > 0 ? [element("p", { class: "hint" }, OFFER), element("ol", { class: "known" }, ...items)] : []),
      ...(isTyped ? this.#earlier(place) : []),
    );
    say(place, isTyped ? saidOf(this.#offered) : NOTHING_TYPED);
    if (focused !== undefined) place.querySelector(`[data-about="${focused}"]`)?.focus();
  }

  #itemOf({ concern, reasons }, form, chosen) {
    const item = lineOf(concern);
    const isChosen = chosen === concern.reference;
    const press = element("button", { type: "button", class: "second", "data-about": concern.reference, "aria-pressed": String(isChosen) });
    press.append(isChosen ? "Added to this one. Undo" : "Add to this concern", element("span", { class: "vh" }, ` ${concern.reference}`));
    press.addEventListener("click", () => this.#choose(form, isChosen ? "" : concern.reference));
    item.append(element("p", {}, sentence(reasons)), press);
    return item;
  }

  // Name the concern in the form, so that the form sends an addition. Without a reference, it is a new concern again.
  #choose(form, reference) {
    const field = form.elements.to_concern;
    field.value = reference;
    field.closest("details").open = reference !== "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    this.#show();
  }

  #earlier(place) {
    if (this.#cards.has(Scope.EARLIER)) return [];
    const more = element("button", { type: "button", class: "second", "data-about": "earlier" }, "Look in earlier concerns too");
    more.addEventListener("click", async () => {
      more.disabled = true;
      try {
        say(place, LOOKING);
        await (await this.#cards.load(Scope.EARLIER)).end;
      } catch (error) {
        say(place, sentenceOf(error));
        more.disabled = false;
      }
    });
    return [more];
  }
}

const today = () => new Date().toISOString().slice(0, 10);

const hasFacts = ({ children: [child], reporter }) => child.names.length > 0 || Boolean(child.school) || Boolean(reporter.name) || reporter.phones.length > 0;

const frame = () => [
  element("h2", {}, "Perhaps known"),
  element("p", { "aria-live": "polite", "data-known-state": true }),
  element("div", { "data-list": true }),
];

// A screen reader says the sentence when it changes: when other concerns are offered, and not at each key.
function saidOf(offered) {
  if (offered.length === 0) return `${NOT_FOUND}.`;
  const named = offered.slice(0, MOST_SAID).map(({ concern }) => whomOf(concern));
  return `May be the same child or household: ${named.join("; ")}${offered.length > MOST_SAID ? "; and others" : ""}.`;
}

function say(place, words) {
  const line = place.querySelector("[data-known-state]");
  if (line !== null && line.textContent !== words) line.textContent = words;
}

const sentence = (reasons) => `${reasons.join(", ").replace(/^./, (letter) => letter.toUpperCase())}.`;
