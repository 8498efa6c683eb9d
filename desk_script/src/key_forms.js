// Gives a passkey a copy of the team's key: encrypts the identities to the passkey's recipient, and sends the result.
// The identities come from the person's own copy, by a touch, or from a file. They are forgotten right afterwards.
import { Encrypter, identityToRecipient } from "age-encryption";

import { sendForms } from "./elements.js";
import { Fault } from "./faults.js";
import { linesOf, unlocked } from "./identities.js";
import { toBase64 } from "./seal_forms.js";
import { openOwnCopy } from "./touch.js";

const FORMS = "form[data-give-key]";

export class KeyForms {
  #post;

  // `post` sends a form, and replaces this page by the response.
  constructor(post) {
    this.#post = post;
    sendForms(FORMS, (form) => this.#give(form));
  }

  // Show the buttons of the current page, and the place where a file is chosen.
  take() {
    for (const source of document.querySelectorAll("[data-key-source]")) source.hidden = !document.querySelector(FORMS);
    for (const button of document.querySelectorAll(`${FORMS} button`)) button.hidden = false;
  }

  async #give(form) {
    const fields = new URLSearchParams(new FormData(form));
    const { sealed, keys } = await lock(await teamKey(), form.dataset.recipient);
    fields.set("sealed", toBase64(sealed));
    fields.set("keys", keys.join(" "));
    await this.#post(form.action, fields);
  }
}

// Return the identities in the file that was chosen, or in the person's own copy.
async function teamKey() {
  const [file] = document.getElementById("key-file").files;
  const bytes = file === undefined ? await openOwnCopy() : new Uint8Array(await file.arrayBuffer());
  const opened = await unlocked(bytes, document.getElementById("key-passphrase").value);
  const lines = linesOf(opened);
  opened.fill(0);
  bytes.fill(0);
  if (lines.length === 0) throw new Fault("no-identity");
  return lines;
}

// Return the identities, encrypted to the recipient of a passkey, and their own recipients.
async function lock(lines, recipient) {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  const sealed = await encrypter.encrypt(lines.join("\n"));
  try {
    return { sealed, keys: await Promise.all(lines.map((line) => identityToRecipient(line))) };
  } catch {
    throw new Fault("no-identity");
  }
}
