// Decrypts and shows every encrypted text on a page of the desk, while the keyring holds an identity.
// Before the first text stands a button that opens the key. On the page of the person's key stands the panel of the key file.
import { element, referralElement, typed } from "./elements.js";
import { Fault, sentenceOf } from "./faults.js";
import { keep } from "./kept_key.js";
import { Panel } from "./panel.js";
import { referralOf } from "./referral.js";
import { openText } from "./texts.js";
import { canTouch } from "./touch.js";
import { whomIn, whomOf } from "./whom.js";

const KEY_PAGE = "/desk/key";

export class DeskPage {
  #keyring;
  #openCards;
  #onOpened;
  #openPage;
  #asked = null; // the locked key file to open, and the page from which it was chosen

  // `openCards` decrypts cards with new identities, and throws a Fault if they decrypt none. `onOpened` is called after
  // the texts of the page, or the first cards, have been decrypted. `openPage` replaces this page by that at an address.
  constructor(keyring, { openCards, onOpened, openPage }) {
    this.#keyring = keyring;
    this.#openCards = openCards;
    this.#onOpened = onOpened;
    this.#openPage = openPage;
    keyring.onForget(() => this.#hideWords());
  }

  // Say in the heading whom the concern is about, if the service opened its text.
  #nameChildren() {
    const place = document.querySelector("[data-whom][data-children]");
    if (place !== null) place.textContent = whomOf({ cards: [{ card: { children: JSON.parse(place.dataset.children) } }] });
  }

  // Set up the current page: the first page, and each page that replaced it.
  async take() {
    this.#nameChildren();
    const texts = sealedTexts();
    this.#takePanel();
    const before = document.querySelector("[data-how-to-open]") ?? texts[0];
    before?.before(element("p", { class: "unlock no-print" }, element("button", { type: "button", "data-unlock": true })));
    if (!this.#keyring.isOpen) return;
    await this.#show(this.#keyring.identities).catch(() => {}); // each text shows its own error
    this.#onOpened();
  }

  // Open the page with new identities, and hold them. Throw a Fault if they open nothing. The tab keeps the bytes of the file that
  // a person chose, if there is one and no touch can open the key.
  async open(identities, file = null) {
    await this.#show(identities);
    this.#keyring.hold(identities);
    this.#onOpened();
    if (file !== null && !(await canTouch())) await keep(file);
  }

  // Lead to the page of the person's key, which opens a file that is locked itself; then back.
  async openLocked(bytes) {
    this.#asked = { bytes, page: location.pathname + location.search };
    await this.#openPage(KEY_PAGE);
  }

  #takePanel() {
    const asked = this.#asked;
    this.#asked = null;
    const panel = new Panel(this.#keyring, async (identities, bytes) => {
      await this.open(identities, bytes);
      if (asked !== null && asked.page !== KEY_PAGE) await this.#openPage(asked.page);
    });
    document.querySelector("[data-key-file]")?.append(panel.element);
    if (asked !== null) panel.take(asked.bytes);
  }

  // Show every text. If none of the texts can be decrypted, throw the error of the first one.
  async #show(identities) {
    if (sealedTexts().length === 0) return this.#openCards(identities).catch(acceptNoCards);
    const faults = await Promise.all(sealedTexts().map((each) => openOne(each, identities)));
    if (faults.length > 0 && faults.every((fault) => fault !== null)) throw faults[0];
    showOtherWays(false);
    // A message about a completed action keeps the focus.
    if (document.activeElement?.id !== "done") firstWords()?.focus({ preventScroll: true }); // the words begin on the first screen
  }

  #hideWords() {
    for (const words of document.querySelectorAll(".sealed > .words")) words.remove();
    for (const quiet of document.querySelectorAll(".sealed > .quiet")) quiet.hidden = false;
    document.querySelector("[data-whom]")?.replaceChildren();
    showOtherWays(true);
  }
}

// Return the words of the concern, or the first words of a page without them. A label stands above the concern.
const firstWords = () =>
  document.querySelector("[data-sealed=concern] > .words") ?? document.querySelector(".words");

// Hide the ways to open the texts while they are shown: they would only push them down.
function showOtherWays(isShown) {
  for (const way of document.querySelectorAll("[data-how-to-open], .unlock")) way.hidden = !isShown;
}

// A role that gets no cards can open each concern. The search box says why it finds nothing.
function acceptNoCards(error) {
  if (error.name !== "no-cards") throw error;
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
