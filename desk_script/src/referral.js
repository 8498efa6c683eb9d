// Arranges the text of a concern as a readable referral, by the layout that the service gives.
// The service does the same if it decrypts a concern itself (app/pages/desk/referral.py). Without a layout, every
// answer is a further detail.
const MONTHS = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];
const DATE = /^(\d{4})-(\d{1,2})(?:-(\d{1,2}))?$/;
const NO_LAYOUT = { flags: { title: "", rules: [] }, sections: [], further: "What was written", elsewhere: ["guide", "edition", "test"], nothing: ["", ""] };

// Return sections. Each has an id, a title and groups, each group a heading and answers, each answer a label, lines and its path.
export function referralOf(answers, layout = NO_LAYOUT) {
  const shown = new Set();
  const sections = layout.sections.map((section) => ({
    id: section.id,
    title: section.title,
    groups: groupsOf(section, answers, layout.nothing, shown),
  }));
  const rest = leavesOf(answers)
    .filter(([name]) => !shown.has(name) && !layout.elsewhere.includes(name.split(".")[0]))
    .map(([name, value]) => ({ label: labelOf(name), lines: [textOf(value)], name }));
  const further = { id: "further", title: layout.further, groups: rest.length ? [{ heading: "", answers: rest }] : [] };
  return [flagsOf(answers, layout.flags), ...sections, further].filter((section) => section.groups.length > 0);
}

// Return the section of answers that need more than the usual route. It comes first.
function flagsOf(answers, { title, rules }) {
  const found = rules.flatMap(({ list, member, label, words, entry }) => {
    const lines = (valueAt(answers, list) ?? []).flatMap((each, number) => {
      const value = valueAt(each, member);
      return Object.hasOwn(words, value) ? [`${entry} ${number + 1}: ${words[value]}`] : [];
    });
    return lines.length ? [{ label, lines }] : [];
  });
  return { id: "flags", title, groups: found.length ? [{ heading: "", answers: found }] : [] };
}

function groupsOf(section, answers, [knownSoFar, nothing], shown) {
  const own = answered(section.questions, "", answers, shown);
  const groups = own.length ? [{ heading: "", answers: own }] : [];
  for (const group of section.groups) {
    const entries = valueAt(answers, group.name) ?? [];
    entries.forEach((_, number) => {
      const found = answered(group.questions, `${group.name}.${number}.`, answers, shown);
      const none = [{ label: knownSoFar, lines: [nothing] }];
      groups.push({ heading: `${group.entry} ${number + 1}`, answers: found.length ? found : none });
    });
  }
  return groups;
}

function answered(questions, prefix, answers, shown) {
  const found = [];
  for (const question of questions) {
    const name = prefix + question.name;
    const value = valueAt(answers, name);
    if (isEmpty(value)) continue;
    for (const [leaf] of leavesOf(value, name)) {
      if (question.kind !== "observations" || ["id", "note"].includes(leaf.split(".").at(-1))) shown.add(leaf);
    }
    found.push({ label: question.label, lines: linesOf(question, value), name });
  }
  return found;
}

function linesOf(question, value) {
  const labelled = (each) => (Object.hasOwn(question.choices, each) ? question.choices[each] : textOf(each));
  if (question.kind === "date") return [partialDate(value)];
  if (question.kind === "observations") {
    return value.map((item) => labelled(item.id) + (item.note === undefined ? "" : `: ${item.note}`));
  }
  return Array.isArray(value) ? value.map(labelled) : [labelled(value)];
}

// Return every value that is neither an object nor a list, with its name: `children.0.given_names`.
function leavesOf(value, name = "") {
  if (value === null || value === undefined) return [];
  if (!(value instanceof Object)) return [[name, value]];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, name ? `${name}.${key}` : key));
}

function valueAt(answers, name) {
  let value = answers;
  for (const step of name.split(".")) {
    value = value instanceof Object && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value;
}

function isEmpty(value) {
  if (value instanceof Object) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === "";
}

// Return a date in words, with or without its day. Return a year or other text unchanged.
function partialDate(value) {
  const [, year, month, day] = DATE.exec(value) ?? [];
  const words = MONTHS[Number(month) - 1];
  if (words === undefined) return textOf(value);
  return [...(day === undefined ? [] : [Number(day)]), words, year].join(" ");
}

function textOf(value) {
  return typeof value === "boolean" ? (value ? "True" : "False") : String(value);
}

// Return the path of a field in words: `children.0.uprn` becomes `Children 1: uprn`.
function labelOf(name) {
  const words = name.split(".").map((step) => (/^\d+$/.test(step) ? String(Number(step) + 1) : step.replaceAll("_", " ")));
  const last = words.pop();
  return words.length ? `${capital(words.join(" "))}: ${last}` : capital(last);
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase();
