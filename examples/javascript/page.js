// @ts-check
// The page: shows the indicators with their cautions, and raises a concern. It stores nothing of what is typed.

import { explain, isKeyReused, numbersToCall, raiseConcern, readIndicators, Refused } from "./guidance.js";

/** @typedef {import("./guidance.js").Concern} Concern */
/** @typedef {import("./guidance.js").Answer} Answer */
/** @typedef {import("./guidance.js").Problem} Problem */
/** @typedef {import("./guidance.js").Receipt} Receipt */

const GUIDE = "child-sexual-exploitation";
let key = crypto.randomUUID(); // of one concern, until there is a receipt

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const form = /** @type {HTMLFormElement} */ (byId("form"));
const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));

/** @param {string} name @param {(string | Node)[]} content */
function element(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}

/** @param {(string | Node)[]} entries */
const list = (entries) => element("ul", ...entries.map((each) => element("li", each)));

/** @param {Answer} answer */
const numbers = (answer) =>
  list(
    numbersToCall(answer).map(({ name, number, text, option }) => {
      const link = element("a", text);
      link.setAttribute("href", `tel:${number}`);
      return element("span", `${name}: `, link, option ? ` (option ${option})` : "");
    }),
  );

async function showIndicators() {
  const section = await readIndicators(GUIDE);
  byId("cautions").replaceChildren(...section.cautions.map(({ text }) => element("li", text)));
  byId("indicators").replaceChildren(...section.indicators.map(({ text }) => element("li", text)));
  byId("edition").textContent = `Edition ${section.edition} of the guide`;
}

/** Put each fault beside its field, and return those of other places. @param {Problem | null} problem */
function showFaults(problem) {
  for (const place of form.querySelectorAll(".fault")) place.textContent = "";
  const elsewhere = (problem?.errors ?? []).filter((fault) => {
    const place = form.querySelector(`[data-pointer="${CSS.escape(fault.pointer)}"]`);
    if (place) place.textContent = fault.detail;
    return !place;
  });
  return elsewhere.map((fault) => fault.detail);
}

/** @param {Receipt} receipt */
function showReceipt(receipt) {
  const shown = byId("receipt");
  const code = element("span", receipt.status_token);
  code.className = "code";
  const heading = element("h2", "We have your concern");
  heading.tabIndex = -1;
  shown.replaceChildren(
    heading,
    element("p", "Your reference: ", element("strong", receipt.reference)),
    element("p", "Your status token, shown only here: ", code),
    element("p", "Write both down before you leave this page: they are not shown again."),
    list(receipt.next_steps),
    element("h2", "Who to call"),
    numbers(receipt),
  );
  byId("message").replaceChildren();
  form.hidden = true;
  shown.hidden = false;
  heading.focus();
}

/** @param {unknown} error */
function showRefusal(error) {
  const problem = error instanceof Refused ? error.problem : null;
  const elsewhere = showFaults(problem);
  if (isKeyReused(error)) key = crypto.randomUUID();
  byId("message").replaceChildren(element("p", explain(error)), list(elsewhere), problem ? numbers(problem) : "");
}

/** @param {SubmitEvent} event */
async function send(event) {
  event.preventDefault();
  const typed = new FormData(form);
  const concern = /** @type {Concern} */ ({
    immediate_danger: typed.get("danger") || undefined,
    reporter: { kind: typed.get("kind") || undefined },
    children: [{}],
    concern: { narrative: typed.get("narrative") },
  });
  button.disabled = true;
  const sentKey = key;
  const show = await raiseConcern(concern, sentKey).then(
    (receipt) => () => showReceipt(receipt),
    (error) => () => showRefusal(error),
  );
  if (sentKey !== key) return; // emptied before the answer came
  show();
  button.disabled = false;
}

/** Show an empty form in place of what was typed, or of the receipt: going back must show neither. */
function empty() {
  key = crypto.randomUUID();
  form.reset();
  showFaults(null);
  byId("message").replaceChildren();
  byId("receipt").replaceChildren();
  byId("receipt").hidden = true;
  form.hidden = false;
  button.disabled = false;
}

form.addEventListener("submit", (event) => void send(event));
window.addEventListener("pagehide", empty);
button.disabled = false;
showIndicators().catch(() => byId("guide").replaceChildren("The guide cannot be shown now."));
