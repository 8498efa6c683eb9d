// Says in words whom the opened cards of a concern are about.
import { dayOf } from "./card_facts.js";

const CHILDREN_NAMED = 3;
const DAYS_OF_A_YEAR = 365.2425;
const UNNAMED = "child not named";

// Return whom a concern is about: the names of the children, with their ages on the day `today` if they are known.
export function whomOf({ cards }, today = new Date().toISOString().slice(0, 10)) {
  const named = cards.flatMap(({ card }) => card.children ?? []).map((child) => nameAndAge(child, today));
  const shown = named.slice(0, CHILDREN_NAMED);
  const more = named.length - shown.length;
  return (shown.join("; ") || UNNAMED) + (more > 0 ? ` and ${more} more` : "");
}

// Return whom the text of a concern is about, in the same words.
export function whomIn({ children }) {
  const named = (Array.isArray(children) ? children : []).map((each) => ({
    names: [each?.given_names, each?.family_name].filter(Boolean),
    other_names: each?.other_names,
    born: each?.date_of_birth,
    age: each?.estimated_age,
    age_described: each?.age_described,
  }));
  return whomOf({ cards: [{ card: { children: named } }] });
}

// Return the schools that the cards of a concern name, each once.
export const schoolsOf = ({ cards }) => [...new Set(cards.flatMap(({ card }) => card.children ?? []).map(({ school }) => school))].filter(Boolean);

const REPORTERS = { professional: "Professional", member_of_public: "Member of the public", family: "Family", child: "The child", friend: "A friend", anonymous: "Anonymous" };

// Return who reports, in words: the name if there is one, and as what. `row` is known of concerns that the service lists.
export function toldBy({ cards, row }) {
  const { kind, name } = cards.map(({ card }) => card.reporter ?? {}).find((each) => each.kind || each.name) ?? {};
  const what = row?.source ?? REPORTERS[kind] ?? "";
  return name ? `${name}${what ? `, ${what.toLowerCase()}` : ""}` : what;
}

function nameAndAge(child, today) {
  const name = (child.names?.length ? child.names : (child.other_names ?? [])).join(" ") || UNNAMED;
  const born = dayOf(child.born ?? "");
  const age = born === null ? child.age : Math.floor((dayOf(today) - born) / DAYS_OF_A_YEAR);
  const known = age >= 0 ? age : child.age_described;
  return known === undefined ? name : `${name}, ${known}`;
}
