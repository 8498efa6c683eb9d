// The search box in the header of the desk: searches the opened cards and labels in the memory of this page.
// What is typed never leaves the page, unless it is a reference: then the service opens that concern.
import { SEARCHED, forgetWords, isFound, partsOf, whereFound } from "./card_search.js";
import { element } from "./elements.js";
import { sentenceOf } from "./faults.js";
import { markFound } from "./found_marks.js";
import { tableOf } from "./found_rows.js";
import { NOT_FOUND } from "./matching.js";
import { Scope } from "./opened_cards.js";

const FORM = "form[data-find]";
const REFERENCE = /^[02346789FKMRWXYZ]{12}$/;
const PAUSE = 120; // milliseconds after the last key
const MOST_SHOWN = 50;
const MOST_RANKED = 2_000; // of more, the most recent: whoever finds so many types on
const SPOKEN_EVERY = 2_000; // milliseconds between two messages about progress
const SHOWN_EVERY = 1_000; // milliseconds between two searches of the cards that are being opened, at least
const REST = 20; // how many times as long as a search the page then opens cards
const WITH_KEY = "Find by name, school, address, number or reference";
const NEEDS_KEY = "Concerns are searched only in your browser, with the team’s key. Nothing was sent.";
const NOTHING_TYPED = "Type a name, a school, an address, a registration, a number, a day of birth or words of the label.";
const NO_WORDS = "There is no letter or digit in what you typed. Nothing was searched.";
export class Find {
  #keyring;
  #cards;
  #matching;
  #typed = "";
  #timer = null;
  #spokenAt = 0;
  #shownAt = 0;
  #took = 0; // milliseconds of the last search
  #fault = "";
  #drawn = ""; // what the list of results was drawn from
  #needKey = () => {};
  #found = new Set(); // the references that the last search found

  constructor(keyring, cards, matching) {
    this.#keyring = keyring;
    this.#cards = cards;
    this.#matching = matching;
    document.addEventListener("input", ({ target }) => target.matches(`${FORM} input`) && this.#typedSoon(target));
    document.addEventListener("submit", (event) => this.#submitted(event), { capture: true });
    cards.onChange(() => this.#cardsChanged());
    keyring.onForget(() => this.#forget());
  }

  // Call `open` when somebody searches for words without a key.
  onNeedKey(open) {
    this.#needKey = async (typed) => {
      this.#typed = typed.trim(); // shown also once a file was chosen, later
      this.#say(NEEDS_KEY);
      await open();
      if (this.#keyring.isOpen) this.#search(typed, { isPressed: true });
    };
  }

  // Set up the search box of the current page. The inbox shows the last search again.
  take() {
    const box = boxOf();
    if (box === null) return;
    box.form.noValidate = true; // this script says what is wrong
    if (location.pathname === "/desk" && this.#typed && !box.value) box.value = this.#typed;
    this.#show();
    this.mark();
  }

  // Mark what was found in the concern that the page shows, if it was among the results.
  mark() {
    const reference = /^\/desk\/concerns\/([^/]+)$/.exec(location.pathname)?.[1];
    if (this.#found.has(reference) && document.querySelector("mark.hit") === null) markFound(partsOf(this.#typed), this.#matching);
  }

  // Open the cards that are current. If they cannot be opened, say why beside the search box.
  async open() {
    this.#fault = "";
    try {
      const { end } = await this.#cards.load(Scope.CURRENT);
      this.#show();
      await end;
    } catch (error) {
      this.#fault = sentenceOf(error);
      this.#say(this.#fault);
    }
  }

  // Search again. With tens of thousands of cards this takes as long as opening a slice, so it is done now and then.
  #cardsChanged() {
    const begin = Date.now();
    if (this.#cards.isLoading && begin - this.#shownAt < Math.max(SHOWN_EVERY, REST * this.#took)) return;
    this.#show();
    this.#shownAt = Date.now();
    this.#took = this.#shownAt - begin;
  }

  #typedSoon(box) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(box.value), PAUSE);
  }

  #submitted(event) {
    const box = boxOf();
    if (event.target !== box?.form || isReference(box.value)) return;
    event.preventDefault();
    event.stopPropagation();
    clearTimeout(this.#timer);
    if (this.#keyring.isOpen) this.#search(box.value, { isPressed: true });
    else this.#needKey(box.value);
  }

  #search(typed, { isPressed = false } = {}) {
    this.#typed = typed.trim();
    this.#show();
    if (isPressed && this.#typed === "") this.#say(NOTHING_TYPED);
    if (isPressed) document.querySelector("#found a")?.focus();
  }

  #show() {
    const label = boxOf()?.form.querySelector("label");
    if (!label) return;
    label.dataset.before ??= label.textContent;
    label.textContent = this.#keyring.isOpen ? WITH_KEY : label.dataset.before;
    describe(boxOf(), this.#keyring.isOpen);
    const { value } = boxOf(); // empty on a page that was opened from what was found
    const parts = this.#keyring.isOpen && !isReference(value) ? partsOf(value) : [];
    const found = parts.length > 0 ? this.#cards.concerns.filter(({ text }) => isFound(text, parts, this.#matching)) : [];
    found.sort((one, other) => (one.receivedAt < other.receivedAt ? 1 : -1));
    if (parts.length > 0) this.#found = new Set(found.map(({ reference }) => reference));
    const isEmpty = this.#keyring.isOpen && parts.length === 0 && value.trim() !== "" && !isReference(value);
    this.#draw(parts, found);
    if (isEmpty) this.#say(NO_WORDS);
    else this.#sayHow(parts.length > 0, found);
  }

  #draw(parts, found) {
    const former = document.getElementById("found");
    if (parts.length === 0) return former?.remove();
    const drawn = JSON.stringify([found.map(({ reference, label, row }) => [reference, label, row]), this.#typed, this.#cards.has(Scope.EARLIER)]);
    if (former !== null && this.#drawn === drawn) return; // what has the focus stays
    this.#drawn = drawn;
    const section = former ?? element("section", { id: "found", class: "no-print", "aria-labelledby": "found-heading" });
    if (former === null) document.querySelector("main").prepend(section);
    const more = found.length - MOST_SHOWN;
    section.replaceChildren(
      element("h1", { id: "found-heading" }, found.length > 0 ? `${numbered(found.length, "concern")} found` : `${NOT_FOUND}.`),
      ...(found.length > 0 ? [tableOf(this.#bestOf(found, parts))] : []),
      ...(more > 0 ? [element("p", {}, `${more} more. Type more to find fewer.`)] : []),
      element("p", { class: "side-by-side" }, ...this.#presses()),
      element("p", { class: "hint" }, SEARCHED),
    );
    document.dispatchEvent(new Event("desk:clocks"));
  }

  // Return the results that are shown, best first, and then the most recent first.
  #bestOf(found, parts) {
    const ranked = found.slice(0, MOST_RANKED).map((concern) => ({ concern, ...whereFound(concern, parts, this.#matching) }));
    return ranked.sort((one, other) => one.merit - other.merit).slice(0, MOST_SHOWN);
  }

  #presses() {
    const clear = element("button", { type: "button", class: "second" }, "Clear the search");
    clear.addEventListener("click", () => {
      boxOf().value = "";
      this.#search("");
      boxOf().focus();
    });
    const file = "personFiles" in boxOf().dataset ? [element("a", { href: "/desk/person-file" }, "Make a file of one person")] : [];
    if (this.#cards.has(Scope.EARLIER)) return [clear, ...file];
    const earlier = element("button", { type: "button", class: "second" }, "Search earlier concerns too");
    earlier.addEventListener("click", () => this.#loadEarlier());
    return [earlier, clear, ...file];
  }

  async #loadEarlier() {
    try {
      await this.#cards.load(Scope.EARLIER);
    } catch (error) {
      this.#say(sentenceOf(error));
    }
  }

  // Say what was found, or how many cards are open. While cards are being opened, say so only now and then.
  #sayHow(isSearched, found) {
    if (!this.#keyring.isOpen && !this.#cards.isLoading) return;
    const isSoon = this.#cards.isLoading && Date.now() - this.#spokenAt < SPOKEN_EVERY;
    if (isSoon) return;
    this.#spokenAt = Date.now();
    const count = this.#cards.concerns.length;
    const { unopened } = this.#cards;
    const opened = `Opening the concerns: ${count.toLocaleString("en-GB")} so far`;
    const ready = `${numbered(count, "concern")} can be searched`;
    const without = unopened > 0 ? ` ${unopened.toLocaleString("en-GB")} cannot be opened with this key.` : "";
    const result = isSearched ? `${numbered(found.length, "concern")} found. ` : "";
    this.#say(this.#fault || `${result}${this.#cards.isLoading ? opened : ready}.${without}`);
    const isUsual = unopened === 0 && this.#fault === "";
    document.getElementById("find-state")?.classList.toggle("vh", isUsual); // it is said, and takes no room
  }

  #say(words) {
    const line = document.getElementById("find-state");
    line?.classList.remove("vh");
    if (line !== null && line.textContent !== words) line.textContent = words;
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#typed = "";
    this.#found.clear();
    this.#fault = "";
    this.#matching.forget();
    forgetWords();
    document.getElementById("found")?.remove();
    const box = boxOf();
    if (box !== null) box.value = "";
    this.#say("");
    this.#show();
  }
}

const boxOf = () => document.querySelector(`${FORM} input`);

// Say under the box what is searched, while nothing is typed there.
function describe(box, isOpen) {
  const line = document.getElementById("searched");
  if (isOpen === (line !== null)) return;
  line?.remove();
  box.removeAttribute("aria-describedby");
  if (!isOpen) return;
  box.after(element("p", { id: "searched", class: "searched" }, SEARCHED));
  box.setAttribute("aria-describedby", "searched");
}

const isReference = (typed) => REFERENCE.test(typed.toUpperCase().replaceAll("O", "0").replace(/[\s-]/g, ""));

export const numbered = (count, noun) => `${count.toLocaleString("en-GB")} ${noun}${count === 1 ? "" : "s"}`;
