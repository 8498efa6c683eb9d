// <raise-a-concern service="https://guidance.example" guide="child-sexual-exploitation">: numbers to call, and a form of
// five questions, three of which need an answer. Without `guide` the concern names none. It sends what is typed only to
// the service, and stores none of it. When the page is left, or the element is taken out of it, form and receipt are
// emptied, so that going back shows neither. Other scripts of the page can read both: docs/how-to/embed-in-a-website.md.

import { Refused } from "./guidance.js";
import { callBox, element, list, ServiceElement } from "./elements.js";

const DANGER = [["yes", "Yes"], ["no", "No"], ["not_sure", "I am not sure"]];
const KINDS = [
  ["", ""],
  ["professional", "Someone who works with children"],
  ["member_of_public", "A member of the public"],
  ["family", "Family"],
  ["anonymous", "I do not want to say"],
];
const LOST = "We got no answer. What you typed is still here. Press Send again: it does not arrive twice. Or call.";
const REUSED = "What you sent before has arrived. Press Send once more to send what you typed now as well.";
const FAULTY = "Nothing was sent yet. Please look at these answers.";
const REFUSED = "Nothing was sent yet. What you typed is still here. Please try again later, or call.";
const QUESTIONS = {
  danger: { pointer: "#/immediate_danger", label: "Is a child in immediate danger?" },
  kind: { pointer: "#/reporter/kind", label: "Who are you?" },
  narrative: { pointer: "#/concern/narrative", label: "What are you worried about?" },
  child: { pointer: "#/children/0/given_names", label: "The child’s name, if you know it" },
  phone: { pointer: "#/reporter/phone", label: "A number where we can call you, if it is safe" },
};

export class RaiseAConcern extends ServiceElement {
  connectedCallback() {
    super.connectedCallback();
    window.addEventListener("pagehide", this);
  }

  disconnectedCallback() {
    window.removeEventListener("pagehide", this);
    queueMicrotask(() => this.isConnected || this.empty()); // a page that only moves it keeps what was typed
  }

  handleEvent() {
    this.empty();
  }

  start() {
    this.guide = this.getAttribute("guide") || undefined;
    this.empty();
    void this.showNumbers();
  }

  /** Show an empty form in place of what was typed, or of the receipt. The numbers stay. */
  empty() {
    if (!this.guidance) return; // not set up
    this.key = crypto.randomUUID();
    this.message = element("div", { role: "alert" });
    this.form = formOf();
    this.form.addEventListener("submit", (event) => void this.send(event));
    this.form.addEventListener("change", () => this.tellDanger());
    const heading = element("h2", {}, "Tell us about a child");
    this.shadowRoot.replaceChildren(this.shadowRoot.querySelector(".call"), heading, ...this.hints(), this.message, this.form);
  }

  hints() {
    const young = element("a", { href: this.addressOf("/worried-about-yourself"), rel: "noreferrer" }, "Use the form for young people");
    return [
      element("p", {}, "Are you under 18? It can be about you or a friend. ", young, ". It has a button to leave fast."),
      element("p", {}, "When you leave this page, what you typed here is deleted."),
    ];
  }

  addressOf(path) {
    return new URL(path, this.getAttribute("service")).href;
  }

  /** Show the numbers of the duty team, which are the guide's, and those of others. 999 is there before. */
  async showNumbers() {
    const reads = [this.guidance.form(), this.guide ? this.guidance.guide(this.guide) : Promise.resolve({})];
    const [form, guide] = (await Promise.allSettled(reads)).map(({ value }) => value ?? {});
    const box = this.form.isConnected && this.shadowRoot.querySelector(".call");
    if (box) box.replaceWith(callBox({ contacts: guide.contacts, signposts: form.signposts }));
  }

  /** Say what to do in danger, as soon as that is the answer. */
  tellDanger() {
    const isDanger = new FormData(this.form).get("danger") === "yes";
    this.form.querySelector(".danger").textContent = isDanger ? "Call 999 first. Then send this." : "";
  }

  async send(event) {
    event.preventDefault();
    const { form } = this;
    const button = form.querySelector("button");
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    const show = await this.guidance.raise(this.concern(), this.key).then(
      (receipt) => () => this.showReceipt(receipt),
      (error) => () => this.showRefusal(error),
    );
    if (form !== this.form) return; // emptied before the answer came
    show();
    button.setAttribute("aria-disabled", "false");
  }

  concern() {
    const typed = new FormData(this.form);
    const text = (name) => typed.get(name) || undefined;
    return {
      guide: this.guide,
      immediate_danger: text("danger"),
      reporter: { kind: text("kind"), phone: text("phone") },
      children: [{ given_names: text("child") }],
      concern: { narrative: text("narrative") },
    };
  }

  showReceipt(receipt) {
    const heading = element("h2", { tabindex: "-1" }, "We have your concern");
    const code = element("strong", { class: "code" }, receipt.status_token);
    const status = element("a", { href: this.addressOf("/concerns"), rel: "noreferrer", target: "_blank" }, "see what happens and add more");
    this.shadowRoot.replaceChildren(
      callBox(receipt),
      heading,
      element("p", {}, "Your reference: ", element("strong", { class: "code" }, receipt.reference)),
      element("p", {}, "Your code, shown only here: ", code),
      element("p", {}, "Write both down before you leave this page: they are not shown again."),
      element("p", {}, "With both you can ", status, " (opens in a new tab)."),
      list(receipt.next_steps),
    );
    heading.focus();
  }

  showRefusal(error) {
    const problem = error instanceof Refused ? error.problem : null;
    if (error instanceof Refused && error.isKeyReused) this.key = crypto.randomUUID();
    const faults = problem?.errors ?? [];
    const words = problem === null ? LOST : error.isKeyReused ? REUSED : faults.length ? FAULTY : REFUSED;
    const entries = this.markFaults(faults);
    this.message.className = "message";
    this.message.replaceChildren(element("p", {}, words), entries.length ? list(entries) : "");
    if (problem) this.shadowRoot.querySelector(".call").replaceWith(callBox(problem));
    this.form.querySelector('[aria-invalid="true"]')?.focus();
  }

  /** Put each fault beside its field, and return all of them for the list above, in order of the questions. */
  markFaults(faults) {
    for (const [name, { pointer }] of Object.entries(QUESTIONS)) {
      const here = faults.filter((fault) => fault.pointer === pointer);
      this.form.querySelector(`#${name}-fault`).textContent = here.map(({ detail }) => detail).join(" ");
      for (const field of this.form.querySelectorAll(`[name="${name}"]`)) {
        field.setAttribute("aria-invalid", String(here.length > 0));
      }
    }
    const labelled = new Map(Object.values(QUESTIONS).map(({ pointer, label }) => [pointer, label]));
    return faults.map(({ pointer, detail }) => (labelled.has(pointer) ? `${labelled.get(pointer)} ${detail}` : detail));
  }
}

function formOf() {
  const choices = DANGER.map(([value, label]) => {
    const input = element("input", { type: "radio", name: "danger", value, "aria-describedby": "danger-fault" });
    return element("label", { class: "choice" }, input, ` ${label}`);
  });
  const options = KINDS.map(([value, label]) => element("option", { value }, label));
  // method="dialog": without this script, pressing Send sends nothing and puts nothing into an address.
  return element(
    "form",
    { method: "dialog", autocomplete: "off", novalidate: "" },
    element("fieldset", {}, element("legend", {}, QUESTIONS.danger.label), faultOf("danger"), ...choices),
    element("p", { class: "danger fault", role: "status" }),
    ...field("kind", "select", {}, ...options),
    ...field("narrative", "textarea", { rows: "6" }),
    ...field("child", "input", { type: "text" }),
    ...field("phone", "input", { type: "text", inputmode: "tel" }),
    element("button", { part: "button" }, "Send"),
  );
}

const faultOf = (name) => element("p", { class: "fault", id: `${name}-fault` });

function field(name, kind, own, ...content) {
  const attributes = { id: name, name, autocomplete: "off", spellcheck: "false", "aria-describedby": `${name}-fault` };
  const label = element("label", { class: "above", for: name }, QUESTIONS[name].label);
  return [label, faultOf(name), element(kind, { ...own, ...attributes }, ...content)];
}
