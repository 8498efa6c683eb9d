// Keys of the desk's pages, each a shortcut for something on the page:
// j and k go to the next and the previous concern of the list, Enter opens it, a assigns it to the person, n goes to the
// next page of the list or to the next concern, / goes to the search or, on the page of a concern, to its acts, which the
// first letters of a name then find and Enter runs, and ? shows this list.
// A key is left alone in a field, in an open window, with a modifier, and if the person has turned the keys off. Screen
// readers that use such letters themselves do so before a page receives them.
// The script also remembers the place in the list: Back leads to the row from which the person opened a concern.
(() => {
  const OFF = "desk/keys-off"; // the key in the storage of this browser: a choice of the person, nothing about concerns
  const FIND_ACT = "#act-name";
  const WRITES = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], [popover]";
  const KEYS = {
    j: "Next concern in the list",
    k: "Previous concern in the list",
    Enter: "Open the concern",
    a: "Assign the concern to me, if nobody has it",
    n: "Next page of the list, or next concern",
    "/": "Search. On a concern: find an act by its first letters, and press / once more to search",
    "?": "Show these keys",
    Escape: "Hide the screen",
  };
  const ACTS = { j: () => step(1), k: () => step(-1), a: take, n: next, "/": search, "?": showKeys };
  const TAKEN_AT = "desk/taken-at"; // the key in the storage of this tab: the number of the row that was just assigned
  const ofBrowser = () => localStorage;
  const ofTab = () => sessionStorage;
  const links = () => [...document.querySelectorAll("[data-row] .row-link")].filter((link) => link.checkVisibility());
  const placeOf = (element) => links().findIndex((link) => link.closest("[data-row]").contains(element));
  let place = -1; // the place in the list of the row that last had the focus

  document.addEventListener("keydown", (event) => {
    const isPlain = !(event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented);
    if (event.key === "Enter" && event.target.matches(FIND_ACT)) runAct(event);
    const isWritten = event.target.closest?.(WRITES) && !(event.key === "/" && event.target.matches(`${FIND_ACT}:placeholder-shown`));
    if (!isPlain || !Object.hasOwn(ACTS, event.key) || isWritten) return;
    if (document.querySelector("dialog[open]") || isOff()) return;
    if (ACTS[event.key]()) event.preventDefault();
  });
  document.addEventListener("focusin", (event) => {
    const found = placeOf(event.target);
    if (found === -1) return;
    place = found;
    history.replaceState({ ...history.state, row: found }, "");
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-show-keys]")) showKeys();
  });
  document.addEventListener("input", (event) => event.target.matches(FIND_ACT) && showActs());

  // Each act returns true if the page has what its key is for.
  function step(by) {
    const all = links();
    const from = placeOf(document.activeElement);
    const start = from === -1 ? place : from;
    all[Math.min(Math.max(start + by, 0), all.length - 1)]?.focus();
    return all.length > 0;
  }

  function take() {
    const row = document.activeElement?.closest("[data-row]");
    if (!row) return press(document.querySelector("[data-assign-to-me]"));
    const form = document.querySelector("[data-take]");
    if (form === null || !("seen" in row.dataset) || "assigned" in row.dataset) return press(row.querySelector(".row-link"));
    form.elements.reference.value = row.dataset.row;
    form.elements.seen.value = row.dataset.seen;
    inStorage(ofTab, (storage) => storage.setItem(TAKEN_AT, placeOf(row)));
    form.requestSubmit();
    return true;
  }

  function next() {
    return press(document.querySelector("main a[rel=next]"));
  }

  function search() {
    const ofActs = document.querySelector(FIND_ACT);
    const field = ofActs === null || ofActs === document.activeElement ? document.querySelector("[data-search]") : ofActs;
    unfold(field);
    field?.focus();
    return field !== null;
  }

  // The acts in which a word, or the whole name, begins with what is typed.
  function actsFound() {
    const typed = document.querySelector(FIND_ACT).value.trim().toLowerCase();
    const acts = [...document.querySelectorAll(`[data-act]:not([hidden])`)].map((act) => ({ act, name: nameOf(act) }));
    const found = acts.filter(({ name }) => typed !== "" && ` ${name}`.toLowerCase().includes(` ${typed}`));
    return found.sort((one, other) => other.name.toLowerCase().startsWith(typed) - one.name.toLowerCase().startsWith(typed));
  }

  const nameOf = (act) => (act.querySelector("summary") ?? act).textContent.trim();

  function showActs() {
    const [first, ...others] = actsFound();
    const more = others.length > 0 ? `. Also: ${others.map(({ name }) => name).join(", ")}` : "";
    const isTyped = document.querySelector(FIND_ACT).value.trim() !== "";
    document.getElementById("act-found").textContent = first ? `Enter: ${first.name}${more}` : isTyped ? "No act has this name" : "";
  }

  function runAct(event) {
    const [found] = actsFound();
    event.preventDefault();
    if (found === undefined) return;
    event.target.value = "";
    showActs();
    if (found.act.matches("button")) return found.act.click();
    found.act.open = true;
    const field = found.act.querySelector("input:not([type=hidden]), select, textarea, button, summary ~ * a[href]");
    (field ?? found.act.querySelector("summary")).focus();
  }

  function unfold(place) {
    for (let fold = place?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  }

  function press(target) {
    target?.click();
    return Boolean(target);
  }

  function showKeys() {
    const list = made("dl", { className: "keys" });
    for (const [key, words] of Object.entries(KEYS)) {
      list.append(made("dt", {}, made("kbd", { textContent: key })), made("dd", { textContent: words }));
    }
    const isOn = made("input", { type: "checkbox", checked: !isOff() });
    const label = made("label", {}, isOn, " Use these keys in this browser");
    const close = made("button", { type: "button", className: "second", textContent: "Close" });
    const heading = made("h2", { textContent: "Keys of the desk", id: "keys-heading" });
    const window_ = made("dialog", { className: "keys-window" }, heading, list, label, close);
    window_.setAttribute("aria-labelledby", heading.id);
    isOn.addEventListener("change", () => turn(isOn.checked));
    close.addEventListener("click", () => window_.close());
    window_.addEventListener("close", () => window_.remove());
    document.body.append(window_);
    window_.showModal();
    return true;
  }

  function made(name, properties, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  }

  function isOff() {
    return inStorage(ofBrowser, (storage) => storage.getItem(OFF)) !== null;
  }

  function turn(on) {
    inStorage(ofBrowser, (storage) => (on ? storage.removeItem(OFF) : storage.setItem(OFF, "yes")));
  }

  // Return the result of `use` with a storage, or null if there is no storage: the keys are then on.
  function inStorage(storageOf, use) {
    try {
      return use(storageOf());
    } catch {
      return null;
    }
  }

  // Begin with the row that had the focus before the person went on to another page. After an assignment, begin with
  // the assigned row, or before the row that has taken its place.
  function takePlace() {
    for (const each of document.querySelectorAll("[data-show-keys], [data-find-act]")) each.hidden = false;
    const takenAt = inStorage(ofTab, (storage) => storage.getItem(TAKEN_AT));
    inStorage(ofTab, (storage) => storage.removeItem(TAKEN_AT));
    place = history.state?.row ?? -1;
    if (document.getElementById("done") === null) links()[place]?.focus();
    else if (takenAt !== null) place = Number(takenAt) - (document.querySelector("[data-taken]") === null ? 1 : 0);
  }

  document.addEventListener("desk:page", takePlace);
  takePlace();
})();
