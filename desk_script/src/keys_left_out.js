// Stands in for the arithmetic of keys that this service neither makes nor opens: post-quantum keys and hardware tags.
// The build gives it to age-encryption. Each use is refused.
const refuse = () => {
  throw new Error("this service uses no key of this kind");
};

export const MLKEM768X25519 = { getPublicKey: refuse, encapsulate: refuse, decapsulate: refuse };
export const MLKEM768P256 = { encapsulate: refuse };
export const p256 = { lengths: {}, Point: { fromBytes: refuse } };
