// A person who leaves loses nothing, and is asked no more than necessary.
// - If there is unsent text, the browser asks. Nothing else can stop a tab from closing.
// - If the code has not been kept, the page itself asks, once, at a link or at the browser's Back. The browser's own
//   question, 'changes may not be saved', would say that the concern was not sent. A saved form has not been sent, so
//   for its code the browser asks too.
// - Calling a number, opening a new tab and saving a file leave nothing, so nobody is asked.
(() => {
  const root = document.documentElement;
  let isCalling = false; // some browsers treat a call as leaving the page
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

  // Show the question if the code has not been kept, and return true. `onLeave` is called if the person then leaves.
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
    root.classList.toggle("holds-code", isAtRisk()); // pulling the page down then does not reload it
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
  // form.js dispatches `leaving` at the browser's Back from a page with the code.
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
    event.returnValue = "-"; // Safari, and Chrome before 119, ask only because of this
  });
  begin();
})();
