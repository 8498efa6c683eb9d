// @ts-check
// A small client of the service. The types are those of its OpenAPI document, and the requests the browser's own.

/** @typedef {import("./schema.js").components["schemas"]} Schemas */
/** @typedef {Schemas["Concern"]} Concern */
/** @typedef {Schemas["IndicatorsResponse"]} Indicators */
/** @typedef {Schemas["ConcernFormResponse"]} ConcernForm */
/** @typedef {Schemas["Problem"]} Problem */
/** @typedef {Schemas["Receipt"]} Receipt */
/** @typedef {Problem | Receipt | ConcernForm} Answer */

/** The address of the service: here a trial. It is written into the program, so that no link can change it. */
const SERVICE = "http://127.0.0.1:8000";
const ATTEMPTS = 4;
const LONGEST_WAIT_SECONDS = 10;
const WORTH_REPEATING = new Set([408, 429, 502, 503, 504]);

/** The service refused the request. `problem.errors` names each fault with a JSON Pointer. */
export class Refused extends Error {
  /** @param {Problem} problem */
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** @param {string} guide @returns {Promise<Indicators>} The indicators, and the cautions to show with them. */
export const readIndicators = (guide) => request(`/v1/guides/${encodeURIComponent(guide)}/indicators`);

/** @returns {Promise<ConcernForm>} The questions, as JSON Schema with labels, and the code lists. */
export const readForm = () => request("/v1/concerns/form");

/**
 * Raise a concern. The same `key` belongs to the same concern: keep it until there is a receipt, so that sending the
 * concern again, after a lost connection or a second press of the button, makes no second concern.
 * @param {Concern} concern @param {string} key @returns {Promise<Receipt>}
 */
export function raiseConcern(concern, key) {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  return request("/v1/concerns", { method: "POST", headers, body: JSON.stringify(concern) });
}

/** Whether an earlier version arrived under this key. What is typed now needs a new one. @param {unknown} error */
export const isKeyReused = (error) => error instanceof Refused && error.problem.type.endsWith("/key-reused");

/** Say what happened to a concern that got no receipt. @param {unknown} error */
export function explain(error) {
  if (!(error instanceof Refused)) {
    return "We got no answer. What you typed is still here. Press Send again: it does not arrive twice. Or call.";
  }
  if (isKeyReused(error)) return "What you sent before has arrived. Press Send once more to send what you typed now as well.";
  if (error.problem.errors?.length) return "Nothing was sent yet. Please look at the marked answers.";
  return "Nothing was sent yet. What you typed is still here. Please try again later, or call.";
}

/** List the numbers that come with every answer about a concern, 999 first, as people dial them; `option` is what to press then. @param {Answer} answer */
export function numbersToCall(answer) {
  const contacts = "contacts" in answer ? (answer.contacts ?? []) : [];
  return [...(answer.signposts ?? []), ...contacts].flatMap(({ name, phones }) =>
    (phones ?? []).map(({ number, display, option }) => {
      const dialled = display.startsWith("0") ? display : number.replace("+44", "0");
      return { name, number, text: dialled, option: option ?? null };
    }),
  );
}

/** @param {string} path @param {RequestInit} [options] */
async function request(path, options) {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(SERVICE + path, options).catch(() => null);
    if (response?.ok) return response.json();
    const mayHelp = response === null || WORTH_REPEATING.has(response.status);
    if (!mayHelp || attempt === ATTEMPTS) {
      if (response === null) throw new Error("The service did not answer.");
      throw new Refused(await response.json());
    }
    const seconds = Number(response?.headers.get("Retry-After") ?? attempt);
    const wait = Math.min(LONGEST_WAIT_SECONDS, Number.isFinite(seconds) ? seconds : 1);
    await new Promise((resolve) => setTimeout(resolve, 1000 * wait));
  }
}
