// Leaving loses nothing, and asks no more than it must.
// - Words that were typed and not sent: the browser asks. Nothing else can hold a tab that is being closed.
// - A code that was not kept: the page asks in its own words, once, at a link or at the browser's Back. The browser's own
//   'changes may not be saved' would say that the concern was not sent. A saved form is not sent: there the browser asks too.
// - Calling, a new tab and a file leave nothing, and are never asked about.
(() => {
  const root = document.documentElement;
  let isCalling = false; // a browser may take a number to call for a page to leave for
  let isKept = false;
  let hasAsked = false;
  let leave = null;

  const isTyped = (field) => /^(text|tel|email|textarea)$/.test(field.type) && field.value !== field.defaultValue;
  const code = () => document.querySelector("[data-code]");
  const isAtRisk = () => code() !== null && !isKept && !hasAsked;

  function holdsUnsent() {
    const form = document.querySelector("form[data-typed]");
    const hasWords = form !== null && (form.dataset.typed === "already" || [...form.elements].some(isTyped));
    return hasWords || (isAtRisk() && code().dataset.code === "unsent");
  }

  // Return whether the page asks first. `onLeave` is done where the answer is to leave.
  function asks(onLeave) {
    if (!isAtRisk()) return false;
    const question = document.querySelector("[data-question]");
    hasAsked = true;
    leave = onLeave;
    question.hidden = false;
    question.querySelector("h2").focus();
    question.scrollIntoView();
    return true;
  }

  function stay() {
    document.querySelector("[data-question]").hidden = true;
    code().focus();
    code().scrollIntoView();
  }

  function followLink(event, link) {
    const opensElsewhere = link.target || link.download || event.button || event.ctrlKey || event.metaKey || event.shiftKey;
    isCalling = !/^https?:$/.test(link.protocol);
    if (event.defaultPrevented || opensElsewhere || isCalling || link.getAttribute("href").startsWith("#")) return;
    if (asks(() => window.location.assign(link.href))) event.preventDefault();
  }

  function begin() {
    for (const each of document.querySelectorAll("[data-kept]")) each.closest("[hidden]")?.removeAttribute("hidden");
    root.classList.toggle("holds-code", isAtRisk()); // a pull on the page does not reload it
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    isCalling = false;
    if (link) followLink(event, link);
    if (event.target.closest("[data-print]")) isKept = true;
    if (event.target.closest("[data-stay]")) stay();
    if (event.target.closest("[data-leave]")) leave();
  });
  document.addEventListener("saved", (event) => {
    if (event.target.matches("[data-copy], [data-keeps-code]")) isKept = true;
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-kept]")) isKept = event.target.checked;
  });
  // The browser's Back, from a page that has the code.
  document.addEventListener("leaving", (event) => {
    if (asks(event.detail)) event.preventDefault();
  });
  document.addEventListener(
    "submit",
    (event) => {
      if (isKept) event.target.querySelector("[name='shows_code']")?.remove();
    },
    { capture: true },
  );
  document.addEventListener("page", (event) => {
    if (event.detail.status === 201) isKept = hasAsked = false;
    begin();
  });
  window.addEventListener("beforeunload", (event) => {
    const isNeedless = isCalling || root.hidden || !holdsUnsent();
    isCalling = false;
    if (isNeedless) return;
    event.preventDefault();
    event.returnValue = "-"; // Safari, and Chrome before 119, ask for this alone
  });
  begin();
})();
