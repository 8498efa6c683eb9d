// Three things, none of which a page needs in order to work:
// - Leaving at once for a neutral page, by the button or by pressing Shift three times. It takes this page's place in the
//   browser's history.
// - Sending forms from within the page, so that no entry of the history and no file of the browser holds what was sent.
// - Asking anew for a page that the browser kept, so that nothing typed comes back with it.
(() => {
  const exit = document.querySelector("[data-exit]");
  const said = document.querySelector("[data-exit-said]");
  const within = 5000;
  let presses = [];

  function leave() {
    document.documentElement.hidden = true;
    for (const form of document.forms) form.reset();
    window.top.location.replace(exit.href);
  }

  // While a form is on its way nothing can be typed into it, since that would be lost.
  function wait(yes) {
    const main = document.querySelector("main");
    main.inert = yes;
    main.toggleAttribute("aria-busy", yes);
  }

  function wake() {
    for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
  }

  function show(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const main = page.querySelector("main");
    const first = main.querySelector("[autofocus]") ?? main.querySelector("h1");
    if (!first.matches("input, textarea, select")) first.tabIndex = -1;
    first.removeAttribute("autofocus"); // it is focused here, once it stands in the document
    document.title = page.title;
    document.querySelector("main").replaceWith(document.adoptNode(main));
    wake();
    window.scrollTo(0, 0);
    first.focus();
  }

  function say(words) {
    const box = document.createElement("p");
    box.className = "problem";
    box.setAttribute("role", "alert");
    box.textContent = words;
    document.querySelector("h1").after(box);
    box.scrollIntoView();
  }

  async function send(form, button) {
    const body = new URLSearchParams(new FormData(form));
    if (button?.name) body.append(button.name, button.value);
    const answer = await fetch(form.action, { method: "POST", body, cache: "no-store" });
    show(await answer.text());
  }

  exit.addEventListener("click", (event) => {
    event.preventDefault();
    leave();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Shift") presses = [];
    else if (!event.repeat) {
      presses = [...presses.filter((at) => event.timeStamp - at < within), event.timeStamp];
      const left = 3 - presses.length;
      said.textContent = left > 0 ? `Shift: press ${left} more ${left > 1 ? "times" : "time"} to exit.` : "Leaving.";
      if (left <= 0) leave();
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post" || event.target.matches("[data-file]")) return;
    event.preventDefault();
    send(event.target, event.submitter).catch(() => {
      wait(false);
      say("It could not be sent. Nothing is lost: try again, or telephone.");
    });
    wait(true);
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
  wake();
})();
