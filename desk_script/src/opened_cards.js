// Fetches the sealed cards and labels of concerns, and keeps them decrypted only in the memory of this page.
// They are opened in slices, so that the page stays usable, and forgotten together with the identities. The service
// records each page of cards that it gives, and learns nothing of what is done with them.
import { factsOf } from "./card_facts.js";
import { searchTextOf } from "./card_search.js";
import { Fault } from "./faults.js";
import { fromBase64 } from "./seal_forms.js";
import { readSealed } from "./texts.js";

export const Scope = { CURRENT: "current", EARLIER: "earlier" };
const ADDRESS = "/desk/cards";
const TOGETHER = 16; // cards that are opened at the same time
const SLICE = 40; // milliseconds of opening before the page gets its turn
const FRESH = 60_000; // milliseconds after which changes are fetched when another page is shown
const FORBIDDEN = 403;

export class OpenedCards {
  #keyring;
  #concerns = new Map(); // by reference
  #scopes = new Map(); // by scope, the time from which later changes are to be fetched
  #run = 0; // increases when everything is forgotten, so that what is under way stops
  #underWay = Promise.resolve();
  #isLoading = false;
  #readAt = 0;
  #unopened = 0;
  #listeners = [];

  constructor(keyring) {
    this.#keyring = keyring;
    keyring.onForget(() => this.#forget());
  }

  // The concerns whose cards are open: each with its reference, cards, label, time of receipt and of the last change, and
  // what the inbox says of it as `row`.
  get concerns() {
    return [...this.#concerns.values()];
  }

  find(reference) {
    return this.#concerns.get(reference);
  }

  has(scope) {
    return this.#scopes.has(scope);
  }

  get isLoading() {
    return this.#isLoading;
  }

  // The number of cards and labels that no identity opens.
  get unopened() {
    return this.#unopened;
  }

  // Call `listener` after each slice of opened cards, when loading ends, and when everything is forgotten.
  onChange(listener) {
    this.#listeners.push(listener);
  }

  // Fetch and open the cards of `scope`. Return when the first page of cards is open, with a promise of the end as
  // `end`. Throw a Fault if the service gives no cards, or if the identities open none of the first page.
  async load(scope, identities = this.#keyring.identities) {
    if (this.#scopes.has(scope)) return { end: this.#underWay };
    return this.#read(scope, identities, null);
  }

  // Fetch what changed since the cards were read, if that was more than a moment ago, or if the person has just acted.
  async refresh(hasActed) {
    if (hasActed) await this.#underWay.catch(() => {});
    if (this.#isLoading || this.#scopes.size === 0 || (!hasActed && Date.now() - this.#readAt < FRESH)) return;
    for (const [scope, since] of this.#scopes) await (await this.#read(scope, this.#keyring.identities, since)).end;
  }

  async #read(scope, identities, since) {
    const run = this.#run;
    this.#isLoading = true;
    this.#readAt = Date.now();
    try {
      const first = await fetchPage(scope, since, null);
      this.#scopes.set(scope, first.next_changed_since);
      const opened = await this.#open(first, identities, run);
      if (first.cards.length > 0 && opened === 0) throw new Fault("other-keys");
      const rest = this.#readRest(scope, since, first.next_cursor, identities, run);
      this.#underWay = rest;
      rest.catch(() => {});
      return { end: rest };
    } catch (error) {
      this.#scopes.delete(scope);
      this.#end(run);
      throw error;
    }
  }

  // Open the further pages, and fetch each while the page before it is opened.
  async #readRest(scope, since, cursor, identities, run) {
    try {
      let coming = cursor === null ? null : fetchPage(scope, since, cursor);
      while (coming !== null && run === this.#run) {
        const page = await coming;
        const next = page.next_cursor;
        coming = next === null ? null : fetchPage(scope, since, next);
        coming?.catch(() => {}); // the error is thrown when the page is waited for
        await this.#open(page, identities, run);
      }
    } catch (error) {
      this.#scopes.delete(scope);
      throw error;
    } finally {
      this.#end(run);
    }
  }

  // Open the cards, in slices. Return how many could be opened.
  async #open({ cards: sealed, rows, fetchedAt }, identities, run) {
    let opened = 0;
    let start = performance.now();
    const together = concernsOf(sealed);
    for (let place = 0; place < together.length; place += TOGETHER) {
      const some = await Promise.all(together.slice(place, place + TOGETHER).map((each) => openConcern(each, identities)));
      if (run !== this.#run) return opened;
      for (const concern of some) {
        concern.row = { ...rows[concern.reference], fetchedAt };
        this.#concerns.set(concern.reference, concern);
        this.#unopened += concern.unopened;
        opened += concern.cards.length;
      }
      if (performance.now() - start < SLICE) continue;
      this.#tell();
      await new Promise((resolve) => setTimeout(resolve));
      start = performance.now();
    }
    this.#tell();
    return opened;
  }

  #end(run) {
    if (run !== this.#run) return;
    this.#isLoading = false;
    this.#tell();
  }

  #forget() {
    this.#run += 1;
    this.#isLoading = false;
    this.#concerns.clear();
    this.#scopes.clear();
    this.#unopened = 0;
    this.#tell();
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}

async function fetchPage(scope, since, cursor) {
  const query = new URLSearchParams({ scope, ...(since && { changed_since: since }), ...(cursor && { cursor }) });
  let response;
  try {
    response = await fetch(`${ADDRESS}?${query}`, { cache: "no-store", redirect: "error" });
  } catch {
    throw new Fault("cards-not-fetched");
  }
  if (response.status === FORBIDDEN) throw new Fault("no-cards");
  if (!response.ok) throw new Fault("cards-not-fetched");
  return { ...(await response.json()), fetchedAt: performance.now() };
}

// Return the sealed cards of each concern. Those of one concern are never separated.
function concernsOf(sealed) {
  const together = new Map();
  for (const each of sealed) together.set(each.reference, [...(together.get(each.reference) ?? []), each]);
  return [...together.values()];
}

async function openConcern(sealed, identities) {
  const [{ reference, received_at: receivedAt, changed_at: changedAt }] = sealed;
  const opened = await Promise.all(sealed.map((each) => openMember(each.card, "card", each, identities)));
  const labelled = sealed.find(({ label }) => label !== null);
  const label = labelled ? await openMember(labelled.label, "label", { reference }, identities) : null;
  const cards = opened.flatMap((card, place) => (card === null ? [] : [{ card, receivedOn: sealed[place].received_at.slice(0, 10) }]));
  const unopened = opened.length - cards.length + (labelled && label === null ? 1 : 0);
  return new OpenedConcern({ reference, receivedAt, changedAt, cards, label: label?.text ?? "", unopened });
}

class OpenedConcern {
  #facts = null;

  // The text that can be found is made at once, in the slice in which the card is opened: a search then only compares.
  constructor(given) {
    Object.assign(this, given);
    this.text = searchTextOf(this.cards.map(({ card }) => card), this.label);
  }

  // What the cards say about whom the concern is.
  get facts() {
    this.#facts ??= factsOf(this.cards);
    return this.#facts;
  }
}

// Return the member of the decrypted document, or null if it cannot be opened or belongs elsewhere.
async function openMember(sealed, member, { reference, received_at: receivedAt }, identities) {
  try {
    const document = await readSealed(fromBase64(sealed), identities);
    const known = document.received_at; // undefined if it was sealed where it was typed: only the service knows the time
    const isHere = document.reference === reference && (known === undefined || receivedAt === undefined || known === receivedAt);
    return isHere && document[member] instanceof Object ? document[member] : null;
  } catch {
    return null;
  }
}
