// Opens the person's copy of the team's identity with the secret that a passkey gives at a touch (WebAuthn PRF).
// The secret makes an age identity of the passkey. The service knows its recipient only, and stores a copy of the
// team's identity that is encrypted to it. Neither the secret nor an identity is ever sent.
import { bech32 } from "@scure/base";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { Decrypter, identityToRecipient } from "age-encryption";

import { Fault } from "./faults.js";
import { passkeyFault, readIdentities } from "./identities.js";
import { fromBase64 } from "./seal_forms.js";
import { read, write } from "./tab_storage.js";

const COPIES = "/desk/key/copies";
const INFO = "council guidance: identity of a passkey, 1";
const IDENTITY_BYTES = 32;
const NO_TOUCH = "desk/no-touch"; // in the storage of this tab: a touch gave no key
const WITHOUT_TOUCH = ["no-prf", "no-copy", "wrong-copy"];

export class Touch {
  #keyring;
  #openPage;

  // `openPage` replaces this page by the page at an address, and keeps what the keyring holds.
  constructor(keyring, openPage) {
    this.#keyring = keyring;
    this.#openPage = openPage;
    document.addEventListener("desk:touched", ({ detail }) => {
      detail.taken = this.#take(detail.secret);
    });
  }

  // Return the recipient for the secret of a sign-in, and what opens the copy and then the page at `address`. That
  // resolves to false if there is no copy, or if it does not open: the page then opens locked.
  async #take(secret) {
    const identity = identityOf(secret);
    const open = async (id, address) => {
      try {
        const { copies } = await fetchCopies();
        const copy = copies.find((each) => each.id === id);
        if (copy === undefined) return false;
        const file = await unlock(copy, identity);
        this.#keyring.hold(await readIdentities(file));
        file.fill(0);
      } catch {
        return false;
      }
      return this.#openPage(address);
    };
    return { recipient: await identityToRecipient(identity), open };
  }
}

// Return true if a touch may open a copy: the service has one for a passkey of the person, the browser knows PRF, and no touch
// of this tab was in vain.
export async function canTouch() {
  if (read(NO_TOUCH) !== null || !("touch" in document.body.dataset) || !globalThis.PublicKeyCredential) return false;
  const able = await PublicKeyCredential.getClientCapabilities?.().catch(() => null);
  return able?.["extension:prf"] !== false;
}

// Ask for a touch, and return the person's copy of the file of identities, opened. Throw a Fault if the service has no
// copy for a passkey of the person, or if the passkey is not used.
export async function openOwnCopy() {
  try {
    return await open();
  } catch (error) {
    if (WITHOUT_TOUCH.includes(error.name)) write(NO_TOUCH, "yes");
    throw error;
  }
}

async function open() {
  const { prf, copies } = await fetchCopies();
  if (copies.length === 0) throw new Fault("no-copy");
  const used = await sign(prf, copies);
  const secret = used.getClientExtensionResults().prf?.results?.first;
  if (!secret) throw new Fault("no-prf");
  const copy = copies.find((each) => each.id === used.id);
  if (copy === undefined) throw new Fault("no-copy");
  return unlock(copy, identityOf(secret));
}

async function sign(prf, copies) {
  const allowCredentials = copies.map(({ id }) => ({ type: "public-key", id: fromBase64Url(id) }));
  const challenge = crypto.getRandomValues(new Uint8Array(32)); // nobody checks it: only the secret is wanted
  const extensions = { prf: { eval: { first: fromBase64Url(prf) } } };
  try {
    return await navigator.credentials.get({
      publicKey: { challenge, allowCredentials, userVerification: "required", extensions },
    });
  } catch (error) {
    throw passkeyFault(error);
  }
}

async function fetchCopies() {
  try {
    const response = await fetch(COPIES, { cache: "no-store", redirect: "error" });
    if (!response.ok) throw new Error(response.statusText);
    return await response.json();
  } catch {
    throw new Fault("not-fetched-key");
  }
}

async function unlock({ sealed }, identity) {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(fromBase64(sealed));
  } catch {
    throw new Fault("wrong-copy");
  }
}

// Return the age identity of a passkey with that secret.
function identityOf(secret) {
  const bytes = hkdf(sha256, new Uint8Array(secret), undefined, new TextEncoder().encode(INFO), IDENTITY_BYTES);
  return bech32.encodeFromBytes("AGE-SECRET-KEY-", bytes).toUpperCase();
}

const fromBase64Url = (text) => fromBase64(text.replace(/-/g, "+").replace(/_/g, "/"));
