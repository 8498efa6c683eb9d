// The signature of a receipt, checked by WebCrypto.

type Keys = Record<string, string>[];

/** Return whose each receipt is, and then null: the last one has the signature of another. */
export async function verifyAll(receipts: { receipt: string }[], keys: Keys): Promise<(string | null)[]> {
  const [first = "", second = ""] = receipts.map(({ receipt }) => receipt);
  const forged = first.slice(0, first.lastIndexOf(".")) + second.slice(second.lastIndexOf("."));
  return Promise.all([first, second, forged].map((each) => verified(each, keys)));
}

async function verified(receipt: string, keys: Keys): Promise<string | null> {
  const [head = "", body = "", signature = ""] = receipt.split(".");
  const x = keys.find(({ kid }) => kid === parsed(head)["kid"])?.["x"];
  if (x === undefined) return null;
  const key = await crypto.subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", x }, "Ed25519", false, ["verify"]);
  const signed = new TextEncoder().encode(`${head}.${body}`);
  const isRight = await crypto.subtle.verify("Ed25519", key, Buffer.from(signature, "base64url"), signed);
  return isRight ? (parsed(body)["jti"] ?? null) : null;
}

const parsed = (part: string): Record<string, string> => JSON.parse(Buffer.from(part, "base64url").toString());
