// unseal.html: decrypts downloaded files from disk, without a server and without any request.
import { generateIdentity, identityToRecipient } from "age-encryption";
import { wordsOf } from "./desk_page.js";
import { element, saveFile } from "./elements.js";
import { Fault, sentenceOf } from "./faults.js";
import { Panel } from "./panel.js";
import { kindOf, openText } from "./texts.js";

const REFERENCE = /[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/;
const HEADINGS = { concern: "The concern", addition: "What was added", note: "Note of the desk", label: "Label" };

export class FilePage {
  #choose = document.getElementById("concern-files");
  #fault = document.getElementById("concern-fault");
  #words = document.getElementById("words");

  constructor(keyring) {
    const panel = new Panel(keyring, (identities) => this.#show(identities));
    document.querySelector("[data-unseal-file]").append(panel.element);
    document.querySelector("[data-make-key]").addEventListener("click", ({ target }) => makeKey(target));
    this.#choose.addEventListener("change", async () => {
      this.#say("");
      this.#words.replaceChildren();
      try {
        if (keyring.isOpen || (await isInClear(this.#choose.files))) await this.#show(keyring.identities);
      } catch (error) {
        this.#say(sentenceOf(error));
      }
    });
    keyring.onForget(() => this.#blank());
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return; // this Escape ends the composition of a letter
      keyring.forget("blank");
      this.#blank();
    });
  }

  async #show(identities) {
    const files = [...this.#choose.files];
    if (files.length === 0) throw new Fault("no-file");
    const shown = (await Promise.all(files.map((file) => readFile(file, identities)))).flat();
    const references = new Set(shown.map(({ text }) => text.reference));
    if (references.size > 1) throw new Fault("several");
    const [reference] = references;
    const order = Object.keys(HEADINGS);
    shown.sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind) || one.number - other.number);
    this.#words.replaceChildren(
      element("h2", { tabindex: "-1" }, "Concern ", element("span", { class: "code" }, reference)),
      ...shown.flatMap(partOf),
    );
    this.#words.querySelector("h2").focus();
  }

  #say(words) {
    this.#fault.textContent = words;
    this.#fault.hidden = !words;
  }

  #blank() {
    this.#words.replaceChildren();
    this.#choose.value = "";
    this.#say("");
  }
}

// Make a key, save its file, and show its public key, to which concerns are sealed.
async function makeKey(press) {
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  const text = `# created: ${new Date().toISOString()}\n# public key: ${recipient}\n${identity}\n`;
  saveFile(new TextEncoder().encode(text), "identity.txt", "text/plain");
  const line = element("p", {}, "Its public key, for whoever sets the service up: ", element("span", { class: "code" }, recipient));
  press.parentElement.parentElement.append(line);
}

function partOf({ kind, number, text, layout }) {
  const place = number ? ` ${number}` : "";
  return [
    element("h2", {}, `${HEADINGS[kind]}${place}`),
    ...(text.received_at === undefined ? [] : [element("p", { class: "quiet" }, `Received ${text.received_at}`)]),
    wordsOf(kind, text, layout),
  ];
}

// Return each text of a file, decrypted. The file is one encrypted text, the desk's file of a concern, or unencrypted JSON.
async function readFile(file, identities) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const json = parsed(bytes);
  if (json === null) {
    const text = await openText(bytes, identities, { reference: REFERENCE.exec(file.name)?.[0] });
    return [{ kind: kindOf(text), number: numberIn(file.name), text }];
  }
  if (Array.isArray(json.texts)) return Promise.all(json.texts.map((each) => openBundled(each, json, identities)));
  return openedAlready(json);
}

async function openBundled({ kind, number, received_at: receivedAt, sealed }, { reference, layout }, identities) {
  const text = await openText(new TextEncoder().encode(sealed), identities, { kind, reference, receivedAt });
  return { kind, number, text, layout };
}

// Return the texts of JSON from `guidance desk open`, or from the API of a service that decrypts concerns.
function openedAlready(json) {
  if (!(json.submission instanceof Object)) throw new Fault("no-text");
  const added = (json.additions ?? []).map((each, place) => ({
    kind: "addition",
    number: each.number ?? place + 1,
    text: { reference: json.reference, ...each },
  }));
  const notes = (json.notes ?? []).map((text, place) => ({ kind: "note", number: place + 1, text }));
  return [{ kind: "concern", number: 0, text: json }, ...added, ...notes];
}

function parsed(bytes) {
  try {
    const json = JSON.parse(new TextDecoder().decode(bytes));
    return json instanceof Object ? json : null;
  } catch {
    return null;
  }
}

async function isInClear(files) {
  const all = await Promise.all([...files].map(async (file) => parsed(new Uint8Array(await file.arrayBuffer()))));
  return all.length > 0 && all.every((json) => json !== null && !Array.isArray(json.texts));
}

// Return the number of an addition from a file name: 2 for `4F7K-9M2Q-XW3R-2.age`, otherwise 0.
function numberIn(name) {
  return Number(new RegExp(`${REFERENCE.source}-(\\d+)`).exec(name)?.[1] ?? 0);
}
