// Shows the words of another concern beside those of the page's concern, decrypted in the browser: answer by answer.
// The service gives the other concern sealed, and records that as a reading.
import { wordsOf } from "./desk_page.js";
import { element } from "./elements.js";
import { openSealed } from "./texts.js";

const OWN_WORDS = ":is(.sealed[data-sealed=concern], .sealed[data-sealed=addition]) > .words, .words-column > article, section.addition:not([aria-labelledby^=note]) > .as-typed";
const OWN = "This concern";
const OTHER = "The other concern";

// Return a table of both concerns. `own` and `other` are the references.
export async function readBeside(own, other, identities) {
  const { texts, layout, opened } = await openSealed(`/desk/concerns/${other}/sealed`, identities);
  const theirs = texts.flatMap(({ kind, number }, place) => answersIn(wordsOf(kind, opened[place], layout), number));
  const words = [...document.querySelectorAll(OWN_WORDS)].map((each) => ({ each, number: additionOf(each) }));
  const mine = words.sort((one, two) => one.number - two.number).flatMap(({ each, number }) => answersIn(each.cloneNode(true), number));
  return element(
    "table",
    { class: "two-concerns" },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Answer"), headOf(OWN, own), headOf(OTHER, other))),
    element("tbody", {}, ...rowsOf(mine, theirs)),
  );
}

const headOf = (whose, reference) => element("th", { scope: "col" }, `${whose}, `, element("span", { class: "code" }, reference));

// Return the number of the addition to which an element of the page belongs, or 0 for the concern itself.
function additionOf(part) {
  const section = part.closest("section.addition");
  return section === null ? 0 : Number(section.getAttribute("aria-labelledby").split("-")[1]);
}

// Return the answers in a text: each with the group to which it belongs, its label, and the nodes of its value.
function answersIn(tree, number) {
  const whole = element("div", {}, tree);
  const places = [...whole.querySelectorAll("h2, h3, dl.facts > div")];
  if (places.length === 0) return [{ group: `Addition ${number}`, label: "Text", value: [...whole.childNodes] }];
  let [title, heading] = ["", ""];
  return places.flatMap((place) => {
    if (place.localName === "h2") [title, heading] = [place.textContent, ""];
    else if (place.localName === "h3") heading = place.textContent;
    else return [{ group: heading || title, label: place.querySelector("dt").textContent, value: [...place.querySelector("dd").childNodes] }];
    return [];
  });
}

function rowsOf(mine, theirs) {
  const [one, other] = [byKey(mine), byKey(theirs)];
  let group = null;
  return merged([...one.keys()], [...other.keys()]).flatMap((key) => {
    const [own, their] = [one.get(key), other.get(key)];
    const known = own ?? their;
    const head = known.group === group ? [] : [element("tr", { class: "group" }, element("th", { colspan: "3", scope: "rowgroup" }, known.group))];
    group = known.group;
    const differs = own !== undefined && their !== undefined && textOf(own) !== textOf(their);
    const mark = own && their ? [" ", element("span", { class: differs ? "tag" : "quiet" }, differs ? "Differs" : "Same")] : [];
    return [...head, element("tr", { "data-differs": differs }, element("th", { scope: "row" }, known.label, ...mark), cellOf(OWN, own), cellOf(OTHER, their))];
  });
}

const textOf = ({ value }) => value.map((node) => node.textContent).join(" ").replace(/\s+/g, " ").trim();

const cellOf = (whose, answer) =>
  element("td", {}, element("span", { class: "whose" }, `${whose}: `), ...(answer?.value ?? [element("span", { class: "quiet" }, "Not said")]));

// Return the answers by group and label. A label that comes again is another answer.
function byKey(answers) {
  const found = new Map();
  for (const answer of answers) {
    let key = `${answer.group}\n${answer.label}`;
    while (found.has(key)) key += "\n";
    found.set(key, answer);
  }
  return found;
}

// Return the keys of both lists in the order of the first. A key that only the other has follows the one before it there.
function merged(keys, others) {
  const all = [...keys];
  let last = -1;
  for (const key of others) {
    const place = all.indexOf(key);
    if (place >= 0) last = place;
    else all.splice((last += 1), 0, key);
  }
  return all;
}

