// The pages work without this script. It does three things more:
// - The exit button, or Shift three times, replaces this page in the history by a neutral one.
// - Forms are sent by `fetch`, so that no history entry and no file of the browser has their content.
// - A page that the browser restores from memory is loaded again, empty.
(() => {
  const exit = document.querySelector("[data-exit]");
  const exitStatus = document.querySelector("[data-exit-status]");
  const windowMs = 5000;
  let presses = [];

  function leave() {
    document.documentElement.hidden = true;
    for (const form of document.forms) form.reset();
    window.top.location.replace(exit.href);
  }

  // Text typed while a form is being sent would be lost.
  function setBusy(busy) {
    const main = document.querySelector("main");
    main.inert = busy;
    main.toggleAttribute("aria-busy", busy);
  }

  function showPrintButtons() {
    for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
  }

  function showPage(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const main = page.querySelector("main");
    const first = main.querySelector("[autofocus]") ?? main.querySelector("h1");
    if (!first.matches("input, textarea, select")) first.tabIndex = -1;
    first.removeAttribute("autofocus"); // focused below, in the document
    document.title = page.title;
    document.querySelector("main").replaceWith(document.adoptNode(main));
    showPrintButtons();
    window.scrollTo(0, 0);
    first.focus();
  }

  function showAlert(message) {
    const box = document.createElement("p");
    box.className = "problem";
    box.setAttribute("role", "alert");
    box.textContent = message;
    document.querySelector("h1").after(box);
    box.scrollIntoView();
  }

  async function send(form, button) {
    const body = new URLSearchParams(new FormData(form));
    if (button?.name) body.append(button.name, button.value);
    const response = await fetch(form.action, { method: "POST", body, cache: "no-store" });
    showPage(await response.text());
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
      presses = [...presses.filter((time) => event.timeStamp - time < windowMs), event.timeStamp];
      const left = 3 - presses.length;
      const times = left > 1 ? "times" : "time";
      exitStatus.textContent = left > 0 ? `Shift: press ${left} more ${times} to exit.` : "Leaving.";
      if (left <= 0) leave();
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post" || event.target.matches("[data-file]")) return;
    event.preventDefault();
    send(event.target, event.submitter).catch(() => {
      setBusy(false);
      showAlert("It could not be sent. Nothing is lost: try again, or telephone.");
    });
    setBusy(true);
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
  showPrintButtons();
})();
