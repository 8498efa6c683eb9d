// Keeps the text that a person has typed into the forms about a concern and not sent.
// Half a second after the last key, and whenever the page is hidden or left, the text is saved in the storage of this
// tab. It is encrypted with a key that is itself encrypted to the team's keys. Its name in the storage is a digest,
// which does not reveal the concern.
// The text is put back when the same person sees the concern again in this tab, if it can be decrypted: here with the
// team's identity, or by the service if the service decrypts concerns.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

import { element, typed as asTyped } from "./elements.js";
import { lock, newKey, openKey, unlock } from "./locked_text.js";
import { fromBase64 } from "./seal_forms.js";
import { actionOf, formsOf, putBack, readForms } from "./typed_forms.js";

const PAUSE = 500; // milliseconds
const PREFIX = "typed/";
const KEEPS = "What you type about a concern is locked with the team’s key and kept in this tab until you send it or sign out.";
const LOCKED = "Text that you typed in this tab and did not send is locked. It is back when you open the concern.";
const LOCKED_HERE = "Text that you typed in this tab and did not send is locked. It is back when you choose the file of the identity.";
const SIGNED_OUT = "What you typed is kept in this tab, locked. It is back when you have signed in and opened the concern.";
const BACK = "The text that you typed in this tab and did not send is back.";
const WITHOUT_FORM = "You typed this for a form that is not here any more:";
const REFUSED = "This browser cannot keep what you type. Send it before you leave this page.";

export class Typed {
  #keyring;
  #page = null; // the current page: the person, the concern, and the encrypted texts
  #keys = new Map(); // the keys that were made in this page, by the name in the storage
  #pieces = new Map(); // the encrypted texts by the same name, even if the browser has no storage
  #timer = null;
  #isOver = false;
  #puttingBack = Promise.resolve();

  constructor(keyring) {
    this.#keyring = keyring;
    document.documentElement.dataset.keepsTyped = ""; // tells desk.js not to ask before leaving
    for (const kind of ["input", "change"]) document.addEventListener(kind, () => this.#saveSoon());
    document.addEventListener("visibilitychange", () => document.hidden && this.save());
    window.addEventListener("pagehide", () => this.save());
    window.addEventListener("beforeunload", (event) => this.save() || event.preventDefault());
    document.addEventListener("desk:blank", () => {
      this.save();
      this.#isOver = true;
    });
    document.addEventListener("submit", ({ target }) => target.matches("[action='/desk/sign-out']") && this.#forget());
    keyring.onForget(() => this.#keys.forEach((_, name) => name !== this.#page?.name && this.#keys.delete(name)));
  }

  // Set up the current page: the first page, and each page that replaced it.
  async take() {
    const page = pageOfForms();
    this.#page = page;
    document.querySelector("[data-escape]")?.replaceChildren(KEEPS);
    if (page === null) return this.#sayAfterSession();
    page.locked = this.#pieces.get(page.name) ?? inStorage((storage) => JSON.parse(storage.getItem(page.name))) ?? [];
    if (!this.#keys.has(page.name)) this.#keys.set(page.name, await newKey(page, page.team));
    this.save();
    await this.putBack();
  }

  // Save the typed text in the storage, except that of the form with the path `sent`. Return true if everything is saved.
  save({ sent = null } = {}) {
    const page = this.#page;
    if (page === null || this.#isOver) return true;
    clearTimeout(this.#timer);
    const forms = [...readForms(), ...page.withoutForm].filter(({ action }) => action !== sent);
    const words = JSON.stringify(forms);
    if (words === page.saved) return true;
    const key = this.#keys.get(page.name);
    if (forms.length > 0 && key === undefined) return false;
    const pieces = forms.length > 0 ? [...page.locked, lock(forms, key)] : page.locked;
    this.#pieces.set(page.name, pieces);
    const isSaved = store(page.name, pieces);
    if (isSaved) page.saved = words;
    else this.#refuse();
    return isSaved;
  }

  // Put back the text that can be decrypted now. Calls run one after another.
  putBack() {
    const putBack = () => this.#putBack(this.#page);
    this.#puttingBack = this.#puttingBack.then(putBack, putBack);
    return this.#puttingBack;
  }

  async #putBack(page) {
    if (page === null || page.locked.length === 0) return;
    const opened = await Promise.all(page.locked.map((each) => this.#open(page, each).catch(() => null)));
    if (page !== this.#page) return;
    page.locked = page.locked.filter((_, place) => opened[place] === null);
    const newestFirst = opened.flatMap((forms) => forms ?? []).reverse();
    page.withoutForm.push(...newestFirst.filter((form) => !putBack(form)));
    page.saved = null;
    this.save();
    this.#tell(opened.some((forms) => forms !== null));
  }

  async #open(page, piece) {
    const own = this.#keys.get(page.name);
    if (own?.sealed === piece.sealed) return unlock(piece, own.key);
    if (page.isOpenedByService) return unlock(piece, await askForKey(page, piece));
    return unlock(piece, await openKey(piece.sealed, page, this.#keyring.identities));
  }

  #saveSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), PAUSE);
  }

  // Say which unsent text this tab has, and offer to delete the text.
  #tell(isBack = false) {
    document.querySelector("[data-unsent]")?.remove();
    const { locked, withoutForm } = this.#page;
    const shown = document.getElementById("acts") === null ? [] : withoutForm;
    const said = [...(isBack ? [BACK] : []), ...(locked.length > 0 ? [isOfConcern(this.#page) ? LOCKED : LOCKED_HERE] : []), ...(shown.length > 0 ? [WITHOUT_FORM] : [])];
    if (said.length === 0) return;
    const press = element("button", { type: "button", class: "second" }, "Delete my unsent text");
    press.addEventListener("click", () => this.#delete());
    const words = shown.flatMap(({ fields }) => fields.map(([, value]) => asTyped("p", value)));
    show(element("div", { "data-unsent": true }, element("p", { role: "status" }, said.join(" ")), ...words, press));
  }

  #delete() {
    for (const form of formsOf()) form.reset();
    Object.assign(this.#page, { locked: [], withoutForm: [], saved: null });
    this.save();
    this.#tell();
  }

  #sayAfterSession() {
    const isKept = inStorage((storage) => Object.keys(storage).some((name) => name.startsWith(PREFIX)));
    if (!("person" in document.body.dataset) && isKept) show(element("p", { role: "status" }, SIGNED_OUT));
  }

  #refuse() {
    if (document.querySelector("[data-not-kept]") !== null) return;
    document.querySelector("main").prepend(element("p", { class: "problem", role: "alert", "data-not-kept": true }, REFUSED));
  }

  // Delete all text at sign-out: the next person at this computer may be someone else.
  #forget() {
    this.#isOver = true;
    inStorage((storage) => {
      for (const name of Object.keys(storage)) if (name.startsWith(PREFIX)) storage.removeItem(name);
    });
  }
}

// Return the person and the concern of the page, with the name in the storage. Return null without a form about a concern.
function pageOfForms() {
  const [form] = formsOf();
  const { person } = document.body.dataset;
  if (form === undefined || person === undefined) return null;
  const { reference, team } = form.dataset;
  const name = PREFIX + bytesToHex(sha256(utf8ToBytes(`${reference} ${person}`)));
  const isOpenedByService = "opens" in form.dataset;
  const path = actionOf(form).split(reference)[0] + reference;
  return { name, reference, person, path, team: team.split(" "), isOpenedByService, locked: [], withoutForm: [], saved: "[]" };
}

async function askForKey({ path }, { sealed }) {
  const answer = await fetch(`${path}/typed`, { method: "POST", body: new URLSearchParams({ sealed }), cache: "no-store" });
  return fromBase64((await answer.json()).key);
}

// Return false for the pages on which something new is written down or gathered: there is no concern to open.
const isOfConcern = ({ reference }) => !/^(new$|person-file)/.test(reference);

function store(name, pieces) {
  const isDone = inStorage((storage) => {
    if (pieces.length > 0) storage.setItem(name, JSON.stringify(pieces));
    else storage.removeItem(name);
    return true;
  });
  return isDone === true;
}

// Return the result of `use` with the storage of this tab, or null if the storage is full or missing.
function inStorage(use) {
  try {
    return use(sessionStorage);
  } catch {
    return null;
  }
}

function show(box) {
  box.classList.add("box", "no-print");
  document.querySelector("main").prepend(box);
}
