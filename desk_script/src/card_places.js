// Shows whom a concern is about in every element with `data-card`, and who reports in every one with `data-card-reporter`, while
// the cards are open. Both name the reference.
import { element } from "./elements.js";
import { Scope } from "./opened_cards.js";
import { schoolsOf, toldBy, whomOf } from "./whom.js";

const SHOWN = { "card": (concern) => shortOf(concern), "card-reporter": (concern) => [toldBy(concern)].filter(Boolean) };
const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "Europe/London" });

export class CardPlaces {
  #cards;
  #before = new WeakMap(); // what the element showed before
  #shown = new WeakMap(); // the concern that the element shows
  #asked = new WeakSet(); // the lists for which the cards of earlier concerns were asked

  constructor(cards) {
    this.#cards = cards;
    cards.onChange(() => this.take());
  }

  // Fill the elements of the current page, or give them back what they showed before.
  take() {
    for (const [name, wordsOf] of Object.entries(SHOWN)) {
      for (const place of document.querySelectorAll(`[data-${name}]`)) {
        const concern = this.#cards.find(place.getAttribute(`data-${name}`));
        const words = concern === undefined ? [] : wordsOf(concern);
        if (words.length === 0) this.#empty(place);
        else this.#fill(place, concern, words);
      }
    }
    const list = document.querySelector("[data-earlier-cards]");
    const lacks = [...(list?.querySelectorAll("[data-card]") ?? [])].some((place) => !this.#shown.has(place));
    if (!this.#cards.has(Scope.CURRENT)) this.#asked = new WeakSet();
    else if (lacks && !this.#cards.isLoading && !this.#asked.has(list)) {
      this.#asked.add(list);
      this.#cards.load(Scope.EARLIER).catch(() => {}); // the rows stay locked
    }
  }

  #fill(place, concern, words) {
    if (this.#shown.get(place) === concern) return;
    this.#shown.set(place, concern);
    if (!this.#before.has(place)) this.#before.set(place, [...place.childNodes]);
    place.replaceChildren(...words);
  }

  #empty(place) {
    if (!this.#before.has(place)) return;
    place.replaceChildren(...this.#before.get(place));
    this.#before.delete(place);
    this.#shown.delete(place);
  }
}

// Return the label of a concern, if it has one, and whom the concern is about.
export function shortOf(concern) {
  const whom = whomOf(concern);
  return concern.label ? [element("strong", {}, concern.label), ` ${whom}`] : [whom];
}

// Return one line of a list of concerns, with a link to the concern.
export function lineOf(concern) {
  const facts = [...schoolsOf(concern), `received ${DAY.format(new Date(concern.receivedAt))}`, concern.reference];
  return element(
    "li",
    {},
    element("a", { href: `/desk/concerns/${concern.reference}` }, ...shortOf(concern)),
    element("span", { class: "quiet" }, ` ${facts.join(", ")}`),
  );
}
