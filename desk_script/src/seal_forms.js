// Encrypts the text of a note, a label or a message in the browser, if the service cannot decrypt concerns.
// The request never contains the unencrypted text.
import { Encrypter } from "age-encryption";

import { enableForms, sendForms } from "./elements.js";
import { Fault } from "./faults.js";
import { LEAST_CARD, LEAST_TEXT, paddedLength } from "./padding.js";

const FORMS = "form[data-seal]";

export class SealForms {
  #post;
  #last = new LastSealed();

  // `post` sends a form, replaces this page by the response, and returns true if the action was carried out.
  constructor(post) {
    this.#post = post;
    sendForms(FORMS, (form) => this.#send(form));
    window.addEventListener("pagehide", () => this.#last.forget());
  }

  take() {
    enableForms(`${FORMS}:not(:has(> template))`);
  }

  async #send(form) {
    const kind = form.dataset.seal;
    const field = form.elements.text;
    const words = field.value.trim();
    const most = Number(field.getAttribute("maxlength") ?? Infinity); // of characters, as the service counts them
    if ([...words].length > most) throw new Fault("too-long");
    const fields = new FormData(form);
    fields.delete("text");
    const isLeftOut = words === "" && kind === "closing"; // an empty label is sealed: it removes the label
    if (!isLeftOut) fields.set("sealed", await this.#sealed(kind, form.dataset.reference, words, fields));
    if (await this.#post(form.action, new URLSearchParams(fields))) this.#last.forget();
  }

  // Return the encrypted text.
  async #sealed(kind, reference, words, fields) {
    if (words === "" && kind !== "label") throw new Fault("no-words");
    const recipients = (fields.get("recipients") ?? fields.get("recipient")).split(" ");
    const wanted = [kind, reference, words, fields.get("key"), recipients];
    const least = kind === "label" ? LEAST_CARD : LEAST_TEXT;
    return this.#last.of(wanted, () => seal(documentOf(kind, reference, words), recipients, least));
  }
}

// Holds the text that was encrypted last. A second press sends the same file: the service may have stored it already.
export class LastSealed {
  #last = null;

  // Return the file for `wanted`: the last one if that was the same, otherwise the one that `make` returns.
  async of(wanted, make) {
    const name = JSON.stringify(wanted);
    if (this.#last?.name !== name) this.#last = { name, sealed: await make() };
    return this.#last.sealed;
  }

  forget() {
    this.#last = null;
  }
}

function documentOf(kind, reference, words) {
  if (kind === "note" || kind === "label") return { reference, [kind]: { text: words } };
  return { reference, sent_at: new Date().toISOString().replace(/\.\d+Z$/, "Z"), message: words };
}

// Return `document`, encrypted to `recipients`, as an age file in base64. Its JSON is first padded with spaces, to
// `least` bytes or more, so that the length of the file says little.
export async function seal(document, recipients, least = LEAST_TEXT) {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  const json = new TextEncoder().encode(JSON.stringify(document));
  const padded = new Uint8Array(paddedLength(json.length, least)).fill(" ".charCodeAt(0));
  padded.set(json);
  return toBase64(await encrypter.encrypt(padded));
}

export const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

export const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
