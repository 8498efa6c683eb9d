// Encrypts the text of a note, a label or a message in the browser, if the service cannot decrypt concerns.
// The request never contains the unencrypted text.
import { Encrypter } from "age-encryption";

import { element } from "./elements.js";
import { Fault, sentenceOf } from "./faults.js";

const FORMS = "form[data-seal]";
const PADDED_TO = 512;
const SPACE = 0x20;
const LONGEST = { note: 10_000, label: 40, question: 4_000, closing: 4_000 }; // characters, as the service counts them

export class SealForms {
  #post;
  #last = null;

  // `post` sends a form, replaces this page by the response, and returns true if the action was carried out.
  constructor(post) {
    this.#post = post;
    document.addEventListener("submit", (event) => this.#submitted(event), { capture: true });
    window.addEventListener("pagehide", () => {
      this.#last = null;
    });
  }

  // Enable the forms of the current page, so that they can be sent.
  take() {
    for (const form of document.querySelectorAll(FORMS)) {
      form.querySelector("button").disabled = false;
      form.elements.text.disabled = false;
      for (const advice of form.querySelectorAll("[data-not-sealed]")) advice.hidden = true;
    }
  }

  #submitted(event) {
    const form = event.target;
    if (!form.matches(FORMS)) return;
    event.preventDefault();
    this.#send(form).catch((error) => say(form, sentenceOf(error)));
  }

  async #send(form) {
    const press = form.querySelector("button");
    if (press.disabled) return;
    press.disabled = true;
    try {
      const kind = form.dataset.seal;
      const words = form.elements.text.value.trim();
      const fields = new FormData(form);
      fields.delete("text");
      const isLeftOut = words === "" && kind === "closing"; // an empty label is sealed: it removes the label
      if (!isLeftOut) fields.set("sealed", await this.#sealed(kind, form.dataset.reference, words, fields));
      if (await this.#post(form.action, new URLSearchParams(fields))) this.#last = null;
    } finally {
      press.disabled = false;
    }
  }

  // Return the encrypted text. A second press sends the same file: the service may have stored it already.
  async #sealed(kind, reference, words, fields) {
    if (words === "" && kind !== "label") throw new Fault("no-words");
    if ([...words].length > LONGEST[kind]) throw new Fault("too-long");
    const recipients = (fields.get("recipients") ?? fields.get("recipient")).split(" ");
    const wanted = JSON.stringify([kind, reference, words, fields.get("key"), recipients]);
    if (this.#last?.wanted !== wanted) {
      this.#last = { wanted, sealed: await seal(documentOf(kind, reference, words), recipients) };
    }
    return this.#last.sealed;
  }
}

function documentOf(kind, reference, words) {
  if (kind === "note" || kind === "label") return { reference, [kind]: { text: words } };
  return { reference, sent_at: new Date().toISOString().replace(/\.\d+Z$/, "Z"), message: words };
}

// Return `document`, encrypted to `recipients`, as an age file in base64.
export async function seal(document, recipients) {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  const sealed = await encrypter.encrypt("label" in document ? padded(document) : JSON.stringify(document));
  return toBase64(sealed);
}

// Return the JSON of `document`, with spaces to a multiple of `PADDED_TO` bytes: its length does not tell how long it is.
function padded(document) {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const whole = new Uint8Array(Math.ceil(bytes.length / PADDED_TO) * PADDED_TO).fill(SPACE);
  whole.set(bytes);
  return whole;
}

export const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

export const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

function say(form, words) {
  form.querySelector("[role=alert]")?.remove();
  form.prepend(element("p", { class: "problem", role: "alert" }, words));
}
