// The lock in the header of the desk says whether this page holds the team's key. A press opens the key or locks it again: by a
// touch of a passkey, or if none can, with the key file that was chosen once in this tab, on the page of the person's key.
import { sentenceOf } from "./faults.js";
import { readIdentities } from "./identities.js";
import { forgetKept, hasKept, openKept } from "./kept_key.js";
import { say } from "./stay.js";
import { read, write } from "./tab_storage.js";
import { canTouch, openOwnCopy } from "./touch.js";

const KEY_PAGE = "/desk/key";
const LOCKED_AT = "desk/locked-at"; // in the storage of this tab: the page from which the person went to choose the file
const NO_TOUCH = "desk/no-touch"; // in the storage of this tab: a touch gave no key
const IDLE = "The key was locked, since nothing was done for a while. Press “Locked” to go on.";
const WITHOUT_TOUCH = ["no-prf", "no-copy", "wrong-copy"];
const WORDS = { touch: "Open with your passkey", kept: "Open", file: "Choose the key file" };

export class DeskLock {
  #keyring;
  #use;
  #isAble = false;
  #isBusy = false;

  // `use` opens the page with identities, and throws a Fault if they open nothing.
  constructor(keyring, use) {
    this.#keyring = keyring;
    this.#use = use;
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
    this.#isAble = read(NO_TOUCH) === null && (await canTouch());
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

  // Open the key, or lead to the page where the file is chosen.
  async unlock() {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      const bytes = this.way === "touch" ? await openOwnCopy() : await openKept();
      if (bytes === null) return this.#chooseFile();
      await this.#use(await readIdentities(bytes));
      bytes.fill(0);
    } catch (error) {
      if (WITHOUT_TOUCH.includes(error.name)) write(NO_TOUCH, "yes");
      await this.take();
      say(sentenceOf(error));
    } finally {
      this.#isBusy = false;
    }
  }

  #chooseFile() {
    if (location.pathname === KEY_PAGE) return document.getElementById("identity-file")?.focus();
    write(LOCKED_AT, location.pathname + location.search);
    location.assign(KEY_PAGE);
  }
}

// Return the page from which the person went to choose the file, once.
export function pageLockedAt() {
  const page = location.pathname === KEY_PAGE ? read(LOCKED_AT) : null;
  write(LOCKED_AT, null);
  return page;
}
