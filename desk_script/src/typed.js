// Keeps what a person typed and did not send when the screen is blanked: sealed to the team's keys, in the storage of this
// tab, until the same concern is opened again in it. Nothing of it is stored in clear, not even which concern it is about.
import { element } from "./elements.js";
import { seal } from "./seal_forms.js";
import { readSealed } from "./texts.js";

const KEY = "typed";
const FIELDS = "main form[data-team] :is(textarea, input[type=text])";
const FORGETS = "Anything you have typed but not sent will be lost.";
const KEEPS = "Anything you have typed but not sent is locked with the team’s key, and comes back when you open this concern in this tab.";
const BACK = "Your unsent text from before the screen was hidden is back.";

export class Typed {
  #keyring;

  constructor(keyring) {
    this.#keyring = keyring;
    document.addEventListener("desk:blank", (event) => event.detail.push(this.#keep()));
    document.addEventListener("submit", ({ target }) => {
      if (target.matches("[action='/desk/sign-out']")) sessionStorage.removeItem(KEY); // the next person is another one
    });
  }

  // Say below the page what Escape does with what is typed on it.
  tell() {
    const line = document.querySelector("[data-escape]");
    if (line !== null) line.textContent = document.querySelector(FIELDS) === null ? FORGETS : KEEPS;
  }

  async #keep() {
    const fields = [...document.querySelectorAll(FIELDS)].filter((each) => each.value !== each.defaultValue);
    if (fields.length === 0) return;
    const { team } = fields[0].form.dataset;
    const typed = fields.map((each) => [each.form.getAttribute("action"), each.name, each.value]);
    for (const each of fields) each.form.reset();
    sessionStorage.setItem(KEY, await seal({ typed }, team.split(" ")));
  }

  // Give back what was typed about the concern that the page shows, once its team's identity is here.
  async giveBack() {
    const sealed = sessionStorage.getItem(KEY);
    if (sealed === null || !this.#keyring.isOpen) return;
    const bytes = Uint8Array.from(atob(sealed), (character) => character.charCodeAt(0));
    const { typed } = await readSealed(bytes, this.#keyring.identities);
    const found = typed.map(([action, name, words]) => [fieldOf(action, name), words]);
    if (found.every(([field]) => field === null)) return; // another concern
    for (const [field, words] of found) {
      if (field === null || field.value !== field.defaultValue) continue;
      field.value = words;
      for (let part = field.closest("details"); part !== null; part = part.parentElement.closest("details")) part.open = true;
    }
    sessionStorage.removeItem(KEY);
    document.querySelector("main").prepend(element("p", { class: "box no-print", role: "status" }, BACK));
  }
}

function fieldOf(action, name) {
  const forms = [...document.querySelectorAll("main form[data-team]")];
  return forms.find((each) => each.getAttribute("action") === action)?.elements[name] ?? null;
}
