// A program with the types of openapi-typescript, and its own fetch. It prints what it saw.

import createClient from "openapi-fetch";

import { full, smallest } from "./examples-openapi-typescript.js";
import { verifyAll } from "./receipts.js";
import type { components, paths } from "./types/schema.js";

type Concern = components["schemas"]["Concern"];
type Receipt = components["schemas"]["Receipt"];

const ATTEMPTS = 5; // more than the limit of the test
const [service = "", key = "", guide = ""] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: service });
const chosen = { params: { path: { guide } } };

/** Return the content, or stop the program with the problem. */
function read<T>(answer: { data?: T; error?: { detail: string } }): T {
  if (answer.data === undefined) throw new Error(answer.error?.detail ?? "no content");
  return answer.data;
}

async function guides(): Promise<Record<string, boolean>> {
  const sourced: Record<string, boolean> = {};
  for (const { guide: name } of read(await client.GET("/v1/guides")).guides) {
    const chosen = { params: { path: { guide: name } } };
    sourced[name] = read(await client.GET("/v1/guides/{guide}", chosen)).source !== null;
  }
  return sourced;
}

async function sections(): Promise<Record<string, string[]>> {
  const ids = (items: { id: string }[]): string[] => items.map((item) => item.id);
  return {
    definitions: ids(read(await client.GET("/v1/guides/{guide}/definitions", chosen)).definitions),
    factors: ids(read(await client.GET("/v1/guides/{guide}/factors", chosen)).factors),
    indicators: ids(read(await client.GET("/v1/guides/{guide}/indicators", chosen)).indicators),
    linked_risks: ids(read(await client.GET("/v1/guides/{guide}/linked-risks", chosen)).linked_risks),
    responsibilities: ids(read(await client.GET("/v1/guides/{guide}/responsibilities", chosen)).responsibilities),
    contacts: ids(read(await client.GET("/v1/guides/{guide}/contacts", chosen)).contacts),
  };
}

async function raise(concern: Concern): Promise<Receipt> {
  return read(await client.POST("/v1/concerns", { body: concern }));
}

async function follow({ reference, status_token: token }: Receipt): Promise<string> {
  const headers = { Authorization: `Bearer ${token}` };
  return read(await client.GET("/v1/concerns/{reference}", { headers, params: { path: { reference } } })).state;
}

async function faults(): Promise<string[]> {
  const { error, response } = await client.POST("/v1/concerns", { body: { ...smallest, guide: "no-such-guide" } });
  if (response.status !== 422 || error === undefined) throw new Error("This must be refused.");
  return (error.errors ?? []).map((fault) => `${fault.pointer} ${fault.code}`);
}

async function tooMany(): Promise<[number, string]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const { error, response } = await client.GET("/v1/events", { headers: { Authorization: `Bearer ${key}` } });
    if (response.status === 429 && error !== undefined) {
      return [Number(response.headers.get("Retry-After")), error.type];
    }
  }
  throw new Error("There must be a limit.");
}

async function events(): Promise<[string, unknown][]> {
  const headers = { Authorization: `Bearer ${key}` };
  const page = read(await client.GET("/v1/events", { headers, params: { query: { limit: 200 } } }));
  return page.events.map((event) => [event.type, event.data["reference"]]);
}

const receipts = [await raise(smallest), await raise(full)];
const report = {
  guides: await guides(),
  sections: await sections(),
  raised: receipts.map(({ reference }) => reference),
  followed: await Promise.all(receipts.map(follow)),
  verified: await verifyAll(receipts, read(await client.GET("/.well-known/jwks.json")).keys),
  faults: await faults(),
  events: await events(),
  too_many: await tooMany(),
};
console.log(JSON.stringify(report));
