// What both components share: elements without markup as text, numbers to call, the style, and an element of their kind.

import { Guidance, numbersToCall } from "./guidance.js";

const EMERGENCY = "999";
const STYLE = `
:host { display: block; max-width: 42rem; color: #0b0c0c; background: #fff; font: 1.125rem/1.5 system-ui, sans-serif; }
:host([hidden]) { display: none; }
.call, .message { margin-bottom: 1.5rem; padding: 0.75rem 1rem; border: 3px solid #942514; }
.call p, .call ul, .message p, .message ul { margin: 0; }
.call p + ul, .message p + ul, details { margin-top: 0.5rem; }
summary { cursor: pointer; font-weight: bold; }
.danger:not(:empty) { margin-bottom: 1.5rem; padding-left: 0.75rem; border-left: 6px solid currentColor; }
.fault { color: #942514; font-weight: bold; }
a { color: #1a4f8a; }
a[href^="tel:"] { white-space: nowrap; }
fieldset { border: 0; margin: 0 0 1.5rem; padding: 0; }
legend, label.above, h2 { font-weight: bold; }
h2 { font-size: 1.375rem; line-height: 1.3; }
label.above, textarea, input[type="text"], select { display: block; }
p.fault { margin: 0; }
.choice { display: block; padding: 0.375rem 0; }
textarea, input[type="text"], select {
  box-sizing: border-box; width: 100%; margin: 0.25rem 0 1.5rem; padding: 0.5rem; font: inherit; color: inherit;
  background: #fff; border: 2px solid #0b0c0c; border-radius: 0;
}
button { font: inherit; font-weight: bold; padding: 0.625rem 1.25rem; color: #fff; background: #0b6150; border: 2px solid #0b6150; }
:focus-visible { outline: 3px solid #1a4f8a; outline-offset: 2px; }
.code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  :host([dark]) { color: #f3f2f1; background: #16191d; }
  :host([dark]) .call, :host([dark]) .message { border-color: #ff9c8f; }
  :host([dark]) .fault { color: #ff9c8f; }
  :host([dark]) a { color: #9cc9ff; }
  :host([dark]) :is(textarea, input, select) { background: #16191d; border-color: #f3f2f1; }
  :host([dark]) :focus-visible { outline-color: #9cc9ff; }
}
`;

/** Make an element with attributes and content. Text stays text. */
export function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/** Make a list. */
export const list = (entries) => element("ul", {}, ...entries.map((each) => element("li", {}, each)));

/**
 * Make the box of numbers to call: 999, which needs no answer of the service; the contacts of `answer`, which are the
 * duty team's; and, to be opened, its signposts.
 */
export function callBox(answer) {
  const links = (contacts) =>
    numbersToCall({ contacts })
      .filter(({ number }) => number !== EMERGENCY)
      .map(({ name, number, text, option }) =>
        element("span", {}, `${name}: `, element("a", { href: `tel:${number}` }, text), option ? ` (option ${option})` : ""),
      );
  const team = links(answer?.contacts);
  const others = links(answer?.signposts);
  const first = element("p", {}, "If a child is in immediate danger, call ", element("a", { href: "tel:999" }, "999"), " now.");
  const more = element("details", {}, element("summary", {}, "Other people who can help"), list(others));
  if (!team.length) more.setAttribute("open", "");
  return element("div", { class: "call", part: "call" }, first, team.length ? list(team) : "", others.length ? more : "");
}

/** An element that shows something of a service, in a tree of its own, so that the styles of the page do not reach it. */
export class ServiceElement extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: "open" });
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch {
      // An old browser shows it without its style.
    }
    root.append(callBox(null));
    try {
      this.guidance = new Guidance(this.getAttribute("service") ?? "");
      this.start(root);
    } catch {
      root.append(element("p", {}, "This part of the page is not set up. Please call."));
    }
  }
}
