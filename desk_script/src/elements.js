// Creates HTML elements, and sends forms. A string always becomes text, never HTML.
import { contactPieces } from "./contact_links.js";
import { sentenceOf } from "./faults.js";

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// Show a fault above the fields of the form, in place of the one before.
export function showFault(form, words) {
  form.querySelector("[role=alert]")?.remove();
  form.prepend(element("p", { class: "problem", role: "alert" }, words));
}

// Let the browser save the bytes as a file of that name and media type.
export function saveFile(bytes, name, type = "application/octet-stream") {
  const address = URL.createObjectURL(new Blob([bytes], { type }));
  element("a", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}

// Return a referral as the service's own page shows it (app/pages/templates/desk_referral.html).
export function referralElement(sections) {
  return element("article", { "aria-label": "The referral", tabindex: "-1" }, ...sections.map(sectionElement));
}

function sectionElement({ id, title, groups }) {
  const contents = groups.flatMap(({ heading, answers }) => [
    ...(heading ? [element("h3", {}, heading)] : []),
    element("dl", { class: "facts" }, ...answers.map(answerElement)),
  ]);
  return element("section", { "aria-labelledby": id }, element("h2", { id }, title), ...contents);
}

function answerElement({ label, lines, name }) {
  const shown = lines.flatMap((line, place) => [...(place ? [element("br")] : []), typed("span", line)]);
  return element("div", name ? { "data-answer": name } : {}, element("dt", {}, label), element("dd", {}, ...shown));
}

// Return an element that shows text as it was typed, with its line breaks. Phone numbers and email addresses are links.
export function typed(name, text) {
  const pieces = contactPieces(text).map(({ words, address }) => (address ? element("a", { href: address }, words) : words));
  return element(name, { class: "as-typed" }, ...pieces);
}

// Send the forms by `send`, each once at a time, and show beside a form why it could not be sent.
export function sendForms(selector, send) {
  const sendOnce = async (form) => {
    const press = form.querySelector("button");
    if (press.disabled) return;
    press.disabled = true;
    try {
      await send(form);
    } finally {
      press.disabled = false;
    }
  };
  const submitted = (event) => {
    if (!event.target.matches(selector)) return;
    event.preventDefault();
    sendOnce(event.target).catch((error) => showFault(event.target, sentenceOf(error)));
  };
  document.addEventListener("submit", submitted, { capture: true });
}

// Enable the forms that only a script can send, and hide what says so.
export function enableForms(selector) {
  for (const form of document.querySelectorAll(selector)) {
    for (const part of form.querySelectorAll("button, textarea, input")) part.disabled = false;
    for (const advice of form.querySelectorAll("[data-not-sealed]")) advice.hidden = true;
  }
}
