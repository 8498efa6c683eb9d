// The pages of the desk work without this script. The script adds four things:
// - Escape hides the screen immediately, and replaces the page in the history by a blank page. The script that
//   encrypts, if there is one, is told by the event `desk:blank`. `Continue` on the blank page leads back to the hidden
//   page. If Escape closes an open list or window, it does only that.
// - A page that the browser restores from memory is loaded again, so that nothing is visible after signing out.
// - The browser asks before a person leaves unsent text about a concern, unless the script that keeps such text is
//   running.
// - The print button is shown, also on a page that replaced this one (`desk:page`).
(() => {
  const LEFT = "desk/left"; // the key in the storage of this tab for the address of the hidden page
  const OPEN = ["select:open", "dialog[open]", ":popover-open", "details[open] > summary:focus", "[aria-expanded=true]:focus"];

  function blank() {
    if (document.documentElement.hidden) return;
    document.documentElement.hidden = true;
    document.title = "Blank page";
    document.dispatchEvent(new Event("desk:blank"));
    inStorage((storage) => storage.setItem(LEFT, location.pathname + location.search));
    for (const form of document.forms) form.reset();
    window.location.replace("/desk/blank");
  }

  // Return the result of `use` with the storage of this tab, or null if the browser has no storage.
  function inStorage(use) {
    try {
      return use(sessionStorage);
    } catch {
      return null;
    }
  }

  // Return the open element that Escape closes instead of hiding the screen. A closed `select` with the focus does not count.
  function whatIsOpen() {
    return OPEN.filter((each) => CSS.supports(`selector(${each})`)).map((each) => document.querySelector(each)).find(Boolean);
  }

  const continues = document.querySelector("[data-continue]"); // only on the blank page
  continues?.addEventListener("click", (event) => {
    const left = inStorage((storage) => storage.getItem(LEFT));
    inStorage((storage) => storage.removeItem(LEFT));
    if (left === null) return;
    event.preventDefault();
    window.location.assign(left);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || continues) return;
    const open = whatIsOpen();
    if (open?.matches("summary")) open.parentElement.open = false;
    if (open) return;
    event.preventDefault();
    blank();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[action='/desk/sign-out']")) inStorage((storage) => storage.removeItem(LEFT));
  });
  let sent = null;
  document.addEventListener("submit", (event) => { sent = event.target; });
  window.addEventListener("beforeunload", (event) => {
    const fields = [...document.querySelectorAll("main form[data-team] :is(textarea, input[type=text])")];
    const isLost = fields.some((field) => field.form !== sent && field.value !== field.defaultValue);
    if (isLost && !("keepsTyped" in document.documentElement.dataset)) event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
    if (!event.target.closest("[data-blank]")) return;
    event.preventDefault();
    blank();
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.documentElement.hidden = true;
    window.location.reload();
  });
  function showPrint() {
    for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
  }

  document.addEventListener("desk:page", showPrint);
  showPrint();
})();
