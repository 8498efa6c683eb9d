// Makes elements. Text is only ever text.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// Return the referral: what the service's own page has (app/pages/templates/desk_concern.html).
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

function answerElement({ label, lines }) {
  const shown = lines.flatMap((line, place) => [...(place ? [element("br")] : []), typed("span", line)]);
  return element("div", {}, element("dt", {}, label), element("dd", {}, ...shown));
}

// Return text as its writer typed it.
export const typed = (name, text) => element(name, { class: "as-typed" }, text);
