// Decrypts and shows every encrypted text on a page of the desk, while the keyring holds an identity.
import { element, referralElement, typed } from "./elements.js";
import { Fault, sentenceOf } from "./faults.js";
import { Panel } from "./panel.js";
import { referralOf } from "./referral.js";
import { openText } from "./texts.js";

export class DeskPage {
  #keyring;
  #panel = null;
  #onOpened;

  // `onOpened` is called after the texts of the page have been decrypted.
  constructor(keyring, onOpened) {
    this.#keyring = keyring;
    this.#onOpened = onOpened;
    keyring.onForget(() => this.#hideWords());
  }

  // Set up the current page: the first page, and each page that replaced it. A page without encrypted texts can also
  // have a place for the panel, where a person needs the identity for text that they typed.
  async take() {
    const texts = sealedTexts();
    const before = document.querySelector("[data-how-to-open], [data-unseal-here]") ?? texts[0];
    if (before === undefined) return;
    this.#panel ??= new Panel(this.#keyring, (identities) => this.#open(identities), this.#onOpened);
    before.before(this.#panel.element);
    this.#panel.name(before.dataset.unsealHere);
    if (this.#keyring.isOpen) {
      await this.#open(this.#keyring.identities).catch(() => {}); // each text shows its own error
      this.#onOpened();
    }
    this.#panel.show();
  }

  // Show every text. If none of the texts can be decrypted, throw the error of the first one.
  async #open(identities) {
    const faults = await Promise.all(sealedTexts().map((each) => openOne(each, identities)));
    if (faults.length > 0 && faults.every((fault) => fault !== null)) throw faults[0];
    showOtherWays(false);
    // A message about a completed action keeps the focus.
    if (document.activeElement?.id !== "done") document.querySelector(".words")?.focus();
  }

  #hideWords() {
    for (const words of document.querySelectorAll(".sealed > .words")) words.remove();
    for (const quiet of document.querySelectorAll(".sealed > .quiet")) quiet.hidden = false;
    showOtherWays(true);
  }
}

// Hide the advice on decrypting elsewhere while the texts are shown: it would only push them down.
function showOtherWays(isShown) {
  for (const advice of document.querySelectorAll("[data-how-to-open]")) advice.hidden = !isShown;
}

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
  return typed("p", kind === "note" ? text.note.text : text.addition.concern.narrative);
}

function layoutOfPage() {
  const block = document.getElementById("referral-layout");
  return block === null ? undefined : JSON.parse(block.textContent);
}
