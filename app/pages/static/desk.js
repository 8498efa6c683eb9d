// The pages of the desk work without this script. The script adds six things:
// - Escape hides the screen immediately, and replaces the page in the history by a blank page. The script that
//   encrypts, if there is one, is told by the event `desk:blank`. `Continue` on the blank page leads back to the hidden
//   page. If Escape closes an open list or window, it does only that.
// - A page that the browser restores from memory is loaded again, so that nothing is visible after signing out.
// - The browser asks before a person leaves unsent text about a concern, unless the script that keeps such text is
//   running.
// - The print button is shown, also on a page that replaced this one (`desk:page`).
// - A link to what is folded opens it.
// - A session that ended says so on the page, with the way to sign in.
(() => {
  const LEFT = "desk/left"; // the key in the storage of this tab for the address of the hidden page
  const USED = "desk/used-at"; // the key in the storage of this browser for the time of the last request
  const CHECK_EVERY = 15_000; // milliseconds
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
    if (!event.target.matches("[action='/desk/sign-out']")) return;
    inStorage((storage) => storage.removeItem(LEFT));
    inStorage(() => localStorage.removeItem(USED));
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
  function take() {
    for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
    unfold();
  }

  // Open what is folded around the place to which the address leads: some browsers do not.
  function unfold() {
    const place = document.getElementById(location.hash.slice(1));
    const folded = [];
    for (let fold = place?.closest("details"); fold; fold = fold.parentElement.closest("details")) folded.push(fold);
    for (const fold of folded) fold.open = true;
    if (folded.length > 0) place.scrollIntoView();
  }

  // Note each request of any tab: the session ends with the minutes without one. Then the page says so.
  function noteUse() {
    if ("person" in document.body.dataset) inStorage(() => localStorage.setItem(USED, Date.now()));
    showEnd();
  }

  function showEnd() {
    const { person, idleMinutes } = document.body.dataset;
    const used = Number(inStorage(() => localStorage.getItem(USED)));
    const isOver = person !== undefined && used > 0 && Date.now() - used >= idleMinutes * 60_000;
    const shown = document.getElementById("session-over");
    if (isOver === Boolean(shown)) return;
    if (shown) return shown.remove();
    const made = (name, properties) => Object.assign(document.createElement(name), properties);
    const box = made("div", { id: "session-over", className: "problem", role: "alert" });
    const page = encodeURIComponent(location.pathname + location.search);
    const words = `Nothing was done for ${idleMinutes} minutes, so your session has ended. `;
    box.append(made("p", { textContent: words }), made("a", { href: `/desk/sign-in?page=${page}`, textContent: "Sign in" }));
    document.querySelector("main").prepend(box);
    box.scrollIntoView({ block: "nearest" });
  }

  new PerformanceObserver((list) => {
    if (list.getEntries().some(({ name, initiatorType: by }) => ["fetch", "xmlhttprequest"].includes(by) && name.startsWith(location.origin))) noteUse();
  }).observe({ type: "resource" });
  document.addEventListener("visibilitychange", showEnd);
  setInterval(showEnd, CHECK_EVERY);
  noteUse();
  // Acts that stood beside the words may stand at their own place once the person unfolds one.
  document.addEventListener("toggle", ({ target: fold }) => {
    if (fold.open && fold.firstElementChild === document.activeElement) fold.scrollIntoView({ block: "nearest" });
  }, true);
  document.addEventListener("desk:page", take);
  window.addEventListener("hashchange", unfold);
  take();
})();
