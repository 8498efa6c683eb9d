// Decrypts and shows every encrypted text on a page of the desk, while the keyring holds an identity.
// A page without texts can have a place (`data-open-cards`) where an identity is chosen to open the cards of concerns.
import { element, referralElement, typed } from "./elements.js";
import { Fault, sentenceOf } from "./faults.js";
import { Panel } from "./panel.js";
import { referralOf } from "./referral.js";
import { openText } from "./texts.js";
import { whomIn, whomOf } from "./whom.js";

export class DeskPage {
  #keyring;
  #panel = null;
  #openCards;
  #onOpened;

  // `openCards` decrypts cards with new identities, and throws a Fault if they decrypt none. `onOpened` is called after
  // the texts of the page, or the first cards, have been decrypted.
  constructor(keyring, { openCards, onOpened }) {
    this.#keyring = keyring;
    this.#openCards = openCards;
    this.#onOpened = () => {
      onOpened();
      const part = partOfCards();
      if (part?.open) document.querySelector("form[data-find] input")?.focus();
      if (part !== null) part.open = false;
    };
    keyring.onForget(() => this.#hideWords());
  }

  // Say in the heading whom the concern is about, if the service opened its text.
  #nameChildren() {
    const place = document.querySelector("[data-whom][data-children]");
    if (place !== null) place.textContent = whomOf({ cards: [{ card: { children: JSON.parse(place.dataset.children) } }] });
  }

  // Set up the current page: the first page, and each page that replaced it. A page without encrypted texts can also
  // have a place for the panel, where a person needs the identity for text that they typed.
  async take() {
    this.#nameChildren();
    const texts = sealedTexts();
    const part = partOfCards();
    const before = document.querySelector("[data-how-to-open], [data-unseal-here]") ?? texts[0];
    if (before === undefined && part === null) return;
    this.#panel ??= new Panel(this.#keyring, (identities) => this.#open(identities), this.#onOpened);
    if (before === undefined) part.append(this.#panel.element);
    else before.before(this.#panel.element);
    if (part !== null) part.hidden = false;
    this.#panel.name(before === undefined ? "Open the cards of the concerns" : before.dataset.unsealHere);
    if (this.#keyring.isOpen) {
      await this.#open(this.#keyring.identities).catch(() => {}); // each text shows its own error
      this.#onOpened();
    }
    this.#panel.show();
  }

  // Show every text. If none of the texts can be decrypted, throw the error of the first one.
  async #open(identities) {
    if (sealedTexts().length === 0) return this.#openCards(identities).catch(acceptNoCards);
    const faults = await Promise.all(sealedTexts().map((each) => openOne(each, identities)));
    if (faults.length > 0 && faults.every((fault) => fault !== null)) throw faults[0];
    this.#showWays(false);
    // A message about a completed action keeps the focus.
    if (document.activeElement?.id !== "done") firstWords()?.focus({ preventScroll: true }); // the words begin on the first screen
  }

  #hideWords() {
    for (const words of document.querySelectorAll(".sealed > .words")) words.remove();
    for (const quiet of document.querySelectorAll(".sealed > .quiet")) quiet.hidden = false;
    document.querySelector("[data-whom]")?.replaceChildren();
    this.#showWays(true);
  }

  // While the texts are shown, hide the advice on decrypting elsewhere, and move the panel out of the way of the words.
  #showWays(isShown) {
    const advice = document.querySelector("[data-how-to-open]");
    if (advice === null) return;
    advice.hidden = !isShown;
    if (isShown) advice.before(this.#panel.element);
    else document.querySelector("[data-key-place]")?.append(this.#panel.element);
  }
}

// Return the words of the concern, or the first words of a page without them. A label stands above the concern.
const firstWords = () =>
  document.querySelector("[data-sealed=concern] > .words") ?? document.querySelector(".words");

// On a page where the identity also opens what the person typed, a role that gets no cards is no error.
function acceptNoCards(error) {
  if (error.name !== "no-cards" || document.querySelector("[data-unseal-here]") === null) throw error;
}

const partOfCards = () => document.querySelector("details[data-open-cards]");

const sealedTexts = () => [...document.querySelectorAll(".sealed[data-sealed]")];

// Show one decrypted text, or the reason why it cannot be shown. Return the error, or null.
async function openOne(place, identities) {
  const { sealed: kind, reference, receivedAt, author } = place.dataset;
  const armored = place.querySelector("template.ciphertext").content.textContent;
  const words = element("div", { class: "words", tabindex: "-1" });
  let fault = null;
  try {
    const text = await openText(new TextEncoder().encode(armored), identities, { kind, reference, receivedAt, author });
    words.append(wordsOf(kind, text));
    if (kind === "concern") document.querySelector("[data-whom]")?.replaceChildren(whomIn(text.submission));
  } catch (error) {
    fault = error instanceof Fault ? error : new Fault("defect");
    words.append(element("p", { class: "problem" }, sentenceOf(fault)));
  }
  for (const former of place.querySelectorAll(":scope > .words")) former.remove();
  place.append(words);
  for (const quiet of place.querySelectorAll(":scope > .quiet")) quiet.hidden = true;
  return fault;
}

export function wordsOf(kind, text, layout = layoutOfPage()) {
  if (kind === "concern") return referralElement(referralOf(text.submission, layout));
  if (kind === "label") return typed("span", text.label.text || "None");
  return typed("p", kind === "note" ? text.note.text : text.addition.concern.narrative);
}

function layoutOfPage() {
  const block = document.getElementById("referral-layout");
  return block === null ? undefined : JSON.parse(block.textContent);
}
