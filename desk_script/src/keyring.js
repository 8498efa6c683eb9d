// Holds the identities (private keys) only in the memory of this page, and forgets them.
// The identities are forgotten after minutes without use, when the screen is blanked, when the page is left, and when
// the person asks for it. Parts of the page that show decrypted text are told then, and remove the text.
const CHECK_EVERY = 5_000; // milliseconds
const USES = ["pointerdown", "pointermove", "keydown", "scroll", "input"];

export class Keyring {
  #identities = [];
  #lastUse = 0;
  #watch = null;
  #idleMinutes;
  #listeners = [];

  constructor(idleMinutes) {
    this.#idleMinutes = idleMinutes;
    for (const use of USES) document.addEventListener(use, () => this.#used(), { capture: true, passive: true });
    document.addEventListener("visibilitychange", () => this.#check()); // no timer ran while the computer slept
    document.addEventListener("desk:blank", () => this.forget("blank"));
    window.addEventListener("pagehide", () => this.forget("left"));
  }

  get identities() {
    return this.#identities;
  }

  get isOpen() {
    return this.#identities.length > 0;
  }

  get idleMinutes() {
    return this.#idleMinutes;
  }

  // Call `listener` with the reason each time the identities are forgotten.
  onForget(listener) {
    this.#listeners.push(listener);
  }

  hold(identities) {
    this.#identities = identities;
    this.#lastUse = Date.now();
    this.#watch ??= setInterval(() => this.#check(), CHECK_EVERY);
  }

  forget(reason) {
    if (!this.isOpen) return;
    this.#identities = [];
    clearInterval(this.#watch);
    this.#watch = null;
    for (const listener of this.#listeners) listener(reason);
  }

  #used() {
    if (this.isOpen && !this.#check()) this.#lastUse = Date.now();
  }

  // Forget the identities if they were not used for too long. Return true in that case.
  #check() {
    const isOver = this.isOpen && Date.now() - this.#lastUse >= this.#idleMinutes * 60_000;
    if (isOver) this.forget("idle");
    return isOver;
  }
}
