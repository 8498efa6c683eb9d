// Stands in for the arithmetic of keys that this service neither makes nor opens: post-quantum keys and hardware tags.
// The build gives it to age-encryption. Each use is refused.
import { Fault } from "./faults.js";

const refuse = () => {
  throw new Fault("kind-of-key");
};

export const MLKEM768X25519 = { getPublicKey: refuse, encapsulate: refuse, decapsulate: refuse };
export const MLKEM768P256 = { encapsulate: refuse };
export const p256 = { lengths: {}, Point: { fromBytes: refuse } };
