// Finds rows of a list: by the words of the row, and by the names on the card of its concern once the cards are open.
// What is typed never leaves the page.
import { isFound, partsOf } from "./card_search.js";

const FORM = "form[data-find-row]";

export class FindRow {
  #cards;
  #matching;

  constructor(cards, matching) {
    this.#cards = cards;
    this.#matching = matching;
    document.addEventListener("input", ({ target }) => target.form?.matches(FORM) && this.#show(target.form));
    document.addEventListener("submit", (event) => event.target.matches(FORM) && event.preventDefault(), { capture: true });
    cards.onChange(() => this.take());
  }

  take() {
    const form = document.querySelector(FORM);
    if (form === null) return;
    form.hidden = false;
    this.#show(form);
  }

  #show(form) {
    const typed = form.querySelector("input").value.trim();
    const rows = [...document.getElementById(form.dataset.findRow).tBodies[0].rows];
    for (const row of rows) row.hidden = typed !== "" && !this.#isFound(row, typed);
    const count = rows.filter(({ hidden }) => !hidden).length;
    form.querySelector("[role=status]").textContent = typed === "" ? "" : `${count.toLocaleString("en-GB")} of ${rows.length.toLocaleString("en-GB")}`;
  }

  #isFound(row, typed) {
    if (row.textContent.toLowerCase().includes(typed.toLowerCase())) return true;
    const concern = this.#cards.find(row.querySelector("[data-card]")?.dataset.card);
    return concern !== undefined && isFound(concern.text, partsOf(typed), this.#matching);
  }
}
