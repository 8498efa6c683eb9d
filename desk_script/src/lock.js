// The lock in the header of the desk says whether this page holds the team's key. A press opens the key or locks it again: by a
// touch of a passkey, or if none can, with the key file, which a person chooses once in this tab.
import { element } from "./elements.js";
import { sentenceOf } from "./faults.js";
import { Lock, lockOf, readIdentities } from "./identities.js";
import { forgetKept, hasKept, openKept } from "./kept_key.js";
import { say } from "./stay.js";
import { canTouch, openOwnCopy } from "./touch.js";

const IDLE = "The key was locked, since nothing was done for a while. Press “Locked” to go on.";
const WORDS = { touch: "Open with your passkey", kept: "Open", file: "Choose the key file" };

export class DeskLock {
  #keyring;
  #use;
  #openLocked;
  #file = element("input", { type: "file" });
  #isAble = false;
  #isBusy = false;

  // `use` opens the page with identities, and keeps the bytes of a file; it throws a Fault if they open nothing. `openLocked` gets the bytes of a file
  // that is locked itself.
  constructor(keyring, { use, openLocked }) {
    this.#keyring = keyring;
    this.#use = use;
    this.#openLocked = openLocked;
    this.#file.addEventListener("change", () => this.#do(() => this.#openFile()));
    document.addEventListener("click", ({ target }) => {
      if (target.closest("[data-unlock]")) this.unlock();
      else if (target.closest("[data-lock]")) keyring.isOpen ? keyring.forget("wanted") : this.unlock();
    });
    keyring.onForget((reason) => {
      if (reason === "wanted") forgetKept();
      if (reason === "idle") say(IDLE);
      this.show();
    });
  }

  async take() {
    this.#isAble = await canTouch();
    this.show();
  }

  get way() {
    return this.#isAble ? "touch" : hasKept() ? "kept" : "file";
  }

  show() {
    const isOpen = this.#keyring.isOpen;
    for (const button of document.querySelectorAll("[data-lock]")) {
      button.hidden = false;
      button.classList.toggle("unlocked", isOpen);
      button.textContent = isOpen ? "Unlocked" : this.way === "file" ? "Locked: use file" : "Locked";
      button.title = isOpen ? "Lock" : WORDS[this.way];
    }
    for (const button of document.querySelectorAll("[data-unlock]")) button.textContent = WORDS[this.way];
  }

  // Open the key, or the browser's window in which a person chooses the file.
  unlock() {
    if (this.way === "file") return this.#chooseFile();
    return this.#do(async () => {
      const bytes = this.way === "touch" ? await openOwnCopy() : await openKept();
      if (bytes === null) return this.#chooseFile();
      await this.#use(await readIdentities(bytes));
      bytes.fill(0);
    });
  }

  #chooseFile() {
    this.show();
    this.#file.click();
  }

  async #openFile() {
    const [file] = this.#file.files;
    const bytes = new Uint8Array(await file.arrayBuffer());
    this.#file.value = "";
    if (lockOf(bytes) !== Lock.NONE) return this.#openLocked(bytes);
    await this.#use(await readIdentities(bytes), bytes);
    this.show();
    bytes.fill(0);
  }

  async #do(act) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      await act();
    } catch (error) {
      await this.take();
      say(sentenceOf(error));
    } finally {
      this.#isBusy = false;
    }
  }
}
