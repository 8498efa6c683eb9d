// Decrypts a text, and compares what the text says about itself with the place where it was found.
import { Decrypter } from "age-encryption";

import { Fault } from "./faults.js";
import { ageFile } from "./identities.js";

// For each kind of text, the field of the decrypted document that has the text.
const MEMBERS = { concern: "submission", addition: "addition", note: "note", label: "label" };
const KINDS = Object.fromEntries(Object.entries(MEMBERS).map(([kind, member]) => [member, kind]));

// By the list of identities, so that a decrypter is gone with the identities when the keyring forgets them.
const decrypters = new WeakMap();

// Return the kind of a document. Throw a Fault if the document has no text or no reference.
export function kindOf(document) {
  const member = Object.values(MEMBERS).find((each) => document?.[each] instanceof Object);
  if (member === undefined || typeof document.reference !== "string") throw new Fault("misplaced");
  return KINDS[member];
}

// Return the decrypted document. Throw a Fault if no identity decrypts it, if it is damaged, or if it belongs elsewhere.
// Only the given parts of `place` are compared: kind, reference, receivedAt, author. A text that was encrypted where it
// was typed names neither its time nor its author.
export async function openText(bytes, identities, place = {}) {
  const document = await readSealed(bytes, identities);
  const kind = kindOf(document);
  const isHere =
    (place.kind === undefined || place.kind === kind) &&
    (place.reference === undefined || place.reference === document.reference) &&
    isSaid(document, "received_at", place.receivedAt) &&
    isSaid(document, "author", place.author);
  if (!isHere) throw new Fault("misplaced");
  return document;
}

// Return the concern with all its additions, sealed and opened. The service records this in the audit log.
export async function openSealed(address, identities) {
  let given;
  try {
    given = await (await fetch(address, { cache: "no-store", redirect: "error" })).json();
  } catch {
    throw new Fault("not-fetched");
  }
  const { reference } = given;
  const opened = given.texts.map(({ kind, received_at: receivedAt, sealed }) => openText(new TextEncoder().encode(sealed), identities, { kind, reference, receivedAt }));
  return { ...given, opened: await Promise.all(opened) };
}

const isSaid = (document, name, known) => known === undefined || document[name] === undefined || document[name] === known;

// Return the decrypted JSON, whatever it describes. Throw a Fault if it cannot be decrypted, or is not JSON.
export async function readSealed(bytes, identities) {
  return parse(await decrypt(bytes, identities));
}

async function decrypt(bytes, identities) {
  const file = ageFile(bytes);
  if (file === null) throw new Fault("damaged");
  try {
    return await decrypterOf(identities).decrypt(file);
  } catch (error) {
    throw new Fault(/no identity matched/.test(error.message) ? "other-keys" : "damaged");
  }
}

// Return a decrypter with the identities. It is made once for each list of them, since that takes longer than a card.
export function decrypterOf(identities) {
  if (!decrypters.has(identities)) {
    const decrypter = new Decrypter();
    for (const identity of identities) decrypter.addIdentity(identity);
    decrypters.set(identities, decrypter);
  }
  return decrypters.get(identities);
}

function parse(bytes) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Fault("misplaced"); // anyone can encrypt anything to a public key
  }
}
