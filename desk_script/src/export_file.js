// Makes the signed PDF of a concern that the service cannot decrypt, as `guidance desk export` does.
// The service gives the sealed texts and a signed statement, records the digest of the file, and signs the digest. It
// gets no word. Whoever has the file checks it with `guidance export verify`.
import { saveFile, showFault } from "./elements.js";
import { Fault, sentenceOf } from "./faults.js";
import { digestOf } from "./hand_over.js";
import { makePdf } from "./pdf_file.js";
import { PdfFont } from "./pdf_font.js";
import { referralOf } from "./referral.js";
import { fromBase64, toBase64 } from "./seal_forms.js";
import { decrypterOf, openText } from "./texts.js";

// Facts about the concern on the page, without what is only of use on a screen.
export const FACTS = ".concern-facts > div:not(.no-print)";
const FORM = "form[data-export]";
const FONT = "/looks/export.ttf";
const ATTACHMENT = "concern.json";
const DESCRIPTION = "The text, the encrypted texts with their keys, the history and the receipts, for guidance export verify";
const HEADING = { addition: "Addition", note: "Note" };
const DIGEST = /\b((?:age1)?[0-9a-z]{12})[0-9a-z]{46,52}\b/g;
const TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "Europe/London" });
const HEADER_END = "\n---";
const MAKING = "Making the file ...";
const SAVED = "The file is saved in your downloads. Check it with “guidance export verify”.";

export class ExportFile {
  #keyring;

  constructor(keyring) {
    this.#keyring = keyring;
    document.addEventListener("submit", (event) => this.#submitted(event), { capture: true });
  }

  // Enable the form of the current page, so that it can be sent.
  take() {
    for (const form of document.querySelectorAll(FORM)) {
      form.querySelector("button").disabled = false;
      form.querySelector("[data-not-sealed]").hidden = true;
    }
  }

  #submitted(event) {
    const form = event.target;
    if (!form.matches(FORM)) return;
    event.preventDefault();
    event.stopPropagation();
    this.#export(form).catch((error) => showFault(form, sentenceOf(error)));
  }

  async #export(form) {
    const press = form.querySelector("button");
    if (press.disabled) return;
    form.querySelector("[role=alert]")?.remove();
    if (!this.#keyring.isOpen) throw new Fault("closed-words");
    press.disabled = true;
    say(form, MAKING);
    try {
      const notes = form.elements.notes.checked ? "yes" : "";
      const font = new PdfFont(await fetchFont());
      const given = await post(form, "export-statement", { notes });
      const texts = await openTexts(given, this.#keyring.identities);
      const { pdf, reference } = await pdfOf(given, texts, { notes: notes !== "", font });
      const { signature } = await post(form, "export-record", { notes, file_sha256: await digestOf(pdf) });
      saveFile(signed(pdf, signature), `${reference}.pdf`, "application/pdf");
      say(form, SAVED);
    } catch (error) {
      say(form, "");
      throw error;
    } finally {
      press.disabled = false;
    }
  }
}

// Return each text opened, with the key that opens only this text. A service that reads concerns gives that key.
export function openTexts({ statement, texts }, identities) {
  const { reference } = statement.concern;
  return Promise.all(
    texts.map(async ({ kind, number, sealed, file_key: given }) => {
      const bytes = fromBase64(sealed);
      const keys = given === undefined ? identities : [{ unwrapFileKey: () => fromBase64(given) }];
      const opened = await openText(bytes, keys, { kind, reference, ...originOf(statement, kind, number) });
      const key = given ?? toBase64(await decrypterOf(keys).decryptHeader(headerOf(bytes)));
      return { kind, number, opened, sealed, file_key: key };
    }),
  );
}

// Return who wrote a note and when, by the history. A note that names another author or time is not shown.
function originOf({ history }, kind, number) {
  const acts = kind === "note" ? history.filter(({ act }) => act === "noted") : [];
  const act = acts[number - 1];
  return act === undefined ? {} : { receivedAt: act.at, author: act.client };
}

// Return the header of an age file, with its MAC.
function headerOf(bytes) {
  const text = new TextDecoder("latin1").decode(bytes);
  const end = text.indexOf("\n", text.indexOf(HEADER_END) + 1);
  return bytes.subarray(0, end + 1);
}

export async function fetchFont() {
  const answer = await fetch(FONT).catch(() => null);
  if (answer === null || !answer.ok) throw new Fault("no-font");
  return new Uint8Array(await answer.arrayBuffer());
}

const post = (form, act, fields) => postForJson(form.action.replace(/export$/, act), fields);

// Return the JSON of the response. Throw a Fault if the service refuses it, or does not answer.
export async function postForJson(address, fields) {
  try {
    const answer = await fetch(address, { method: "POST", body: new URLSearchParams(fields), redirect: "error", cache: "no-store" });
    if (!answer.ok) throw new Error("refused");
    return await answer.json();
  } catch {
    throw new Fault("not-exported");
  }
}

// Return the PDF before it is signed. Its JSON is the document that `guidance export verify` checks.
async function pdfOf({ statement, keys }, texts, { notes, font }) {
  const { reference } = statement.concern;
  const attached = { kind: "guidance-export", version: 1, reference, notes_included: notes, texts, statement: coveredPart(statement), keys };
  const blocks = [
    heading("H1", `Concern ${reference}`),
    plain(`${councilName()}. Exported ${moment(statement.at)}, by ${personOf(statement.by)}.`),
    ...blocksOf({ statement, texts, facts: factsOnPage(), layout: layoutOfPage() }, notes),
    ...checkBlocks("the concern, additions, notes, history and receipts", keys),
  ];
  const footer = `Concern ${reference}. Confidential: about a child.`;
  return { pdf: await pdfWith({ title: `Concern ${reference}`, blocks, attached, footer, font, at: statement.at }), reference };
}

// Return the PDF of these blocks, with the JSON of `attached` inside, before it is signed.
export function pdfWith({ title, blocks, attached, footer, font, at }) {
  const bytes = new TextEncoder().encode(JSON.stringify(attached, null, 1));
  return makePdf({ title, language: "en-GB", blocks, attached: { name: ATTACHMENT, bytes, description: DESCRIPTION }, footer, font, now: new Date(at) });
}

// Return the statement without the sentences of its history: no hash covers them.
export const coveredPart = (statement) => ({ ...statement, history: statement.history.map(({ detail, ...covered }) => covered) });

export const heading = (tag, text) => ({ tag, text });
export const fact = (label, text) => ({ tag: "P", label: label.endsWith("?") ? label : `${label}:`, text });
export const plain = (text) => ({ tag: "P", text });
export const moment = (time) => TIME.format(new Date(time));
export const personOf = (client) => client.split("/").at(-1);
export const councilName = () => document.querySelector(".desk-head .name").textContent.trim().replace(/: the desk$/, "");

// Return the blocks of one concern: its facts, its opened texts, hand-overs and the whole history.
export function blocksOf({ statement, texts, facts, layout }, notes) {
  const { history, hand_overs: handOvers } = statement;
  const opened = (kind) => texts.filter((each) => each.kind === kind);
  const [{ opened: own }] = opened("concern");
  const added = opened("addition").flatMap((each) => entryOf(each, additionText(each.opened.addition)));
  const noted = opened("note").flatMap((each) => entryOf(each, each.opened.note.text));
  const withoutNotes = notes ? "None." : "The person who exported this file left the notes out.";
  return [
    ...facts.map(([label, text]) => fact(label, text)),
    ...referralOf(own.submission, layout).flatMap(sectionOf),
    ...(added.length > 0 ? [heading("H2", "What was added"), ...added] : []),
    heading("H2", "Team notes"),
    ...(noted.length > 0 ? noted : [plain(withoutNotes)]),
    ...(handOvers.length > 0 ? [heading("H2", "Handed over"), ...handOvers.map(handOverOf)] : []),
    heading("H2", "History"),
    plain("Every recorded action, up to this export."),
    ...history.map(({ number, at, client, act, detail }) => fact(`${number}. ${moment(at)}`, `${act.replaceAll("_", " ")} by ${personOf(client)}${detail ? `: ${detail.replace(DIGEST, "$1...")}` : ""}`)),
  ];
}

// Return the blocks that say how to check the file, and that nothing of `covered` was changed or left out.
export const checkBlocks = (covered, keys) => [
  heading("H2", "How to check this file"),
  plain(`guidance export verify FILE --key KEY checks offline that nothing was changed or left out: ${covered}. KEY is the council’s public key. Compare it with the key that the council publishes at /.well-known/jwks.json:`),
  ...keys.keys.map(({ kid }) => plain(kid)),
  plain("A square stands for each letter that the font of this file lacks. The attached concern.json has every letter."),
];

const layoutOfPage = () => JSON.parse(document.getElementById("referral-layout").textContent);

// Return the facts about the concern on the page, without the label.
function factsOnPage() {
  const facts = [...document.querySelectorAll(FACTS)].filter((each) => each.querySelector(".sealed") === null);
  return facts.map((each) => [each.querySelector("dt").textContent, each.querySelector("dd").textContent.trim()]);
}

const sectionOf = ({ title, groups }) => [
  heading("H2", title),
  ...groups.flatMap((group) => [...(group.heading ? [heading("H3", group.heading)] : []), ...group.answers.map(({ label, lines }) => fact(label, lines.join("\n")))]),
];

const entryOf = ({ kind, number }, text) => [heading("H3", `${HEADING[kind]} ${number}`), plain(text)];

export const additionText = ({ immediate_danger: danger, concern }) => (danger === undefined ? concern.narrative : `Immediate danger: ${danger.replace("_", " ")}\n${concern.narrative}`);

const handOverOf = ({ at, body, reason, confirmed_at: confirmed }) => plain(`${moment(at)}, to ${body}: ${reason} Their receipt came: ${confirmed ? moment(confirmed) : "not yet"}.`);

// Return the file with the signature as a comment at its end, and the last lines of the PDF again.
export function signed(pdf, signature) {
  const text = new TextDecoder("latin1").decode(pdf);
  const [, start] = /startxref\n(\d+)\n%%EOF\n$/.exec(text);
  const end = new TextEncoder().encode(`%guidance-export ${signature}\nstartxref\n${start}\n%%EOF\n`);
  const whole = new Uint8Array(pdf.length + end.length);
  whole.set(pdf);
  whole.set(end, pdf.length);
  return whole;
}

// Return the file without its signature, as it was before `signed`.
export function unsigned(file) {
  const end = new TextDecoder("latin1").decode(file).search(/%guidance-export \S+\nstartxref\n\d+\n%%EOF\n$/);
  return end < 0 ? file : file.slice(0, end);
}

const say = (form, words) => form.querySelector("[data-export-state]").replaceChildren(words);
