// The form works without this script, as one page. The script adds three things:
// - `Continue` finds missing answers and wrong numbers in the step, and shows the message that the server gives with each
//   question.
// - One step is shown at a time. Nothing is sent between steps: all answers stay in one form.
// - The browser's Back and Forward go from step to step. An entry of the history has only a number.
// The script dispatches two events: `onward` before the next step (see danger.js), and `leaving` at Back after sending
// (see leaving.js).
(() => {
  const views = [0]; // what each entry of the history shows: the number of a step, or another page
  let place = 0; // the index of the current entry in `views`
  let form = document.querySelector("main"); // the page with the form, and every answer in it
  let isSent = false;
  let isReturning = false;
  const isFirst = history.length === 1; // there is no page to go back to

  const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { cancelable: true, detail }));
  const stepsOf = (main) => [...main.querySelectorAll("[data-step]")];
  const stepAround = (element) => stepsOf(form).indexOf(element?.closest("[data-step]"));
  const current = () => document.querySelector("main");
  const words = JSON.parse(document.body.dataset.words);
  const say = (sentence) => words[sentence] ?? sentence;
  const nameIn = (question) => question.querySelector("[id]").id;
  const linkTo = (question) => form.querySelector(`.problem a[href='#${nameIn(question)}']`);
  const isAnswered = (question) =>
    [...question.querySelectorAll("input, textarea, select")].some((field) =>
      /^(radio|checkbox)$/.test(field.type) ? field.checked : field.value.trim(),
    );

  function arrange(number) {
    stepsOf(form).forEach((step, index) => {
      step.hidden = index !== number;
    });
    for (const each of form.querySelectorAll("[data-intro]")) each.hidden = number > 0;
    for (const each of form.querySelectorAll("[data-later]")) each.hidden = number === 0;
    form.querySelector("h1").classList.toggle("of-later-step", number > 0);
    const problem = form.querySelector(".problem");
    const elsewhere = form.querySelector(".wrong") && !stepsOf(form)[number].querySelector(".wrong");
    if (problem) problem.hidden = Boolean(elsewhere);
    for (const button of form.querySelectorAll("[data-continue], [data-back]")) button.hidden = false;
    stepsOf(form)[0].querySelector("[data-back]").hidden = true;
  }

  function record(view) {
    if (views[place] === view) return;
    place += 1;
    views.length = place;
    views.push(view);
    history.pushState(place, "");
  }

  // Show the form again. Text that was typed on the other page, such as 'Send what you have now', goes into the form.
  function putBackForm() {
    for (const typed of current().querySelectorAll("textarea[name]")) {
      if (typed.value) form.querySelector(`[name='${typed.name}']`).value = typed.value;
    }
    current().replaceWith(form);
  }

  // A young person's pages keep their title, which says nothing: others may read the history of the browser.
  function nameStep(number) {
    const heading = stepsOf(form)[number].querySelector("h2").textContent.trim();
    const title = form.querySelector("h1").textContent;
    const council = document.title.split(" - ").pop();
    if (form.matches("[data-dull]")) document.title = document.title.replace(`${say("Error:")} `, "");
    else document.title = `${heading} - ${title} - ${council}`;
  }

  function show(number) {
    if (current() !== form) putBackForm();
    arrange(number);
    nameStep(number);
    const heading = stepsOf(form)[number].querySelector("h2");
    heading.tabIndex = -1;
    heading.focus();
    window.scrollTo(0, 0);
  }

  function problemBox() {
    const shown = form.querySelector(".problem:not([data-alert])");
    if (shown) return shown;
    const box = document.createElement("div");
    const heading = document.createElement("h2");
    box.className = "problem";
    box.tabIndex = -1;
    box.setAttribute("role", "alert");
    box.setAttribute("aria-labelledby", "problem");
    heading.id = "problem";
    heading.textContent = say("There is a problem");
    box.append(heading, document.createElement("ul"));
    form.querySelector("h1").before(box);
    return box;
  }

  function unmark(question) {
    question.classList.remove("wrong");
    question.querySelector(".fault:not([data-count])")?.remove();
    question.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
    linkTo(question)?.parentElement.remove();
  }

  // Mark a question as wrong, in the same way as the server (macros `question_label` and `error_summary`).
  function mark(question) {
    const error = document.createElement("span");
    const fault = document.createElement("span");
    const item = document.createElement("li");
    const link = document.createElement("a");
    error.className = "vh";
    error.textContent = `${say("Error:")} `;
    fault.className = "fault";
    fault.append(error, errorOf(question));
    question.classList.add("wrong");
    [...question.querySelector("legend, label").querySelectorAll("b, .hint, small")].pop().after(fault);
    question.querySelector("[id]").setAttribute("aria-invalid", "true");
    link.href = `#${nameIn(question)}`;
    link.textContent = errorOf(question);
    item.append(link);
    problemBox().querySelector("ul").append(item);
  }

  // Return the error of a question that lacks a required answer, or whose number is none or too large; else nothing.
  function errorOf(question) {
    const { missing, notNumber, tooLarge, most } = question.dataset;
    if (missing) return isAnswered(question) ? undefined : missing;
    const typed = question.querySelector("input").value.trim();
    if (!typed) return undefined;
    if (!/^[0-9]+$/.test(typed)) return notNumber;
    return Number(typed) > Number(most) ? tooLarge : undefined;
  }

  // Show an error at each answer that the step lacks or cannot take. Return true if there is one. The server checks all.
  function lacksAnswer(step) {
    const checked = [...step.querySelectorAll("[data-missing], [data-not-number]")];
    const missing = checked.filter(errorOf);
    checked.forEach(unmark);
    missing.forEach(mark);
    const box = form.querySelector(".problem:not([data-alert])");
    if (box && !box.querySelector("li")) box.remove();
    if (!missing.length) return false;
    box.hidden = false;
    if (!document.title.startsWith(say("Error:"))) document.title = `${say("Error:")} ${document.title}`;
    box.focus();
    window.scrollTo(0, 0);
    return true;
  }

  function goOn(number) {
    if (lacksAnswer(stepsOf(form)[views[place]]) || !tell("onward")) return;
    record(number);
    show(number);
  }

  // After sending, go back over the steps. One entry stays, so that the first Back still shows the page with the code.
  function finish() {
    const entries = place - 1;
    isSent = true;
    form = null;
    place = 1;
    if (entries > 0) history.go(-entries);
    else if (entries < 0) history.pushState(place, "");
  }

  function goBackAfterSending(to) {
    const leave = () => (isFirst ? window.location.assign("/") : history.back());
    if (to > place) history.go(place - to);
    if (to >= place) return;
    place = to;
    if (tell("leaving", leave)) leave();
  }

  document.addEventListener("page", (event) => {
    const main = event.target;
    if (event.detail.status === 201) finish();
    if (isSent) return;
    if (stepsOf(main).length) {
      form = main;
      const wanted = Math.max(stepAround(event.detail.first), stepAround(main.querySelector("[data-step] .wrong")));
      const before = typeof views[place] === "number" ? views[place] : 0;
      record(wanted < 0 ? before : wanted);
      arrange(views[place]);
      if (!main.querySelector(".problem")) nameStep(views[place]);
    } else if (typeof views[place] === "number") record(main);
    else views[place] = main;
  });
  document.addEventListener("reveal", (event) => {
    const step = isSent || current() !== form ? -1 : stepAround(event.target);
    if (step < 0 || step === views[place]) return;
    record(step);
    arrange(step);
  });
  window.addEventListener("popstate", (event) => {
    if (document.documentElement.hidden && !isReturning) return; // the exit is going back over the steps
    document.documentElement.hidden = isReturning = false;
    const to = event.state ?? 0;
    if (isSent) {
      goBackAfterSending(to);
      return;
    }
    if (!(to in views)) {
      if (to) history.go(-to);
      return;
    }
    place = to;
    if (typeof views[to] === "number") show(views[to]);
    else form.querySelector("[data-check]").click(); // request the page again: the answers may have changed
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-continue]")) goOn(views[place] + 1);
    if (event.target.closest("[data-back]")) history.back();
  });
  // Enter in a field does the same as `Continue`. In a step that was changed, it leads back to the answers.
  document.addEventListener(
    "submit",
    (event) => {
      const last = isSent ? 0 : stepsOf(form).length - 1;
      if (isSent || !event.submitter?.matches("[data-default]") || current() !== form || views[place] === last) return;
      if (stepsOf(form)[views[place]].querySelector("[data-return]")) return;
      event.preventDefault();
      goOn(views[place] + 1);
    },
    { capture: true },
  );
  document.addEventListener("input", (event) => {
    if (isSent || !stepsOf(form).length) return;
    // The browser may fill in what it knows about the reporter, but must not remember what is typed here.
    if (event.target.autocomplete) event.target.autocomplete = "off";
    const state = event.target.closest("[data-part]")?.querySelector("[data-state]");
    if (state) state.textContent = say("Started");
  });
  if (stepsOf(form).length) {
    arrange(0);
    history.scrollRestoration = "manual"; // else the receipt would open at the scroll position of the first step
  }
  if (history.state) {
    // The browser returned to a step of a form whose answers are gone: go to the first step.
    isReturning = true;
    document.documentElement.hidden = true;
    history.go(-history.state);
  }
})();
