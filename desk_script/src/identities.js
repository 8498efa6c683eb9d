// Reads a file of age identities (private keys): unencrypted, or locked with a passphrase or a passkey.
// If the browser can use X25519 in Web Crypto, an identity becomes a key that cannot be exported from the browser.
import { bech32 } from "@scure/base";
import { Decrypter, Encrypter, armor, identityToRecipient, webauthn } from "age-encryption";

import { Fault } from "./faults.js";

export const Lock = { NONE: "none", PASSPHRASE: "passphrase", PASSKEY: "passkey" };

const AGE_FILE = "age-encryption.org/v1\n";
const ARMORED = "-----BEGIN AGE ENCRYPTED FILE-----";
const PASSKEY_STANZA = "\n-> age-encryption.org/fido2prf ";
const MOST_WORK = 20; // as an exponent of two: a gigabyte of memory
const LARGEST = 100_000; // bytes
// The bytes of PKCS #8 before the 32 bytes of an X25519 key.
const PKCS8 = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20];

// Return the bytes of an age file without armor, or null if the bytes are not an age file.
export function ageFile(bytes) {
  const head = new TextDecoder().decode(bytes.subarray(0, 200));
  if (head.startsWith(AGE_FILE)) return bytes;
  if (!head.trimStart().startsWith(ARMORED)) return null;
  try {
    return armor.decode(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

// Return how the file is locked. Throw a Fault if it cannot have an identity, or needs too much memory to unlock.
export function lockOf(bytes) {
  if (bytes.length > LARGEST) throw new Fault("no-identity");
  const locked = ageFile(bytes);
  if (locked === null) {
    if (linesOf(bytes).length === 0) throw new Fault("no-identity");
    return Lock.NONE;
  }
  const header = new TextDecoder().decode(locked.subarray(0, 2_000));
  const [, work] = /\n-> scrypt \S+ (\d+)\n/.exec(header) ?? [];
  if (Number(work) > MOST_WORK) throw new Fault("too-strong");
  if (work !== undefined) return Lock.PASSPHRASE;
  if (header.includes(PASSKEY_STANZA)) return Lock.PASSKEY;
  throw new Fault("no-identity"); // encrypted to another key, as a concern is
}

// Return every identity of the file, for `Decrypter`. Throw a Fault if there is none, or if the file stays locked.
export async function readIdentities(bytes, passphrase) {
  const lines = linesOf(await unlocked(bytes, passphrase));
  if (lines.length === 0) throw new Fault("no-identity");
  try {
    return await Promise.all(lines.map(keyOf));
  } catch {
    throw new Fault("no-identity");
  }
}

// Return the file, locked with a passphrase. The command `age -d` can unlock it too.
export async function lockByPassphrase(bytes, passphrase) {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  return encrypter.encrypt(bytes);
}

// Return the file, locked with a passkey: a new passkey if `isNew`, otherwise the one with which the person signs in.
export async function lockByPasskey(bytes, isNew) {
  try {
    const identity = isNew ? await webauthn.createCredential({ keyName: "Identity of the desk" }) : undefined;
    const encrypter = new Encrypter();
    encrypter.addRecipient(new webauthn.WebAuthnRecipient({ identity }));
    return await encrypter.encrypt(bytes);
  } catch (error) {
    throw passkeyFault(error);
  }
}

// Return the file, unlocked: `passphrase` counts only for a file that is locked with one.
export async function unlocked(bytes, passphrase) {
  const lock = lockOf(bytes);
  if (lock === Lock.NONE) return bytes;
  const decrypter = new Decrypter();
  if (lock === Lock.PASSPHRASE) decrypter.addPassphrase(passphrase);
  else decrypter.addIdentity(new webauthn.WebAuthnIdentity());
  try {
    return await decrypter.decrypt(ageFile(bytes));
  } catch (error) {
    throw lock === Lock.PASSPHRASE ? new Fault("passphrase") : passkeyFault(error);
  }
}

export function passkeyFault(error) {
  const isMissing = !globalThis.PublicKeyCredential || /PRF/.test(error.message);
  return new Fault(isMissing ? "no-passkeys" : "passkey");
}

// Return each identity in an unlocked file, as text.
export function linesOf(bytes) {
  const lines = new TextDecoder().decode(bytes).split("\n");
  return lines.map((line) => line.trim()).filter((line) => line.startsWith("AGE-SECRET-KEY-1"));
}

async function keyOf(identity) {
  const { bytes } = bech32.decodeToBytes(identity);
  const pkcs8 = Uint8Array.from([...PKCS8, ...bytes]);
  try {
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "X25519" }, false, ["deriveBits"]);
    await identityToRecipient(key); // some browsers can import such a key but not use it
    return key;
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotSupportedError") return identity;
    throw error;
  } finally {
    pkcs8.fill(0);
    bytes.fill(0);
  }
}
