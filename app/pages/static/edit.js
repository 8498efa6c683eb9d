// The editor's pages work without this script. It saves what is typed, a moment after it was typed:
// - The words are sent with the tag of the section as it was saved last, so nobody's words are overwritten.
// - Where the server cannot be reached, they stay on the page, and are sent again. A button first saves what was typed, and
//   is carried out only then: the browser would leave the page for one that says that nothing answers.
// - Where somebody else saved other words, it stops, and offers to compare both.
(() => {
  const form = document.querySelector("form[data-autosave]");
  if (!form || form.dataset.autosave === "off") return;
  const status = form.querySelector("[data-status]");
  const decide = form.querySelector("[data-decide]");
  const faults = document.querySelector("[data-faults]");
  const sound = document.querySelector("[data-sound]");
  const PAUSE = 1500, AGAIN = 5000, LONGEST = 30000;
  const CONFLICT = 412, SIGNED_OUT = 401;
  let timer, typed = 0, saved = 0, sending = false, stopped = false, unanswered, waiting;

  const say = (words) => { if (status.textContent !== words) status.textContent = words; };
  const wait = (pause) => { clearTimeout(timer); if (!stopped) timer = setTimeout(save, pause); };

  async function save() {
    if (sending || stopped || (typed === saved && !unanswered)) return;
    sending = true;
    // What may have arrived is sent again as it was, before what was typed since: then its answer has the new tag.
    unanswered ??= { now: typed, body: new URLSearchParams(new FormData(form)) };
    unanswered.body.set("act", "autosave");
    const headers = { "If-Match": `"${form.elements.shown.value}"` };
    const signal = AbortSignal.timeout(LONGEST);
    let answer;
    try {
      answer = await fetch(form.action, { method: "POST", body: unanswered.body, headers, redirect: "error", signal });
      if (answer.ok) show(await answer.json(), unanswered.now);
    } catch { answer = undefined; }
    sending = false;
    if (answer) unanswered = undefined;
    if (answer?.ok) {
      if (typed !== saved) return waiting ? save() : wait(PAUSE);
      if (waiting) form.requestSubmit(waiting);
      return;
    }
    waiting = undefined;
    if (answer?.status === CONFLICT) return stop("Not saved: somebody else saved other words of this section.");
    if (answer?.status === SIGNED_OUT) say("Not saved: you are signed out. Sign in in another tab. Your words stay here.");
    else say("Not saved: the server does not answer. Your words stay here, and are sent again.");
    wait(AGAIN);
  }

  function show(answer, now) {
    form.elements.shown.value = answer.shown;
    saved = now;
    say(`Saved ${answer.saved}.`);
    faults.replaceChildren(...answer.faults.map((words) => {
      const item = document.createElement("li");
      item.textContent = words;
      return item;
    }));
    sound.hidden = answer.faults.length > 0;
  }

  function stop(words) {
    stopped = true;
    clearTimeout(timer);
    say(words);
    decide.hidden = false;
  }

  form.addEventListener("input", () => {
    typed += 1;
    if (stopped) return;
    say("Not saved yet.");
    wait(PAUSE);
  });
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (!stopped && (sending || unanswered || typed !== saved)) {
      event.preventDefault();
      waiting = event.submitter;
      save();
      return;
    }
    stopped = true;
    saved = typed;
  });
  window.addEventListener("online", () => wait(0));
  window.addEventListener("beforeunload", (event) => { if (typed !== saved) event.preventDefault(); });
  // A page from the browser's memory may be older than what is saved: its tag would be refused, so load it again.
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });

  // Return whether the field holds something else than the page came with: it may have been typed before this script arrived.
  function isTyped(field) {
    if (field.options) return field.selectedIndex !== Math.max(0, [...field.options].findIndex((each) => each.defaultSelected));
    return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  }
  if ([...form.querySelectorAll("input, select, textarea")].some(isTyped)) form.dispatchEvent(new Event("input"));
})();
