// A program with the functions of @hey-api/openapi-ts. It prints what it saw.

import { full, smallest } from "./examples-hey-api.js";
import { verifyAll } from "./receipts.js";
import { client } from "./sdk/client.gen.js";
import {
  listGuides,
  raiseConcern,
  readConcernStatus,
  readContacts,
  readDefinitions,
  readEvents,
  readFactors,
  readGuide,
  readIndicators,
  readLinkedRisks,
  readReceiptKeys,
  readResponsibilities,
} from "./sdk/index.js";
import type { Concern, Receipt } from "./sdk/index.js";

const ATTEMPTS = 5; // more than the limit of the test
const [service = "", key = "", guide = ""] = process.argv.slice(2);
client.setConfig({ baseUrl: service });
const chosen = { path: { guide }, throwOnError: true } as const;

async function guides(): Promise<Record<string, boolean>> {
  const sourced: Record<string, boolean> = {};
  for (const { guide: name } of (await listGuides({ throwOnError: true })).data.guides) {
    sourced[name] = (await readGuide({ path: { guide: name }, throwOnError: true })).data.source !== null;
  }
  return sourced;
}

async function sections(): Promise<Record<string, string[]>> {
  const ids = (items: { id: string }[]): string[] => items.map((item) => item.id);
  return {
    definitions: ids((await readDefinitions(chosen)).data.definitions),
    factors: ids((await readFactors(chosen)).data.factors),
    indicators: ids((await readIndicators(chosen)).data.indicators),
    linked_risks: ids((await readLinkedRisks(chosen)).data.linked_risks),
    responsibilities: ids((await readResponsibilities(chosen)).data.responsibilities),
    contacts: ids((await readContacts(chosen)).data.contacts),
  };
}

async function raise(concern: Concern): Promise<Receipt> {
  return (await raiseConcern({ body: concern, throwOnError: true })).data;
}

async function follow({ reference, status_token: auth }: Receipt): Promise<string> {
  return (await readConcernStatus({ auth, path: { reference }, throwOnError: true })).data.state;
}

async function faults(): Promise<string[]> {
  const { error, response } = await raiseConcern({ body: { ...smallest, guide: "no-such-guide" } });
  if (response?.status !== 422 || error === undefined) throw new Error("This must be refused.");
  return (error.errors ?? []).map((fault) => `${fault.pointer} ${fault.code}`);
}

async function tooMany(): Promise<[number, string]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const { error, response } = await readEvents({ auth: key });
    if (response?.status === 429 && error !== undefined) {
      return [Number(response.headers.get("Retry-After")), error.type];
    }
  }
  throw new Error("There must be a limit.");
}

async function events(): Promise<[string, unknown][]> {
  const { data } = await readEvents({ auth: key, query: { limit: 200 }, throwOnError: true });
  return data.events.map((event) => [event.type, event.data["reference"]]);
}

const receipts = [await raise(smallest), await raise(full)];
const report = {
  guides: await guides(),
  sections: await sections(),
  raised: receipts.map(({ reference }) => reference),
  followed: await Promise.all(receipts.map(follow)),
  verified: await verifyAll(receipts, (await readReceiptKeys({ throwOnError: true })).data.keys),
  faults: await faults(),
  events: await events(),
  too_many: await tooMany(),
};
console.log(JSON.stringify(report));
