// A small typed client: the types come from the service's OpenAPI document, and the requests are the browser's own.

import type { components } from "./schema.js";

type Schemas = components["schemas"];
export type Concern = Schemas["Concern"];
export type Indicators = Schemas["IndicatorsResponse"];
export type Problem = Schemas["Problem"];
export type Receipt = Schemas["Receipt"];

const ATTEMPTS = 4;
const WORTH_REPEATING = new Set([408, 429, 502, 503, 504]);

/** The service refused the request. `problem.errors` names each fault with a JSON Pointer. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

export async function readIndicators(service: string, guide: string): Promise<Indicators> {
  return (await send(`${service}/v1/guides/${encodeURIComponent(guide)}/indicators`)) as Indicators;
}

/**
 * Raise a concern. The same `key` belongs to the same concern: keep it until there is a receipt, so that sending it
 * again, after a lost connection or a second press of the button, makes no second concern.
 */
export async function raiseConcern(service: string, concern: Concern, key: string): Promise<Receipt> {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  return (await send(`${service}/v1/concerns`, { method: "POST", headers, body: JSON.stringify(concern) })) as Receipt;
}

async function send(address: string, request: RequestInit = {}): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(address, request).catch(() => null);
    if (response?.ok) return response.json();
    const mayHelp = response === null || WORTH_REPEATING.has(response.status);
    if (!mayHelp || attempt === ATTEMPTS) {
      if (response === null) throw new Error("The service gave no answer.");
      throw new Refused((await response.json()) as Problem);
    }
    const seconds = Number(response?.headers.get("Retry-After") ?? attempt);
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(10, Number.isFinite(seconds) ? seconds : 1)));
  }
}
