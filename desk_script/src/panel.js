// The panel on which a person chooses the file of the team's key, opens it, and has the key forgotten.
import { element, saveFile } from "./elements.js";
import { Fault, sentenceOf } from "./faults.js";
import { Lock, lockByPasskey, lockByPassphrase, lockOf, readIdentities, unlocked } from "./identities.js";

const FORGOTTEN = {
  idle: "The key was locked, since nothing was done for a while.",
  wanted: "The key is locked, and the words are gone from the page.",
  blank: "The key is locked, and the words are gone from the page.",
};
const HEADING = "Open with the key file";
const SHORTEST = 12; // characters of a new passphrase

export class Panel {
  #keyring;
  #use;
  #bytes = null;
  #choose = element("input", { type: "file", id: "identity-file" });
  #passphrase = element("input", { type: "password", id: "identity-passphrase", autocomplete: "off" });
  #unlocking = element("div", { class: "question", hidden: true });
  #press = element("button", {}, "Open");
  #status = element("p", { role: "status" });
  #fault = element("p", { class: "problem", role: "alert", hidden: true });
  #closed = element("form", { autocomplete: "off" });
  #open = element("div", { hidden: true });

  // `use` opens the page with new identities and gets the bytes of the unlocked file too. It throws a Fault if they open nothing.
  constructor(keyring, use) {
    this.#keyring = keyring;
    this.#use = use;
    this.#unlocking.append(element("label", { for: this.#passphrase.id }, "Passphrase of the file"), this.#passphrase);
    this.#closed.append(
      element(
        "div",
        { class: "question" },
        element("label", { for: this.#choose.id }, "File of the key"),
        element("p", { class: "hint", id: "identity-hint" }, "It stays in the memory of this page. Nothing sends it."),
        this.#choose,
      ),
      this.#unlocking,
      this.#press,
    );
    this.#choose.setAttribute("aria-describedby", "identity-hint");
    const forget = element("button", { type: "button", class: "second" }, "Lock");
    this.#open.append(element("p", {}, `The key is open. It is locked after ${keyring.idleMinutes} minutes without use, on Escape, and when you leave.`), forget);
    this.element = element(
      "section",
      { class: "box no-print", "aria-labelledby": "unseal-heading", "data-unseal": true },
      element("h2", { id: "unseal-heading" }, HEADING),
      this.#status,
      this.#fault,
      this.#closed,
      this.#open,
      this.#locking(),
    );
    this.#choose.addEventListener("change", () => this.#do(async () => this.#take(await this.#read())));
    this.#closed.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#do(() => this.#unlock());
    });
    forget.addEventListener("click", () => keyring.forget("wanted"));
    keyring.onForget((reason) => this.#forgotten(reason));
    this.show();
  }

  // Show the button that forgets the identities, if the keyring holds any.
  show() {
    this.#open.hidden = !this.#keyring.isOpen;
  }

  // Take a file that was chosen elsewhere.
  take(bytes) {
    return this.#do(() => this.#take(bytes));
  }

  // Open an unlocked file immediately. A locked file waits for its passphrase, or for the button.
  async #take(bytes) {
    this.#unlocking.hidden = true;
    const lock = lockOf(bytes);
    this.#bytes = bytes;
    this.#unlocking.hidden = lock !== Lock.PASSPHRASE;
    this.#press.textContent = lock === Lock.PASSKEY ? "Open with the passkey" : "Open";
    if (lock === Lock.PASSPHRASE) this.#passphrase.focus();
    if (lock === Lock.NONE) await this.#unlock();
  }

  async #read() {
    const [file] = this.#choose.files;
    if (file === undefined) throw new Fault("no-identity");
    return new Uint8Array(await file.arrayBuffer());
  }

  async #unlock() {
    this.#bytes ??= await this.#read();
    const bytes = await unlocked(this.#bytes, this.#passphrase.value);
    const identities = await readIdentities(bytes);
    await this.#use(identities, bytes);
    this.#keyring.hold(identities);
    bytes.fill(0);
    this.#drop();
    this.#status.textContent = "Opened.";
    this.show();
  }

  #forgotten(reason) {
    this.#clear();
    this.#status.textContent = FORGOTTEN[reason] ?? "";
    this.show();
  }

  #clear() {
    this.#drop();
    this.#closed.reset();
  }

  // Forget the content of the file, and the passphrase. The file stays chosen, so that it can still be locked.
  #drop() {
    this.#bytes?.fill(0);
    this.#bytes = null;
    this.#passphrase.value = "";
    this.#unlocking.hidden = true;
  }

  // Return the part that locks an unencrypted file. The browser saves the locked file under a new name.
  #locking() {
    const passphrase = element("input", { type: "password", id: "new-passphrase", autocomplete: "off" });
    const byPassphrase = element("button", { class: "second" }, "Lock by this passphrase");
    const byPasskey = element("button", { type: "button", class: "second" }, "Lock by a passkey");
    const form = element(
      "form",
      { autocomplete: "off" },
      element(
        "div",
        { class: "question" },
        element("label", { for: passphrase.id }, `A new passphrase, of ${SHORTEST} characters or more`),
        passphrase,
      ),
      byPassphrase,
      ...(globalThis.PublicKeyCredential && location.protocol !== "file:" ? [byPasskey] : []),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#do(async () => {
        if (passphrase.value.length < SHORTEST) throw new Fault("short");
        await this.#lock((bytes) => lockByPassphrase(bytes, passphrase.value));
        form.reset();
      });
    });
    byPasskey.addEventListener("click", () => this.#do(() => this.#lock((bytes) => lockByPasskey(bytes, !("passkey" in document.body.dataset)))));
    return element(
      "details",
      {},
      element("summary", {}, "Lock the file that you chose"),
      element("p", {}, "You get a copy that opens nothing by itself. Keep the file in the clear only where nobody else can read it."),
      form,
    );
  }

  async #lock(how) {
    const bytes = await this.#read();
    if (lockOf(bytes) !== Lock.NONE) throw new Fault("locked");
    const locked = await how(bytes);
    bytes.fill(0);
    saveFile(locked, "identity-locked.age");
    this.#status.textContent = "The locked file is saved as identity-locked.age. Choose it from now on.";
  }

  // Run `act` with the button disabled. If `act` fails, show the error.
  async #do(act) {
    this.#fault.hidden = true;
    this.#press.disabled = true;
    try {
      await act();
    } catch (error) {
      this.#fault.textContent = sentenceOf(error);
      this.#fault.hidden = false;
    } finally {
      this.#press.disabled = false;
    }
  }
}
