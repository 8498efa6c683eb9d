// Marks in the opened text of a concern what a search found there.
import { compact } from "./card_facts.js";
import { joined } from "./card_search.js";
import { isOneLetterOff } from "./matching.js";
import { withPlainDigits, wordsInOrder } from "./words.js";

const TEXTS = "main :is(.words, article, .as-typed)";
const MOST_TOGETHER = 4; // words on the page that are one postcode, registration, number or day
const SHORTEST = 2; // letters of the shortest part that marks the words that begin with it
const SHORTEST_DIGITS = 3;
const DAY = /^\d{1,2} \p{L}+ \d{4}$/u;

// Mark each place, show the first one, and return true if there is any. Places that are marked already stay.
export function markFound(parts, matching) {
  const codes = new Set(joined(parts).map(({ code }) => code));
  for (const node of textsOf(document.querySelectorAll(TEXTS))) markIn(node, { parts, codes, matching });
  const first = document.querySelector("mark.hit");
  first?.scrollIntoView({ block: "center" });
  return first !== null;
}

function textsOf(places) {
  const found = new Set();
  for (const place of places) {
    const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("mark, dt, h2, h3, template")) found.add(walker.currentNode);
  }
  return found;
}

function markIn(node, wanted) {
  const chunks = [...node.data.matchAll(/\S+/g)].map((match) => ({ text: match[0], start: match.index }));
  const isMeant = chunks.map(({ text }) => isNear(text, wanted));
  chunks.forEach((_, start) => {
    for (let size = 1; size <= MOST_TOGETHER; size += 1) {
      if (isCode(chunks.slice(start, start + size).map(({ text }) => text).join(" "), wanted)) isMeant.fill(true, start, start + size);
    }
  });
  for (const { text, start } of chunks.filter((_, place) => isMeant[place]).reverse()) {
    const range = document.createRange();
    range.setStart(node, start);
    range.setEnd(node, start + text.length);
    const mark = document.createElement("mark");
    mark.className = "hit";
    range.surroundContents(mark);
  }
}

function isNear(text, { parts, matching }) {
  const isPart = (word, part) =>
    word === part || (!/^\d+$/.test(part) && ((part.length >= SHORTEST && word.startsWith(part)) || isOneLetterOff(part, word) || matching.isAlike(part, word)));
  return wordsInOrder(text).some((word) => parts.some((part) => isPart(word, part)));
}

function isCode(text, { parts, codes }) {
  const code = compact(text);
  const plain = withPlainDigits(text).replace(/[.,;:]$/, "");
  if (DAY.test(plain)) return codes.has(dayCode(plain));
  const isNumber = /^[\d+(][\d\s().-]*$/.test(plain);
  return codes.has(code) || (isNumber && parts.some((part) => part.length >= SHORTEST_DIGITS && /^\d+$/.test(part) && code.includes(part)));
}

function dayCode(text) {
  const time = Date.parse(`${text} UTC`);
  return Number.isNaN(time) ? "" : new Date(time).toISOString().slice(0, 10).replaceAll("-", "");
}
