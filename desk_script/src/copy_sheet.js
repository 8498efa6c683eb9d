// Shows the words of an opened concern as a sheet, in the order of a contact record, to copy into another system.
// The sheet is made from the words on the page. The service records that it was opened, and learns nothing else.
import { element } from "./elements.js";
import { FACTS } from "./export_file.js";
import { Fault, sentenceOf } from "./faults.js";

const PRESS = "[data-copy-sheet]";
const SHEET = "copy-sheet";
const ANSWERS = ".words-column article [data-answer]";
const ADDITIONS = ".words-column section.addition";
const OF_ADDRESS = /^children\.\d+\.(home_address|where_now)\b/;
// The parts of the sheet, each with the paths of its answers. An answer belongs to the first part that fits.
const PARTS = [
  ["Address", OF_ADDRESS],
  ["Child", /^children\./],
  ["Family", /^(parents_and_carers|others)\./],
  ["Reporter", /^reporter\./],
  ["Danger", /^(immediate_danger|police_|already_telephoned|risk_to_workers)/],
  ["Concern", /^/],
];
const ORDER = ["Child", "Address", "Family", "Reporter", "Concern", "Danger"];
const DONE = "What was done";
const COPIED = "Copied";
const NOT_COPIED = "It could not be copied. Select the text and copy it.";

export class CopySheet {
  constructor(keyring) {
    document.addEventListener("click", ({ target }) => {
      const press = target.closest?.(PRESS);
      if (press) this.#open(press).catch((error) => this.#say(press, sentenceOf(error)));
    });
    keyring.onForget(() => {
      close();
      this.take();
    });
  }

  // Show the button of the current page if the page shows the words of a concern. Hide the button otherwise.
  take() {
    const press = document.querySelector(PRESS);
    if (press !== null) press.hidden = document.querySelector(ANSWERS) === null;
  }

  async #open(press) {
    if (document.querySelector(ANSWERS) === null) throw new Fault("closed-words");
    close();
    await record();
    const sheet = sheetOf(partsOf());
    document.querySelector(".concern").before(sheet);
    sheet.querySelector("h2").focus();
    sheet.querySelector("[data-close]").addEventListener("click", () => {
      close();
      press.focus();
    });
  }

  #say(press, words) {
    press.closest("section").querySelector("[data-sheet-fault]")?.remove();
    press.closest("div").after(element("p", { class: "problem", role: "alert", "data-sheet-fault": true }, words));
  }
}

const close = () => document.getElementById(SHEET)?.remove();

async function record() {
  try {
    const response = await fetch(`/desk/concerns/${referenceOfPage()}/copy-sheet`, { method: "POST", redirect: "error" });
    if (!response.ok) throw new Error("refused");
  } catch {
    throw new Fault("not-recorded");
  }
}

const referenceOfPage = () => document.querySelector(".identity .code").textContent;

function factOf(fact) {
  const value = fact.querySelector("dd");
  return { heading: "", label: textOf(fact.querySelector("dt")), text: textOf(value.querySelector(".words") ?? value) };
}

// Return the parts of the sheet with answers: each a title, and fields with a heading, a label and a text.
function partsOf() {
  const parts = new Map(ORDER.map((title) => [title, []]));
  for (const answer of document.querySelectorAll(ANSWERS)) {
    const [title] = PARTS.find(([, path]) => path.test(answer.dataset.answer));
    parts.get(title).push({ heading: headingOf(answer), label: textOf(answer.querySelector("dt")), text: linesOf(answer.querySelector("dd")) });
  }
  for (const addition of document.querySelectorAll(ADDITIONS)) {
    const words = addition.querySelector(".as-typed");
    if (words !== null) parts.get("Concern").push({ heading: "", label: textOf(addition.querySelector("h3")), text: words.textContent });
  }
  const known = [...document.querySelectorAll(FACTS)].map(factOf);
  const acts = [...document.querySelectorAll("#history li")].map((act) => textOf(act)).reverse();
  parts.set(DONE, [{ heading: "", label: "Reference", text: referenceOfPage() }, ...known, { heading: "", label: "Actions", text: acts.join("\n") }]);
  return [...parts].filter(([, fields]) => fields.length > 0);
}

// Return the heading of the entry to which an answer belongs, such as 'Child 2', or an empty text.
function headingOf(answer) {
  const before = answer.parentElement.previousElementSibling;
  return before?.matches("h3") ? textOf(before) : "";
}

const textOf = (part) => part.textContent.replace(/\s+/g, " ").trim();

const linesOf = (part) => [...part.querySelectorAll(".as-typed")].map((line) => line.textContent).join("\n");

function sheetOf(parts) {
  const state = element("p", { role: "status", "data-copied": true });
  const whole = parts.map(([title, fields]) => `${title.toUpperCase()}\n${asText(fields)}`).join("\n\n");
  return element(
    "section",
    { id: SHEET, class: "box no-print", "aria-labelledby": "copy-sheet-heading" },
    element("h2", { id: "copy-sheet-heading", tabindex: "-1" }, "Copy sheet"),
    element("p", {}, "That you opened it is on the record. What you copy leaves this service: paste it only into the case system."),
    state,
    element("p", { class: "side-by-side" }, copyPress("Copy all", "", whole, state), element("button", { type: "button", class: "second", "data-close": true }, "Close the sheet")),
    ...parts.flatMap(([title, fields]) => partOf(title, fields, state)),
  );
}

function partOf(title, fields, state) {
  const rows = fields.map(({ heading, label, text }) => {
    const name = heading ? `${heading}: ${label}` : label;
    return element("div", {}, element("dt", {}, name), element("dd", {}, element("span", { class: "as-typed" }, text), copyPress("Copy", name, text, state)));
  });
  const head = element("div", { class: "with-change" }, element("h3", {}, title), copyPress("Copy this part", title, asText(fields), state));
  return [head, element("dl", { class: "facts sheet" }, ...rows)];
}

function asText(fields) {
  const lines = [];
  let former = "";
  for (const { heading, label, text } of fields) {
    if (heading && heading !== former) lines.push(heading);
    former = heading;
    lines.push(text.includes("\n") ? `${label}:\n${text}` : `${label}: ${text}`);
  }
  return lines.join("\n");
}

function copyPress(words, about, text, state) {
  const press = element("button", { type: "button", class: "second" }, words, ...(about ? [element("span", { class: "vh" }, ` ${about}`)] : []));
  press.addEventListener("click", async () => {
    state.textContent = "";
    state.textContent = (await copy(text)) ? `${COPIED}${about ? `: ${about}` : ""}.` : NOT_COPIED;
  });
  return press;
}

// Return true if the text is in the clipboard. Without HTTPS there is no `navigator.clipboard`.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text) {
  const { activeElement: focused } = document;
  const field = element("textarea", { "aria-hidden": "true", tabindex: "-1" });
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return isCopied;
}
