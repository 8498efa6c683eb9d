// A client of the service for browsers and Node.js. It stores nothing. guidance.d.ts has its types.

const ATTEMPTS = 4;
const LONGEST_WAIT_SECONDS = 10;
const WORTH_REPEATING = new Set([408, 429, 502, 503, 504]);
const RECEIPT_TYPE = "concern-receipt+jws";
const COMPARED = ["received_at", "guide", "edition"];

/** The service refused the request. `problem.errors` names each fault with a JSON Pointer. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.name = "Refused";
    this.problem = problem;
  }

  /** Whether an earlier version arrived under the same key. What is sent now needs a new key. */
  get isKeyReused() {
    return String(this.problem.type).endsWith("/key-reused");
  }
}

/** A receipt or an edition is not what the service signed or published. */
export class NotGenuine extends Error {
  constructor(message) {
    super(message);
    this.name = "NotGenuine";
  }
}

export class Guidance {
  #service;

  /** `service` is the address of the service: https, or http on this computer. */
  constructor(service) {
    const address = new URL(service);
    const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(address.hostname);
    if (address.protocol !== "https:" && !(address.protocol === "http:" && isHere)) {
      throw new TypeError("The address of the service must begin with https://");
    }
    this.#service = address.origin;
  }

  /** Read the current edition of a guide. Show its cautions wherever you show its indicators. */
  guide(guide) {
    return this.#request(`/v1/guides/${encodeURIComponent(guide)}`);
  }

  /** Read the questions of the form, as JSON Schema with labels, and whom to call. */
  form() {
    return this.#request("/v1/concerns/form");
  }

  /**
   * Raise a concern. One `key` belongs to one concern: keep it until there is a receipt, so that sending again, after a
   * lost connection or a second press, makes no second concern.
   */
  raise(concern, key) {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
    return this.#request("/v1/concerns", { method: "POST", headers, body: JSON.stringify(concern) });
  }

  /** Read the status of a concern, with the reference and the status token of its receipt. */
  follow(reference, token) {
    return this.#request(`/v1/concerns/${encodeURIComponent(reference)}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
  }

  /** Read the public keys that sign receipts. */
  keys() {
    return this.#request("/.well-known/jwks.json");
  }

  async #request(path, options = {}) {
    for (let attempt = 1; ; attempt += 1) {
      const fixed = { credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store" };
      const response = await fetch(this.#service + path, { ...fixed, ...options }).catch(() => null);
      if (response?.ok) return response.json();
      const mayHelp = response === null || WORTH_REPEATING.has(response.status);
      if (!mayHelp || attempt === ATTEMPTS) throw await failureOf(response);
      const seconds = Number(response?.headers.get("Retry-After") ?? attempt);
      const wait = Number.isFinite(seconds) ? Math.min(LONGEST_WAIT_SECONDS, seconds) : 1;
      await new Promise((resolve) => setTimeout(resolve, 1000 * wait));
    }
  }
}

async function failureOf(response) {
  const problem = await response?.json().catch(() => null);
  return problem?.type ? new Refused(problem) : new Error("The service did not answer.");
}

/**
 * Check the signature of a receipt, and that the fields beside it are the signed ones. `submission` is the concern as it
 * was sent: then the receipt must be for exactly that. Return the claims, or throw `NotGenuine`.
 */
export async function checkReceipt(receipt, keys, submission) {
  const claims = await claimsOf(receipt.receipt, keys);
  if (claims.jti !== receipt.reference || COMPARED.some((name) => claims[name] !== receipt[name])) {
    throw new NotGenuine("The receipt says other things than its signed part.");
  }
  if (submission !== undefined && claims.submission_sha256 !== (await sha256(canonical(submission)))) {
    throw new NotGenuine("The receipt is for other words.");
  }
  return claims;
}

/** Check that the words of a whole edition are those of its digest, or throw `NotGenuine`. */
export async function checkDigest(edition) {
  const names = edition.digest_of ?? [];
  const content = Object.fromEntries(names.map((name) => [name, edition[name]]));
  if (!names.length || edition.digest !== `sha256:${await sha256(canonical(withoutEmpty(content)))}`) {
    throw new NotGenuine("The words do not have the digest of the edition.");
  }
}

async function claimsOf(token, keys) {
  try {
    const [head, body, signature] = token.split(".");
    const header = JSON.parse(new TextDecoder().decode(decode(head)));
    const found = keys.keys.find((each) => each.kid === header.kid && each.crv === "Ed25519");
    const key = await crypto.subtle.importKey("jwk", { kty: "OKP", crv: "Ed25519", x: found.x }, "Ed25519", false, ["verify"]);
    const signed = new TextEncoder().encode(`${head}.${body}`);
    const isRight = await crypto.subtle.verify("Ed25519", key, decode(signature), signed);
    if (isRight && header.alg === "EdDSA" && header.typ === RECEIPT_TYPE) {
      return JSON.parse(new TextDecoder().decode(decode(body)));
    }
  } catch (failure) {
    if (failure.name === "NotSupportedError") throw failure;
  }
  throw new NotGenuine("The receipt is not signed by one of these keys.");
}

function decode(text) {
  const bytes = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(bytes, (each) => each.charCodeAt(0));
}

/** Return canonical JSON (RFC 8785) of a value without fractions. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map((each) => canonical(each ?? null)).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  return `{${names.sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

function withoutEmpty(value) {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(([name, each]) => [name, withoutEmpty(each)]);
  return Object.fromEntries(entries.filter(([, each]) => !isEmpty(each)));
}

const isEmpty = (value) => value === null || (typeof value === "object" && Object.keys(value).length === 0);

async function sha256(text) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((each) => each.toString(16).padStart(2, "0")).join("");
}

/** List the numbers that come with every answer, 999 first, as people dial them; `option` is what to press then. */
export function numbersToCall(answer) {
  return [...(answer.signposts ?? []), ...(answer.contacts ?? [])].flatMap(({ name, phones }) =>
    (phones ?? []).map(({ number, display, option }) => {
      const whole = number.replace("+44", "0").replace(/^(0\d{4})(\d{6})$/, "$1 $2");
      const dialled = display.startsWith("0") ? display : whole;
      return { name, number, text: dialled, option: option ?? null };
    }),
  );
}
