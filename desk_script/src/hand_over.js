// Hands a concern over where the service cannot open it: opens all of it here, seals it to the key of the other body, and
// sends the digest alone with who and why. The file is in the memory of this page until the identity is forgotten.
import { Encrypter } from "age-encryption";

import { element } from "./elements.js";
import { Fault, sentenceOf } from "./faults.js";
import { openText } from "./texts.js";

const ON_DESK = "form[data-hand-over]";

export class HandOver {
  #keyring;
  #send;
  #made = null;

  // `send` posts a form and shows the page that answers it.
  constructor(keyring, send) {
    this.#keyring = keyring;
    this.#send = send;
    document.addEventListener("submit", (event) => this.#submitted(event), { capture: true });
    keyring.onForget(() => this.#drop());
  }

  // Put the file into the page that follows its hand-over.
  take() {
    const link = document.querySelector("a[data-hand-over-file]");
    if (link === null || this.#made === null) return;
    link.setAttribute("href", this.#made.address);
    link.hidden = false;
  }

  #submitted(event) {
    const form = event.target;
    if (!form.matches(ON_DESK) || (form.dataset.handOver === "anywhere" && !this.#keyring.isOpen)) return;
    event.preventDefault();
    this.#handOver(form).catch((error) => say(form, sentenceOf(error)));
  }

  async #handOver(form) {
    const press = form.querySelector("button");
    press.disabled = true;
    try {
      if (!this.#keyring.isOpen) throw new Fault("closed");
      const fields = new FormData(form);
      const { recipient } = form.elements.body.selectedOptions[0].dataset;
      const wanted = JSON.stringify([fields.get("key"), recipient, fields.get("body"), fields.get("reason")]);
      // What is pressed again is the same file: it may be on the record already.
      if (this.#made?.wanted !== wanted) await this.#make(form.action, fields, recipient, wanted);
      const { sha256, additions } = this.#made;
      fields.set("recipient", recipient);
      fields.set("package_sha256", sha256);
      fields.set("additions", additions);
      this.#send(form.action, new URLSearchParams(fields));
    } finally {
      press.disabled = false;
    }
  }

  async #make(action, fields, recipient, wanted) {
    const { reference, texts } = await fetchSealed(action.replace(/hand-over$/, "sealed"));
    const opened = await Promise.all(texts.map((each) => open(each, reference, this.#keyring.identities)));
    const [concern, ...additions] = opened;
    const document = {
      kind: "guidance-hand-over",
      handed_over_at: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      body: fields.get("body"),
      reason: fields.get("reason").trim(),
      concern,
      additions,
    };
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const sealed = await encrypter.encrypt(JSON.stringify(document, null, 2));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", sealed));
    this.#drop();
    this.#made = {
      wanted,
      sha256: [...digest].map((each) => each.toString(16).padStart(2, "0")).join(""),
      additions: additions.length,
      address: URL.createObjectURL(new Blob([sealed], { type: "application/octet-stream" })),
    };
  }

  #drop() {
    if (this.#made !== null) URL.revokeObjectURL(this.#made.address);
    this.#made = null;
  }
}

// Return the concern with all its additions, sealed. The service records it.
async function fetchSealed(address) {
  try {
    return await (await fetch(address)).json();
  } catch {
    throw new Fault("not-fetched");
  }
}

const open = ({ kind, received_at: receivedAt, sealed }, reference, identities) =>
  openText(new TextEncoder().encode(sealed), identities, { kind, reference, receivedAt });

function say(form, words) {
  form.querySelector("[role=alert]")?.remove();
  form.prepend(element("p", { class: "problem", role: "alert" }, words));
}
