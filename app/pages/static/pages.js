// The pages work without this script. The script adds seven things:
// - The exit button, or Shift pressed three times, replaces this page in the history by a neutral page.
// - Forms are sent by `fetch`, so that no history entry and no file of the browser has their content. If the response
//   is a file, the browser saves it and this page stays. A browser without `fetch` sends them itself.
// - A link to a question scrolls the question into view with its label, and focuses it. The same happens to the element
//   that a new page marks by `autofocus`. Such a link, the skip link and the menu make no entry in the history: form.js
//   and the exit know only the entries of steps.
// - A button clears a choice without a request.
// - When a text comes near its limit, a line says how many letters are left. Screen readers say so when typing pauses.
// - The style learns the height of the bar, which otherwise would cover headings that are scrolled into view.
// - A page that the browser restores from memory is loaded again, empty.
(() => {
  const root = document.documentElement;
  const bar = document.querySelector("[data-bar]");
  const exit = document.querySelector("[data-exit]");
  const exitStatus = document.querySelector("[data-exit-status]");
  const progress = document.createElement("p");
  const lettersAloud = document.createElement("p");
  const windowMs = 5000;
  const exitMs = 300;
  const firstError = 400;
  const pauseMs = 1000;
  const fileMs = 60000;
  const nearLimit = 0.75;
  const words = JSON.parse(document.body.dataset.words);
  const say = (sentence) => words[sentence] ?? sentence;
  let presses = [];
  let onlyShift = false;
  let pause = 0;

  // Safari before 15.4 lacks `submitter`. Take the button that was clicked: Enter in a field clicks one too.
  function tellSubmitters() {
    let pressed = null;
    document.addEventListener("click", (event) => { pressed = event.target.closest("button"); }, { capture: true });
    Object.defineProperty(Event.prototype, "submitter", {
      get() { return pressed?.form === this.target ? pressed : null; },
    });
  }

  // The steps of a form are history entries. Go back over these entries before leaving, so that none remains.
  function leave() {
    const steps = history.state ?? 0;
    const replace = () => window.top.location.replace(exit.href);
    root.hidden = true;
    for (const form of document.forms) form.reset();
    if (!steps) {
      replace();
      return;
    }
    window.addEventListener("popstate", replace, { once: true });
    setTimeout(replace, exitMs);
    history.go(-steps);
  }

  // Block input while a form is being sent: text typed then would be lost.
  function setBusy(words) {
    const main = document.querySelector("main");
    main.inert = words !== "";
    main.toggleAttribute("aria-busy", words !== "");
    if (words) document.activeElement.blur(); // older browsers lack `inert`, which does this
    progress.textContent = words;
  }

  function showPrintButtons() {
    for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
  }

  // Show an element. Screen readers start at the focus, and the eye at the label above the element.
  function reveal(element) {
    element.dispatchEvent(new CustomEvent("reveal", { bubbles: true }));
    for (let part = element.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
    if (element.tabIndex < 0) element.tabIndex = -1;
    element.focus();
    if (element.matches("h1, .problem")) window.scrollTo(0, 0);
    else (element.closest(".question") ?? element).scrollIntoView();
  }

  // Replace this page by a response. An error page without a form becomes an alert, so that the input stays.
  function showPage(html, status) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const main = page.querySelector("main");
    if (status >= firstError && !main.querySelector("form")) {
      const [heading, message] = ["h1", "p"].map((name) => main.querySelector(name).textContent);
      showAlert(`${heading}. ${message}`);
      return;
    }
    const first = main.querySelector("[autofocus]") ?? main.querySelector("h1");
    first.removeAttribute("autofocus"); // `reveal` focuses the element once it is in the document
    document.title = page.title;
    document.querySelector("main").replaceWith(document.adoptNode(main));
    showPrintButtons();
    main.dispatchEvent(new CustomEvent("page", { bubbles: true, detail: { first, status } }));
    reveal(first);
  }

  function showAlert(...message) {
    document.querySelector("[data-alert]")?.remove();
    const box = document.createElement("p");
    box.className = "problem";
    box.dataset.alert = "";
    box.setAttribute("role", "alert");
    box.append(...message);
    const heading = document.querySelector("h1");
    (heading.closest(".panel") ?? heading).after(box);
    reveal(box);
  }

  function saveFile(content, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content);
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), fileMs);
  }

  async function send(form, button) {
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) body.append(name, value);
    if (button?.name) body.append(button.name, button.value);
    const response = await fetch(form.action, {
      method: "POST",
      body,
      cache: "no-store",
      headers: { Accept: "text/html" },
    });
    const [, file] = /filename="(.*)"/.exec(response.headers.get("Content-Disposition")) ?? [];
    const content = await (file ? response.blob() : response.text());
    setBusy("");
    if (!file) {
      showPage(content, response.status);
      return;
    }
    saveFile(content, file);
    form.dispatchEvent(new CustomEvent("saved", { bubbles: true }));
    button?.focus();
  }

  // Say that there was no response. For a form, the message has the number to call.
  function showFailure(isFile) {
    setBusy("");
    if (isFile) showAlert(say("The file could not be saved. Nothing is lost: try again."));
    else showAlert(document.querySelector("#not-sent").content.cloneNode(true));
  }

  // Count letters as the server does: an emoji is one letter.
  function countLetters(field) {
    const limit = Number(field.dataset.limit);
    const left = limit - [...field.value].length;
    const number = Math.abs(left);
    const kind = left < 0 ? "too many" : "left";
    const sentence = say(number === 1 ? `You have 1 letter ${kind}.` : `You have {number} letters ${kind}.`);
    const question = field.closest(".question");
    let count = question.querySelector("[data-count]");
    if (!count) {
      count = document.createElement("p");
      count.dataset.count = "";
      question.append(count);
    }
    const isNear = left < limit * (1 - nearLimit);
    count.textContent = isNear ? sentence.replace("{number}", number.toLocaleString("en-GB")) : "";
    count.className = left < 0 ? "fault" : "hint";
    clearTimeout(pause);
    pause = setTimeout(() => {
      lettersAloud.textContent = count.textContent;
    }, pauseMs);
  }

  function clearChoice(button) {
    const choices = [...button.closest("fieldset").querySelectorAll("input")];
    for (const choice of choices) choice.checked = false;
    choices[0].focus();
    choices[0].dispatchEvent(new Event("input", { bubbles: true }));
  }

  exit.addEventListener("click", (event) => {
    event.preventDefault();
    leave();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
    const clear = event.target.closest("[data-clear]");
    if (clear) {
      event.preventDefault();
      clearChoice(clear);
    }
    const link = event.target.closest(".skip, .to-menu, .problem a[href^='#'], [href='#add']");
    if (!link) return;
    event.preventDefault();
    reveal(document.getElementById(decodeURIComponent(link.hash.slice(1))));
  });
  // Count Shift only if no other key is pressed with it, as for a capital letter.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Shift") onlyShift = !event.repeat || onlyShift;
    else {
      onlyShift = false;
      presses = [];
    }
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== "Shift" || !onlyShift) return;
    onlyShift = false;
    presses = [...presses.filter((time) => event.timeStamp - time < windowMs), event.timeStamp];
    const left = 3 - presses.length;
    const times = left > 1 ? "times" : "time";
    exitStatus.textContent = say(left > 0 ? `Shift: press ${left} more ${times} to exit.` : "Leaving.");
    if (left <= 0) leave();
  });
  document.addEventListener("input", (event) => {
    if (event.target.dataset.limit) countLetters(event.target);
  });
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post" || !window.fetch) return;
    const { target: form, submitter: button } = event;
    event.preventDefault();
    send(form, button).catch(() => showFailure(form.matches("[data-file]") || button?.matches("[data-file]")));
    setBusy(say(button?.value === "send" ? "Sending…" : "Please wait…"));
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    root.hidden = true;
    window.location.reload();
  });
  // What is scrolled into view stays below the bar, however high the bar is: by language, width and size of the text.
  new ResizeObserver(() => root.style.setProperty("--bar", `${bar.offsetHeight}px`)).observe(bar);
  if (!("SubmitEvent" in window && "submitter" in SubmitEvent.prototype)) tellSubmitters();
  progress.className = "sending";
  progress.setAttribute("role", "status");
  lettersAloud.className = "vh";
  lettersAloud.setAttribute("role", "status");
  document.body.append(progress, lettersAloud);
  root.classList.add("counts-letters");
  showPrintButtons();
})();
