// Holds the identities in the memory of this page alone, and forgets them: after minutes without use, when the screen is
// blanked or the page is left, and when somebody says so. Whatever shows words is called then, and takes them away.
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
    document.addEventListener("visibilitychange", () => this.#check()); // a machine that slept counted no time
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

  // Call the function with the reason each time that the identities are forgotten.
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

  // Forget if the time is over, and return whether it is.
  #check() {
    const isOver = this.isOpen && Date.now() - this.#lastUse >= this.#idleMinutes * 60_000;
    if (isOver) this.forget("idle");
    return isOver;
  }
}
