// The concerns that a search found, as rows of the inbox's own table (app/pages/templates/desk_macros.html).
import { shortOf } from "./card_places.js";
import { element } from "./elements.js";
import { toldBy } from "./whom.js";

const HEADS = ["Danger and wait", "Child", "Told by", "Has it", "Found in", "Reference"];
const DANGERS = { yes: ["Danger", "tag danger"], not_sure: ["Not sure", "tag"] };
const STATES = { received: "Waiting", acknowledged: "Acknowledged", closed: "Closed" };
const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "Europe/London" });

// Return a table of the concerns, each of which comes with `places`, the words for where it was found.
export function tableOf(found) {
  return element(
    "table",
    { class: "inbox", role: "table" },
    element("caption", { class: "vh" }, "Found concerns, best first"),
    element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, ...HEADS.map((each) => element("th", { scope: "col", role: "columnheader" }, each)))),
    element("tbody", { role: "rowgroup" }, ...found.map(rowOf)),
  );
}

function rowOf({ concern, places }) {
  const { reference, receivedAt, row } = concern;
  const cell = (name, ...children) => element("td", { role: "cell", class: name }, ...children);
  const label = (words) => element("span", { class: "label" }, words);
  const link = element("a", { class: "row-link", href: `/desk/concerns/${reference}` }, reference);
  return element(
    "tr",
    { role: "row", "data-row": reference },
    cell(false, ...dangerOf(row), row.due ? clockOf(row) : STATES[row.state]),
    cell(false, ...shortOf(concern)),
    cell("aside", toldBy(concern)),
    cell("aside", label("Assigned to "), row.assigned_to ?? "Nobody"),
    cell("found-in", label("Found in: "), places.join(", ")),
    element("th", { role: "rowheader", scope: "row" }, link, " ", element("span", { class: "why" }, DAY.format(new Date(receivedAt)))),
  );
}

function dangerOf({ danger }) {
  if (!(danger in DANGERS)) return [];
  const [words, name] = DANGERS[danger];
  return [element("strong", { class: name }, words)];
}

// Return a clock, which desk_clock.js fills and counts on from when the row was fetched.
function clockOf({ now, due, since, fetchedAt }) {
  return element("strong", { "data-clock": "short", "data-now": now, "data-due": due, "data-since": since ?? false, "data-fetched-at": String(fetchedAt) });
}
