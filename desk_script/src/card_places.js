// Shows whom a concern is about in every element with `data-card`, which names the reference, while the cards are open.
import { element } from "./elements.js";
import { Scope } from "./opened_cards.js";
import { whomOf } from "./whom.js";

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
    for (const place of document.querySelectorAll("[data-card]")) {
      const concern = this.#cards.find(place.dataset.card);
      if (concern === undefined) this.#empty(place);
      else this.#fill(place, concern);
    }
    const list = document.querySelector("[data-earlier-cards]");
    const lacks = [...(list?.querySelectorAll("[data-card]") ?? [])].some((place) => !this.#shown.has(place));
    if (!this.#cards.has(Scope.CURRENT)) this.#asked = new WeakSet();
    else if (lacks && !this.#cards.isLoading && !this.#asked.has(list)) {
      this.#asked.add(list);
      this.#cards.load(Scope.EARLIER).catch(() => {}); // the rows stay locked
    }
  }

  #fill(place, concern) {
    if (this.#shown.get(place) === concern) return;
    this.#shown.set(place, concern);
    if (!this.#before.has(place)) this.#before.set(place, [...place.childNodes]);
    place.replaceChildren(...shortOf(concern));
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
