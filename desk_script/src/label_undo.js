// Decrypts the former label for the form that sets it again, so that the form can be sent like a typed label.
import { openText } from "./texts.js";

const FORMS = "form[action$='/label']:has(> template.ciphertext)";

export class LabelUndo {
  #keyring;

  constructor(keyring) {
    this.#keyring = keyring;
    keyring.onForget(() => document.querySelectorAll(FORMS).forEach((form) => fill(form, "", { isOpen: false })));
  }

  // Fill the form of the current page. It stays disabled without an identity that decrypts the former label.
  async take() {
    const form = document.querySelector(FORMS);
    if (form === null || !this.#keyring.isOpen) return;
    const armored = form.querySelector("template.ciphertext").content.textContent;
    const place = { kind: "label", reference: form.dataset.reference };
    const { label } = await openText(new TextEncoder().encode(armored), this.#keyring.identities, place);
    if (this.#keyring.isOpen) fill(form, label.text, { isOpen: true });
  }
}

function fill(form, text, { isOpen }) {
  form.elements.text.value = text;
  form.querySelector("button").disabled = !isOpen;
}
