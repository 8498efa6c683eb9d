// Shows the words of another concern beside those of the page's concern, decrypted in the browser.
// The service gives the other concern sealed, and records that as a reading.
import { wordsOf } from "./desk_page.js";
import { element } from "./elements.js";
import { Fault } from "./faults.js";
import { openText } from "./texts.js";

const HEADINGS = { concern: "The concern", addition: "Addition" };
const OWN_WORDS = ".sealed:not([data-sealed=note]) > .words, .words-column > article, section.addition:not([aria-labelledby^=note]) > .as-typed";

// Return a section with both concerns in two columns. `own` and `other` are the references.
export async function readBeside(own, other, identities) {
  const { texts, layout } = await fetchSealed(other);
  const opened = await Promise.all(texts.map((each) => open(each, other, identities)));
  const theirs = texts.flatMap(({ kind, number }, place) => [
    element("h4", {}, number ? `${HEADINGS[kind]} ${number}` : HEADINGS[kind]),
    wordsOf(kind, opened[place], layout),
  ]);
  const mine = [...document.querySelectorAll(OWN_WORDS)].map((each) => each.cloneNode(true));
  const columns = element("div", { class: "two-concerns" }, columnOf(own, "This concern", mine), columnOf(other, "The other concern", theirs));
  return withoutIds(columns);
}

function columnOf(reference, title, contents) {
  return element("div", {}, element("h3", {}, `${title}, `, element("span", { class: "code" }, reference)), ...contents);
}

async function fetchSealed(reference) {
  try {
    return await (await fetch(`/desk/concerns/${reference}/sealed`, { cache: "no-store", redirect: "error" })).json();
  } catch {
    throw new Fault("not-fetched");
  }
}

const open = ({ kind, received_at: receivedAt, sealed }, reference, identities) =>
  openText(new TextEncoder().encode(sealed), identities, { kind, reference, receivedAt });

// Remove the ids, which the page has already, and what refers to them. Headings become those of a part of the column.
function withoutIds(tree) {
  for (const each of tree.querySelectorAll("[id], [aria-labelledby], [tabindex]")) {
    for (const name of ["id", "aria-labelledby", "tabindex"]) each.removeAttribute(name);
  }
  for (const heading of tree.querySelectorAll("h2")) heading.replaceWith(element("h4", {}, ...heading.childNodes));
  for (const article of tree.querySelectorAll("article")) article.removeAttribute("aria-label");
  return tree;
}
