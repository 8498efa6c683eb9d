// Hands a concern over to another organisation, if the service cannot decrypt the concern.
// The browser decrypts the concern with its additions, and encrypts them to the key of the other organisation. It sends
// only the digest of the file, the organisation and the reason. Only the other organisation can decrypt the file.
// The file is in the storage of this tab before the hand-over is sent, or as soon as a page of the service contains the
// file. Every page that shows the hand-over offers the file until it is saved.
import { Encrypter } from "age-encryption";

import { element, showFault } from "./elements.js";
import { Fault, sentenceOf } from "./faults.js";
import { toBase64 } from "./seal_forms.js";
import { openSealed } from "./texts.js";

const ON_DESK = "form[data-hand-over]";
const PREFIX = "hand-over/"; // followed by the digest of the file
const AS_FILE = "data:application/octet-stream;base64,";
const OFFERED = "The service does not store this file. This tab offers it here and on the page of the concern until you save it.";
const UNSAVED = "The file of a hand-over is not saved yet. ";
const SAVED = "You have saved this file. Save it again if it is not on your device.";

export class HandOver {
  #keyring;
  #send;
  #files = new Map(); // by digest, even if the browser has no storage

  // `send` posts a form, and shows the page of the response.
  constructor(keyring, send) {
    this.#keyring = keyring;
    this.#send = send;
    document.addEventListener("submit", (event) => this.#submitted(event), { capture: true });
    document.addEventListener("click", ({ target }) => this.#pressed(target.closest("a[data-hand-over-file]")));
    window.addEventListener("beforeunload", (event) => this.#mayLeave() || event.preventDefault());
    document.addEventListener("submit", ({ target }) => target.matches("[action='/desk/sign-out']") && this.#forgetSaved());
  }

  // Offer the file of each hand-over that the page shows, if this tab has the file.
  take() {
    for (const link of document.querySelectorAll("a[data-hand-over-file]")) {
      const sha256 = link.dataset.handOverFile;
      if (link.href.startsWith(AS_FILE)) this.#keep({ sha256, file: link.href.slice(AS_FILE.length) });
      const found = this.#find(sha256);
      if (found === null) continue;
      this.#keep({ ...found, isRecorded: true });
      link.href = AS_FILE + found.file;
      link.hidden = false;
      link.closest("[data-offered]").hidden = false;
      say(link, found.isSaved ? SAVED : OFFERED);
      if (!found.isSaved && document.getElementById("hand-overs") !== null) warn();
    }
  }

  #pressed(link) {
    if (link === null) return;
    this.#keep({ ...this.#find(link.dataset.handOverFile), isSaved: true });
    say(link, SAVED);
    document.querySelector("[data-unsaved]")?.remove();
  }

  #submitted(event) {
    const form = event.target;
    if (!form.matches(ON_DESK) || (form.dataset.handOver === "anywhere" && !this.#keyring.isOpen)) return;
    event.preventDefault();
    this.#handOver(form).catch((error) => showFault(form, sentenceOf(error)));
  }

  async #handOver(form) {
    const press = form.querySelector("button");
    press.disabled = true;
    try {
      const fields = new FormData(form);
      const { recipient } = form.elements.body.selectedOptions[0].dataset;
      const wanted = await digestOf(new TextEncoder().encode(JSON.stringify([...fields, recipient])));
      // A second press sends the same file: its digest may already be in the audit log.
      const made = this.#all().find((each) => each.wanted === wanted);
      const { sha256, additions } = made ?? (await this.#make(form.action, fields, recipient, wanted));
      fields.set("recipient", recipient);
      fields.set("package_sha256", sha256);
      fields.set("additions", additions);
      this.#send(form.action, new URLSearchParams(fields));
    } finally {
      press.disabled = false;
    }
  }

  async #make(action, fields, recipient, wanted) {
    if (!this.#keyring.isOpen) throw new Fault("closed");
    const { reference, opened } = await openSealed(action.replace(/hand-over$/, "sealed"), this.#keyring.identities);
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
    const made = { wanted, sha256: await digestOf(sealed), additions: additions.length, file: toBase64(sealed) };
    this.#keep(made);
    return made;
  }

  #keep(file) {
    const whole = { ...this.#find(file.sha256), ...file };
    this.#files.set(file.sha256, whole);
    try {
      sessionStorage.setItem(PREFIX + file.sha256, JSON.stringify(whole));
    } catch {
      // the file is only in the memory of this page, and the browser asks before leaving
    }
  }

  #find(sha256) {
    return this.#all().find((each) => each.sha256 === sha256) ?? null;
  }

  #all() {
    try {
      for (const [name, text] of Object.entries(sessionStorage)) {
        const sha256 = name.slice(PREFIX.length);
        if (name.startsWith(PREFIX) && !this.#files.has(sha256)) this.#files.set(sha256, JSON.parse(text));
      }
    } catch {
      // the browser has no storage
    }
    return [...this.#files.values()];
  }

  #mayLeave() {
    return this.#all().every(({ sha256, isSaved, isRecorded }) => isSaved || !isRecorded || isStored(sha256));
  }

  // Delete every file from this tab, except a recorded file that is not saved: it is the only copy.
  #forgetSaved() {
    for (const { sha256, isSaved, isRecorded } of this.#all()) {
      if (isRecorded && !isSaved) continue;
      this.#files.delete(sha256);
      sessionStorage.removeItem(PREFIX + sha256);
    }
  }
}

function isStored(sha256) {
  try {
    return sessionStorage.getItem(PREFIX + sha256) !== null;
  } catch {
    return false;
  }
}

export async function digestOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((each) => each.toString(16).padStart(2, "0")).join("");
}

const say = (link, words) => link.closest("[data-offered]").querySelector("[data-file-state]").replaceChildren(words);

// Say at the top of the page, which may be long, that the file is not saved yet.
function warn() {
  if (document.querySelector("[data-unsaved]") !== null) return;
  const line = element("p", { role: "status" }, UNSAVED, element("a", { href: "#hand-overs" }, "Go to the hand-over"));
  document.querySelector("main").prepend(element("div", { class: "box no-print", "data-unsaved": true }, line));
}
