// The pages of the desk work without this script. It does four things more:
// - Escape hides the screen immediately, and takes the page out of the history. The script that seals, where there is one,
//   hears of it by `desk:blank`. `Continue` on the blank page leads back to where the person was. An Escape that closes an
//   open list or window does only that.
// - A page that the browser restores from memory is loaded again, so that nothing shows after signing out.
// - It asks before text is left that was typed about a concern, if the script that keeps such text is not there.
// - It shows the button that prints, also on a page that took the place of this one (`desk:page`).
(() => {
  const LEFT = "desk/left"; // in the storage of this tab: the address of the page that was hidden
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

  // Return what is done with the storage of this tab, or null if the browser has none.
  function inStorage(use) {
    try {
      return use(sessionStorage);
    } catch {
      return null;
    }
  }

  // Return what Escape closes in place of hiding the screen. A closed `select` in focus is none.
  function whatIsOpen() {
    return OPEN.filter((each) => CSS.supports(`selector(${each})`)).map((each) => document.querySelector(each)).find(Boolean);
  }

  const continues = document.querySelector("[data-continue]"); // the page is blank already
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
