// Encrypts text for the storage of this tab, with a key that is itself encrypted to the team's keys.
// Encrypting the key takes a moment, and is done when a page is shown. Encrypting text with the key is immediate, so
// that it can be done while the page is being left.
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { managedNonce } from "@noble/ciphers/utils.js";

import { fromBase64, seal, toBase64 } from "./seal_forms.js";
import { readSealed } from "./texts.js";

const KEY_BYTES = 32;
const cipher = managedNonce(xchacha20poly1305);

// Return a new key for the text of a person about a concern: the key itself, and the key encrypted to `recipients`.
export async function newKey({ reference, person }, recipients) {
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return { key, sealed: await seal({ reference, person, key_of_typed: toBase64(key) }, recipients) };
}

// Return the decrypted key. Throw if no identity decrypts it, or if it belongs to another person or concern.
export async function openKey(sealed, place, identities) {
  const { reference, person, key_of_typed: key } = await readSealed(fromBase64(sealed), identities);
  if (reference !== place.reference || person !== place.person) throw new Error("it belongs elsewhere");
  return fromBase64(key);
}

// Return the document encrypted with `key`, together with the encrypted key.
export function lock(document, { key, sealed }) {
  return { sealed, locked: toBase64(cipher(key).encrypt(new TextEncoder().encode(JSON.stringify(document)))) };
}

// Return the decrypted document. Throw if it is damaged.
export function unlock({ locked }, key) {
  return JSON.parse(new TextDecoder().decode(cipher(key).decrypt(fromBase64(locked))));
}
