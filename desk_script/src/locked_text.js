// Locks text for the storage of this tab: by a key of its own, which is sealed to the team's keys. Sealing takes a moment,
// and is done when a page is shown. Locking by the key takes none, so that it can be done while a page is left.
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { managedNonce } from "@noble/ciphers/utils.js";

import { fromBase64, seal, toBase64 } from "./seal_forms.js";
import { readSealed } from "./texts.js";

const KEY_BYTES = 32;
const cipher = managedNonce(xchacha20poly1305);

// Return a new key for what that person types about that concern: itself, and sealed to the recipients.
export async function newKey({ reference, person }, recipients) {
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return { key, sealed: await seal({ reference, person, key_of_typed: toBase64(key) }, recipients) };
}

// Return the key that was sealed. Throw if no identity opens it, or if it is that of another person or concern.
export async function openKey(sealed, place, identities) {
  const { reference, person, key_of_typed: key } = await readSealed(fromBase64(sealed), identities);
  if (reference !== place.reference || person !== place.person) throw new Error("it belongs elsewhere");
  return fromBase64(key);
}

// Return the document locked, with the sealed key that opens it.
export function lock(document, { key, sealed }) {
  return { sealed, locked: toBase64(cipher(key).encrypt(new TextEncoder().encode(JSON.stringify(document)))) };
}

// Return the document. Throw if it is damaged.
export function unlock({ locked }, key) {
  return JSON.parse(new TextDecoder().decode(cipher(key).decrypt(fromBase64(locked))));
}
