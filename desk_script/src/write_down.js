// Encrypts what a worker writes down on the page /desk/new, if the service cannot decrypt concerns.
// The request has only the fields that the service needs unencrypted: danger, restriction, channel, time and guide.
import { enableForms, sendForms } from "./elements.js";
import { Fault } from "./faults.js";
import { LEAST_CARD } from "./padding.js";
import { LastSealed, seal } from "./seal_forms.js";

const FORM = "form[data-write-down]";
const CARD_WORDS = 120; // characters
const DANGER = "immediate_danger";
const NARRATIVE = "concern.narrative";
const ABOUT_STAFF = "concern.about_council_staff";
const NUMBERS = ["estimated_age"];

export class WriteDown {
  #post;
  #text = new LastSealed();
  #card = new LastSealed();

  // `post` sends a form, and replaces this page by the response.
  constructor(post) {
    this.#post = post;
    sendForms(FORM, (form) => this.#send(form));
    window.addEventListener("pagehide", () => [this.#text, this.#card].forEach((each) => each.forget()));
  }

  take() {
    enableForms(FORM);
  }

  async #send(form) {
    const typed = [...new FormData(form)];
    const { text, card } = documentsOf(form, typed);
    const recipients = form.elements.recipients.value.split(" ");
    const fields = new URLSearchParams(typed.filter(([name]) => !isInText(name)));
    if (new Map(typed).has(ABOUT_STAFF)) fields.set("restricted", "yes");
    fields.set("sealed", await this.#text.of(text, () => seal(text, recipients)));
    fields.set("card", await this.#card.of(card, () => seal(card, recipients, LEAST_CARD)));
    await this.#post(form.action, fields);
  }
}

// Return the card and the text of what is typed into the form so far.
export function typedSoFar(form) {
  const filled = filledOf([...new FormData(form)]);
  const narrative = new Map(filled).get(NARRATIVE) ?? "";
  return { card: cardOf(submissionOf(filled), narrative), narrative };
}

const filledOf = (typed) => typed.map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== "");

// Return the documents to encrypt: the text of a concern, or of an addition to the concern that the form names, and its
// card. Throw a Fault if there is no text, or too much.
function documentsOf(form, typed) {
  const filled = filledOf(typed);
  const values = new Map(filled);
  const narrative = values.get(NARRATIVE) ?? "";
  const to = values.get("to_concern");
  const submission = submissionOf(filled);
  const card = cardOf(submission, narrative);
  const reference = to === undefined ? values.get("reference") : standardReference(to);
  const words = to === undefined ? narrative : withLines(narrative, form, values);
  if (narrative === "") throw new Fault("no-words");
  const most = form.elements[NARRATIVE].maxLength; // of characters, as the service counts them
  if ([...words].length > most) throw new Fault("too-long");
  const about = values.has(ABOUT_STAFF) ? { about_council_staff: values.get(ABOUT_STAFF) } : {};
  const addition = { [DANGER]: values.get(DANGER), concern: { narrative: words, ...about } };
  return { text: { reference, ...(to === undefined ? { submission } : { addition }) }, card: { reference, card } };
}

// Return the concern as the service's own page makes it from the same fields (app/pages/desk/written_down.py).
function submissionOf(filled) {
  const submission = { reporter: {}, children: [{}], concern: {} };
  for (const [name, value] of filled.filter(([each]) => isInText(each) || each === DANGER)) {
    const path = name.split(".");
    const field = path.pop();
    const place = path.reduce((part, step) => part[step], submission);
    place[field] = NUMBERS.includes(field) && /^\d+$/.test(value) ? Number(value) : value;
  }
  const { reporter } = submission;
  reporter.kind ??= Object.keys(reporter).length > 0 ? "member_of_public" : "anonymous";
  return submission;
}

function cardOf({ reporter, children: [child] }, narrative) {
  const { given_names: given, family_name: family, estimated_age: age, school_or_setting: school } = child;
  const names = [given, family].filter((each) => each !== undefined);
  const { kind, name, phone } = reporter;
  return {
    children: [{ names, age, school }],
    people: [],
    reporter: { kind, name, phones: phone === undefined ? [] : [phone] },
    words: [...narrative.split(/\s+/).join(" ")].slice(0, CARD_WORDS).join(""),
  };
}

// An addition has no fields for the caller and the child: they become lines of its text.
function withLines(narrative, form, values) {
  const labels = JSON.parse(form.dataset.lines);
  const lines = labels.filter(([name]) => values.has(name)).map(([name, label]) => `${label}: ${values.get(name)}`);
  return lines.length > 0 ? `${narrative}\n\n${lines.join("\n")}` : narrative;
}

const isInText = (name) => name.includes(".");

// Return a typed reference in standard form. If it is wrong, the service refuses it.
export function standardReference(typed) {
  const plain = typed.toUpperCase().replace(/O/g, "0").replace(/[\s-]/g, "");
  return plain.replace(/(.{4})(?=.)/g, "$1-");
}
