// Keeps the team's key in this tab until the session ends, for a person whose passkey cannot open a copy: locked with a secret
// that the service gives to this session only, and does not store. So neither storage nor service alone opens it.
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { managedNonce } from "@noble/ciphers/utils.js";

import { fromBase64, toBase64 } from "./seal_forms.js";
import { read, write } from "./tab_storage.js";

const KEPT = "desk/kept-key";
const SECRET = "/desk/key/tab";
const cipher = managedNonce(xchacha20poly1305);

document.addEventListener("submit", ({ target }) => target.matches("[action='/desk/sign-out']") && forgetKept());

export const hasKept = () => read(KEPT) !== null;

let forgotten = 0; // times

export function forgetKept() {
  forgotten += 1;
  write(KEPT, null);
}

// Keep the bytes of an unlocked file. Without an answer of the service, or if the key was locked meanwhile, keep nothing.
export async function keep(bytes) {
  const before = forgotten;
  const copy = bytes.slice(); // the caller clears its own
  const secret = await fetchSecret().catch(() => null);
  if (secret !== null && forgotten === before) write(KEPT, toBase64(cipher(secret).encrypt(copy)));
  copy.fill(0);
}

// Return the bytes, or null if there are none, or if they are of another session.
export async function openKept() {
  if (!hasKept()) return null;
  try {
    return cipher(await fetchSecret()).decrypt(fromBase64(read(KEPT)));
  } catch {
    forgetKept();
    return null;
  }
}

async function fetchSecret() {
  const response = await fetch(SECRET, { cache: "no-store", redirect: "error" });
  if (!response.ok) throw new Error(response.statusText);
  return fromBase64((await response.json()).secret);
}
